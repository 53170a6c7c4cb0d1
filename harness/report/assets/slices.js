"use strict";
/* All queries of a pair at once: their differences, sorted, and their means by slices. */
window.slices = (() => {
  const { $, make, set } = window.board;
  const SCALE = 10000; // values are integers in units of 1/SCALE

  const score = (value) => (value === null || value === undefined ? "–" : (value / SCALE).toFixed(4));
  const signed = (value) => `${value > 0 ? "+" : value < 0 ? "−" : "±"}${Math.abs(value / SCALE).toFixed(4)}`;
  const shade = (value) => (value > 0 ? "gain" : value < 0 ? "loss" : "");
  const mean = (values) => (values.length ? values.reduce((a, b) => a + b, 0) / values.length : 0);

  function counts(found) {
    return [
      found.filter((q) => q.difference > 0).length,
      found.filter((q) => q.difference === 0).length,
      found.filter((q) => q.difference < 0).length,
    ];
  }

  function drawDifferences(all, measure) {
    const sorted = [...all]
      .sort((x, y) => y.difference - x.difference)
      .map((q, i) => ({ x: i, y: q.difference / SCALE }));
    if (!sorted.length) return;
    const steps = [...sorted, { x: sorted.length, y: sorted[sorted.length - 1].y }];
    const drawn = Plot.plot({
      style: { background: "none", fontSize: "12px" },
      width: Math.max(300, Math.min(760, $("queries").clientWidth)),
      height: 180,
      marginLeft: 46,
      marginBottom: 40,
      ariaLabel: "differences, sorted",
      x: { label: "queries, sorted →" },
      y: {
        label: `↑ ${measure}, A − B`,
        grid: true,
        domain: [Math.min(-0.05, ...sorted.map((q) => q.y)), Math.max(0.05, ...sorted.map((q) => q.y))],
        ticks: 5,
      },
      marks: [
        Plot.areaY(steps, {
          x: "x",
          y: (q) => Math.max(0, q.y),
          fill: "var(--good)",
          fillOpacity: 0.6,
          curve: "step-after",
        }),
        Plot.areaY(steps, {
          x: "x",
          y: (q) => Math.min(0, q.y),
          fill: "var(--bad)",
          fillOpacity: 0.6,
          curve: "step-after",
        }),
        Plot.ruleY([0], { stroke: "currentColor" }),
      ],
    });
    window.marks.accessible(drawn);
    $("differences").replaceChildren(make("figure", {}, drawn));
  }

  function drawSlices(all, slices, chosen) {
    const tables = slices.map((slice, s) => {
      const body = slice.labels
        .map((label, l) => {
          const found = all.filter((q) => slice.of[q.i] === l);
          if (!found.length) return null;
          const [won, tied, lost] = counts(found),
            difference = mean(found.map((q) => q.difference));
          const on = Boolean(chosen) && chosen.slice === s && chosen.label === l;
          const button = make("button", { type: "button", "aria-pressed": on, "data-part": `${s} ${l}` }, label);
          button.addEventListener("click", () => {
            set({ slice: on ? "" : `${slice.name}: ${label}`, query: "" });
            [...$("slices").querySelectorAll("button")].find((other) => other.dataset.part === `${s} ${l}`)?.focus();
          });
          return make(
            "tr",
            { class: on ? "selected" : "" },
            make("th", { scope: "row", class: "name" }, button),
            make("td", {}, found.length),
            make("td", {}, score(mean(found.map((q) => q.a)))),
            make("td", {}, score(mean(found.map((q) => q.b)))),
            make("td", { class: shade(Math.round(difference)) }, signed(difference)),
            make("td", {}, `${won} / ${tied} / ${lost}`),
          );
        })
        .filter(Boolean);
      const heads = [slice.name, "queries", "A", "B", "A − B", "better / equal / worse"].map((text) =>
        make("th", { scope: "col" }, text),
      );
      return make(
        "div",
        { class: "scroll" },
        make(
          "table",
          { class: "board" },
          make("caption", {}, `By ${slice.name}`),
          make("thead", {}, make("tr", {}, ...heads)),
          make("tbody", {}, ...body),
        ),
      );
    });
    $("slices").replaceChildren(...tables);
  }

  return { score, signed, shade, mean, counts, drawDifferences, drawSlices };
})();
