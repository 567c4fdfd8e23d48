// Keeps the first screen fresh while somebody looks at it; without scripts it is as of its loading.
(function () {
  "use strict";
  const EVERY = 30_000;
  const page = document.getElementById("dashboard");
  if (!page) { return; }
  let asking = false;

  function inUse() {
    return page.querySelector("details[open]") || page.contains(document.activeElement);
  }

  async function refresh() {
    if (asking || document.hidden || inUse()) { return; }
    asking = true;
    try {
      // The header says that nobody did this: a screen that was left alone keeps no session alive.
      const answer = await fetch(location.href, { headers: { Accept: "text/html", "X-Background-Request": "yes" } });
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

  document.addEventListener("visibilitychange", refresh);
  setInterval(refresh, EVERY);
})();
