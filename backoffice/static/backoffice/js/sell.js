/* Shows what a sale comes to while it is typed, and copies the receipt. */
(() => {
  "use strict";

  const copy = document.querySelector("[data-copy]");
  if (copy) {
    copy.hidden = false;
    copy.addEventListener("click", async () => {
      const text = document.getElementById(copy.dataset.copy);
      const words = copy.querySelector("span");
      try {
        await navigator.clipboard.writeText(text.value);
        words.textContent = "Copied";
      } catch {
        text.focus();
        text.select();
        words.textContent = "Selected: copy it now";
      }
    });
  }

  const form = document.getElementById("sale");
  if (!form) return;
  const total = document.getElementById("sale-total");
  const money = new Intl.NumberFormat("en-US", {
    style: "currency",
    currency: form.dataset.currency,
  });
  const button = form.querySelector("button[type=submit]");

  /* A guess while one types; what counts is read by the server. */
  const typed = (words) => {
    const found = new Set();
    const rest = words.replace(/(\d{1,9})\s*(?:-|–|to)\s*(\d{1,9})/g, (_, one, other) => {
      const [low, high] = [Number(one), Number(other)].sort((a, b) => a - b);
      for (let n = low; n <= Math.min(high, low + 1000); n += 1) found.add(n);
      return " ";
    });
    for (const [number] of rest.matchAll(/\d{1,9}/g)) found.add(Number(number));
    return found.size;
  };

  const show = () => {
    const pick = form.elements.how.value === "pick";
    const wanted = pick ? typed(form.elements.numbers.value) : Number(form.elements.quantity.value);
    const price = Number(form.dataset.price);
    total.textContent =
      wanted > 0 ? `${wanted} × ${money.format(price)} = ${money.format(wanted * price)}` : "";
  };

  for (const kind of ["input", "change"]) form.addEventListener(kind, show);
  form.addEventListener("submit", () => {
    button.disabled = true;
  });
  window.addEventListener("pageshow", () => {
    button.disabled = false;
  });
  show();
})();
