"use strict";
/* What the plots share: a colour and a mark for each family, captions, and saving a plot as SVG or PNG. */
window.marks = (() => {
  const { data, state, make, matches, set } = window.board;
  const families = [...new Set(data.datasets.flatMap((d) => d.rows.map((r) => r.family)))].sort();
  const SYMBOLS = [
    "circle",
    "square",
    "triangle",
    "diamond",
    "star",
    "cross",
    "wye",
    "hexagon",
    "times",
    "asterisk",
    "plus",
  ];
  const STROKED = new Set(["times", "asterisk", "plus"]);
  const at = (family) => families.indexOf(family);
  const colour = (family) => `var(--family-${at(family) % 8})`;
  const symbol = (family) => SYMBOLS[at(family) % SYMBOLS.length];
  const four = (value) => value.toFixed(4);
  const room = () => (window.innerWidth < 600 ? 19 : 34);
  const brief = (name, most = room()) => (name.length > most ? `${name.slice(0, most - 1)}…` : name);
  const style = { background: "none", fontSize: "12px" };

  /* Published scores by a measure that the filters leave, for the plots; they have no record, no interval, no cost. */
  const PREFIX = "published/";
  function published(dataset, measure) {
    if (state.kind === "measured") return [];
    return dataset.published
      .filter((r) => matches(r) && (r.values[measure] ?? null) !== null)
      .map((r) => ({ ...r, key: r.name, name: r.name.replace(PREFIX, ""), published: true, low: null, high: null }))
      .map((r) => ({ ...r, value: r.values[measure] }))
      .sort((a, b) => b.value - a.value);
  }
  const hollow = { symbol: "diamond2", fill: "var(--paper)", stroke: "var(--quiet)", strokeWidth: 1.5 };

  /* A row's score with what is known of it. */
  function told(r, measure) {
    if (r.published) return `${r.name}\n${measure} ${four(r.value)}, published, not measured here\n${r.source}`;
    const range = r.low === null ? "" : `, 95 %: ${r.low.toFixed(3)} – ${r.high.toFixed(3)}\nrank ${r.ranks}`;
    return `${r.name}\n${measure} ${four(r.value)}${range}`;
  }

  function entry(text, look) {
    const drawn = Plot.plot({
      width: 16,
      height: 16,
      margin: 0,
      style: { background: "none" },
      axis: null,
      ariaHidden: "true",
      x: { domain: [0, 1] },
      y: { domain: [0, 1] },
      marks: [Plot.dot([0], { x: 0.5, y: 0.5, r: 5, ...look })],
    });
    drawn.setAttribute("aria-hidden", "true");
    return make("li", {}, drawn, text);
  }

  /* A family in the key shows that family alone when it is clicked, and all again when it is clicked once more. */
  function choice(family) {
    const item = entry(family, mark(() => family, family));
    const button = make("button", { type: "button", "aria-pressed": String(state.family === family) });
    button.title = state.family === family ? "show all families" : `show ${family} alone`;
    button.append(...item.childNodes);
    button.addEventListener("click", () => set({ family: state.family === family ? "" : family }));
    return make("li", {}, button);
  }

  /* A key with the mark of each family that is there. */
  function legend(rows, others) {
    const there = families.filter((family) => rows.some((r) => r.family === family));
    const entries = there.map(choice);
    if (others.length) entries.push(entry("published, not measured here", hollow));
    return make("ul", { class: "key" }, ...entries);
  }

  /* How a row's dot is drawn: symbols that have no inside are stroked. */
  function mark(of, fixed) {
    const filled = (r) => !STROKED.has(symbol(of(r)));
    const inside = (r) => (filled(r) ? colour(of(r)) : "none");
    return {
      symbol: fixed ? symbol(fixed) : (r) => symbol(of(r)),
      fill: fixed ? inside(0) : inside,
      stroke: fixed ? colour(fixed) : (r) => colour(of(r)),
    };
  }

  /* ---- saving ---- */
  const COPIED = [
    "fill",
    "stroke",
    "stroke-width",
    "stroke-dasharray",
    "stroke-opacity",
    "fill-opacity",
    "opacity",
    "font-size",
    "font-family",
    "font-weight",
    "text-anchor",
    "paint-order",
  ];
  const NS = "http://www.w3.org/2000/svg";

  /* The plot as a file of its own: with its title, colours in place of the page's variables, without links. */
  function standalone(svg, title) {
    const clone = svg.cloneNode(true);
    const [shown, copied] = [
      [svg, ...svg.querySelectorAll("*")],
      [clone, ...clone.querySelectorAll("*")],
    ];
    shown.forEach((element, i) => {
      const style = getComputedStyle(element);
      for (const name of COPIED) {
        copied[i].removeAttribute(name);
        copied[i].style.setProperty(name, style.getPropertyValue(name));
      }
    });
    for (const link of clone.querySelectorAll("a")) link.replaceWith(...link.childNodes);
    for (const style of clone.querySelectorAll("style")) style.remove();
    for (const tip of clone.querySelectorAll("[aria-label=tip], .tip")) tip.remove();
    const [width, height] = [svg.width.baseVal.value, svg.height.baseVal.value];
    const page = getComputedStyle(document.body);
    const whole = document.createElementNS(NS, "svg");
    const add = (tag, attributes, text = "") => {
      const element = document.createElementNS(NS, tag);
      for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
      element.textContent = text;
      whole.append(element);
    };
    for (const [name, value] of Object.entries({ width, height: height + 36, viewBox: `0 0 ${width} ${height + 36}` }))
      whole.setAttribute(name, value);
    add("rect", { width: "100%", height: "100%", fill: page.backgroundColor });
    add(
      "text",
      { x: 12, y: 22, fill: page.color, "font-family": "system-ui, sans-serif", "font-size": 14, "font-weight": 600 },
      title,
    );
    clone.setAttribute("y", 36);
    whole.append(clone);
    return { text: new XMLSerializer().serializeToString(whole), width, height: height + 36 };
  }

  function save(name, url) {
    make("a", { href: url, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10000);
  }

  async function saved(svg, title, kind) {
    const { text, width, height } = standalone(svg, title);
    const name = `${title.replace(/[^\w.-]+/g, "-").slice(0, 80)}.${kind}`;
    if (kind === "svg") {
      save(name, URL.createObjectURL(new Blob([text], { type: "image/svg+xml" })));
      return;
    }
    const image = new Image();
    image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
    await image.decode();
    const canvas = make("canvas", { width: 2 * width, height: 2 * height });
    canvas.getContext("2d").drawImage(image, 0, 0, 2 * width, 2 * height);
    canvas.toBlob((blob) => save(name, URL.createObjectURL(blob)), "image/png");
  }

  /* A group of marks may have no label, a link has that of its mark. */
  function accessible(svg) {
    svg.setAttribute("role", "group");
    for (const group of svg.querySelectorAll("g[aria-label]")) group.removeAttribute("aria-label");
    for (const link of svg.querySelectorAll("a")) {
      const named = link.querySelector("[aria-label]");
      if (!named) continue;
      link.setAttribute("aria-label", named.getAttribute("aria-label"));
      named.removeAttribute("aria-label");
    }
  }

  /* A plot with its title, caption and buttons. `of` says what it is of, for the name of the file. */
  function figure(title, caption, drawn, of) {
    const buttons = ["svg", "png"].map((kind) => {
      const button = make("button", { type: "button", class: "plain small" }, kind.toUpperCase());
      button.setAttribute("aria-label", `${title} as ${kind.toUpperCase()}`);
      button.addEventListener("click", () => saved(drawn, of ? `${title} (${of})` : title, kind));
      return button;
    });
    accessible(drawn);
    // A press would pin the hover text over the mark, so that the click would miss the link below it.
    drawn.addEventListener("pointerdown", (event) => event.stopPropagation(), true);
    return make(
      "figure",
      {},
      make("div", { class: "title" }, make("h3", {}, title), ...buttons),
      drawn,
      make("figcaption", {}, caption),
    );
  }

  return { accessible, colour, symbol, mark, four, brief, style, told, legend, published, hollow, figure };
})();
