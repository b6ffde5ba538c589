// Enlarges the images of a case in a dialog, and marks cases to keep or to exclude. The marks stay in this browser, and
// are exported as a list that `cohort.exclude` reads. The page starts with the marks of the present list.
(() => {
  const settings = JSON.parse(document.getElementById("review-settings").textContent);
  const panel = document.querySelector(".marks");
  const find = (name) => panel.querySelector(`.marks-${name}`);
  const tables = [...document.querySelectorAll("table.sortable")];
  const store = `tumorseg marks ${location.pathname}`;
  const present = new Map(settings.excluded.map(([name, reason]) => [name, { mark: "exclude", reason }]));
  const unmarked = { mark: "", reason: "" };
  const presentMark = (name) => present.get(name) ?? unmarked;
  const changed = new Map();
  const markOf = (name) => changed.get(name) ?? presentMark(name);

  // A mark that was set before the list of the run changed for this case is outdated.
  const load = () => {
    try {
      for (const [name, mark, reason, before] of JSON.parse(localStorage.getItem(store) ?? "[]")) {
        if (before === JSON.stringify(presentMark(name))) changed.set(name, { mark, reason });
      }
    } catch {
      find("stored").textContent = "This browser does not keep the marks. Export them before you close the page.";
    }
  };

  const save = () => {
    const rows = [...changed].map(([name, { mark, reason }]) => [name, mark, reason, JSON.stringify(presentMark(name))]);
    try {
      localStorage.setItem(store, JSON.stringify(rows));
    } catch {
      // The page has said so when it was opened.
    }
  };

  const marked = (mark) =>
    [...new Set([...present.keys(), ...changed.keys()])].filter((name) => markOf(name).mark === mark).sort();

  const list = () =>
    [
      "# Cases to exclude, for the setting cohort.exclude: one per line, with a reason after a tab.",
      ...marked("exclude").map((name) => (markOf(name).reason ? `${name}\t${markOf(name).reason}` : name)),
      ...marked("keep").map((name) => `# keep: ${name}`),
    ].join("\n") + "\n";

  const count = (number) => `${number.toLocaleString("en-GB")} ${number === 1 ? "case" : "cases"}`;

  const update = () => {
    find("count").value = `${count(marked("exclude").length)} to exclude, ${count(marked("keep").length)} to keep.`;
    find("list").value = list();
  };

  // Returns the control of a mark, and fills it again whenever another one changes the mark.
  const controls = new Map();
  const markControl = (name) => {
    const box = document.createElement("span");
    const select = document.createElement("select");
    select.setAttribute("aria-label", `Mark of ${name}`);
    for (const [value, text] of [["", "no mark"], ["keep", "keep"], ["exclude", "exclude"]]) {
      select.append(new Option(text, value));
    }
    const reason = document.createElement("input");
    reason.placeholder = "reason";
    reason.setAttribute("aria-label", `Reason to exclude ${name}`);
    const show = () => {
      const { mark, reason: text } = markOf(name);
      select.value = mark;
      reason.value = text;
      reason.hidden = mark !== "exclude";
      box.className = mark;
    };
    const change = () => {
      const text = select.value === "exclude" ? reason.value.replace(/\s+/g, " ").trim() : "";
      changed.set(name, { mark: select.value, reason: text });
      save();
      update();
      for (const other of controls.get(name)) if (other !== show) other();
      box.className = select.value;
      reason.hidden = select.value !== "exclude";
    };
    select.addEventListener("change", change);
    reason.addEventListener("input", change);
    box.append(select, reason);
    controls.set(name, [...(controls.get(name) ?? []), show]);
    show();
    return box;
  };

  const dialog = document.createElement("dialog");
  dialog.className = "review";
  document.body.append(dialog);
  const element = (tag, text = "", name = "") => Object.assign(document.createElement(tag), { textContent: text, className: name });

  const button = (text, action) => {
    const made = element("button", text);
    made.type = "button";
    made.addEventListener("click", action);
    return made;
  };

  // The tiles of a strip, each as large as fits.
  const tiles = (image) => {
    const box = element("div", "", "review-tiles");
    settings.tiles.forEach((title, index) => {
      const tile = element("div");
      const picture = element("div", "", "review-tile");
      picture.setAttribute("role", "img");
      picture.setAttribute("aria-label", title);
      picture.style.backgroundImage = `url(${image.src})`;
      picture.style.backgroundSize = `${100 * settings.tiles.length}% 100%`;
      picture.style.backgroundPosition = `${(100 * index) / Math.max(1, settings.tiles.length - 1)}% 0`;
      tile.append(picture, element("p", title));
      box.append(tile);
    });
    return box;
  };

  const visibleRows = (table) => [...table.tBodies[0].rows].filter((row) => !row.hidden && row.querySelector("img.strip"));

  let shown;
  const open = (row) => {
    shown = row;
    const rows = visibleRows(row.closest("table"));
    const index = rows.indexOf(row);
    const head = element("div", "", "review-head");
    const step = (by) => {
      const made = button(by < 0 ? "Previous" : "Next", () => move(by));
      made.disabled = !rows[index + by];
      return made;
    };
    head.append(element("h2", row.dataset.case), element("span", [index + 1, rows.length].map((number) => number.toLocaleString("en-GB")).join(" of ")), step(-1), step(1));
    if (row.querySelector("td.mark")) head.append(markControl(row.dataset.case));
    head.append(button("Close", () => dialog.close()));
    const outlier = document.querySelector(`#outlier-cases a[href="#${row.id}"]`)?.closest("tr").querySelector(".issues");
    const notes = [row.querySelector("td.issues"), outlier].filter(Boolean).map((cell) => {
      const note = element("div");
      note.innerHTML = cell.innerHTML;
      for (const details of note.querySelectorAll("details")) details.open = true;
      return note;
    });
    const legend = document.querySelector("main .legend")?.cloneNode(true) ?? "";
    dialog.replaceChildren(head, tiles(row.querySelector("img.strip")), legend, ...notes);
    dialog.setAttribute("aria-label", row.dataset.case);
    if (!dialog.open) dialog.showModal();
    dialog.scrollTo(0, 0);
  };
  const move = (by) => {
    const rows = visibleRows(shown.closest("table"));
    const next = rows[rows.indexOf(shown) + by];
    if (!next) return;
    open(next);
    dialog.focus();
  };
  dialog.tabIndex = -1;
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  dialog.addEventListener("keydown", (event) => {
    if (event.target.matches("select, input")) return;
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (by) move(by);
  });
  // Back to the case that was shown last, which may be another one than at the start.
  dialog.addEventListener("close", () => shown.querySelector(".strip-button")?.focus());

  // Only rows that are shown get controls, so that large cohorts open fast.
  const fill = (table) => {
    for (const row of table.tBodies[0].rows) {
      if (row.hidden || row.classList.contains("later") || row.dataset.filled) continue;
      row.dataset.filled = "true";
      row.querySelector("td.mark")?.replaceChildren(markControl(row.dataset.case));
      const image = row.querySelector("img.strip");
      if (!image) continue;
      const opener = button("", () => open(row));
      opener.className = "strip-button";
      opener.setAttribute("aria-label", `Enlarge the images of ${row.dataset.case}`);
      image.before(opener);
      opener.append(image);
    }
  };

  find("export").addEventListener("click", () => {
    const link = element("a");
    link.href = URL.createObjectURL(new Blob([list()], { type: "text/plain" }));
    link.download = "exclude.txt";
    link.click();
    URL.revokeObjectURL(link.href);
  });
  find("clear").addEventListener("click", () => {
    changed.clear();
    save();
    update();
    for (const shows of controls.values()) for (const show of shows) show();
  });
  load();
  update();
  for (const table of tables) {
    table.addEventListener("rowschange", () => fill(table));
    fill(table);
  }
  panel.hidden = false;
})();
