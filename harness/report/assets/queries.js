"use strict";
/* Two rows, query by query: unpacked from the page when the tab is opened. */
(() => {
  const { $, ALL, ACROSS, data, state, make, measureOf, place, set, finding, listen } = window.board;
  const SCALE = 10000, PAGE = 50;
  const blocks = [...document.querySelectorAll("script.queries")];
  const unpacked = new Map();
  let here = null, rows = [], shown = PAGE, loads = 0;

  async function unpack(place) {
    if (!unpacked.has(place)) {
      const text = (blocks[place] && blocks[place].textContent.trim()) || "";
      if (!text) { unpacked.set(place, null); return null; }
      const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
      const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
      unpacked.set(place, JSON.parse(await new Response(stream).text()));
    }
    return unpacked.get(place);
  }

  const line = (row) => nameOf.get(row.line);
  let nameOf = new Map();
  const score = (value) => (value === null || value === undefined ? "–" : (value / SCALE).toFixed(4));
  const signed = (value) => `${value > 0 ? "+" : value < 0 ? "−" : "±"}${Math.abs(value / SCALE).toFixed(4)}`;
  const shade = (value) => (value > 0 ? "gain" : value < 0 ? "loss" : "");
  const mean = (values) => (values.length ? values.reduce((a, b) => a + b, 0) / values.length : 0);

  const dataset = () => data.datasets[place()];
  const measured = () => measureOf(dataset());
  const pair = () => [rows[Number($("row-a").value)], rows[Number($("row-b").value)]];

  async function load() {
    const mine = ++loads;
    $("summary").textContent = "Unpacking…";
    try {
      here = await unpack(place());
    } catch (error) {
      here = null;
      $("summary").textContent = `This browser cannot unpack the per-query values (${error.message}).`;
      return;
    }
    if (mine !== loads) return;
    nameOf = new Map(dataset().rows.map((row) => [Number(row.key.split("-")[2]), row]));
    rows = here ? here.rows.filter((row) => nameOf.has(row.line)) : [];
    for (const id of ["row-a", "row-b"]) $(id).replaceChildren(...rows.map((row, i) => make("option", { value: i }, line(row).name)));
    compare();
  }

  /* The rows of the address, or the first two. */
  function choose() {
    for (const [id, name, fallback] of [["row-a", state.a, 0], ["row-b", state.b, 1]]) {
      const wanted = rows.findIndex((row) => line(row).name === name);
      $(id).value = String(wanted >= 0 ? wanted : Math.min(fallback, rows.length - 1));
    }
  }

  /* The slice of the address: the name of the division and the label of the part, with a colon between. */
  function part() {
    for (const [s, slice] of (here ? here.slices : []).entries()) {
      const l = slice.labels.findIndex((label) => state.slice === `${slice.name}: ${label}`);
      if (l >= 0) return { slice: s, label: l };
    }
    return null;
  }

  function pairs() {
    const [a, b] = pair(), measure = measured();
    const one = (a.values[measure] || []), other = (b.values[measure] || []);
    return here.queries.map((id, i) => ({ id, i, text: here.texts ? here.texts[i] : "", a: one[i] ?? null, b: other[i] ?? null }))
      .filter((q) => q.a !== null && q.b !== null).map((q) => ({ ...q, difference: q.a - q.b }));
  }

  function counts(found) {
    return [found.filter((q) => q.difference > 0).length, found.filter((q) => q.difference === 0).length, found.filter((q) => q.difference < 0).length];
  }

  function compare() {
    for (const id of ["summary", "verdict", "why"]) $(id).textContent = "";
    $("differences").replaceChildren(); $("slices").replaceChildren(); $("listed").tBodies[0].replaceChildren(); $("listed").tHead.replaceChildren();
    $("more").hidden = true;
    if (rows.length < 2) {
      $("summary").textContent = `${dataset().name} has ${rows.length} ${rows.length === 1 ? "row" : "rows"} with per-query values on this page; two are needed.`;
      return;
    }
    choose();
    const [a, b] = pair();
    $("why").textContent = here.why;
    const measure = measured(), all = pairs(), [won, tied, lost] = counts(all);
    $("summary").textContent = `${dataset().name}, ${measure}: A ${score(mean(all.map((q) => q.a)))}, B ${score(mean(all.map((q) => q.b)))}, difference ${signed(mean(all.map((q) => q.difference)))} over ${all.length} queries. A is better on ${won}, equal on ${tied}, worse on ${lost}.`;
    const [one, other] = [line(a).values[measure], line(b).values[measure]];
    $("verdict").replaceChildren(a === b ? "" : verdictOf(one.place, other.place, dataset().pairs[measure]), "As a single planned comparison: ", make("code", {}, `harness compare ${quoted(line(a).row)} ${quoted(line(b).row)} --dataset ${quoted(here.dataset)} --measure ${quoted(measure)}`));
    drawDifferences(all, measure);
    drawSlices(all);
    shown = PAGE;
    list();
  }

  function verdictOf(one, other, pairs) {
    const found = { better: "A is significantly better than B", worse: "A is significantly worse than B", tied: "A and B are tied" }[finding(one, other, pairs)];
    return found ? `${found} on the board, corrected for ${pairs.corrected}. ` : "";
  }

  const quoted = (text) => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'"'"'`)}'`);

  function drawDifferences(all, measure) {
    const sorted = [...all].sort((x, y) => y.difference - x.difference).map((q, i) => ({ x: i, y: q.difference / SCALE }));
    if (!sorted.length) return;
    const steps = [...sorted, { x: sorted.length, y: sorted[sorted.length - 1].y }];
    const drawn = Plot.plot({
      style: { background: "none", fontSize: "12px" }, width: Math.max(300, Math.min(760, $("queries").clientWidth)), height: 180, marginLeft: 46, marginBottom: 40,
      ariaLabel: "differences, sorted", x: { label: "queries, sorted →" }, y: { label: `↑ ${measure}, A − B`, grid: true, domain: [Math.min(-0.05, ...sorted.map((q) => q.y)), Math.max(0.05, ...sorted.map((q) => q.y))], ticks: 5 },
      marks: [
        Plot.areaY(steps, { x: "x", y: (q) => Math.max(0, q.y), fill: "var(--good)", fillOpacity: 0.6, curve: "step-after" }),
        Plot.areaY(steps, { x: "x", y: (q) => Math.min(0, q.y), fill: "var(--bad)", fillOpacity: 0.6, curve: "step-after" }),
        Plot.ruleY([0], { stroke: "currentColor" }),
      ],
    });
    window.marks.accessible(drawn);
    $("differences").replaceChildren(make("figure", {}, drawn));
  }

  function drawSlices(all) {
    const chosen = part();
    const tables = here.slices.map((slice, s) => {
      const body = slice.labels.map((label, l) => {
        const found = all.filter((q) => slice.of[q.i] === l);
        if (!found.length) return null;
        const [won, tied, lost] = counts(found), difference = mean(found.map((q) => q.difference));
        const on = Boolean(chosen) && chosen.slice === s && chosen.label === l;
        const button = make("button", { type: "button", "aria-pressed": on, "data-part": `${s} ${l}` }, label);
        button.addEventListener("click", () => {
          set({ slice: on ? "" : `${slice.name}: ${label}`, query: "" });
          [...$("slices").querySelectorAll("button")].find((other) => other.dataset.part === `${s} ${l}`)?.focus();
        });
        return make("tr", { class: on ? "selected" : "" }, make("th", { scope: "row", class: "name" }, button), make("td", {}, found.length), make("td", {}, score(mean(found.map((q) => q.a)))), make("td", {}, score(mean(found.map((q) => q.b)))), make("td", { class: shade(Math.round(difference)) }, signed(difference)), make("td", {}, `${won} / ${tied} / ${lost}`));
      }).filter(Boolean);
      const heads = [slice.name, "queries", "A", "B", "A − B", "better / equal / worse"].map((text) => make("th", { scope: "col" }, text));
      return make("div", { class: "scroll" }, make("table", { class: "board" }, make("caption", {}, `By ${slice.name}`), make("thead", {}, make("tr", {}, ...heads)), make("tbody", {}, ...body)));
    });
    $("slices").replaceChildren(...tables);
  }

  function list() {
    const words = state.words.toLowerCase(), chosen = part();
    const inPart = (q) => !chosen || here.slices[chosen.slice].of[q.i] === chosen.label;
    const orders = { a: (x, y) => y.difference - x.difference, b: (x, y) => x.difference - y.difference, size: (x, y) => Math.abs(y.difference) - Math.abs(x.difference), id: (x, y) => x.i - y.i };
    const found = pairs().filter((q) => inPart(q) && (!words || q.id.toLowerCase().includes(words) || q.text.toLowerCase().includes(words)));
    found.sort((x, y) => orders[state.order](x, y) || x.i - y.i);
    const heads = [["query", "text"], ["A", ""], ["B", ""], ["A − B", ""]].map(([text, kind]) => make("th", { scope: "col", class: kind }, text));
    $("listed").tHead.replaceChildren(make("tr", {}, ...heads));
    shown = Math.max(shown, found.findIndex((q) => q.id === state.query) + 1);
    $("listed").tBodies[0].replaceChildren(...found.slice(0, shown).map(queryRow));
    const rest = found.length - shown;
    $("more").hidden = rest <= 0;
    $("more").textContent = `${Math.min(PAGE, rest)} more of ${rest}`;
    openQuery();
    if (!found.length) $("listed").tBodies[0].append(make("tr", {}, make("td", { class: "text", colspan: 4 }, "No query matches.")));
  }

  function queryRow(q) {
    const button = make("button", { type: "button", class: "query", "aria-expanded": "false" }, q.text || q.id, ...(q.text ? [make("small", {}, ` ${q.id}`)] : []));
    const row = make("tr", { "data-query": q.id }, make("td", { class: "text" }, button), make("td", {}, score(q.a)), make("td", {}, score(q.b)), make("td", { class: shade(q.difference) }, signed(q.difference)));
    const toggle = () => {
      const open = button.getAttribute("aria-expanded") === "true";
      button.setAttribute("aria-expanded", !open);
      if (open) row.nextElementSibling.remove();
      else row.after(make("tr", { class: "opened" }, make("td", { class: "lists", colspan: 4 }, sides(q))));
      return !open;
    };
    row.addEventListener("board:open", () => { if (button.getAttribute("aria-expanded") === "false") toggle(); });
    button.addEventListener("click", () => set({ query: toggle() ? q.id : state.query === q.id ? "" : state.query }, true));
    return row;
  }

  /* Opens the query of the address, which may be that of a link. */
  function openQuery(scroll = true) {
    const row = state.query && [...$("listed").tBodies[0].rows].find((each) => each.dataset.query === state.query);
    if (!row) return;
    row.dispatchEvent(new Event("board:open"));
    if (scroll) row.scrollIntoView({ block: "nearest" });
  }

  function sides(q) {
    const chosen = [rows[Number($("row-a").value)], rows[Number($("row-b").value)]];
    const lists = chosen.map((row) => (row.tops ? row.tops[q.i] : null));
    const grades = here.grades ? new Map(here.grades[q.i]) : null;
    const columns = chosen.map((row, side) => {
      const own = lists[side], other = lists[1 - side];
      const head = make("h3", {}, `${side ? "B" : "A"}: `, make("a", { href: `#${line(row).key}` }, make("code", {}, line(row).name)), row.seeds > 1 ? " (its first seed)" : "");
      if (!own) return make("div", {}, head, make("p", { class: "facts" }, "Neither the run nor its ten best were stored when this page was written."));
      if (!own.length) return make("div", {}, head, make("p", { class: "facts" }, "No documents were retrieved."));
      return make("div", {}, head, make("ol", {}, ...own.map((d) => entry(d, grades, other))));
    });
    const relevant = here.relevant ? [make("p", { class: "facts" }, `${here.relevant[q.i]} judged relevant.`)] : [];
    return make("div", {}, ...relevant, make("div", { class: "side" }, ...columns));
  }

  function entry(d, grades, other) {
    const id = here.documents[d], title = here.titles ? here.titles[d] : "";
    const parts = [title || id];
    if (title) parts.push(make("span", { class: "document" }, ` ${id}`));
    if (grades) {
      const grade = grades.get(d);
      const [words, kind] = grade === undefined ? ["unjudged", "unjudged"] : grade > 0 ? [`grade ${grade}`, "relevant"] : [`grade ${grade}`, ""];
      parts.push(" ", make("span", { class: `grade ${kind}` }, words));
    }
    if (other) {
      const there = other.indexOf(d);
      parts.push(make("span", { class: "document" }, there < 0 ? " · only here" : ` · ${there + 1} in the other`));
    }
    return make("li", {}, ...parts);
  }

  for (const [id, name] of [["row-a", "a"], ["row-b", "b"]]) {
    $(id)?.addEventListener("input", () => set({ [name]: line(rows[Number($(id).value)]).name, query: "" }));
  }
  $("more")?.addEventListener("click", () => { shown += PAGE; list(); });
  $("swap")?.addEventListener("click", () => {
    const [a, b] = pair();
    if (a && b) set({ a: line(b).name, b: line(a).name });
  });
  listen((changed) => {
    if (state.view !== "queries") return;
    if (state.dataset === ALL || state.dataset === ACROSS) { set({ dataset: dataset().name }, true); return; }
    const any = (...names) => names.some((name) => changed.has(name));
    if (any("view", "dataset") || !here) load();
    else if (any("measure", "a", "b")) compare();
    else if (any("order", "words", "slice")) { shown = PAGE; drawSlices(pairs()); list(); } else if (any("query")) openQuery();
  });
})();
