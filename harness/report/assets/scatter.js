"use strict";
/* Quality against a cost: one large plot of the chosen dataset, with the Pareto front. */
window.scatter = (() => {
  const { $, data, state, make } = window.board;
  const { mark, four, brief, style, told, figure } = window.marks;
  const MOST_LABELS = 24,
    FEWEST = 8;

  /* The ends beyond which a value is far from the others: so many spans of the middle half below and above it. */
  function fences(values, spans) {
    const sorted = [...values].sort((a, b) => a - b);
    const [low, high] = [d3.quantileSorted(sorted, 0.25), d3.quantileSorted(sorted, 0.75)];
    return [low - spans * (high - low), high + spans * (high - low)];
  }

  function scaleOf(costs) {
    const least = Math.min(...costs),
      most = Math.max(...costs);
    const wanted = state.scale || (least <= 0 ? (most > 20 ? "log" : "linear") : most / least > 20 ? "log" : "linear");
    if (wanted === "linear" || most <= 0) return { type: "linear", bent: (v) => v, options: { ticks: 8, nice: true } };
    const powers = d3.range(-4, 10).map((e) => 10 ** e);
    if (least > 0) {
      return {
        type: "log",
        bent: Math.log,
        options: { ticks: powers.filter((v) => v >= least / 10 && v <= most * 10), nice: true },
      };
    }
    const shown = [0, ...powers.filter((v) => v >= 1 && v <= most * 10)]; // a logarithm has no place for 0
    return {
      type: "symlog",
      bent: Math.log1p,
      options: { ticks: shown, constant: 1, domain: [0, shown[shown.length - 1]] },
    };
  }

  /* Rows far from the others by score or by cost, if there are enough to say so; never one of the front. */
  function outliers(rows, bent) {
    if (rows.length < FEWEST || state.far) return new Set();
    const [low] = fences(
      rows.map((r) => r.value),
      1.5,
    );
    const [, late] = fences(
      rows.map((r) => bent(r.cost)),
      3,
    );
    return new Set(rows.filter((r) => !r.front && (r.value < low || bent(r.cost) > late)));
  }

  /* Names next to their marks, the front first, each where it covers no other name and no mark. */
  function label(svg, rows, x, y, [left, right]) {
    const boxes = rows.map((r) => [x(r.cost) - 7, y(r.value) - 7, x(r.cost) + 7, y(r.value) + 7]);
    const free = ([a, b, c, d]) =>
      a >= left && c <= right && b >= 0 && boxes.every(([e, f, g, h]) => c < e || a > g || d < f || b > h);
    const group = d3.select(svg).append("g").attr("class", "labels").attr("aria-hidden", "true");
    let named = 0;
    for (const r of [...rows.filter((r) => r.front).reverse(), ...rows.filter((r) => !r.front)]) {
      if (named >= MOST_LABELS) break;
      const text = brief(r.name, 30),
        width = 6.6 * text.length,
        [px, py] = [x(r.cost), y(r.value)];
      const places = [
        [px + 12, py + 4, "start"],
        [px - 12, py + 4, "end"],
        [px, py - 13, "middle"],
        [px, py + 22, "middle"],
        [px + 8, py - 9, "start"],
        [px - 8, py - 9, "end"],
        [px + 8, py + 17, "start"],
        [px - 8, py + 17, "end"],
      ];
      const place = places.find(([tx, ty, anchor]) => {
        const start = anchor === "start" ? tx : anchor === "end" ? tx - width : tx - width / 2;
        const box = [start, ty - 10, start + width, ty + 3];
        return free(box) && boxes.push(box);
      });
      if (!place) continue;
      named += 1;
      group
        .append("text")
        .attr("x", place[0])
        .attr("y", place[1])
        .attr("text-anchor", place[2])
        .attr("class", r.front ? "front" : null)
        .text(text);
    }
  }

  function aside(found, cost) {
    if (!found.size) return [];
    const names = [...found].map((r) => `${r.name} (${four(r.value)} at ${r.cost.toPrecision(3)})`);
    const start = ` Set aside, far from the others (${data.trades[cost]})`;
    return [`${start}: ${names.join(", ")}; “outliers too” draws them.`];
  }

  /* The plot, or a sentence where there is nothing to draw. */
  function draw(dataset, measure, rows, width) {
    const cost = state.cost,
      axis = data.trades[cost];
    const scored = rows.filter((r) => r.values[measure].value !== null);
    const placed = scored
      .filter((r) => r.trades[cost].value !== null)
      .map((r) => ({
        ...r,
        value: r.values[measure].value,
        low: r.values[measure].low,
        high: r.values[measure].high,
        ranks: r.values[measure].ranks,
        cost: r.trades[cost].value,
        front: r.trades[cost].front.includes(measure),
      }))
      .sort((a, b) => b.value - a.value);
    if (placed.length < 2)
      return make(
        "p",
        { class: "facts" },
        `${dataset.name}: fewer than two rows have a score and a known cost (${axis}).`,
      );
    const far = outliers(placed, scaleOf(placed.map((r) => r.cost)).bent);
    const shown = placed.filter((r) => !far.has(r));
    const scale = scaleOf(shown.map((r) => r.cost));
    const front = shown.filter((r) => r.front).sort((a, b) => a.cost - b.cost);
    const [low, high] = d3.extent(shown, (r) => r.value),
      pad = Math.max(0.005, 0.06 * (high - low));
    const phone = width < 600,
      height = phone ? 420 : 540,
      marginLeft = 50,
      marginRight = 20;
    const words = (r) => {
      const best = r.front ? "\non the front: no row is both cheaper and better" : "";
      return `${told(r, measure)}\n${axis}: ${r.cost.toPrecision(4)}${best}`;
    };
    const xs = { x: "cost", y: "value" },
      family = mark((r) => r.family);
    const svg = Plot.plot({
      style,
      width,
      height,
      marginLeft,
      marginRight,
      marginTop: 28,
      marginBottom: 44,
      ariaLabel: `${measure} against ${axis} on ${dataset.name}`,
      x: {
        type: scale.type,
        ...scale.options,
        grid: true,
        label: `${axis} →`,
        tickFormat: (v) => (v >= 1e4 ? d3.format("~s")(v) : String(v)),
      },
      y: { label: `↑ ${measure}`, grid: true, ticks: 8, domain: [low - pad, high + pad] },
      marks: [
        Plot.line(front, {
          ...xs,
          stroke: "currentColor",
          strokeOpacity: 0.5,
          strokeWidth: 1.5,
          strokeDasharray: "5 4",
          curve: "step-after",
        }),
        Plot.dot(front, { ...xs, r: 10, fill: "none", stroke: "currentColor", strokeOpacity: 0.55, strokeWidth: 1.5 }),
        Plot.dot(shown, {
          ...xs,
          ...family,
          r: 5.5,
          fillOpacity: 0.9,
          strokeWidth: 1.2,
          href: (r) => `#${r.key}`,
          ariaLabel: (r) => `${r.name}: ${four(r.value)} at ${r.cost.toPrecision(4)}`,
        }),
        Plot.tip(
          shown,
          Plot.pointer({ ...xs, title: words, fill: "var(--paper)", stroke: "var(--line)", maxRadius: 30 }),
        ),
      ],
      r: { type: "identity" },
    });
    const [x, y] = [svg.scale("x").apply, svg.scale("y").apply];
    label(svg, shown, x, y, [marginLeft, width - marginRight + 14]);
    const tip = svg.querySelector("[aria-label=tip]");
    tip.classList.add("tip");
    svg.append(tip); // above the names
    const without = scored.length - placed.length;
    const caption = make(
      "span",
      {},
      "Ringed, on the dashed line: the Pareto front, rows that no other beats in both. ",
      ...(without
        ? [`${without} ${without === 1 ? "row has" : "rows have"} no reliable measurement of this cost. `]
        : []),
      ...aside(far, cost),
    );
    return figure(`${measure} against ${axis}`, caption, svg, dataset.name);
  }

  return { draw };
})();
