// Buttons that copy the text of an element; hidden where scripts do not run.
(function () {
  "use strict";

  // Without TLS a browser has no clipboard for scripts, so the old way is tried.
  function copiedTheOldWay(source) {
    const range = document.createRange();
    range.selectNodeContents(source);
    const selection = window.getSelection();
    selection.removeAllRanges();
    selection.addRange(range);
    return document.execCommand("copy");
  }

  async function copied(source) {
    try {
      await navigator.clipboard.writeText(source.textContent);
      return true;
    } catch (refusal) {
      return copiedTheOldWay(source);
    }
  }

  document.querySelectorAll("button[data-copy]").forEach(function (button) {
    const source = document.getElementById(button.dataset.copy);
    const word = button.querySelector("[data-word]");
    if (!source || !word) { return; }
    word.setAttribute("role", "status");
    button.hidden = false;
    button.addEventListener("click", async function () {
      word.textContent = (await copied(source)) ? "Copied" : "Select it and copy";
      window.setTimeout(function () { word.textContent = "Copy"; }, 4000);
    });
  });
})();
