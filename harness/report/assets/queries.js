"use strict";
/* Two rows, query by query: unpacked from the page when the tab is opened. */
(() => {
  const { $, ALL, ACROSS, data, state, make, measureOf, place, set, finding, listen } = window.board;
  const { score, signed, shade, mean, counts, drawDifferences, drawSlices } = window.slices;
  const PAGE = 50;
  const blocks = [...document.querySelectorAll("script.queries")];
  const unpacked = new Map();
  let here = null,
    rows = [],
    shown = PAGE,
    loads = 0;

  async function unpack(place) {
    if (!unpacked.has(place)) {
      const text = (blocks[place] && blocks[place].textContent.trim()) || "";
      if (!text) {
        unpacked.set(place, null);
        return null;
      }
      const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
      const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
      unpacked.set(place, JSON.parse(await new Response(stream).text()));
    }
    return unpacked.get(place);
  }

  const line = (row) => nameOf.get(row.line);
  let nameOf = new Map();
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
    for (const id of ["row-a", "row-b"])
      $(id).replaceChildren(...rows.map((row, i) => make("option", { value: i }, line(row).name)));
    compare();
  }

  /* The rows of the address, or the first two. */
  function choose() {
    for (const [id, name, fallback] of [
      ["row-a", state.a, 0],
      ["row-b", state.b, 1],
    ]) {
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
    const [a, b] = pair(),
      measure = measured();
    const one = a.values[measure] || [],
      other = b.values[measure] || [];
    return here.queries
      .map((id, i) => ({ id, i, text: here.texts ? here.texts[i] : "", a: one[i] ?? null, b: other[i] ?? null }))
      .filter((q) => q.a !== null && q.b !== null)
      .map((q) => ({ ...q, difference: q.a - q.b }));
  }

  function compare() {
    for (const id of ["summary", "verdict", "why"]) $(id).textContent = "";
    $("differences").replaceChildren();
    $("slices").replaceChildren();
    $("listed").tBodies[0].replaceChildren();
    $("listed").tHead.replaceChildren();
    $("more").hidden = true;
    if (rows.length < 2) {
      const there = `${rows.length} ${rows.length === 1 ? "row" : "rows"} with per-query values on this page`;
      $("summary").textContent = `${dataset().name} has ${there}; two are needed.`;
      return;
    }
    choose();
    const [a, b] = pair();
    $("why").textContent = here.why;
    const measure = measured(),
      all = pairs(),
      [won, tied, lost] = counts(all);
    const over = (of) => mean(all.map((q) => q[of]));
    const means = `A ${score(over("a"))}, B ${score(over("b"))}, difference ${signed(over("difference"))}`;
    $("summary").textContent =
      `${dataset().name}, ${measure}: ${means} over ${all.length} queries. ` +
      `A is better on ${won}, equal on ${tied}, worse on ${lost}.`;
    const [one, other] = [line(a).values[measure], line(b).values[measure]];
    $("verdict").replaceChildren(
      a === b ? "" : verdictOf(one.place, other.place, dataset().pairs[measure]),
      "As a single planned comparison: ",
      make(
        "code",
        {},
        [
          "harness compare",
          ...[line(a).row, line(b).row, "--dataset", here.dataset, "--measure", measure].map(quoted),
        ].join(" "),
      ),
    );
    drawDifferences(all, measure);
    drawSlices(all, here.slices, part());
    shown = PAGE;
    list();
  }

  function verdictOf(one, other, pairs) {
    const found = {
      better: "A is significantly better than B",
      worse: "A is significantly worse than B",
      tied: "A and B are tied",
    }[finding(one, other, pairs)];
    return found ? `${found} on the board, corrected for ${pairs.corrected}. ` : "";
  }

  const quoted = (text) => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'"'"'`)}'`);

  function list() {
    const words = state.words.toLowerCase(),
      chosen = part();
    const inPart = (q) => !chosen || here.slices[chosen.slice].of[q.i] === chosen.label;
    const orders = {
      a: (x, y) => y.difference - x.difference,
      b: (x, y) => x.difference - y.difference,
      size: (x, y) => Math.abs(y.difference) - Math.abs(x.difference),
      id: (x, y) => x.i - y.i,
    };
    const found = pairs().filter(
      (q) => inPart(q) && (!words || q.id.toLowerCase().includes(words) || q.text.toLowerCase().includes(words)),
    );
    found.sort((x, y) => orders[state.order](x, y) || x.i - y.i);
    const heads = [
      ["query", "text"],
      ["A", ""],
      ["B", ""],
      ["A − B", ""],
    ].map(([text, kind]) => make("th", { scope: "col", class: kind }, text));
    $("listed").tHead.replaceChildren(make("tr", {}, ...heads));
    shown = Math.max(shown, found.findIndex((q) => q.id === state.query) + 1);
    $("listed").tBodies[0].replaceChildren(...found.slice(0, shown).map(queryRow));
    const rest = found.length - shown;
    $("more").hidden = rest <= 0;
    $("more").textContent = `${Math.min(PAGE, rest)} more of ${rest}`;
    openQuery();
    if (!found.length)
      $("listed").tBodies[0].append(make("tr", {}, make("td", { class: "text", colspan: 4 }, "No query matches.")));
  }

  function queryRow(q) {
    const button = make(
      "button",
      { type: "button", class: "query", "aria-expanded": "false" },
      q.text || q.id,
      ...(q.text ? [make("small", {}, ` ${q.id}`)] : []),
    );
    const row = make(
      "tr",
      { "data-query": q.id },
      make("td", { class: "text" }, button),
      make("td", {}, score(q.a)),
      make("td", {}, score(q.b)),
      make("td", { class: shade(q.difference) }, signed(q.difference)),
    );
    const toggle = () => {
      const open = button.getAttribute("aria-expanded") === "true";
      button.setAttribute("aria-expanded", !open);
      if (open) row.nextElementSibling.remove();
      else
        row.after(
          make(
            "tr",
            { class: "opened" },
            make("td", { class: "lists", colspan: 4 }, window.rankings(q, here, pair(), line)),
          ),
        );
      return !open;
    };
    row.addEventListener("board:open", () => {
      if (button.getAttribute("aria-expanded") === "false") toggle();
    });
    button.addEventListener("click", () =>
      set({ query: toggle() ? q.id : state.query === q.id ? "" : state.query }, true),
    );
    return row;
  }

  /* Opens the query of the address, which may be that of a link. */
  function openQuery(scroll = true) {
    const row = state.query && [...$("listed").tBodies[0].rows].find((each) => each.dataset.query === state.query);
    if (!row) return;
    row.dispatchEvent(new Event("board:open"));
    if (scroll) row.scrollIntoView({ block: "nearest" });
  }

  for (const [id, name] of [
    ["row-a", "a"],
    ["row-b", "b"],
  ]) {
    $(id)?.addEventListener("input", () => set({ [name]: line(rows[Number($(id).value)]).name, query: "" }));
  }
  $("more")?.addEventListener("click", () => {
    shown += PAGE;
    list();
  });
  $("swap")?.addEventListener("click", () => {
    const [a, b] = pair();
    if (a && b) set({ a: line(b).name, b: line(a).name });
  });
  listen((changed) => {
    if (state.view !== "queries") return;
    if (state.dataset === ALL || state.dataset === ACROSS) {
      set({ dataset: dataset().name }, true);
      return;
    }
    const any = (...names) => names.some((name) => changed.has(name));
    if (any("view", "dataset") || !here) load();
    else if (any("measure", "a", "b")) compare();
    else if (any("order", "words", "slice")) {
      shown = PAGE;
      drawSlices(pairs(), here.slices, part());
      list();
    } else if (any("query")) openQuery();
  });
})();
