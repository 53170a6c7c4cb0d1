"use strict";
/* The link to what is shown, and the snippet that embeds it. */
(() => {
  const { $, state, address, listen } = window.board;
  const base = () =>
    location.protocol.startsWith("http") ? location.href.split("#")[0] : location.pathname.split("/").pop();
  let last = "table"; // the view that was shown before this tab

  listen(() => {
    if (state.view !== "share") {
      last = state.view;
      return;
    }
    $("link").value =
      `${location.protocol.startsWith("http") ? base() : location.href.split("#")[0]}${address({ view: last })}`;
    const source = `${base()}${address({ view: last, embed: "1" })}`
      .replaceAll("&", "&amp;")
      .replaceAll('"', "&quot;")
      .replaceAll("<", "&lt;");
    $("embedded").value =
      `<iframe src="${source}" title="Retrieval leaderboard" width="100%" height="700" loading="lazy"></iframe>`;
  });
  for (const button of document.querySelectorAll("[data-copy]")) {
    button.addEventListener("click", async () => {
      const input = $(button.dataset.copy);
      try {
        await navigator.clipboard.writeText(input.value);
        button.textContent = "copied";
      } catch {
        input.select();
      }
    });
  }
})();
