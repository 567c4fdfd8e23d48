// Shows the API with Swagger UI; what is tried out is sent as the person who is logged in.
(function () {
  "use strict";
  const root = document.documentElement;
  const place = document.getElementById("api-docs");
  const token = document.querySelector("#api-csrf [name=csrfmiddlewaretoken]").value;

  function follow() { root.classList.toggle("dark-mode", root.dataset.bsTheme === "dark"); }
  follow();
  new MutationObserver(follow).observe(root, { attributeFilter: ["data-bs-theme"] });

  function asStaff(request) {
    const method = (request.method || "GET").toUpperCase();
    const here = new URL(request.url, location.href).origin === location.origin;
    if (here && method !== "GET" && method !== "HEAD") { request.headers["X-CSRFToken"] = token; }
    return request;
  }

  SwaggerUIBundle({
    url: place.dataset.schema,
    domNode: place,
    deepLinking: true,
    defaultModelsExpandDepth: 0,
    displayRequestDuration: true,
    tryItOutEnabled: true,
    validatorUrl: null,  // it would send the document to another company
    requestInterceptor: asStaff,
  });
})();
