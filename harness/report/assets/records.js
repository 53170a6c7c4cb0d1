"use strict";
/* The record of a row, opened over the page from a score or a name, and by its link. */
(() => {
  const { $, state, make, set, listen } = window.board;

  function open(label) {
    const article = [...document.querySelectorAll("#records article")].find((each) => each.dataset.label === label);
    if (!article) return false;
    const copy = article.cloneNode(true);
    copy.removeAttribute("id");
    for (const pre of copy.querySelectorAll("pre.command"))
      pre.prepend(copier(() => pre.querySelector("code").textContent, pre));
    $("record").querySelector("div").replaceChildren(copy);
    if (!$("record").open) $("record").showModal(); // a record may lead to another
    $("record").scrollTop = 0;
    return true;
  }

  /* A button that copies; where that is not allowed it selects, for the reader to copy. */
  function copier(text, shown) {
    const button = make("button", { type: "button", class: "plain copy" }, "copy");
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(text());
        button.textContent = "copied";
      } catch {
        getSelection().selectAllChildren(shown);
      }
    });
    return button;
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a");
    const target = link && (link.getAttribute("href") || link.getAttributeNS("http://www.w3.org/1999/xlink", "href"));
    const article = target && target.startsWith("#record-") && $(target.slice(1));
    if (!article) return;
    event.preventDefault();
    set({ record: article.dataset.label });
  });
  $("record").addEventListener("click", (event) => {
    if (event.target === $("record")) $("record").close();
  });
  $("record").addEventListener("close", () => set({ record: "" }));
  listen((changed) => {
    if (!changed.has("record")) return;
    if (state.record) {
      if (!open(state.record)) set({ record: "" }, true);
    } else if ($("record").open) $("record").close();
  });
  for (const pre of document.querySelectorAll("#share pre.command"))
    pre.prepend(copier(() => pre.querySelector("code").textContent, pre));
})();
