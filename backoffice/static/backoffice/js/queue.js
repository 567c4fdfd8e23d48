// The review queue: new proofs appear, the title counts them, and a hidden tab may notify.
"use strict";

(() => {
  const queue = document.querySelector("[data-queue]");
  if (!queue) return;

  const SHOWN = 10_000; // ms between two questions while the page is in sight
  const HIDDEN = 30_000; // ms while it is not: for the title and the notification only
  const LONGEST = 300_000; // ms between two questions to a server that does not answer
  const PATIENCE = 20_000; // ms for one answer
  const QUIET = 3; // failures before the page says that it is out of date
  const CHOICE = "queue-notifications"; // what the person chose, in this browser
  const BACKGROUND = { "X-Background-Request": "yes" }; // does not keep the session alive

  const said = queue.querySelector("[data-said]");
  const news = queue.querySelector("[data-news]");
  const button = queue.querySelector("[data-notify]");
  let known = {
    version: queue.dataset.version,
    waiting: Number(queue.dataset.waiting),
    latest: Number(queue.dataset.latest),
  };
  let shown = known.version; // the version of the list that is on the page
  let failures = 0;
  let timer = 0;
  let asking = false;
  let ended = false; // logged out, or no permission any more
  let warned = false; // the box says that the list is out of date
  const skew = Date.now() - 1_000 * queue.dataset.now; // of this machine's clock, in ms

  // --- Words: the title, the announcement, the box above the list ---

  const retitle = () => {
    document.title = (known.waiting ? `(${known.waiting}) ` : "") + queue.dataset.title;
  };
  const count = () => `${known.waiting} ${known.waiting === 1 ? "waits" : "wait"} for you.`;

  const say = (style, words, target, label) => {
    news.replaceChildren(window.buildNotice(style, words, target, label));
    warned = true;
    said.textContent = words;
  };

  const since = () => {
    for (const cell of queue.querySelectorAll("[data-since]")) {
      const minutes = Math.max(0, Math.floor(((Date.now() - skew) / 1_000 - cell.dataset.since) / 60));
      const hours = Math.floor(minutes / 60);
      const words = minutes < 60 ? `${minutes} min` : hours < 48 ? `${hours} h` : `${Math.floor(hours / 24)} days`;
      if (cell.textContent !== words) cell.textContent = words;
    }
  };

  // --- The list: what changed is replaced, what is in use stays where it is ---

  const FOCUSABLE = "a[href], button";

  const replace = (old, fresh) => {
    const place = [...old.querySelectorAll(FOCUSABLE)].indexOf(document.activeElement);
    old.replaceChildren(...fresh.childNodes);
    if (place >= 0) old.querySelectorAll(FOCUSABLE)[place]?.focus({ preventScroll: true });
  };

  const rows = (list) => new Map([...list.children].map((row) => [row.dataset.row, row]));

  const mergeRows = (list, fresh) => {
    const before = rows(list);
    const wanted = rows(fresh);
    const focused = document.activeElement.closest?.("[data-row]");
    let held = list.contains(focused) ? focused.dataset.row : null;
    if (held && !wanted.has(held)) {
      const keys = [...before.keys()];
      held = keys.slice(keys.indexOf(held)).find((key) => wanted.has(key) && wanted.get(key).querySelector("a"));
    }
    let added = 0;
    for (const [key, row] of before) if (!wanted.has(key)) row.remove();
    let place = list.firstElementChild;
    for (const [key, row] of wanted) {
      const old = before.get(key);
      if (!old && row.matches(".row-card")) {
        row.classList.add("arrived");
        added += 1;
      }
      old?.classList.remove("arrived");
      const kept = old && old.isEqualNode(row) ? old : row;
      if (old && kept !== old) {
        if (place === old) place = old.nextElementSibling;
        old.remove();
      }
      if (kept === place) place = place.nextElementSibling;
      else list.insertBefore(kept, place);
    }
    if (held && !list.contains(document.activeElement)) {
      rows(list).get(held)?.querySelector("a").focus({ preventScroll: true });
    }
    return added;
  };

  const keepPlace = (change) => {
    const anchor = [...queue.querySelectorAll("[data-row]")].find((row) => row.getBoundingClientRect().bottom > 0);
    const key = anchor?.dataset.row;
    const top = anchor?.getBoundingClientRect().top;
    const scrolled = window.scrollY > 0;
    const added = change();
    const now = key && queue.querySelector(`[data-row="${key}"]`);
    if (scrolled && now) window.scrollBy({ top: now.getBoundingClientRect().top - top, behavior: "instant" });
    return added;
  };

  const merge = (page) => keepPlace(() => {
    let added = 0;
    for (const part of document.querySelectorAll("[data-part]")) {
      const fresh = page.querySelector(`[data-part="${part.dataset.part}"]`);
      const list = part.querySelector("ol.waiting");
      const other = fresh?.querySelector("ol.waiting");
      if (list && other) {
        added += mergeRows(list, other);
        const leaves = fresh.querySelector(".leaves");
        part.querySelector(".leaves")?.remove();
        if (leaves) part.append(leaves);
      } else if (fresh && !part.isEqualNode(fresh)) {
        added += fresh.querySelectorAll(".row-card").length;
        replace(part, fresh);
      }
    }
    return added;
  });

  const get = (address, headers) => fetch(address, {
    headers: { ...BACKGROUND, ...headers },
    redirect: "manual", // a session that ended is led to the login
    cache: "no-store",
    signal: AbortSignal.timeout(PATIENCE),
  });

  const refresh = async () => {
    const answer = await get(window.location.href, { Accept: "text/html" });
    if (!answer.ok) throw new Error(`the page answers ${answer.status}`);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.querySelector("[data-queue]");
    const added = merge(page);
    shown = fresh.dataset.version;
    known = { version: shown, waiting: Number(fresh.dataset.waiting), latest: Number(fresh.dataset.latest) };
    if (added) said.textContent = `${added} new in the list. ${count()}`;
  };

  // --- Questions to the server ---

  const end = (words, target, label) => {
    ended = true;
    say("warning", words, target, label);
  };

  const logOut = () => {
    const here = encodeURIComponent(window.location.pathname + window.location.search);
    end("You are logged out, so new proofs do not appear any more.", `${queue.dataset.login}?next=${here}`, "Log in");
  };

  const take = async (answer) => {
    if (answer.type === "opaqueredirect" || answer.status === 401) return logOut();
    if (answer.status === 403) return end("You may not see this list any more.");
    if (answer.status !== 304) {
      if (!answer.ok) throw new Error(`the server answers ${answer.status}`);
      const state = await answer.json();
      const arrived = state.latest > known.latest;
      known = state;
      if (arrived && document.hidden) notify();
    }
    if (!document.hidden && shown !== known.version) await refresh();
    if (warned) news.replaceChildren();
    warned = false;
    failures = 0;
    return undefined;
  };

  const plan = () => {
    window.clearTimeout(timer);
    if (ended) return;
    const pause = Math.min(LONGEST, (document.hidden ? HIDDEN : SHOWN) * 2 ** Math.min(failures, 8));
    timer = window.setTimeout(ask, pause * (0.9 + Math.random() / 5)); // tabs do not ask in step
  };

  const ask = async () => {
    if (asking) return;
    asking = true;
    try {
      await take(await get(queue.dataset.queue, { Accept: "application/json", "If-None-Match": `"${known.version}"` }));
    } catch {
      failures += 1;
      if (failures === QUIET) say("warning", "The server does not answer, so new proofs do not appear. Trying again…");
    } finally {
      asking = false;
    }
    retitle();
    since();
    plan();
  };

  // --- The notification, if the person wants it ---

  const choice = () => {
    try { return window.localStorage.getItem(CHOICE) === "on"; } catch { return false; }
  };
  const keep = (on) => {
    try { window.localStorage.setItem(CHOICE, on ? "on" : "off"); } catch { /* for this page only */ }
  };
  let wanted = "Notification" in window && choice();

  const notify = () => {
    if (!wanted || Notification.permission !== "granted") return;
    const note = new Notification("A new payment proof waits", { body: count(), tag: "review-queue" });
    note.addEventListener("click", () => {
      window.focus();
      note.close();
    });
  };

  const showChoice = (words) => {
    const refused = Notification.permission === "denied";
    const on = wanted && Notification.permission === "granted";
    button.hidden = false;
    button.disabled = refused;
    button.setAttribute("aria-pressed", String(on));
    button.querySelector("span").textContent = words
      || (refused ? "Notifications are blocked in this browser" : on ? "Notifications are on" : "Notify me of new proofs");
  };

  const toggle = async () => {
    const on = wanted && Notification.permission === "granted";
    if (!on && await Notification.requestPermission() !== "granted") return showChoice();
    wanted = !on;
    keep(wanted);
    showChoice();
    if (wanted) {
      try {
        new Notification("Notifications are on", { body: "They come while this page is in the background.", tag: "review-queue" });
      } catch { // Chrome on Android has the class but shows none from a page
        wanted = false;
        keep(false);
        showChoice("This browser shows no notifications");
        button.disabled = true;
      }
    }
    return undefined;
  };

  if ("Notification" in window && window.isSecureContext) {
    button.addEventListener("click", toggle);
    showChoice();
  }
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return plan();
    ended = false; // somebody may have logged in again in another tab
    return ask();
  });
  since();
  plan();
})();
