"use strict";
/* Tabs, filters, sorting and the record dialog. Text from data is only ever set as text. */
window.board = (() => {
  const $ = (id) => document.getElementById(id);
  const data = JSON.parse($("charts").textContent);
  const state = { dataset: "", measure: "", supervision: "", family: "", row: "", view: "table" };
  const listeners = [];

  function make(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value === true ? "" : value);
    }
    element.append(...children.map((child) => (child instanceof Node ? child : document.createTextNode(String(child)))));
    return element;
  }

  const matches = ({ name, family, supervision }) =>
    (!state.family || family === state.family) &&
    (!state.supervision || supervision === state.supervision) &&
    (!state.row || name.toLowerCase().includes(state.row.toLowerCase()));

  /* ---- sorting ---- */
  function valueOf(row, column) {
    const cell = row.cells[column];
    const key = cell && cell.dataset.value;
    if (key === undefined) return null;
    return cell.classList.contains("number") ? Number(key) : key.toLowerCase();
  }

  function sort(table, head, direction) {
    const column = head.cellIndex;
    const body = table.tBodies[0];
    const sign = direction === "ascending" ? 1 : -1;
    const rows = [...body.rows].map((row, i) => ({ row, i, value: valueOf(row, column) }));
    rows.sort((a, b) => {
      if (a.value === null || b.value === null) return (a.value === null) - (b.value === null) || a.i - b.i;
      return (a.value < b.value ? -sign : a.value > b.value ? sign : 0) || a.i - b.i;
    });
    body.append(...rows.map(({ row }) => row));
    for (const other of head.parentElement.cells) if (other.hasAttribute("aria-sort")) other.setAttribute("aria-sort", "none");
    head.setAttribute("aria-sort", direction);
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button.sort");
    if (!button) return;
    const head = button.parentElement;
    const now = head.getAttribute("aria-sort");
    const first = head.classList.contains("of-measure") ? "descending" : "ascending";
    sort(head.closest("table"), head, now === "none" ? first : now === "ascending" ? "descending" : "ascending");
  });

  /* ---- filters ---- */
  function showTables() {
    const single = state.dataset !== "";
    let shown = 0, all = 0;
    for (const section of document.querySelectorAll("#table > section.across")) {
      section.hidden = single || section.dataset.measure !== state.measure;
    }
    for (const section of document.querySelectorAll("#table > section.dataset")) {
      section.hidden = single && section.dataset.place !== state.dataset;
      const measures = data.datasets[Number(section.dataset.place)].measures;
      const measure = measures.includes(state.measure) ? state.measure : measures[0];
      for (const part of section.querySelectorAll(".interval, .difference, .rank, .bar, .power, .decision")) part.hidden = part.dataset.measure !== measure;
      if (state.supervision || state.family || state.row) {  // a decision is between all rows
        for (const part of section.querySelectorAll(".decision")) part.hidden = true;
      }
      for (const head of section.querySelectorAll("th.of-measure")) head.classList.toggle("chosen", head.dataset.measure === measure);
    }
    for (const row of document.querySelectorAll("#table tbody tr")) {
      row.hidden = !matches(row.dataset);
      const section = row.closest("section.dataset");
      if (section && !section.hidden) { all += 1; shown += !row.hidden; }
    }
    $("shown").textContent = shown === all ? `${all} rows` : `${shown} of ${all} rows`;
  }

  function sortByMeasure() {
    for (const head of document.querySelectorAll("#table th.of-measure.chosen")) sort(head.closest("table"), head, "descending");
  }

  function changed(what) {
    if (state.view === "table" || what !== "view") showTables();
    if (what === "measure") sortByMeasure();
    for (const listener of listeners) listener(state, what);
  }

  /* ---- tabs ---- */
  const tabs = [...document.querySelectorAll("[role=tab]")];
  function turnTo(view, focus = false) {
    state.view = view;
    for (const tab of tabs) {
      const on = tab.getAttribute("aria-controls") === view;
      tab.setAttribute("aria-selected", on);
      tab.tabIndex = on ? 0 : -1;
      $(tab.getAttribute("aria-controls")).hidden = !on;
      if (on && focus) tab.focus();
    }
    for (const label of document.querySelectorAll(".of-rows, #shown")) label.hidden = view === "queries";
    changed("view");
  }

  /* ---- records ---- */
  function open(key) {
    const article = $(key);
    if (!article) return false;
    const copy = article.cloneNode(true);
    copy.removeAttribute("id");
    for (const pre of copy.querySelectorAll("pre.command")) {
      const button = make("button", { type: "button", class: "plain copy" }, "copy");
      const text = pre.textContent;
      button.addEventListener("click", async () => {
        try { await navigator.clipboard.writeText(text); button.textContent = "copied"; } catch { getSelection().selectAllChildren(pre); }
      });
      pre.prepend(button);
    }
    $("record").querySelector("div").replaceChildren(copy);
    if (!$("record").open) $("record").showModal();  // a record may lead to another
    $("record").scrollTop = 0;
    return true;
  }

  function start() {
    if (!tabs.length) return;
    $("records").hidden = true;
    document.querySelector(".tabs").hidden = false;
    $("filters").hidden = false;
    for (const tab of tabs) {
      tab.addEventListener("click", () => turnTo(tab.getAttribute("aria-controls")));
      tab.addEventListener("keydown", (event) => {
        const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
        if (!step) return;
        const next = tabs[(tabs.indexOf(tab) + step + tabs.length) % tabs.length];
        turnTo(next.getAttribute("aria-controls"), true);
        event.preventDefault();
      });
    }
    for (const name of ["dataset", "measure", "supervision", "family", "row"]) {
      state[name] = $(name).value;
      $(name).addEventListener("input", () => { state[name] = $(name).value; changed(name); });
    }
    $("filters").addEventListener("submit", (event) => event.preventDefault());
    $("clear").addEventListener("click", () => {
      $("filters").reset();
      for (const name of ["dataset", "measure", "supervision", "family", "row"]) state[name] = $(name).value;
      changed("dataset");
      changed("measure");
    });
    document.addEventListener("click", (event) => {
      const link = event.target.closest("a");
      const target = link && (link.getAttribute("href") || link.getAttributeNS("http://www.w3.org/1999/xlink", "href"));
      if (target && target.startsWith("#record-") && open(target.slice(1))) event.preventDefault();
    });
    $("record").addEventListener("click", (event) => { if (event.target === $("record")) $("record").close(); });
    if (location.hash.startsWith("#record-")) open(location.hash.slice(1));
    changed("measure");
  }

  document.addEventListener("DOMContentLoaded", start);
  return { $, data, state, make, matches, listen: (listener) => listeners.push(listener) };
})();
