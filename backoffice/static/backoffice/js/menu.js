// The menu: beside the page on a desktop, over it on a phone.
(function () {
  "use strict";
  const body = document.body;
  const button = document.getElementById("menu-button");
  const menu = document.getElementById("jazzy-sidebar");
  if (!button || !menu) { return; }
  const wide = window.matchMedia("(min-width: 992px)");
  const cover = document.createElement("div");
  cover.className = "sidebar-overlay";
  document.querySelector(".app-wrapper").append(cover);

  function tell() {
    const open = wide.matches
      ? !body.classList.contains("sidebar-collapse")
      : body.classList.contains("sidebar-open");
    button.setAttribute("aria-expanded", String(open));
  }
  function close() {
    body.classList.remove("sidebar-open");
    tell();
  }
  button.addEventListener("click", function () {
    if (wide.matches) {
      const closed = body.classList.toggle("sidebar-collapse");
      document.cookie = "jazzy_menu=" + (closed ? "closed" : "open") + ";path=/;max-age=31536000;SameSite=Lax";
    } else if (body.classList.toggle("sidebar-open")) {
      (menu.querySelector(".here") || menu.querySelector("a")).focus();
    }
    tell();
  });
  cover.addEventListener("click", close);
  document.addEventListener("keydown", function (event) {
    if (event.key === "Escape" && body.classList.contains("sidebar-open")) {
      close();
      button.focus();
    }
  });
  wide.addEventListener("change", close);
  tell();
})();
