// The button that prints the poster; hidden where scripts do not run.
(function () {
  "use strict";

  const button = document.getElementById("print");
  if (!button) { return; }
  button.hidden = false;
  button.addEventListener("click", function () { window.print(); });
})();
