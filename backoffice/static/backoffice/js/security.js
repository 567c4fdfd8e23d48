// Printing the recovery codes.
(function () {
  "use strict";
  const button = document.getElementById("print-codes");
  if (!button) { return; }
  button.hidden = false;
  button.addEventListener("click", function () { window.print(); });
})();
