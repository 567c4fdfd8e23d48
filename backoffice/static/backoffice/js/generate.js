/* Makes a raffle's numbers one step after the other and shows how far it is. */
(() => {
  "use strict";
  const form = document.getElementById("generate");
  const bar = document.getElementById("generated");
  const words = document.getElementById("generate-words");
  const button = form.querySelector("button");
  const began = { at: 0, made: 0 };

  const count = (number) => number.toLocaleString("en-US");

  const left = (step) => {
    const speed = (step.made - began.made) / (performance.now() - began.at);
    const seconds = Math.ceil((step.total - step.made) / speed / 1000);
    return seconds > 90 ? `about ${Math.ceil(seconds / 60)} minutes left` : `about ${seconds} s left`;
  };

  const step = async () => {
    const answer = await fetch(form.action, {
      method: "POST",
      body: new FormData(form),
      headers: { Accept: "application/json" },
      credentials: "same-origin",
    });
    if (!answer.ok || answer.redirected) throw new Error(`answered ${answer.status}`);
    return answer.json();
  };

  const show = (done) => {
    bar.value = done.made;
    bar.max = done.total;
    words.textContent = `${count(done.made)} of ${count(done.total)} · ${left(done)}`;
  };

  const goOn = async () => {
    button.disabled = true;
    began.at = performance.now();
    began.made = Number(bar.value);
    words.textContent = "Making them …";
    try {
      for (;;) {
        const done = await step();
        if (done.done) break;
        show(done);
      }
      location.reload();
    } catch {
      button.disabled = false;
      button.textContent = "Go on";
      words.textContent = "It stopped; what is made stays. Press “Go on” in a moment.";
    }
  };

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    goOn();
  });
})();
