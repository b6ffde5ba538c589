// The viewer of a few cases: NiiVue with controls for keyboard, mouse and touch. Nothing is decoded until the viewer is
// near the screen or used, and then only the selected case.
(() => {
  const app = document.querySelector(".viewer");
  const picture = app.querySelector(".viewer-picture");
  const canvas = picture.querySelector("canvas");
  const status = app.querySelector(".viewer-status");
  const settings = JSON.parse(document.getElementById("viewer-settings").textContent);
  const control = (name) => document.getElementById(`viewer-${name}`);
  const texts = new Map(
    [...document.querySelectorAll(".viewer-case")].map((script, index) => [settings.cases[index], script]),
  );
  // NiiVue's number of each view, and the axis (right, front, top) across the slices of each plane.
  const VIEWS = { axial: 0, coronal: 1, sagittal: 2, planes: 3, "3d": 4 };
  const AXES = { axial: 2, coronal: 1, sagittal: 0 };

  // NiiVue's own shader draws outlines below the fill, where they are hardly visible. This one draws, from bottom to
  // top, the fill of the reference (overlay, not interpolated), the fill of the prediction (drawing), and its outline.
  const shader = () => `#version 300 es
precision highp int;
precision highp float;
uniform highp sampler3D volume;
uniform highp sampler3D overlay;
uniform highp sampler3D drawing;
uniform highp sampler2D colormap;
uniform float overlays;
uniform float opacity;
uniform float overlayAlphaShader;
uniform float drawOpacity;
uniform float drawRimOpacity;
in vec3 texPos;
out vec4 color;
void main() {
  color = vec4(texture(volume, texPos).rgb, opacity);
  vec3 size = vec3(textureSize(overlay, 0));
  vec4 fill = texelFetch(overlay, ivec3(min(texPos * size, size - 1.0)), 0);
  if (overlays > 0.0 && fill.a > 0.0) color.rgb = mix(color.rgb, fill.rgb, overlayAlphaShader);
  float label = texture(drawing, texPos).r;
  if (label == 0.0) return;
  float width = ${(1.5 * devicePixelRatio).toFixed(1)};
  bool rim = false;
  for (float x = -1.0; x <= 1.0; x += 1.0)
    for (float y = -1.0; y <= 1.0; y += 1.0)
      rim = rim || texture(drawing, texPos + width * (x * dFdx(texPos) + y * dFdy(texPos))).r != label;
  float rows = float(textureSize(colormap, 0).y);
  vec3 ink = texture(colormap, vec2((label * 255.0 + 0.5) / 256.0, (rows - 0.5) / rows)).rgb;
  color.rgb = mix(color.rgb, ink, rim && drawRimOpacity > 0.0 ? drawRimOpacity : drawOpacity);
}`;

  let nv;
  let shown = {};
  let images = new Map();
  let queue;

  const colours = () => {
    const channel = (at) => settings.colours.map((colour) => parseInt(colour.slice(at, at + 2), 16));
    const alpha = settings.colours.map((_, label) => (label ? 255 : 0));
    return { R: channel(1), G: channel(3), B: channel(5), A: alpha, I: [...alpha.keys()], labels: settings.labels };
  };

  const image = async (content, name) => {
    if (!images.has(name)) {
      const base64 = content.volumes[name];
      images.set(name, await niivue.NVImage.loadFromBase64({ base64, name: `${name}.nii.gz`, cal_min: 0, cal_max: 255 }));
    }
    return images.get(name);
  };

  const currentVoxel = () => nv.frac2vox(nv.scene.crosshairPos);

  const updateSliders = () => {
    for (const [plane, axis] of Object.entries(AXES)) {
      const slider = control(plane);
      slider.max = nv.volumes[0].dimsRAS[axis + 1];
      slider.value = currentVoxel()[axis] + 1;
      slider.nextElementSibling.value = `${slider.value} of ${slider.max}`;
    }
  };

  const goTo = (voxel) => {
    nv.scene.crosshairPos = nv.vox2frac(voxel);
    nv.drawScene();
    updateSliders();
  };

  const updateOverlays = () => {
    const in3d = control("view").value === "3d";
    const opacity = control("opacity").value / 100;
    const reference = control("reference").checked;
    const prediction = control("prediction").checked;
    nv.overlayAlphaShader = reference ? opacity : 0;
    nv.drawRimOpacity = prediction ? 1 : 0;
    nv.drawOpacity = prediction && (in3d || control("fill").checked) ? opacity : 0;
    nv.opts.renderOverlayBlend = opacity;
    // Redrawing is enough for the shader above; the 3D rendering takes its values from the textures.
    if (in3d || nv.volumes[1].opacity !== Number(reference)) nv.setOpacity(1, Number(reference));
    else nv.drawScene();
  };

  const updateView = () => {
    const view = control("view").value;
    picture.dataset.view = view;
    for (const row of app.querySelectorAll("[data-plane]")) row.hidden = view !== "planes" && view !== row.dataset.plane;
    nv.setCrosshairWidth(view === "planes" ? 0.5 : 0);
    updateOverlays();
    nv.setSliceType(VIEWS[view]);
  };

  const setState = (state, text) => {
    app.dataset.state = state;
    status.textContent = text;
  };

  // Shows the case and the image that the controls select.
  const updateVolumes = async () => {
    const wanted = { case: control("case").value, image: control("image").value };
    if (wanted.case === shown.case && wanted.image === shown.image) return;
    setState("loading", `Loading ${wanted.case} …`);
    const content = JSON.parse(texts.get(wanted.case).textContent);
    if (wanted.case !== shown.case) {
      images = new Map();
      for (const volume of [...nv.volumes]) nv.removeVolume(volume);
      const reference = await image(content, "reference");
      reference.setColormapLabel(colours());
      nv.addVolume(await image(content, wanted.image));
      nv.addVolume(reference);
      nv.loadDrawing(await image(content, "prediction"));
      nv.setPan2Dxyzmm([0, 0, 0, 1]);
      goTo(nv.frac2vox(nv.mm2frac(content.start)));
      app.querySelector(".viewer-dice").textContent = content.dice_text;
    } else {
      const [before, after] = [nv.volumes[0], await image(content, wanted.image)];
      nv.addVolume(after);
      nv.moveVolumeToBottom(after);
      nv.removeVolume(before);
    }
    shown = wanted;
    const name = control("image").selectedOptions[0].text;
    canvas.setAttribute("aria-label", `${name} of ${wanted.case}, with its tumour labels`);
    updateView();
    setState("ready", "");
  };

  const fail = (error) => {
    try {
      nv?.cleanup();
    } catch {
      // A lost context cannot be cleaned up; the message below matters more.
    }
    for (const part of app.querySelectorAll(":scope > div")) part.hidden = true;
    app.querySelector(".viewer-off").hidden = false;
    setState("failed", `The viewer cannot run: ${error.message}`);
  };

  const initialise = async () => {
    if (!document.createElement("canvas").getContext("webgl2")) throw new Error("this browser does not support WebGL 2.");
    setState("loading", "Loading …");
    const script = document.createElement("script");
    script.textContent = document.getElementById("niivue-source").textContent;
    document.head.append(script);
    for (const part of app.querySelectorAll(":scope > div")) part.hidden = false;
    app.querySelector(".viewer-off").hidden = true;
    nv = new niivue.Niivue({
      logLevel: "error",
      isRadiologicalConvention: true,
      sagittalNoseLeft: true,
      showAllOrientationMarkers: true,
      isForceMouseClickToVoxelCenters: true,
      multiplanarShowRender: niivue.SHOW_RENDER.NEVER,
      multiplanarPadPixels: 12 * devicePixelRatio,
      dragAndDropEnabled: false,
      crosshairColor: [0.8, 0.8, 0.8, 1],
      crosshairGap: 14,
      fontColor: [0.9, 0.9, 0.9, 1],
      fontMinPx: 14,
      viewModeHotKey: "none",
      clipPlaneHotKey: "none",
      cycleClipPlaneHotKey: "none",
    });
    await nv.attachToCanvas(canvas, true);
    canvas.addEventListener("webglcontextlost", () => fail(new Error("the browser released the GPU memory. Reload the page.")));
    nv.drawLut = niivue.cmapper.makeDrawLut(colours());
    nv.setCustomSliceShader(shader());
    nv.onLocationChange = updateSliders;
    await updateVolumes();
  };

  const start = () => {
    queue ??= initialise().catch(fail);
  };
  const later = (task) => {
    start();
    queue = queue.then(() => app.dataset.state !== "failed" && task()).catch(fail);
  };

  for (const name of ["case", "image"]) control(name).addEventListener("change", () => later(updateVolumes));
  control("view").addEventListener("change", () => later(updateView));
  for (const name of ["reference", "prediction", "fill", "opacity"]) {
    control(name).addEventListener("input", () => later(updateOverlays));
  }
  for (const [plane, axis] of Object.entries(AXES)) {
    control(plane).addEventListener("input", (event) =>
      later(() => {
        const voxel = currentVoxel();
        voxel[axis] = event.target.value - 1;
        goTo(voxel);
      }),
    );
  }
  // Links open a case in the viewer: <a href="#viewer" data-viewer-case="CASE">.
  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-viewer-case]");
    if (!link) return;
    control("case").value = link.dataset.viewerCase;
    later(updateVolumes);
  });
  // Mouse wheel and finger scroll the page until the picture is clicked or tapped.
  for (const name of ["wheel", "touchstart", "touchmove", "touchend"]) {
    picture.addEventListener(
      name,
      (event) => {
        if (document.activeElement !== canvas) event.stopPropagation();
      },
      { capture: true, passive: true },
    );
  }
  new IntersectionObserver((entries, observer) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    observer.disconnect();
    start();
  }, { rootMargin: "50%" }).observe(app);
})();
