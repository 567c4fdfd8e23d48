// Keeps the first screen fresh while somebody looks at it; without scripts it is as of its loading.
(function () {
  "use strict";
  const EVERY = 30_000;
  const IDLE = 15 * 60_000; // a screen that was left alone must not keep its session alive
  const page = document.getElementById("dashboard");
  if (!page) { return; }
  let used = Date.now();
  let asking = false;

  function inUse() {
    return page.querySelector("details[open]") || page.contains(document.activeElement);
  }

  async function refresh() {
    if (asking || document.hidden || Date.now() - used > IDLE || inUse()) { return; }
    asking = true;
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (answer.redirected) { location.reload(); return; }
      if (!answer.ok) { return; }
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("dashboard");
      if (fresh && !inUse()) { page.replaceChildren(...fresh.childNodes); }
    } catch {
      return; // no network: the next turn may have one
    } finally {
      asking = false;
    }
  }

  for (const event of ["pointerdown", "pointermove", "keydown", "scroll"]) {
    addEventListener(event, () => { used = Date.now(); }, { passive: true });
  }
  document.addEventListener("visibilitychange", () => { used = Date.now(); refresh(); });
  setInterval(refresh, EVERY);
})();
