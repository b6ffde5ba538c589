// Makes tables of the class `sortable` sortable and filterable. Without JavaScript they are complete, sorted by case.
(() => {
  const makeSortable = (table) => {
    const body = table.tBodies[0];
    const rows = [...body.rows];
    const controls = document.querySelector(`.controls[data-table="${table.id}"]`);
    const input = controls.querySelector("input");
    const shown = controls.querySelector("output");
    // The filter searches names and text, not numbers, and not the text of links.
    const textCells = (row) => [...row.querySelectorAll("th, td.text, td.issues")];
    const cellText = (cell) => cell.dataset.value ?? cell.textContent;
    const texts = new Map(rows.map((row) => [row, textCells(row).map(cellText).join(" ").toLowerCase()]));

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
      const descending = head.getAttribute("aria-sort") === "ascending";
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", descending ? "descending" : "ascending");
      const order = (one, other) => {
        const [a, b] = [key(one, column, numeric), key(other, column, numeric)];
        return numeric ? a - b : a < b ? -1 : a > b ? 1 : 0;
      };
      body.append(...[...rows].sort((one, other) => (descending ? order(other, one) : order(one, other))));
    };

    for (const head of table.tHead.querySelectorAll("[data-sort]")) {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      button.addEventListener("click", () => sort(head));
      head.append(button);
    }
    // A link to a case opens its row even if the filter hides it.
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
