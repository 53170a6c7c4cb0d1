"use strict";
/* The state of the page, which is in the address; tabs and controls. Text from data is only ever set as text. */
window.board = (() => {
  const $ = (id) => document.getElementById(id);
  const data = JSON.parse($("charts").textContent);
  const ALL = "all",
    ACROSS = "across";
  const tabs = [...document.querySelectorAll("[role=tab]")];
  const views = tabs.map((tab) => tab.getAttribute("aria-controls"));
  const options = (id) => ($(id) ? [...$(id).options].map((option) => option.value) : []);
  const listeners = [];
  const narrow = matchMedia("(max-width: 640px)");

  /* Everything a link can say, with what it is otherwise. A dataset is `all`, `across` or its name. */
  const defaults = {
    view: "table",
    dataset: data.datasets.length ? data.datasets[data.start].name : "",
    measure: options("measure")[0] || "",
    labels: "",
    family: "",
    row: "",
    kind: "",
    columns: "",
    sort: "",
    partial: "",
    cost: Object.keys(data.trades)[0],
    scale: "",
    far: "",
    a: "",
    b: "",
    order: "a",
    words: "",
    slice: "",
    query: "",
    record: "",
    embed: "",
  };
  const state = { ...defaults };
  const known = {
    view: views,
    dataset: [ALL, ...(data.across ? [ACROSS] : []), ...data.datasets.map((dataset) => dataset.name)],
    measure: options("measure"),
    labels: options("labels"),
    family: options("family"),
    kind: options("kind"),
    cost: Object.keys(data.trades),
    scale: ["", "log", "linear"],
    order: options("order"),
    partial: ["", "1"],
    far: ["", "1"],
    embed: ["", "1"],
  };

  function make(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (value !== false && value !== null && value !== undefined)
        element.setAttribute(name, value === true ? "" : value);
    }
    element.append(
      ...children.map((child) => (child instanceof Node ? child : document.createTextNode(String(child)))),
    );
    return element;
  }

  /* ---- the address ---- */
  function address(changes = {}) {
    const parts = new URLSearchParams();
    for (const [name, value] of Object.entries({ ...state, ...changes }))
      if (value !== defaults[name]) parts.set(name, value);
    return `#${parts}`.replace(/%(2F|40|3A|28|29|2C)/g, decodeURIComponent); // these need no escape here
  }

  function read() {
    const hash = location.hash.slice(1);
    const next = { ...defaults };
    const article = hash.startsWith("record-") ? $(hash) : null;
    if (article) next.record = article.dataset.label;
    if (hash === "about" && views.includes("share")) next.view = "share";
    for (const [name, value] of new URLSearchParams(hash)) {
      if (Object.hasOwn(defaults, name) && (!known[name] || known[name].includes(value))) next[name] = value;
    }
    return next;
  }

  function apply(next) {
    const changed = new Set(Object.keys(next).filter((name) => state[name] !== next[name]));
    Object.assign(state, next);
    if (changed.has("view")) fold();
    if (changed.size) {
      show();
      for (const listener of listeners) listener(changed);
    }
  }

  /* Changes the state; `replace` is for what is typed, which makes no entry in the history. */
  function set(changes, replace = false) {
    if (Object.entries(changes).every(([name, value]) => state[name] === value)) return;
    history[replace ? "replaceState" : "pushState"](null, "", address(changes));
    apply(changes);
  }

  /* ---- which datasets ---- */
  const placeOf = (name) => data.datasets.findIndex((dataset) => dataset.name === name);
  /* The place of the chosen dataset; that of the first one shown if it is not a single one. */
  const place = () =>
    Math.max(placeOf(state.dataset), state.dataset === ALL || state.dataset === ACROSS ? data.start : 0);
  function chosen() {
    if (state.dataset === ACROSS) return data.across ? [data.across] : [];
    if (state.dataset === ALL) return data.datasets;
    return data.datasets.slice(place(), place() + 1);
  }
  const measureOf = (dataset) => (dataset.measures.includes(state.measure) ? state.measure : dataset.measures[0]);
  const matches = ({ name, family, supervision }) =>
    (!state.family || family === state.family) &&
    (!state.labels || supervision === state.labels) &&
    (!state.row || name.toLowerCase().includes(state.row.toLowerCase()));

  /* ---- controls and tabs ---- */
  const FIELDS = {
    measure: "measure",
    labels: "labels",
    family: "family",
    row: "row",
    kind: "kind",
    cost: "cost",
    scale: "scale",
    order: "order",
    words: "words",
  };

  function show() {
    for (const [name, id] of Object.entries(FIELDS))
      if ($(id) && $(id).value !== state[name]) $(id).value = state[name];
    $("dataset").value = [ALL, ACROSS].includes(state.dataset) ? state.dataset : String(place());
    $("far").checked = state.far === "1";
    for (const tab of tabs) {
      const on = tab.getAttribute("aria-controls") === state.view;
      tab.setAttribute("aria-selected", on);
      tab.tabIndex = on ? 0 : -1;
      $(tab.getAttribute("aria-controls")).hidden = !on;
    }
    $("narrowing").hidden = state.view === "queries" || state.view === "share";
    for (const part of document.querySelectorAll("[data-of]"))
      part.hidden = !part.dataset.of.split(" ").includes(state.view);
    document.body.classList.toggle("embed", state.embed === "1");
    for (const part of document.querySelectorAll(".verdict")) {
      const single = state.dataset !== ALL,
        own = part.dataset.place === $("dataset").value;
      const dataset = part.dataset.place === ACROSS ? data.across : data.datasets[Number(part.dataset.place)];
      part.hidden = (single && !own) || !dataset || part.dataset.measure !== measureOf(dataset);
    }
  }

  /* The caveats are open where there is room for them. */
  function fold() {
    for (const each of document.querySelectorAll(".verdict details"))
      each.open = state.view === "table" && !narrow.matches;
  }

  /* Filters are behind a fold on a phone, unless one is set. */
  function narrowed() {
    const set = ["labels", "family", "row", "kind", "columns"].some((name) => state[name]);
    $("narrowing").open = !narrow.matches || set;
  }

  function start() {
    if (!tabs.length) return;
    $("records").hidden = true;
    for (const part of document.querySelectorAll(".tabs, #filters, .only-scripts, .actions")) part.hidden = false;
    for (const [name, label] of Object.entries(data.trades)) $("cost").append(make("option", { value: name }, label));
    for (const tab of tabs) {
      tab.addEventListener("click", () => set({ view: tab.getAttribute("aria-controls"), query: "" }));
      tab.addEventListener("keydown", (event) => {
        const ends = { Home: 0, End: tabs.length - 1 },
          step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
        if (!step && !(event.key in ends)) return;
        const next = tabs[step ? (tabs.indexOf(tab) + step + tabs.length) % tabs.length : ends[event.key]];
        set({ view: next.getAttribute("aria-controls"), query: "" });
        next.focus();
        event.preventDefault();
      });
    }
    for (const [name, id] of Object.entries(FIELDS)) {
      $(id).addEventListener("input", () => set({ [name]: $(id).value }, $(id).type === "search"));
    }
    $("dataset").addEventListener("input", () => {
      const value = $("dataset").value;
      set({ dataset: [ALL, ACROSS].includes(value) ? value : data.datasets[Number(value)].name, query: "", slice: "" });
    });
    $("far").addEventListener("input", () => set({ far: $("far").checked ? "1" : "" }));
    for (const form of ["filters", "choice"]) $(form).addEventListener("submit", (event) => event.preventDefault());
    $("clear").addEventListener("click", () => set({ labels: "", family: "", row: "", kind: "", columns: "", sort: "" }));
    $("how").addEventListener("click", (event) => {
      event.preventDefault();
      set({ view: "share" });
      scrollTo(0, 0);
    });
    for (const event of ["popstate", "hashchange"]) window.addEventListener(event, () => apply(read()));
    Object.assign(state, read());
    fold();
    narrowed();
    narrow.addEventListener("change", narrowed);
    show();
    for (const listener of listeners) listener(new Set(Object.keys(state)));
  }

  document.addEventListener("DOMContentLoaded", start);
  const listen = (listener) => listeners.push(listener);
  return { $, ALL, ACROSS, data, state, make, matches, measureOf, chosen, place, address, set, listen };
})();
