"use strict";
/* Which columns the tables show: those that matter first, or the reader's choice, which is in the address. */
window.columns = (() => {
  const { $, state, make, set, listen } = window.board;
  const EVERY = "all";

  /* The address names what differs from the first choice: `all`, a column that is added, a column after a minus that
     is left out. */
  function chosen(head) {
    const parts = state.columns.split(","),
      key = head.dataset.key;
    if (parts.includes(key)) return true;
    if (parts.includes(`-${key}`)) return false;
    return parts.includes(EVERY) || !("extra" in head.dataset);
  }

  /* Whether a column belongs to the measure by which the table is sorted; positions by other measures are not shown. */
  const current = (head, measure) =>
    !head.dataset.measure || head.classList.contains("of-measure") || head.dataset.measure === measure;
  const always = (head, measure) =>
    !head.dataset.key || (head.classList.contains("of-measure") && head.dataset.measure === measure);

  function apply(section, measure) {
    const table = section.querySelector("table.board");
    const heads = [...table.tHead.rows[0].cells];
    const shown = heads.map((head) => always(head, measure) || (current(head, measure) && chosen(head)));
    for (const row of [table.tHead.rows[0], ...table.tBodies[0].rows]) {
      for (let i = 0; i < shown.length; i++) {
        const cell = row.cells[i];
        if (cell && cell.hidden === shown[i]) cell.hidden = !shown[i];
      }
    }
  }

  /* The heads of the tables that are shown, one for each name. */
  function heads() {
    const found = new Map();
    for (const head of document.querySelectorAll("#table > section:not([hidden]) thead th[data-key]"))
      if (!found.has(head.dataset.key)) found.set(head.dataset.key, head);
    return [...found.values()];
  }

  function toggle(head, on) {
    const key = head.dataset.key;
    const parts = state.columns.split(",").filter((part) => part && part !== key && part !== `-${key}`);
    const usual = parts.includes(EVERY) || !("extra" in head.dataset);
    set({ columns: (on === usual ? parts : [...parts, on ? key : `-${key}`]).join(",") });
  }

  function draw() {
    const panel = $("chooser").querySelector(".panel");
    if (!$("chooser").open) return;
    const at = [...panel.querySelectorAll("input")].indexOf(document.activeElement);
    const boxes = heads().map((head) => {
      const box = make("input", { type: "checkbox" });
      box.checked = chosen(head);
      box.addEventListener("input", () => toggle(head, box.checked));
      return make("label", { title: head.title || null }, box, " ", head.dataset.key);
    });
    const buttons = [
      ["The main ones", ""],
      ["All", EVERY],
    ].map(([text, columns]) => {
      const button = make("button", { type: "button", class: "plain small" }, text);
      button.addEventListener("click", () => set({ columns }));
      return button;
    });
    panel.replaceChildren(make("p", {}, ...buttons), ...boxes);
    if (at >= 0) panel.querySelectorAll("input")[at].focus();
  }

  $("chooser")?.addEventListener("toggle", draw);
  document.addEventListener("click", (event) => {
    if ($("chooser") && event.target.isConnected && !$("chooser").contains(event.target)) $("chooser").open = false;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !$("chooser")?.open) return;
    $("chooser").open = false;
    $("chooser").querySelector("summary").focus();
  });
  listen((changed) => {
    if (["columns", "dataset", "measure"].some((name) => changed.has(name)) && $("chooser")) draw();
  });

  return { apply };
})();
