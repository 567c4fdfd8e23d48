// Other numbers for a late payment: free ones to tap, fetched when they are wanted.
"use strict";

(() => {
  for (const place of document.querySelectorAll("[data-free]")) {
    const panel = place.closest("details");
    const field = panel.querySelector("[data-numbers]");
    const typed = panel.querySelector("[data-typed]");
    let asked = false;

    const choose = (button) => {
      const before = field.value.trim().replace(/,$/, "");
      field.value = before ? `${before}, ${button.textContent}` : button.textContent;
      typed.checked = true;
      button.disabled = true;
    };

    const offer = (numbers) => {
      const taken = new Set(field.value.split(/\D+/));
      for (const number of numbers.filter((one) => !taken.has(one))) {
        const button = document.createElement("button");
        button.type = "button";
        button.className = "number";
        button.textContent = number;
        button.addEventListener("click", () => choose(button));
        place.append(button);
      }
      place.hidden = false;
    };

    field.addEventListener("focus", () => { typed.checked = true; });
    panel.addEventListener("toggle", async () => {
      if (!panel.open || asked) return;
      asked = true;
      try {
        const answer = await fetch(place.dataset.free, { headers: { Accept: "application/json" } });
        if (answer.ok) offer((await answer.json()).free);
      } catch {
        asked = false; // away for a moment; opening the panel again asks again
      }
    });
  }
})();
