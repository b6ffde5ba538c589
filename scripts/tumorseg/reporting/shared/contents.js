// Folds the list of contents on a phone, marks the section in sight, and shows links to pages that exist.
(() => {
  const contents = document.querySelector(".contents details");
  const phone = matchMedia("(max-width: 40rem)");
  const fold = () => { contents.open = !phone.matches; };
  phone.addEventListener("change", fold);
  contents.addEventListener("click", (event) => {
    if (phone.matches && event.target.closest("a")) contents.open = false;
  });
  fold();

  // The section at a fifth of the window's height is the one in sight.
  const links = new Map([...contents.querySelectorAll('a[href^="#"]')].map((link) => {
    const heading = document.getElementById(link.hash.slice(1));
    return [heading.closest("section") ?? heading, link];
  }));
  const observer = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting) links.get(target).setAttribute("aria-current", "true");
      else links.get(target).removeAttribute("aria-current");
    }
  }, { rootMargin: "-20% 0px -80% 0px" });
  for (const section of links.keys()) observer.observe(section);

  // A page cannot know whether the others were written, but a reader who comes from one can go back to it.
  const from = new URLSearchParams(location.search).get("from");
  for (const item of contents.querySelectorAll("[data-page]")) item.hidden &&= item.dataset.page !== from;
})();
