// A buyer's chat: new bubbles as they come, a guard against sending twice, and a text that is kept.
"use strict";

(() => {
  const chat = document.querySelector("[data-chat]");
  if (!chat) return;

  const EVERY = 4_000; // ms between two questions for news
  let version = chat.dataset.version;
  let asking = false;
  let stopped = false;
  let sent = false;
  const sentKey = new URLSearchParams(window.location.search).get("sent");

  // A refused message is shown at the address that it was posted to, which cannot be loaded.
  window.history.replaceState(null, "", window.location.pathname.replace(/\/reply\/$/, "/change/") + window.location.hash);

  const form = chat.querySelector("[data-reply]");
  if (form) {
    // A session may end while somebody writes. Their text stays in this tab until it was sent.
    const place = `reply:${chat.dataset.chat}`;
    const { text, request_key: key } = form.elements;
    const keep = () => {
      if (text.value.trim()) window.sessionStorage.setItem(place, JSON.stringify({ text: text.value, key: key.value }));
      else window.sessionStorage.removeItem(place);
    };
    const kept = JSON.parse(window.sessionStorage.getItem(place) || "null");
    if (kept && kept.key === sentKey) {
      window.sessionStorage.removeItem(place);
    } else if (kept && !text.value) {
      text.value = kept.text;
      key.value = kept.key; // if it was sent after all, it is not sent again
    }
    text.addEventListener("input", keep);
    form.addEventListener("submit", (event) => {
      if (sent) {
        event.preventDefault();
        return;
      }
      sent = true;
      keep();
      form.querySelector("[type=submit]").classList.add("disabled");
    });
    form.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      form.requestSubmit();
    });
  }
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) window.location.reload(); // an old page knows nothing of what was sent
  });

  // The header says that nobody did this: a page that was left alone keeps no session alive.
  const get = (address, accept) => fetch(address, {
    headers: { Accept: accept, "X-Background-Request": "yes" },
    redirect: "manual", // a session that ended is led to the login
  });

  const sayLoggedOut = () => {
    stopped = true;
    const here = encodeURIComponent(window.location.pathname);
    chat.prepend(window.buildNotice("warning", "You are logged out. Log in to go on.", `${chat.dataset.login}?next=${here}`, "Log in"));
  };

  const show = (text) => {
    const fresh = new DOMParser().parseFromString(text, "text/html").querySelector("[data-chat]");
    if (!fresh) return;
    for (const part of chat.querySelectorAll("[data-live]")) {
      const news = fresh.querySelector(`[data-live="${part.dataset.live}"]`);
      const used = part.dataset.live !== "log" && part.contains(document.activeElement);
      if (news && !used) part.replaceChildren(...news.childNodes);
    }
    version = fresh.dataset.version;
  };

  const ask = async () => {
    if (asking || stopped || sent || document.hidden) return;
    asking = true;
    try {
      const state = await get(chat.dataset.chat, "application/json");
      if (state.type === "opaqueredirect") {
        sayLoggedOut();
      } else if (state.ok && (await state.json()).version !== version) {
        const page = await get(window.location.pathname, "text/html");
        if (page.ok) show(await page.text());
      }
    } catch {
      // Away for a moment; the next question finds out.
    } finally {
      asking = false;
    }
  };

  window.setInterval(ask, EVERY);
  document.addEventListener("visibilitychange", ask);
})();
