"use strict";
/* The tables: which are shown, their filters, their order, and what is shown as CSV. */
(() => {
  const { $, ALL, ACROSS, data, state, make, matches, measureOf, set, listen } = window.board;
  const first = new Map(); // row → its place in the page, which decides between equal values
  for (const row of document.querySelectorAll("#table tbody tr")) first.set(row, row.rowIndex);

  /* ---- order ---- */
  function valueOf(row, column) {
    const cell = row.cells[column];
    const key = cell && cell.dataset.value;
    if (key === undefined) return null;
    return cell.classList.contains("number") ? Number(key) : key.toLowerCase();
  }

  function sort(table, head, direction) {
    const sign = direction === "ascending" ? 1 : -1;
    const rows = [...table.tBodies[0].rows].map((row) => ({ row, value: head ? valueOf(row, head.cellIndex) : 0 }));
    rows.sort((a, b) => {
      const equal = first.get(a.row) - first.get(b.row);
      if (a.value === null || b.value === null) return (a.value === null) - (b.value === null) || equal;
      return (a.value < b.value ? -sign : a.value > b.value ? sign : 0) || equal;
    });
    table.tBodies[0].append(...rows.map(({ row }) => row));
    for (const other of table.tHead.rows[0].cells)
      if (other.hasAttribute("aria-sort")) other.setAttribute("aria-sort", other === head ? direction : "none");
  }

  const sortable = (table) => [...table.tHead.rows[0].cells].filter((head) => head.hasAttribute("aria-sort"));
  const heading = (head) => head.textContent.trim();

  /* `sort` is a heading, with a minus first if descending; by the chosen measure if it is empty or of another table. */
  function sortAll() {
    const descending = state.sort.startsWith("-"),
      wanted = descending ? state.sort.slice(1) : state.sort;
    for (const table of document.querySelectorAll("#table table.board")) {
      const head = wanted && sortable(table).find((each) => heading(each) === wanted);
      if (head) sort(table, head, descending ? "descending" : "ascending");
      else sort(table, table.querySelector("th.of-measure.chosen"), "descending");
    }
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button.sort");
    if (!button) return;
    const head = button.parentElement,
      now = head.getAttribute("aria-sort");
    const next =
      now === "none"
        ? head.classList.contains("of-measure")
          ? "descending"
          : "ascending"
        : now === "ascending"
          ? "descending"
          : "ascending";
    set({ sort: `${next === "descending" ? "-" : ""}${heading(head)}` });
  });

  /* ---- filters ---- */
  const ofKind = (row) => !state.kind || (state.kind === "published") === row.classList.contains("published");

  function show() {
    let shown = 0,
      all = 0;
    for (const section of document.querySelectorAll("#table > section.across")) {
      section.hidden =
        ![ALL, ACROSS].includes(state.dataset) ||
        section.dataset.measure !== measureOf(data.across || { measures: [state.measure] });
      window.columns.apply(section, "");
      const partial = section.querySelectorAll("tr.partial"),
        button = section.querySelector("button.incomplete");
      button.hidden = !partial.length || partial.length === section.querySelectorAll("tbody tr").length;
      button.setAttribute("aria-pressed", state.partial === "1");
      const verb = state.partial ? "Hide" : "Show";
      const rows = partial.length === 1 ? "row" : `${partial.length} rows`;
      button.textContent = `${verb} the ${rows} without a score on every dataset`;
      section.classList.toggle("whole", !state.partial && !button.hidden);
    }
    for (const section of document.querySelectorAll("#table > section.dataset")) {
      const dataset = data.datasets[Number(section.dataset.place)];
      section.hidden = state.dataset !== ALL && dataset.name !== state.dataset;
      const measure = measureOf(dataset);
      window.columns.apply(section, measure);
      for (const part of section.querySelectorAll(".power, .decision")) part.hidden = part.dataset.measure !== measure;
      if (state.labels || state.family || state.row) {
        // a decision is between all rows
        for (const part of section.querySelectorAll(".decision")) part.hidden = true;
      }
      for (const head of section.querySelectorAll("th.of-measure"))
        head.classList.toggle("chosen", head.dataset.measure === measure);
    }
    for (const row of document.querySelectorAll("#table tbody tr")) {
      const section = row.closest("section");
      row.hidden =
        !matches(row.dataset) ||
        !ofKind(row) ||
        (section.classList.contains("whole") && row.classList.contains("partial"));
      if (!section.hidden && (state.dataset === ACROSS || section.classList.contains("dataset"))) {
        all += 1;
        shown += !row.hidden;
      }
    }
    $("shown").textContent = `${shown === all ? "" : `${shown} of `}${all} ${all === 1 ? "row" : "rows"}`;
  }

  /* ---- CSV ---- */
  const FORMULA = /^\s*[=+\-@＝＋－＠]/;
  function field(text) {
    // A spreadsheet would compute it.
    const safe = FORMULA.test(text) && !/^[+-]?[\d.]+$/.test(text) ? `'${text}` : text;
    return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  }

  function csv(table) {
    const rows = [table.tHead.rows[0], ...table.tBodies[0].rows].filter((row) => !row.hidden);
    return rows
      .map((row) =>
        [...row.cells]
          .filter((cell) => !cell.hidden)
          .map((cell) => field(cell.textContent.trim().replaceAll("−", "-")))
          .join(","),
      )
      .join("\n");
  }

  function save(name, text) {
    const url = URL.createObjectURL(new Blob([`${text}\n`], { type: "text/csv;charset=utf-8" }));
    make("a", { href: url, download: `${name.replace(/[^\w.-]+/g, "-").slice(0, 80)}.csv` }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10000);
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button.csv");
    if (button) {
      const section = button.closest("section");
      save(section.querySelector("h2").textContent, csv(section.querySelector("table.board")));
    } else if (event.target.closest("#all-csv")) {
      const shown = [...document.querySelectorAll("#table > section.dataset")];
      save(
        "leaderboard",
        shown
          .map(
            (section) =>
              `${field(section.querySelector("h2").textContent)}\n${csv(section.querySelector("table.board"))}`,
          )
          .join("\n\n"),
      );
    } else if (event.target.closest("button.incomplete")) set({ partial: state.partial ? "" : "1" });
  });

  listen((changed) => {
    if (["dataset", "measure", "labels", "family", "row", "kind", "partial", "columns"].some((name) => changed.has(name))) show();
    if (changed.has("measure") || changed.has("sort")) sortAll();
  });
})();
