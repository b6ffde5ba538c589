// The viewer of the cases of a page: NiiVue with controls for keyboard, mouse and touch. Each picture shows one image of
// the selected case; all of them show the same point. Nothing is decoded until the viewer is near the screen or used, and
// then only the selected case. NiiVue and the cases are in the page, or in files beside it.
(() => {
  const app = document.querySelector(".viewer");
  const status = app.querySelector(".viewer-status");
  const settings = JSON.parse(document.getElementById("viewer-settings").textContent);
  const control = (name) => document.getElementById(`viewer-${name}`);
  const ticked = (name) => control(name)?.checked ?? false;
  const panes = [...app.querySelectorAll(".viewer-picture")].map((picture) => {
    const choice = document.getElementById(picture.dataset.choice);
    return { picture, canvas: picture.querySelector("canvas"), choice, preferred: choice.value, images: new Map() };
  });
  const embedded = new Map(
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

  let shown;
  let queue;

  const loadScript = (url) =>
    new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.onload = () => resolve(script.remove());
      script.onerror = () => reject(new Error(`the file ${decodeURI(url)} is missing. Copy the whole folder of this page.`));
      script.src = url;
      document.head.append(script);
    });

  const loadNiivue = async () => {
    if (settings.niivue) return loadScript(settings.niivue);
    const script = document.createElement("script");
    script.textContent = document.getElementById("niivue-source").textContent;
    document.head.append(script);
  };

  const loadCase = async (name) => {
    if (embedded.has(name)) return JSON.parse(embedded.get(name).textContent);
    await loadScript(control("case").selectedOptions[0].dataset.script);
    const content = window.viewerCases?.[name];
    if (!content) throw new Error(`the file of ${name} belongs to another case. Run the workflow again.`);
    delete window.viewerCases[name];
    return content;
  };

  const colours = () => {
    const channel = (at) => settings.colours.map((colour) => parseInt(colour.slice(at, at + 2), 16));
    const alpha = settings.colours.map((_, label) => (label ? 255 : 0));
    return { R: channel(1), G: channel(3), B: channel(5), A: alpha, I: [...alpha.keys()], labels: settings.labels };
  };

  const image = async (pane, name) => {
    if (!pane.images.has(name)) {
      const base64 = shown.volumes[name];
      pane.images.set(name, await niivue.NVImage.loadFromBase64({ base64, name: `${name}.nii.gz`, cal_min: 0, cal_max: 255 }));
    }
    return pane.images.get(name);
  };

  const currentVoxel = () => panes[0].nv.frac2vox(panes[0].nv.scene.crosshairPos);

  const updateSliders = () => {
    for (const [plane, axis] of Object.entries(AXES)) {
      const slider = control(plane);
      slider.max = panes[0].nv.volumes[0].dimsRAS[axis + 1];
      slider.value = currentVoxel()[axis] + 1;
      slider.nextElementSibling.value = `${slider.value} of ${slider.max}`;
    }
  };

  const goTo = (voxel) => {
    for (const { nv } of panes) {
      nv.scene.crosshairPos = nv.vox2frac(voxel);
      nv.drawScene();
    }
    updateSliders();
  };

  const updateOverlays = () => {
    const in3d = control("view").value === "3d";
    // Without the tick "Fill prediction", the slider alone sets the fill. At its start, 0, a mask would be invisible in 3D.
    const opacity = control("opacity").value / 100 || Number(in3d && !control("fill"));
    const reference = ticked("reference");
    const prediction = ticked("prediction");
    for (const { nv } of panes) {
      nv.overlayAlphaShader = reference ? opacity : 0;
      nv.drawRimOpacity = prediction ? 1 : 0;
      nv.drawOpacity = prediction && (in3d || !control("fill") || ticked("fill")) ? opacity : 0;
      nv.opts.renderOverlayBlend = opacity;
      // Redrawing is enough for the shader above; the 3D rendering takes its values from the textures.
      const overlay = nv.volumes[1];
      if (overlay && (in3d || overlay.opacity !== Number(reference))) nv.setOpacity(1, Number(reference));
      else if (in3d) nv.updateGLVolume();
      else nv.drawScene();
    }
  };

  const updateView = () => {
    const view = control("view").value;
    for (const row of app.querySelectorAll("[data-plane]")) row.hidden = view !== "planes" && view !== row.dataset.plane;
    for (const { picture, nv } of panes) {
      picture.dataset.view = picture.parentElement.dataset.view = view;
      nv.setCrosshairWidth(view === "planes" ? 0.5 : 0);
    }
    updateOverlays();
    for (const { nv } of panes) nv.setSliceType(VIEWS[view]);
  };

  const setState = (state, text) => {
    app.dataset.state = state;
    status.textContent = text;
  };

  // Selects the preferred image of a picture, or the first one that the case has.
  const chooseImage = (pane) => {
    for (const option of pane.choice.options) option.disabled = !(option.value in shown.volumes);
    const available = [...pane.choice.options].filter((option) => !option.disabled).map((option) => option.value);
    pane.choice.value = available.includes(pane.preferred) ? pane.preferred : available[0];
  };

  const showCase = async (pane) => {
    const { nv } = pane;
    pane.images = new Map();
    for (const volume of [...nv.volumes]) nv.removeVolume(volume);
    nv.addVolume(await image(pane, pane.choice.value));
    if (shown.volumes.reference) {
      const reference = await image(pane, "reference");
      reference.setColormapLabel(colours());
      nv.addVolume(reference);
    }
    nv.loadDrawing(await image(pane, "prediction"));
    nv.setPan2Dxyzmm([0, 0, 0, 1]);
  };

  const showImage = async (pane) => {
    const [before, after] = [pane.nv.volumes[0], await image(pane, pane.choice.value)];
    if (before === after) return;
    pane.nv.addVolume(after);
    pane.nv.moveVolumeToBottom(after);
    pane.nv.removeVolume(before);
  };

  // Shows the case and the images that the controls select.
  const updateVolumes = async () => {
    const wanted = control("case").value;
    if (wanted !== shown?.case) {
      setState("loading", `Loading ${wanted} …`);
      shown = await loadCase(wanted);
      panes.forEach(chooseImage);
      for (const pane of panes) await showCase(pane);
      const { nv } = panes[0];
      goTo(nv.frac2vox(nv.mm2frac(shown.start)));
      app.querySelector(".viewer-text").textContent = control("case").selectedOptions[0].dataset.text;
    } else {
      for (const pane of panes) await showImage(pane);
    }
    for (const { canvas, choice } of panes) {
      canvas.setAttribute("aria-label", `${choice.selectedOptions[0].text} of ${wanted}, with its tumour labels`);
    }
    updateView();
    setState("ready", "");
  };

  const fail = (error) => {
    for (const { nv } of panes) {
      try {
        nv?.cleanup();
      } catch {
        // A lost context cannot be cleaned up; the message below matters more.
      }
    }
    for (const part of app.querySelectorAll(":scope > div")) part.hidden = true;
    app.querySelector(".viewer-off").hidden = false;
    setState("failed", `The viewer cannot run: ${error.message}`);
  };

  const createNiivue = async (pane) => {
    const nv = new niivue.Niivue({
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
    await nv.attachToCanvas(pane.canvas, true);
    pane.canvas.addEventListener("webglcontextlost", () =>
      fail(new Error("the browser released the GPU memory. Reload the page.")),
    );
    nv.drawLut = niivue.cmapper.makeDrawLut(colours());
    nv.setCustomSliceShader(shader());
    const others = () => panes.filter((other) => other !== pane && other.nv).map((other) => other.nv);
    nv.onLocationChange = () => {
      for (const other of others()) {
        other.scene.crosshairPos = [...nv.scene.crosshairPos];
        other.drawScene();
      }
      updateSliders();
    };
    nv.onAzimuthElevationChange = (azimuth, elevation) => {
      for (const other of others()) {
        Object.assign(other.scene.sceneData, { azimuth, elevation }); // their setters would call this function again
        other.drawScene();
      }
    };
    pane.nv = nv;
  };

  const initialise = async () => {
    if (!document.createElement("canvas").getContext("webgl2")) throw new Error("this browser does not support WebGL 2.");
    setState("loading", "Loading …");
    await loadNiivue();
    for (const part of app.querySelectorAll(":scope > div")) part.hidden = false;
    app.querySelector(".viewer-off").hidden = true;
    for (const pane of panes) await createNiivue(pane);
    await updateVolumes();
  };

  const start = () => {
    queue ??= initialise().catch(fail);
  };
  const later = (task) => {
    start();
    queue = queue.then(() => app.dataset.state !== "failed" && task()).catch(fail);
  };

  control("case").addEventListener("change", () => later(updateVolumes));
  for (const pane of panes) {
    pane.choice.addEventListener("change", () => {
      pane.preferred = pane.choice.value;
      later(updateVolumes);
    });
  }
  control("view").addEventListener("change", () => later(updateView));
  for (const name of ["reference", "prediction", "fill", "opacity"]) {
    control(name)?.addEventListener("input", () => later(updateOverlays));
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
  for (const { picture, canvas } of panes) {
    for (const name of ["wheel", "touchstart", "touchmove", "touchend"]) {
      picture.addEventListener(
        name,
        (event) => {
          if (document.activeElement !== canvas) event.stopPropagation();
        },
        { capture: true, passive: true },
      );
    }
  }
  new IntersectionObserver((entries, observer) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    observer.disconnect();
    start();
  }, { rootMargin: "50%" }).observe(app);
})();
