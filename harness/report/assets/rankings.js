"use strict";
/* The rankings of two rows for a query, side by side, with the grades of the documents. */
window.rankings = (() => {
  const { make } = window.board;

  function sides(q, here, chosen, line) {
    const lists = chosen.map((row) => (row.tops ? row.tops[q.i] : null));
    const grades = here.grades ? new Map(here.grades[q.i]) : null;
    const columns = chosen.map((row, side) => {
      const own = lists[side],
        other = lists[1 - side];
      const head = make(
        "h3",
        {},
        `${side ? "B" : "A"}: `,
        make("a", { href: `#${line(row).key}` }, make("code", {}, line(row).name)),
        row.seeds > 1 ? " (its first seed)" : "",
      );
      if (!own)
        return make(
          "div",
          {},
          head,
          make("p", { class: "facts" }, "Neither the run nor its ten best were stored when this page was written."),
        );
      if (!own.length) return make("div", {}, head, make("p", { class: "facts" }, "No documents were retrieved."));
      return make("div", {}, head, make("ol", {}, ...own.map((d) => entry(here, d, grades, other))));
    });
    const relevant = here.relevant ? [make("p", { class: "facts" }, `${here.relevant[q.i]} judged relevant.`)] : [];
    return make("div", {}, ...relevant, make("div", { class: "side" }, ...columns));
  }

  function entry(here, d, grades, other) {
    const id = here.documents[d],
      title = here.titles ? here.titles[d] : "";
    const parts = [title || id];
    if (title) parts.push(make("span", { class: "document" }, ` ${id}`));
    if (grades) {
      const grade = grades.get(d);
      const [words, kind] =
        grade === undefined
          ? ["unjudged", "unjudged"]
          : grade > 0
            ? [`grade ${grade}`, "relevant"]
            : [`grade ${grade}`, ""];
      parts.push(" ", make("span", { class: `grade ${kind}` }, words));
    }
    if (other) {
      const there = other.indexOf(d);
      parts.push(make("span", { class: "document" }, there < 0 ? " · only here" : ` · ${there + 1} in the other`));
    }
    return make("li", {}, ...parts);
  }

  return sides;
})();
