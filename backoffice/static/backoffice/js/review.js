// The review page: keys, a guard against the second press, and news from the server.
"use strict";

(() => {
  const bench = document.querySelector("[data-review]");
  if (!bench) return;

  const STILL = 400; // ms a proof must have been in sight before the keyboard may confirm it
  const EVERY = 10_000; // ms between two questions for news

  const viewer = bench.querySelector("[data-viewer]");
  const confirm = bench.querySelector('[data-key="confirm"]');
  const panels = [...bench.querySelectorAll("[data-panel]")];
  const news = bench.querySelector("[data-news]");
  const help = bench.querySelector("[data-keys]");
  let armed = false; // the button may be pressed
  let keyed = false; // and so may the key: the proof itself is in sight
  let sent = false;
  let stopped = false;
  let arming = 0;

  const panel = (name) => panels.find((other) => other.dataset.panel === name);
  const open = () => panels.find((other) => other.open);
  const link = (name) => document.querySelector(`a[data-key="${name}"]`);

  // --- The guard: one decision a page, and none before its proof is in sight ---

  const disarm = () => {
    armed = keyed = false;
    delete bench.dataset.armed;
    window.clearTimeout(arming);
    if (confirm) confirm.classList.add("arming");
  };

  const arm = (state) => {
    disarm();
    if (stopped) return;
    arming = window.setTimeout(() => {
      armed = true;
      keyed = state === "yes"; // what cannot be seen is confirmed by hand or not at all
      bench.dataset.armed = keyed ? "keys" : "hand";
      if (confirm) confirm.classList.remove("arming");
    }, STILL);
  };

  const stop = () => {
    stopped = true;
    disarm();
    for (const button of bench.querySelectorAll("[data-decision] button, [data-panel] > summary")) {
      button.classList.add("disabled");
      button.setAttribute("aria-disabled", "true");
      if (button.type === "submit") button.disabled = true;
    }
  };

  bench.addEventListener("submit", (event) => {
    const form = event.target.closest("[data-decision]");
    if (!form) return;
    const confirming = confirm && form.contains(confirm);
    if (sent || stopped || (confirming && !armed)) {
      event.preventDefault();
      return;
    }
    sent = true;
    if (confirm) confirm.classList.add("arming");
  });
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) window.location.reload(); // an old page knows nothing of what was decided
  });

  // --- Keys ---

  const show = (name) => {
    const chosen = panel(name);
    if (!chosen || stopped) return;
    for (const other of panels) other.open = other === chosen && !chosen.open;
    if (chosen.open) chosen.querySelector("input:not([type=hidden])").focus({ preventScroll: true });
  };
  for (const one of panels) {
    one.addEventListener("toggle", () => {
      if (one.open) one.querySelector("[type=submit]").scrollIntoView({ block: "nearest" });
    });
  }

  const choose = (number) => {
    const reason = bench.querySelector(`[data-reason="${number}"]`);
    if (!reason) return;
    reason.checked = true;
    reason.dispatchEvent(new Event("change", { bubbles: true }));
    if (reason.value === "OTHER") bench.querySelector("#reject-note").focus();
    else reason.focus();
  };

  const go = (name) => {
    const target = link(name);
    if (target) window.location.assign(target.href);
  };

  const pressConfirm = () => {
    if (confirm && keyed && !sent && !stopped) confirm.form.requestSubmit(confirm);
  };

  const onEnter = (event) => {
    if (event.target.closest("a, button, summary, input, label")) return; // these have their own
    event.preventDefault();
    const form = open()?.querySelector("form");
    if (form) form.requestSubmit();
    else pressConfirm();
  };

  const acts = {
    c: () => { if (!open()) pressConfirm(); },
    r: () => show("reject"),
    a: () => show("ask"),
    n: () => go("next"),
    p: () => go("previous"),
    "?": () => help.showModal(),
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || help.open) return;
    if (event.key === "Escape") {
      for (const other of panels) other.open = false;
      document.activeElement?.blur();
      return;
    }
    const field = event.target.closest("input, textarea, select, [contenteditable]");
    if (field && !["radio", "checkbox"].includes(field.type)) return;
    if (event.key === "Enter") {
      onEnter(event);
      return;
    }
    if (/^[1-5]$/.test(event.key) && panel("reject")?.open) {
      event.preventDefault();
      choose(event.key);
      return;
    }
    const act = acts[event.key.toLowerCase()];
    if (!act) return;
    event.preventDefault();
    act();
  });

  bench.querySelector("[data-show-keys]").hidden = false;
  bench.querySelector("[data-show-keys]").addEventListener("click", () => help.showModal());

  // --- "Other" needs words ---

  bench.addEventListener("change", (event) => {
    if (event.target.matches("[data-reason]")) {
      bench.querySelector("#reject-note").required = event.target.value === "OTHER";
    }
  });

  // --- News: a new proof, somebody who was faster, somebody who looks too ---

  const say = (style, words, target, label) => {
    const box = window.buildNotice(style, words, target, label);
    if (news.textContent !== box.textContent) news.replaceChildren(box);
    news.hidden = false;
  };

  const fetched = new Set();
  const fetchAhead = (address) => {
    if (!address || fetched.has(address)) return;
    fetched.add(address);
    new Image().src = address;
  };

  const read = (answer) => {
    if (!answer.waits) {
      const words = answer.decided ? `${answer.decided[0].toUpperCase()}${answer.decided.slice(1)}.` : "";
      say("warning", words || "This order does not wait any more.", link("next")?.href, "Next");
      stop();
    } else if (answer.news) {
      say("info", "Another proof has just arrived.", answer.news, "Look at it");
      stop();
    } else if (answer.fetched && !open() && !sent) {
      window.location.reload();
    } else if (answer.looking) {
      say("light", answer.looking);
    } else if (!stopped) {
      news.hidden = true;
    }
    fetchAhead(answer.next);
  };

  const ask = async () => {
    if (document.hidden || sent || stopped) return;
    try {
      const answer = await fetch(bench.dataset.review, {
        headers: { Accept: "application/json", "X-Background-Request": "yes" },
        redirect: "manual", // a session that ended is led to the login
      });
      if (answer.type === "opaqueredirect") {
        const here = encodeURIComponent(window.location.pathname + window.location.search);
        say("warning", "You are logged out. Log in before you decide.", `${bench.dataset.login}?next=${here}`, "Log in");
        return;
      }
      if (answer.ok && answer.headers.get("Content-Type").startsWith("application/json")) read(await answer.json());
    } catch {
      // Away for a moment; the next question finds out.
    }
  };

  disarm();
  if (viewer) {
    viewer.addEventListener("proof-shown", (event) => arm(event.detail));
    if (viewer.dataset.ready || !viewer.querySelector("[data-sheet]")) arm(viewer.dataset.ready);
  }
  window.setTimeout(ask, 600);
  window.setInterval(ask, EVERY);
  document.addEventListener("visibilitychange", ask);
})();
