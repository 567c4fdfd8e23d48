/* Draws the messages anew, on the server, while the form of a raffle is filled in. */
(() => {
  "use strict";
  const form = document.getElementById("raffle_form");
  const target = document.getElementById("preview");
  if (!form || !target) return;
  let waiting = 0;
  let running = null;
  let shown = "";

  const fields = () => {
    const data = new FormData(form);
    for (const input of form.querySelectorAll("input[type=file]")) data.delete(input.name);
    return data;
  };

  const draw = async () => {
    const data = fields();
    const typed = JSON.stringify([...data]);
    if (typed === shown) return;
    shown = typed;
    running?.abort();
    running = new AbortController();
    try {
      const answer = await fetch(form.dataset.preview, {
        method: "POST",
        body: data,
        credentials: "same-origin",
        signal: running.signal,
      });
      if (answer.ok && !answer.redirected) target.innerHTML = await answer.text();
    } catch {
      /* another one is on its way, or the network is away: what stands there stays */
    }
  };

  const soon = () => {
    clearTimeout(waiting);
    waiting = setTimeout(draw, 300);
  };

  shown = JSON.stringify([...fields()]);
  for (const kind of ["input", "change"]) form.addEventListener(kind, soon);
})();
