// The viewer of the cases of a page: NiiVue with controls for keyboard, mouse and touch. Each picture shows one image of
// the selected case; all of them show the same point. Pictures without a choice show the other images, if they are
// wanted. Nothing is decoded until the viewer is near the screen or used, and then only the selected case. NiiVue and the
// cases are in the page, or in files beside it.
(() => {
  const app = document.querySelector(".viewer");
  const status = app.querySelector(".viewer-status");
  const settings = JSON.parse(document.getElementById("viewer-settings").textContent);
  const control = (name) => document.getElementById(`viewer-${name}`);
  const ticked = (name) => control(name)?.checked ?? false;
  const allPanes = [...app.querySelectorAll(".viewer-picture")].map((picture) => {
    const choice = document.getElementById(picture.dataset.choice);
    const { mask } = picture.dataset;
    return { picture, canvas: picture.querySelector("canvas"), mask, choice, preferred: choice?.value, images: new Map() };
  });
  const panes = allPanes.filter((pane) => !pane.mask);
  const choices = panes.filter((pane) => pane.choice);
  const visible = (list) => list.filter((pane) => !pane.picture.hidden);
  const inSurfaces = () => control("view").value === "surfaces";
  const embedded = new Map(
    [...document.querySelectorAll(".viewer-case")].map((script, index) => [settings.cases[index], script]),
  );
  // NiiVue's number of each view, and the axis (right, front, top) across the slices of each plane.
  const VIEWS = { axial: 0, coronal: 1, sagittal: 2, planes: 3, "3d": 4, surfaces: 4 };
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

  const rgb = (colour) => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
  const colourMap = (list, labels) => {
    const [R, G, B] = [0, 1, 2].map((channel) => list.map((colour) => rgb(colour)[channel]));
    const alpha = list.map((_, label) => (label ? 255 : 0));
    return { R, G, B, A: alpha, I: [...alpha.keys()], labels };
  };
  const colours = () => colourMap(settings.colours, settings.labels);

  const image = async (pane, name) => {
    if (!pane.images.has(name)) {
      const base64 = shown.volumes[name];
      pane.images.set(name, await niivue.NVImage.loadFromBase64({ base64, name: `${name}.nii.gz`, cal_min: 0, cal_max: 255 }));
    }
    return pane.images.get(name);
  };

  const currentVoxel = () => panes[0].nv.frac2vox(panes[0].nv.scene.crosshairPos);

  // The outcome at each voxel: 0 where both masks are background, else its place in settings.outcomes.
  const outcomes = async () => {
    if (!shown.outcomes) {
      const [reference, prediction] = [await image(panes[0], "reference"), await image(panes[0], "prediction")];
      shown.outcomes = reference.img.map((label, at) => {
        const predicted = prediction.img[at];
        if (label === predicted) return label ? 1 : 0;
        return label && predicted ? 2 : label ? 3 : 4;
      });
    }
    return shown.outcomes;
  };

  const difference = async (pane) => {
    if (!pane.images.has("difference")) {
      const made = await niivue.NVImage.loadFromBase64({ base64: shown.volumes.reference, name: "difference.nii.gz" });
      made.img.set(await outcomes());
      made.setColormapLabel(colourMap(settings.outcomes, settings.outcomes.map(() => "")));
      pane.images.set("difference", made);
    }
    return pane.images.get("difference");
  };

  const toMm = (affine, voxel) =>
    [0, 1, 2].map((row) => affine[row][3] + voxel.reduce((sum, place, axis) => sum + affine[row][axis] * place, 0));

  // Goes to the point whose slices have the most wrongly labelled voxels, and says how large the error is.
  const goToLargestError = async () => {
    const { hdr } = await image(panes[0], "reference");
    const dims = hdr.dims.slice(1, 4);
    const counts = dims.map((size) => new Uint32Array(size));
    (await outcomes()).forEach((outcome, at) => {
      if (outcome < 2) return;
      counts[0][at % dims[0]] += 1;
      counts[1][Math.floor(at / dims[0]) % dims[1]] += 1;
      counts[2][Math.floor(at / (dims[0] * dims[1]))] += 1;
    });
    const voxel = counts.map((count) => count.indexOf(Math.max(...count)));
    // The array axis that runs most from feet to head.
    const axis = [0, 1, 2].sort((one, other) => Math.abs(hdr.affine[2][other]) - Math.abs(hdr.affine[2][one]))[0];
    const found = counts[axis][voxel[axis]];
    const text = control("error-text");
    if (!found) {
      text.value = "No voxel is labelled wrongly.";
      return;
    }
    if (["3d", "surfaces"].includes(control("view").value)) control("view").value = "axial";
    await updateVolumes();
    const { nv } = panes[0];
    goTo(nv.frac2vox(nv.mm2frac(toMm(hdr.affine, voxel))));
    const pixel = [0, 1, 2].filter((other) => other !== axis).reduce((area, other) => area * hdr.pixDims[other + 1], 1);
    text.value = `${((found * pixel) / 100).toFixed(1)} cm² of this axial slice are labelled wrongly.`;
  };

  const updateSliders = () => {
    for (const [plane, axis] of Object.entries(AXES)) {
      const slider = control(plane);
      slider.max = panes[0].nv.volumes[0].dimsRAS[axis + 1];
      slider.value = currentVoxel()[axis] + 1;
      slider.nextElementSibling.value = `${slider.value} of ${slider.max}`;
    }
  };

  const goTo = (voxel) => {
    for (const { nv } of [panes[0], ...visible(panes).slice(1)]) {
      nv.scene.crosshairPos = nv.vox2frac(voxel);
      nv.drawScene();
    }
    updateSliders();
  };

  const updateOverlays = () => {
    const in3d = control("view").value === "3d";
    // Without the tick "Fill prediction", the slider alone sets the fill. At its start, 0, a mask would be invisible in 3D.
    const opacity = control("opacity").value / 100 || Number(in3d && !control("fill"));
    const differing = ticked("difference");
    const reference = ticked("reference") || differing;
    const prediction = ticked("prediction") && !differing;
    for (const name of ["reference", "prediction", "fill"]) if (control(name)) control(name).disabled = differing;
    for (const legend of app.querySelectorAll(".legend")) legend.hidden = legend.matches(".viewer-outcomes") !== differing;
    for (const { nv } of visible(panes)) {
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
    for (const { picture, nv } of visible(allPanes)) {
      picture.dataset.view = picture.parentElement.dataset.view = view;
      nv.setCrosshairWidth(view === "planes" ? 0.5 : 0);
    }
    updateOverlays();
    for (const { nv } of visible(allPanes)) nv.setSliceType(VIEWS[view]);
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

  // Decides which pictures are shown, and which images those without a choice show.
  const layOut = () => {
    const chosen = choices.map((pane) => pane.choice.value);
    const options = [...panes[0].choice.options].filter((option) => !option.disabled);
    const others = options.map((option) => option.value).filter((name) => !chosen.includes(name));
    panes.forEach((pane, index) => {
      pane.image = pane.choice?.value ?? others[index - choices.length] ?? chosen[0];
      pane.picture.hidden =
        inSurfaces() || (!pane.choice && (!ticked("all") || index - choices.length >= others.length));
      const name = options.find((option) => option.value === pane.image).text;
      pane.picture.querySelector(".viewer-name").textContent = name;
      pane.canvas.setAttribute("aria-label", `${name} of ${shown.case}, with its tumour labels`);
    });
    for (const pane of allPanes.filter((pane) => pane.mask)) {
      const name = pane.picture.querySelector(".viewer-name").textContent;
      pane.picture.hidden = !inSurfaces();
      pane.canvas.setAttribute("aria-label", `${name} of ${shown.case} in 3D`);
    }
    const pictures = panes[0].picture.parentElement;
    pictures.classList.toggle("viewer-pair", visible(allPanes).length > 1);
    pictures.dataset.pictures = visible(allPanes).length;
    for (const part of app.querySelectorAll(".viewer-of-slices")) part.hidden = inSurfaces();
  };

  const showCase = async (pane) => {
    const { nv } = pane;
    pane.images = new Map();
    pane.shown = shown;
    for (const volume of [...nv.volumes]) nv.removeVolume(volume);
    nv.addVolume(await image(pane, pane.image));
    if (shown.volumes.reference) {
      const reference = await image(pane, "reference");
      reference.setColormapLabel(colours());
      nv.addVolume(reference);
    }
    nv.loadDrawing(await image(pane, "prediction"));
    nv.setPan2Dxyzmm([0, 0, 0, 1]);
    nv.scene.crosshairPos = [...panes[0].nv.scene.crosshairPos];
  };

  const showImage = async (pane) => {
    const [before, after] = [pane.nv.volumes[0], await image(pane, pane.image)];
    if (before === after) return;
    pane.nv.addVolume(after);
    pane.nv.moveVolumeToBottom(after);
    pane.nv.removeVolume(before);
  };

  const showOverlay = async (pane) => {
    if (!shown.volumes.reference) return;
    const wanted = await (ticked("difference") ? difference(pane) : image(pane, "reference"));
    if (pane.nv.volumes[1] === wanted) return;
    pane.nv.removeVolume(pane.nv.volumes[1]);
    pane.nv.addVolume(wanted);
  };

  // The brain and the outer labels of the tumour are translucent, so that what lies inside them is visible.
  const BRAIN = { colour: [255, 255, 255], opacity: 0.2, step: 2 };

  // Shows the surfaces of a mask in a picture that has no images, which is fast even without a GPU.
  const showSurfaces = async (pane) => {
    const { nv } = pane;
    if (pane.shown === shown) return;
    pane.shown = shown;
    for (const mesh of [...nv.meshes]) nv.removeMesh(mesh);
    const [mask, brain] = [await image(panes[0], pane.mask), await image(panes[0], panes[0].image)];
    const dims = mask.hdr.dims.slice(1, 4);
    const add = (rgb255, opacity, values, isInside, step) => {
      const made = viewerSurfaces(values, dims, isInside, mask.hdr.affine, step);
      if (!made) return;
      const colour = new Uint8Array([...rgb255, 255]);
      nv.addMesh(new niivue.NVMesh(made.positions, made.triangles, pane.mask, colour, opacity, true, nv.gl));
    };
    const labels = settings.colours.map((colour, label) => ({ colour, label, opacity: settings.opacities[label] }));
    // Opaque ones first: what is drawn later does not hide them.
    for (const { colour, label, opacity } of labels.slice(1).sort((one, other) => other.opacity - one.opacity)) {
      add(rgb(colour), opacity, mask.img, (value) => value === label);
    }
    add(BRAIN.colour, BRAIN.opacity, brain.img, (value) => value > 0, Math.max(...dims) > 100 ? BRAIN.step : 1);
  };

  // Shows the case and the images that the controls select.
  const updateVolumes = async () => {
    const wanted = control("case").value;
    const isNew = wanted !== shown?.case;
    if (isNew) {
      setState("loading", `Loading ${wanted} …`);
      shown = await loadCase(wanted);
      choices.forEach(chooseImage);
      if (control("error-text")) control("error-text").value = "";
      app.querySelector(".viewer-text").textContent = control("case").selectedOptions[0].dataset.text;
    }
    layOut();
    // The first picture is kept up to date even where only surfaces are shown: the others follow it.
    for (const pane of new Set([panes[0], ...visible(allPanes)])) {
      if (!pane.nv) setState("loading", `Loading ${wanted} …`);
      if (!pane.nv) await createNiivue(pane);
      if (pane.mask) await showSurfaces(pane);
      else if (pane.shown !== shown) await showCase(pane);
      else await showImage(pane);
      if (!pane.mask) await showOverlay(pane);
    }
    const { nv } = panes[0];
    if (isNew) goTo(nv.frac2vox(nv.mm2frac(shown.start)));
    updateView();
    setState("ready", "");
  };

  const fail = (error) => {
    for (const { nv } of allPanes) {
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
      isOrientCube: Boolean(pane.mask),
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
    const others = () =>
      visible(allPanes).filter((other) => other !== pane && other.nv && !other.mask === !pane.mask).map((other) => other.nv);
    nv.onLocationChange = () => {
      if (pane.mask) return;
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
  for (const pane of choices) {
    pane.choice.addEventListener("change", () => {
      pane.preferred = pane.choice.value;
      later(updateVolumes);
    });
  }
  for (const name of ["view", "all", "difference"]) control(name)?.addEventListener("change", () => later(updateVolumes));
  control("error")?.addEventListener("click", () => later(goToLargestError));
  control("screen").hidden = !document.fullscreenEnabled;
  control("screen").addEventListener("click", () => {
    if (document.fullscreenElement) document.exitFullscreen();
    else app.requestFullscreen();
  });
  document.addEventListener("fullscreenchange", () => {
    control("screen").textContent = document.fullscreenElement ? "Leave full screen" : "Full screen";
  });
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
  for (const { picture, canvas } of allPanes) {
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
