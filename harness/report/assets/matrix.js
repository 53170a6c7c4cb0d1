"use strict";
/* Every pair of rows: which is better, by the family of tests of the board. A cell leads to the pair's queries. */
(() => {
  const { $, ACROSS, ALL, data, state, make, matches, measureOf, chosen, address, listen } = window.board;
  const WITH_NUMBERS = 14;
  const signed = (value, digits) => `${value > 0 ? "+" : value < 0 ? "−" : "±"}${Math.abs(value).toFixed(digits)}`;

  /* What the board says of two rows, from the places of the rows that each is significantly better than. */
  window.board.finding = (one, other, pairs) => {
    if (!pairs || one === null || other === null) return null;
    const better = (a, b) => pairs.better[a].some((start, i, runs) => i % 2 === 0 && start <= b && b < runs[i + 1]);
    return better(one, other) ? "better" : better(other, one) ? "worse" : "tied";
  };
  const WORDS = { better: "significantly better", worse: "significantly worse", tied: "tied" };
  const SIGNS = { better: "▲", worse: "▼", tied: "·" };

  function cell(a, b, measure, dataset, numbers) {
    if (a.key === b.key) return make("td", { class: "same" });
    const [one, other] = [a.values[measure], b.values[measure]];
    const finding = window.board.finding(one.place, other.place, dataset.pairs[measure]);
    const difference = one.value - other.value;
    const words = `${a.name} against ${b.name}: ${signed(difference, 4)}, ${finding ? WORDS[finding] : "not tested"}`;
    const shown = numbers ? signed(difference, 3) : finding ? SIGNS[finding] : "";
    const single = data.datasets.includes(dataset);
    const link = single
      ? make(
          "a",
          {
            href: address({ view: "queries", dataset: dataset.name, a: a.name, b: b.name, query: "", slice: "" }),
            tabindex: -1,
            "aria-label": words,
          },
          shown,
        )
      : shown;
    return make("td", { class: finding || "", title: words }, link);
  }

  function matrix(dataset) {
    const measure = measureOf(dataset);
    const rows = dataset.rows
      .filter((r) => matches(r) && measure && r.values[measure].value !== null)
      .sort((a, b) => b.values[measure].value - a.values[measure].value);
    const title = make("h2", {}, `${dataset.name}, ${measure || "no measure"}`);
    if (rows.length < 2) return [title, make("p", { class: "facts" }, "Fewer than two rows have scores.")];
    const numbers = rows.length <= WITH_NUMBERS,
      pairs = dataset.pairs[measure];
    const heads = rows.map((r, i) => make("th", { scope: "col", title: r.name }, String(i + 1)));
    const body = rows.map((a, i) =>
      make(
        "tr",
        {},
        make(
          "th",
          { scope: "row", class: "name" },
          make("span", { class: "number" }, `${i + 1} `),
          make("a", { href: `#${a.key}` }, make("code", {}, a.name)),
        ),
        ...rows.map((b) => cell(a, b, measure, dataset, numbers)),
      ),
    );
    const table = make(
      "table",
      { class: `board matrix${numbers ? " numbers" : ""}` },
      make("thead", {}, make("tr", {}, make("th", { scope: "col", class: "name" }, "row against column"), ...heads)),
      make("tbody", {}, ...body),
    );
    const tested = pairs
      ? `Corrected for ${pairs.corrected}; the others are tied.`
      : "No comparison was made by this measure, so only differences are shown.";
    return [
      title,
      make(
        "p",
        { class: "facts" },
        make("span", { class: "better" }, " ▲ "),
        " the row is significantly better than the column, ",
        make("span", { class: "worse" }, " ▼ "),
        ` significantly worse. ${tested}`,
        data.datasets.includes(dataset) ? " A cell leads to the queries of the pair." : "",
      ),
      make("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": `Pairs on ${dataset.name}` }, table),
    ];
  }

  listen((changed) => {
    if (
      state.view !== "pairs" ||
      !["view", "dataset", "measure", "labels", "family", "row"].some((name) => changed.has(name))
    )
      return;
    const shown = state.dataset === ALL ? data.datasets : chosen();
    $("matrix").replaceChildren(
      ...(shown.length
        ? shown.flatMap(matrix)
        : [
            make(
              "p",
              { class: "facts" },
              state.dataset === ACROSS ? "No row has scores on every dataset." : "No rows.",
            ),
          ]),
    );
  });
})();
