/* Forms: the banner about errors takes the focus, and too large a file is refused before the upload. */
(() => {
  "use strict";
  document.querySelector("[data-error-banner]")?.focus();

  const refuse = (input) => {
    const field = input.closest(".field");
    let trouble = field.querySelector(".trouble");
    if (!trouble) {
      trouble = document.createElement("div");
      trouble.className = "trouble";
      trouble.setAttribute("role", "alert");
      input.after(trouble);
    }
    const megabytes = Math.round(input.dataset.maxBytes / 1024 / 1024);
    trouble.textContent = `This picture has more than ${megabytes} MB. Choose a smaller one, please.`;
    field.classList.add("wrong");
    input.value = "";
  };

  for (const input of document.querySelectorAll("input[type=file][data-max-bytes]")) {
    input.addEventListener("change", () => {
      const file = input.files[0];
      if (!file) return;
      if (file.size > Number(input.dataset.maxBytes)) refuse(input);
      else {
        input.closest(".field").classList.remove("wrong");
        input.closest(".field").querySelector(".trouble")?.remove();
      }
    });
  }
})();
