// Enlarges figures: with a click on the picture, or with the button below it. Escape or another click closes them.
(() => {
  const images = [...document.querySelectorAll("figure img")].filter((image) => !image.closest("a"));
  if (!images.length) return;
  const dialog = document.createElement("dialog");
  dialog.className = "enlarged";
  const close = document.createElement("button");
  close.type = "button";
  close.textContent = "Close";
  const large = new Image();
  dialog.append(close, large);
  dialog.addEventListener("click", () => dialog.close());
  document.body.append(dialog);

  const open = (image) => {
    large.src = image.src;
    large.alt = image.alt;
    // At least as wide as the window, so that small thumbnails grow too.
    large.style.width = `max(${image.naturalWidth}px, 94vw)`;
    dialog.setAttribute("aria-label", image.alt);
    dialog.showModal();
    dialog.scrollTo(0, 0);
  };

  for (const image of images) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "enlarge";
    button.textContent = "Enlarge";
    button.setAttribute("aria-label", `Enlarge: ${image.alt}`);
    button.addEventListener("click", () => open(image));
    image.addEventListener("click", () => open(image));
    image.classList.add("enlargeable");
    (image.closest(".wide") ?? image).after(button);
  }
})();
