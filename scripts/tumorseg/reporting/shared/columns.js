// Lets readers choose the columns of a table. Without JavaScript, the table has the columns of its first view.
(() => {
  for (const chooser of document.querySelectorAll(".columns")) {
    const table = document.getElementById(chooser.dataset.table);
    const style = document.getElementById(`${chooser.dataset.table}-hidden`);
    const heads = [...table.tHead.rows[0].cells];
    const chosen = (kind) => new Set([...chooser.querySelectorAll(`input[name=${kind}]:checked`)].map(({ value }) => value));

    const show = () => {
      const [scores, regions] = [chosen("score"), chosen("region")];
      const isChosen = ({ score, region }) => scores.has(score) && (!region || regions.has(region));
      const hidden = heads.filter(({ dataset }) => dataset.score && !isChosen(dataset));
      style.textContent = hidden
        .map((head) => `#${table.id} tr > :nth-child(${head.cellIndex + 1}) { display: none; }`)
        .join("\n");
    };

    // A phone has space for one score.
    if (matchMedia("(max-width: 40rem)").matches) {
      for (const box of [...chooser.querySelectorAll("input[name=score]:checked")].slice(1)) box.checked = false;
    }
    chooser.addEventListener("change", show);
    chooser.hidden = false;
    show();
  }
})();
