"use strict";
/* Means with intervals, quality against cost, learning, seeds: drawn when their tab is opened. */
(() => {
  const { $, data, state, make, matches, listen } = window.board;
  const families = [...new Set(data.datasets.flatMap((d) => d.rows.map((r) => r.family)))].sort();
  const colour = (family) => `var(--family-${families.indexOf(family) % 8})`;
  const four = (value) => value.toFixed(4);
  const room = () => (window.innerWidth < 600 ? 19 : 34);
  const brief = (name, most = room()) => (name.length > most ? `${name.slice(0, most - 1)}…` : name);
  const quiet = "var(--quiet)";

  const figure = (title, caption, drawn) => make("figure", {}, make("h3", {}, title), drawn, make("figcaption", {}, caption));
  const wide = (least, most) => Math.max(least, Math.min(most, $("drawn").clientWidth || most));
  const style = { background: "none", fontSize: "12px" };

  function means(dataset, measure, rows) {
    const scored = rows.filter((r) => r.values[measure].value !== null)
      .map((r) => ({ ...r, ...r.values[measure] })).sort((a, b) => b.value - a.value);
    if (!scored.length) return null;
    const width = wide(330, 760);
    const left = Math.min(width * 0.42, 20 + 6.8 * Math.max(...scored.map((r) => brief(r.name).length)));
    const drawn = Plot.plot({
      style, width, marginLeft: left, marginRight: 40, marginBottom: 42, height: 62 + 22 * scored.length, ariaLabel: `${measure} on ${dataset.name}`,
      x: { label: `${measure} →`, grid: true, nice: true }, y: { label: null, domain: scored.map((r) => r.key), tickFormat: (key) => brief(scored.find((r) => r.key === key).name), tickSize: 0 },
      marks: [
        Plot.ruleY(scored.filter((r) => r.low !== null), { y: "key", x1: "low", x2: "high", stroke: (r) => colour(r.family), strokeWidth: 2.5, strokeOpacity: 0.55 }),
        Plot.dot(scored, { y: "key", x: "value", r: 4.5, fill: (r) => colour(r.family), href: (r) => `#${r.key}`, title: (r) => `${r.name}\n${measure} ${four(r.value)}${r.low === null ? "" : `, 95 %: ${r.low.toFixed(3)} – ${r.high.toFixed(3)}\nrank ${r.ranks}`}`, tip: false, ariaLabel: (r) => `${r.name} ${four(r.value)}` }),
        Plot.text(scored.filter((r) => r.low !== null), { y: "key", x: (r) => r.high, text: "ranks", textAnchor: "start", dx: 7, fill: quiet }),
      ],
    });
    return figure(`${measure}, with 95 % intervals`, "Intervals are those of the means, not of differences; the numbers next to them are the ranks that the row may have.", drawn);
  }

  function trade(dataset, measure, rows, cost) {
    const scored = rows.filter((r) => r.values[measure].value !== null && r.trades[cost].value !== null)
      .map((r) => ({ ...r, value: r.values[measure].value, cost: r.trades[cost].value, front: r.trades[cost].front.includes(measure) }));
    if (new Set(scored.map((r) => r.cost)).size < 2) return null;  // nothing to trade
    const front = scored.filter((r) => r.front).sort((a, b) => a.cost - b.cost);
    const least = Math.min(...scored.map((r) => r.cost)), most = Math.max(...scored.map((r) => r.cost));
    const kind = least <= 0 && most > 0 ? "symlog" : most / least > 20 ? "log" : "linear";
    const bent = { symlog: (v) => Math.log1p(v), log: Math.log, linear: (v) => v }[kind];
    const powers = [...(least <= 0 ? [0] : []), ...d3.range(-4, 10).map((e) => 10 ** e).filter((v) => (least <= 0 ? v >= 1 : v >= least / 10) && v <= most * 10)];
    const scale = { type: kind, ...(kind === "symlog" ? { constant: 1, domain: [0, powers[powers.length - 1]] } : {}), ...(kind === "linear" ? { ticks: 5 } : { ticks: powers }) };
    const late = (r) => most > least && (bent(r.cost) - bent(least)) / (bent(most) - bent(least)) > 0.5;
    const label = (some, textAnchor) => Plot.text(some, { x: "cost", y: "value", text: (r) => brief(r.name, 24), textAnchor, dy: -12, fill: "currentColor", stroke: "var(--paper)", strokeWidth: 3 });
    const width = wide(300, 392), [low, high] = d3.extent(scored, (r) => r.value);
    const named = [];  // the best first; a label close below another would be printed over it
    for (const r of front.slice().reverse()) if (named.every((n) => n.value - r.value > 0.06 * (high - low))) named.push(r);
    const drawn = Plot.plot({
      style, width, height: 300, marginLeft: 48, marginRight: 24, marginTop: 24, marginBottom: 40, ariaLabel: `${measure} against ${data.trades[cost]} on ${dataset.name}`,
      x: { ...scale, label: `${data.trades[cost]} →`, grid: true, nice: kind !== "symlog" && most > least, tickFormat: (v) => (v >= 1e4 ? d3.format("~s")(v) : String(v)) },
      y: { label: `↑ ${measure}`, grid: true, ticks: 6, nice: true },
      marks: [
        Plot.line(front, { x: "cost", y: "value", stroke: quiet, strokeDasharray: "3 3", curve: "step-after" }),
        Plot.dot(scored, { x: "cost", y: "value", r: (r) => (r.front ? 6 : 4.5), symbol: (r) => (r.front ? "diamond" : "circle"), fill: (r) => (r.front ? colour(r.family) : "var(--paper)"), stroke: (r) => colour(r.family), strokeWidth: 1.5, href: (r) => `#${r.key}`, title: (r) => `${r.name}\n${measure} ${four(r.value)}\n${data.trades[cost]}: ${r.cost.toPrecision(4)}${r.front ? "\nno row is both cheaper and better" : ""}`, ariaLabel: (r) => `${r.name}: ${four(r.value)} at ${r.cost.toPrecision(4)}` }),
        label(named.filter((r) => !late(r)), "start"), label(named.filter(late), "end"),
      ],
      r: { type: "identity" },
    });
    return figure(`${measure} against ${data.trades[cost]}`, "Diamonds: no row is both cheaper and better.", drawn);
  }

  function learning(curve) {
    const plots = [];
    for (const [name, points, label] of [["dev", curve.dev, "↑ nDCG@10 on dev"], ["loss", curve.loss, "↑ loss"]]) {
      if (points.length < 2) continue;
      plots.push(Plot.plot({
        style, width: wide(280, 400), height: 200, marginLeft: 46, marginBottom: 40, ariaLabel: `${label} of ${curve.name}`,
        x: { label: "step →", nice: true, ticks: 6 }, y: { label, grid: true, ticks: 5, nice: true },
        marks: [
          Plot.line(points, { x: (p) => p[0], y: (p) => p[1], stroke: "var(--accent)", strokeWidth: name === "dev" ? 2 : 1 }),
          name === "dev" ? Plot.dot(points, { x: (p) => p[0], y: (p) => p[1], r: 3.5, fill: (p) => (p[0] === curve.chosen ? "var(--accent)" : "var(--paper)"), stroke: "var(--accent)", title: (p) => `step ${p[0]}: ${four(p[1])}${p[0] === curve.chosen ? " (chosen)" : ""}` }) : null,
        ],
      }));
    }
    if (!plots.length) return null;
    const drawn = make("div", { class: "plots" }, ...plots);
    return figure(`Learning: ${curve.name}`, `${curve.rows.join(", ")}. Filled: the checkpoint chosen on dev.`, drawn);
  }

  function seeds(dataset, measure, rows) {
    const scored = rows.filter((r) => r.seeds.length > 1)
      .flatMap((r) => r.seeds.filter((s) => measure in s.values).map((s) => ({ ...r, seed: s.seed, value: s.values[measure], mean: r.values[measure].value })));
    if (!scored.length) return null;
    const keys = [...new Set(scored.map((r) => r.key))];
    const names = new Map(scored.map((r) => [r.key, brief(r.name)]));
    const width = wide(330, 760);
    const drawn = Plot.plot({
      style, width, marginLeft: Math.min(width * 0.42, 20 + 6.8 * Math.max(...[...names.values()].map((n) => n.length))), marginBottom: 42, height: 62 + 24 * keys.length, ariaLabel: `${measure} of each seed on ${dataset.name}`,
      x: { label: `${measure} →`, grid: true, nice: true }, y: { label: null, domain: keys, tickFormat: (key) => names.get(key), tickSize: 0 },
      marks: [
        Plot.tickX(scored, Plot.groupY({ x: "first" }, { y: "key", x: "mean", stroke: quiet, strokeWidth: 2 })),
        Plot.dot(scored, { y: "key", x: "value", r: 4, stroke: (r) => colour(r.family), strokeWidth: 1.5, href: (r) => `#${r.key}`, title: (r) => `${r.name}, seed ${r.seed}: ${four(r.value)}` }),
      ],
    });
    return figure(`${measure} of each seed`, "Circles are seeds; the tick is their mean.", drawn);
  }

  function legend(rows) {
    const there = families.filter((family) => rows.some((r) => r.family === family));
    return make("ul", { class: "key" }, ...there.map((family) => {
      const mark = make("i");
      mark.style.background = colour(family);
      return make("li", {}, mark, family);
    }));
  }

  function draw() {
    const parts = [];
    data.datasets.forEach((dataset, place) => {
      if (state.dataset !== "" && String(place) !== state.dataset) return;
      const measure = dataset.measures.includes(state.measure) ? state.measure : dataset.measures[0];
      const rows = dataset.rows.filter(matches);
      parts.push(make("h2", {}, dataset.name));
      if (!measure || !rows.length) { parts.push(make("p", { class: "facts" }, "No rows with scores.")); return; }
      parts.push(legend(rows));
      for (const drawn of [means(dataset, measure, rows), seeds(dataset, measure, rows)]) if (drawn) parts.push(drawn);
      parts.push(make("div", { class: "plots" }, ...Object.keys(data.trades).map((cost) => trade(dataset, measure, rows, cost)).filter(Boolean)));
      const names = new Set(rows.map((r) => r.name));
      const curves = dataset.curves.filter((curve) => curve.rows.some((row) => names.has(row))).map(learning).filter(Boolean);
      if (curves.length) parts.push(make("div", { class: "plots" }, ...curves));
    });
    $("drawn").replaceChildren(...parts);
  }

  let drawnAt = 0;
  const redraw = () => { if (state.view === "plots") { drawnAt = window.innerWidth; draw(); } };
  listen(redraw);
  window.addEventListener("resize", () => { if (Math.abs(window.innerWidth - drawnAt) > 40) redraw(); });
})();
