// Makes tables of the class `sortable` sortable and filterable. Without JavaScript they are complete, sorted by case.
// Long ones show their first rows until a button is pressed; the others have the class `later`, and are printed too.
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

    const chunk = Number(table.dataset.chunk ?? Infinity);
    let limit = chunk;
    const more = document.createElement("p");
    const format = (number) => number.toLocaleString("en-GB");

    const addButton = (text, rowsMore) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = text;
      button.addEventListener("click", () => {
        limit += rowsMore;
        update();
      });
      more.append(button, " ");
    };

    // Shows the first matching rows in the present order.
    const update = () => {
      const matching = [...body.rows].filter((row) => !row.hidden);
      matching.forEach((row, index) => row.classList.toggle("later", index >= limit));
      const rest = Math.max(0, matching.length - limit);
      shown.textContent = `${format(matching.length - rest)} of ${format(rows.length)} shown`;
      more.replaceChildren();
      if (rest > chunk) addButton(`Show ${format(chunk)} more`, chunk);
      if (rest) addButton(`Show all ${format(matching.length)}`, Infinity);
      table.dispatchEvent(new Event("rowschange"));
    };

    const filter = () => {
      const wanted = input.value.trim().toLowerCase();
      for (const row of rows) row.hidden = !texts.get(row).includes(wanted);
      limit = chunk;
      update();
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
      update();
    };

    for (const head of table.tHead.querySelectorAll("[data-sort]")) {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      button.addEventListener("click", () => sort(head));
      head.append(button);
    }
    // A link to a case opens its row even if the filter hides it, or it comes later.
    const openRow = (hash) => {
      const row = hash && document.getElementById(hash.slice(1));
      if (!row || !table.contains(row) || !(row.hidden || row.classList.contains("later"))) return;
      if (row.hidden) {
        input.value = "";
        filter();
      }
      limit = Math.max(limit, [...body.rows].filter((other) => !other.hidden).indexOf(row) + 1);
      update();
      row.scrollIntoView();
    };
    document.addEventListener("click", (event) => openRow(event.target.closest('a[href^="#"]')?.hash));
    input.addEventListener("input", filter);
    controls.hidden = false;
    more.className = "more";
    (table.closest(".wide") ?? table).after(more);
    filter();
    openRow(location.hash);
  };
  for (const table of document.querySelectorAll("table.sortable")) makeSortable(table);
})();
