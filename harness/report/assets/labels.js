"use strict";
/* Names in the plot of quality against a cost. */
window.labels = (() => {
  const { brief } = window.marks;
  const MOST = 24;

  /* Names next to their marks, the front first, then those of published scores at an end of their lines, each where it
     covers no other name and no mark. */
  function add(svg, rows, lines, x, y, [left, right]) {
    const boxes = rows.map((r) => [x(r.cost) - 7, y(r.value) - 7, x(r.cost) + 7, y(r.value) + 7]);
    const free = ([a, b, c, d]) =>
      a >= left && c <= right && b >= 0 && boxes.every(([e, f, g, h]) => c < e || a > g || d < f || b > h);
    const group = d3.select(svg).append("g").attr("class", "labels").attr("aria-hidden", "true");
    let named = 0;
    const front = rows.filter((r) => r.front).reverse();
    for (const r of [...front, ...lines, ...rows.filter((r) => !r.front)]) {
      if (named >= MOST + lines.length) break;
      const text = brief(r.name, 30),
        width = 6.6 * text.length,
        [px, py] = [r.published ? 0 : x(r.cost), y(r.value)];
      const ends = [
        [right - 4, py - 4, "end"],
        [left + 4, py - 4, "start"],
        [right - 4, py + 13, "end"],
        [left + 4, py + 13, "start"],
        [(left + right) / 2, py - 4, "middle"],
      ];
      const around = [
        [px + 12, py + 4, "start"],
        [px - 12, py + 4, "end"],
        [px, py - 13, "middle"],
        [px, py + 22, "middle"],
        [px + 8, py - 9, "start"],
        [px - 8, py - 9, "end"],
        [px + 8, py + 17, "start"],
        [px - 8, py + 17, "end"],
      ];
      const places = r.published ? ends : around;
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
        .attr("class", r.front ? "front" : r.published ? "published" : null)
        .text(text);
    }
  }

  return { add };
})();
