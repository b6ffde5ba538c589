// Without it every table is complete, in the order of the cases; with it sortable ones can be filtered and sorted.
(() => {
  const makeSortable = (table) => {
    const body = table.tBodies[0];
    const rows = [...body.rows];
    const controls = document.querySelector(`.controls[data-table="${table.id}"]`);
    const input = controls.querySelector("input");
    const shown = controls.querySelector("output");
    // Names and words, not numbers, and not the words of links.
    const words = (row) => [...row.querySelectorAll("th, td.text, td.findings")];
    const word = (cell) => cell.dataset.value ?? cell.textContent;
    const texts = new Map(rows.map((row) => [row, words(row).map(word).join(" ").toLowerCase()]));

    const filter = () => {
      const wanted = input.value.trim().toLowerCase();
      for (const row of rows) row.hidden = !texts.get(row).includes(wanted);
      const count = rows.filter((row) => !row.hidden).length;
      shown.textContent = `${count.toLocaleString("en-GB")} of ${rows.length.toLocaleString("en-GB")} shown`;
    };

    const key = (row, column, numeric) => {
      const cell = row.cells[column];
      return numeric ? Number(cell.dataset.value ?? -1) : (cell.dataset.value ?? cell.textContent.trim());
    };

    const sort = (head) => {
      const numeric = "numeric" in head.dataset;
      const column = head.cellIndex;
      const falling = head.getAttribute("aria-sort") === "ascending";
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", falling ? "descending" : "ascending");
      const order = (one, other) => {
        const [a, b] = [key(one, column, numeric), key(other, column, numeric)];
        return numeric ? a - b : a < b ? -1 : a > b ? 1 : 0;
      };
      body.append(...[...rows].sort((one, other) => (falling ? order(other, one) : order(one, other))));
    };

    for (const head of table.tHead.querySelectorAll("[data-sort]")) {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      button.addEventListener("click", () => sort(head));
      head.append(button);
    }
    // A link to a case leads to its row, even where the filter hides it.
    document.addEventListener("click", (event) => {
      const link = event.target.closest('a[href^="#"]');
      const row = link && document.getElementById(link.hash.slice(1));
      if (!row?.hidden || !table.contains(row)) return;
      input.value = "";
      filter();
      row.scrollIntoView();
    });
    input.addEventListener("input", filter);
    controls.hidden = false;
    filter();
  };
  for (const table of document.querySelectorAll("table.sortable")) makeSortable(table);
})();
