"use strict";
/* Quality against a cost: one large plot of the chosen dataset, with the Pareto front. */
window.scatter = (() => {
  const { $, data, state, make } = window.board;
  const { mark, four, style, told, figure } = window.marks;
  const FEWEST = 8,
    BEYOND = 0.4; // spans of the scores beyond which a published score does not stretch the plot

  /* The ends beyond which a value is far from the others: `spans` widths of the middle half below and above it. */
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

  /* A cost, in brackets if it is unreliable, as in the table. */
  const amount = (r, digits) => (r.doubtful ? `(${r.cost.toPrecision(digits)})` : r.cost.toPrecision(digits));

  function aside(found, cost) {
    if (!found.size) return [];
    const names = [...found].map((r) => `${r.name} (${four(r.value)} at ${amount(r, 3)})`);
    const start = ` Set aside, far from the others (${data.trades[cost]})`;
    return [`${start}: ${names.join(", ")}; “outliers too” draws them.`];
  }

  function unreliable(rows) {
    const n = rows.filter((r) => r.doubtful).length;
    if (!n) return [];
    const again = "; “harness run --rerun” on an idle machine measures again. ";
    if (n === rows.length) return [`All latencies are from a busy machine and unreliable, so no front is drawn${again}`];
    return [`Hollow: from a busy machine, so the latency is unreliable and the row is not on the front${again}`];
  }

  /* Published scores have no cost here, so that each is a line; those far beyond the others are listed. */
  function splitLines(others, low, high) {
    const reach = BEYOND * Math.max(high - low, 0.02);
    const near = (r) => r.value >= low - reach && r.value <= high + reach;
    return [others.filter(near), others.filter((r) => !near(r))];
  }

  function publishedWords(lines, beyond) {
    const words = lines.length ? ["Dotted lines: published scores, not measured here, of unknown cost. "] : [];
    if (beyond.length) {
      const names = beyond.map((r) => `${r.name} (${four(r.value)})`);
      words.push(`Published, beyond the axis: ${names.join(", ")}. `);
    }
    return words;
  }

  /* The plot, or a sentence where there is nothing to draw. */
  function draw(dataset, measure, rows, others, width) {
    const cost = state.cost,
      axis = data.trades[cost];
    const scored = rows.filter((r) => r.values[measure].value !== null);
    const placed = scored
      .filter((r) => (r.trades[cost].value ?? r.trades[cost].doubtful) !== null)
      .map((r) => ({
        ...r,
        value: r.values[measure].value,
        low: r.values[measure].low,
        high: r.values[measure].high,
        ranks: r.values[measure].ranks,
        cost: r.trades[cost].value ?? r.trades[cost].doubtful,
        doubtful: r.trades[cost].value === null,
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
    const [lines, beyond] = splitLines(others, ...d3.extent(shown, (r) => r.value));
    const [low, high] = d3.extent([...shown, ...lines], (r) => r.value),
      pad = Math.max(0.005, 0.06 * (high - low));
    const phone = width < 600,
      height = phone ? 420 : 540,
      marginLeft = 50,
      marginRight = 20;
    const words = (r) => {
      const best = r.front ? "\non the front: no row is both cheaper and better" : "";
      const busy = r.doubtful ? ", measured on a busy machine" : "";
      return `${told(r, measure)}\n${axis}: ${amount(r, 4)}${busy}${best}`;
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
        Plot.ruleY(lines, {
          y: "value",
          stroke: "var(--quiet)",
          strokeWidth: 1.2,
          strokeDasharray: "1.5 4",
          ariaLabel: (r) => `${r.name}: ${four(r.value)}, published`,
        }),
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
          fill: (r) => (r.doubtful && family.fill(r) !== "none" ? "var(--paper)" : family.fill(r)),
          r: 5.5,
          fillOpacity: 0.9,
          strokeOpacity: (r) => (r.doubtful ? 0.75 : 1),
          strokeWidth: (r) => (r.doubtful ? 1.8 : 1.2),
          href: (r) => `#${r.key}`,
          ariaLabel: (r) => `${r.name}: ${four(r.value)} at ${amount(r, 4)}`,
        }),
        Plot.tip(
          shown,
          Plot.pointer({ ...xs, title: words, fill: "var(--paper)", stroke: "var(--line)", maxRadius: 30 }),
        ),
      ],
      r: { type: "identity" },
    });
    const [x, y] = [svg.scale("x").apply, svg.scale("y").apply];
    window.labels.add(svg, shown, lines, x, y, [marginLeft, width - marginRight + 14]);
    const tip = svg.querySelector("[aria-label=tip]");
    tip.classList.add("tip");
    svg.append(tip); // above the names
    const without = scored.length - placed.length;
    const caption = make(
      "span",
      {},
      ...(front.length ? ["Ringed, on the dashed line: the Pareto front, rows that no other beats in both. "] : []),
      ...unreliable(shown),
      ...publishedWords(lines, beyond),
      ...(without
        ? [`${without} ${without === 1 ? "row has" : "rows have"} no measurement of this cost. `]
        : []),
      ...aside(far, cost),
    );
    return figure(`${measure} against ${axis}`, caption, svg, dataset.name);
  }

  return { draw };
})();
