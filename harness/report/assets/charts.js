"use strict";
/* The tab of plots: quality against cost, means with intervals, seeds, and learning curves behind a fold. */
(() => {
  const { $, ALL, state, make, matches, measureOf, chosen, listen } = window.board;
  const { colour, mark, four, brief, style, told, legend, published, hollow, figure } = window.marks;
  const quiet = "var(--quiet)";
  const wide = (least, most) => Math.max(least, Math.min(most, $("drawn").clientWidth || most));
  const left = (names, width) =>
    Math.min(width * 0.42, 20 + 6.8 * Math.max(...names.map((name) => brief(name).length)));

  function means(dataset, measure, rows, others) {
    const measured = rows.filter((r) => r.values[measure].value !== null).map((r) => ({ ...r, ...r.values[measure] }));
    const scored = [...measured, ...others].sort((a, b) => b.value - a.value);
    if (!scored.length) return null;
    const width = wide(330, 900),
      ranged = scored.filter((r) => r.low !== null);
    const drawn = Plot.plot({
      style,
      width,
      marginLeft: left(
        scored.map((r) => r.name),
        width,
      ),
      marginRight: 40,
      marginBottom: 42,
      height: 62 + 22 * scored.length,
      ariaLabel: `${measure} on ${dataset.name}`,
      x: { label: `${measure} →`, grid: true, nice: true },
      y: {
        label: null,
        domain: scored.map((r) => r.key),
        tickFormat: (key) => brief(scored.find((r) => r.key === key).name),
        tickSize: 0,
      },
      marks: [
        Plot.ruleY(ranged, {
          y: "key",
          x1: "low",
          x2: "high",
          stroke: (r) => colour(r.family),
          strokeWidth: 2.5,
          strokeOpacity: 0.55,
        }),
        Plot.dot(others, { y: "key", x: "value", r: 4.5, ...hollow }),
        Plot.dot(measured, {
          y: "key",
          x: "value",
          r: 4.5,
          ...mark((r) => r.family),
          href: (r) => `#${r.key}`,
          ariaLabel: (r) => `${r.name} ${four(r.value)}`,
        }),
        Plot.text(ranged, { y: "key", x: "high", text: "ranks", textAnchor: "start", dx: 7, fill: quiet }),
        Plot.tip(
          scored,
          Plot.pointerY({
            y: "key",
            x: "value",
            title: (r) => told(r, measure),
            fill: "var(--paper)",
            stroke: "var(--line)",
          }),
        ),
      ],
      r: { type: "identity" },
    });
    return figure(
      `${measure}, with 95 % intervals`,
      "Intervals are those of the means, not of differences; next to them are the ranks that the row may have." +
        (others.length ? " Hollow diamonds: published scores, not measured here." : ""),
      drawn,
      dataset.name,
    );
  }

  function seeds(dataset, measure, rows) {
    const scored = rows
      .filter((r) => r.seeds.length > 1)
      .flatMap((r) =>
        r.seeds
          .filter((s) => measure in s.values)
          .map((s) => ({ ...r, seed: s.seed, value: s.values[measure], mean: r.values[measure].value })),
      );
    if (!scored.length) return null;
    const keys = [...new Set(scored.map((r) => r.key))];
    const names = new Map(scored.map((r) => [r.key, r.name]));
    const width = wide(330, 900);
    const drawn = Plot.plot({
      style,
      width,
      marginLeft: left([...names.values()], width),
      marginBottom: 42,
      height: 62 + 24 * keys.length,
      ariaLabel: `${measure} of each seed on ${dataset.name}`,
      x: { label: `${measure} →`, grid: true, nice: true },
      y: { label: null, domain: keys, tickFormat: (key) => brief(names.get(key)), tickSize: 0 },
      marks: [
        Plot.tickX(scored, Plot.groupY({ x: "first" }, { y: "key", x: "mean", stroke: quiet, strokeWidth: 2 })),
        Plot.dot(scored, {
          y: "key",
          x: "value",
          r: 4,
          stroke: (r) => colour(r.family),
          strokeWidth: 1.5,
          href: (r) => `#${r.key}`,
          ariaLabel: (r) => `${r.name}, seed ${r.seed}: ${four(r.value)}`,
          title: (r) => `${r.name}, seed ${r.seed}: ${four(r.value)}`,
        }),
      ],
    });
    return figure(`${measure} of each seed`, "Circles are seeds; the tick is their mean.", drawn, dataset.name);
  }

  /* One training: its score on dev and its loss, small. */
  function learning(curve) {
    const plots = [];
    for (const [name, points, label] of [
      ["dev", curve.dev, "↑ nDCG@10 on dev"],
      ["loss", curve.loss, "↑ loss"],
    ]) {
      if (points.length < 2) continue;
      const xy = { x: (p) => p[0], y: (p) => p[1] };
      const fill = (p) => (p[0] === curve.chosen ? "var(--accent)" : "var(--paper)");
      const words = (p) => `step ${p[0]}: ${four(p[1])}${p[0] === curve.chosen ? " (chosen)" : ""}`;
      plots.push(
        Plot.plot({
          style: { ...style, fontSize: "10px" },
          width: 220,
          height: 130,
          marginLeft: 40,
          marginRight: 8,
          marginBottom: 28,
          marginTop: 18,
          ariaLabel: `${label} of ${curve.name}`,
          x: { label: "step →", nice: true, ticks: 4 },
          y: { label, grid: true, ticks: 4, nice: true },
          marks: [
            Plot.line(points, { ...xy, stroke: "var(--accent)", strokeWidth: name === "dev" ? 2 : 1 }),
            name === "dev" ? Plot.dot(points, { ...xy, r: 3, fill, stroke: "var(--accent)", title: words }) : null,
          ],
        }),
      );
    }
    if (!plots.length) return null;
    return make(
      "figure",
      { class: "small" },
      make("h3", {}, curve.name),
      make("div", { class: "pair" }, ...plots),
      make("figcaption", {}, curve.rows.join(", ")),
    );
  }

  function fold(curves) {
    $("learning").hidden = !curves.length;
    const many = `${curves.length} ${curves.length === 1 ? "training" : "trainings"}`;
    $("learning").querySelector("summary").textContent = `Learning curves of ${many}`;
    const place = $("learning").querySelector("div");
    place.replaceChildren();
    if (!$("learning").open || !curves.length) return;
    const drawn = curves.map(learning).filter(Boolean);
    place.replaceChildren(
      make("p", { class: "facts" }, "Filled: the checkpoint chosen on dev."),
      make("div", { class: "multiples" }, ...drawn),
    );
  }

  let curves = [];
  function draw() {
    const parts = [];
    curves = [];
    for (const dataset of chosen()) {
      const measure = measureOf(dataset),
        rows = state.kind === "published" ? [] : dataset.rows.filter(matches),
        others = measure ? published(dataset, measure) : [];
      parts.push(
        make("h2", { class: state.dataset === ALL ? "" : "unseen" }, `${dataset.name}, ${measure || "no measure"}`),
      );
      if (!measure || !(rows.length || others.length)) {
        parts.push(make("p", { class: "facts" }, `${dataset.name}: no rows with scores.`));
        continue;
      }
      parts.push(legend(rows, others), window.scatter.draw(dataset, measure, rows, others, wide(320, 1380)));
      for (const drawn of [means(dataset, measure, rows, others), seeds(dataset, measure, rows)])
        if (drawn) parts.push(drawn);
      const names = new Set(rows.map((r) => r.name));
      curves.push(
        ...dataset.curves.filter(
          (curve) => curve.rows.some((row) => names.has(row)) && (curve.dev.length > 1 || curve.loss.length > 1),
        ),
      );
    }
    if (!parts.length) parts.push(make("p", { class: "facts" }, "No row has scores on every dataset."));
    $("drawn").replaceChildren(...parts);
    fold(curves);
  }

  let drawnAt = 0;
  const redraw = () => {
    if (state.view === "plots") {
      drawnAt = window.innerWidth;
      draw();
    }
  };
  const DRAWN = ["view", "dataset", "measure", "labels", "family", "row", "kind", "cost", "scale", "far"];
  listen((changed) => {
    if (DRAWN.some((name) => changed.has(name))) redraw();
  });
  $("learning")?.addEventListener("toggle", () => fold(curves));
  window.addEventListener("resize", () => {
    if (Math.abs(window.innerWidth - drawnAt) > 40) redraw();
  });
})();
