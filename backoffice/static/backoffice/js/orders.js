// How many orders are ticked, said while one ticks.
(function () {
  "use strict";
  const form = document.querySelector(".many-orders");
  const said = document.getElementById("ticked");
  if (!form || !said) { return; }
  const boxes = Array.from(form.querySelectorAll('input[name="order"]'));
  const total = form.querySelectorAll(".chosen-orders > li").length;
  const button = form.querySelector('button[type="submit"]');

  function tell() {
    const ticked = boxes.filter(function (box) { return box.checked; }).length;
    said.textContent = ticked + " of " + total + " ticked";
    if (button) { button.disabled = ticked === 0; }
  }
  boxes.forEach(function (box) { box.addEventListener("change", tell); });
  // A decision is sent once, however often the button is pressed.
  form.addEventListener("submit", function () {
    window.setTimeout(function () { button.disabled = true; }, 0);
  });
  window.addEventListener("pageshow", tell);
})();
