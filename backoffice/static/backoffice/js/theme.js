// Light or dark before the first pixel is drawn, so that nothing flashes.
(function () {
  "use strict";
  const root = document.documentElement;
  const KEY = "jazzmin-theme-mode";
  const standard = document.currentScript.dataset.mode;
  const dark = window.matchMedia("(prefers-color-scheme: dark)");

  function kept() {
    try { return localStorage.getItem(KEY); } catch { return null; }
  }
  function shown() {
    const mode = kept() || standard;
    if (mode === "auto") { return dark.matches ? "dark" : "light"; }
    return mode;
  }
  function apply() { root.setAttribute("data-bs-theme", shown()); }

  root.classList.add("js");
  apply();
  dark.addEventListener("change", apply);
  document.addEventListener("DOMContentLoaded", function () {
    const button = document.getElementById("theme-button");
    if (!button) { return; }
    button.hidden = false;
    button.addEventListener("click", function () {
      try { localStorage.setItem(KEY, shown() === "dark" ? "light" : "dark"); } catch { return; }
      apply();
    });
  });
})();
