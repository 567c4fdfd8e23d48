/* Draws: rows are added without loading the page, and a form is sent once. */
(() => {
  "use strict";

  for (const button of document.querySelectorAll("button[data-add]")) {
    const prefix = button.dataset.add;
    const template = document.querySelector(`template[data-empty="${prefix}"]`);
    const total = document.getElementById(`id_${prefix}-TOTAL_FORMS`);
    button.addEventListener("click", (event) => {
      event.preventDefault();
      const row = document.createElement("template");
      row.innerHTML = template.innerHTML.replaceAll("__prefix__", total.value);
      total.value = Number(total.value) + 1;
      const added = row.content.firstElementChild;
      button.closest("[data-add-before]").before(added);
      const place = added.querySelector("input[name$=ORDER]");
      if (place) place.value = total.value;
      added.querySelector("input:not([type=hidden], [name$=ORDER]), select").focus();
      button.form.dispatchEvent(new Event("change"));
    });
  }

  for (const form of document.querySelectorAll("form[data-once]")) {
    form.addEventListener("submit", (event) => {
      if (form.dataset.sent) event.preventDefault();
      form.dataset.sent = "yes";
    });
  }
  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-once]")) delete form.dataset.sent;
  });
})();
