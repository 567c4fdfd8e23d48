// Shows the API with Swagger UI; what is tried out is sent as the person who is logged in.
(function () {
  "use strict";
  const place = document.getElementById("api-docs");
  const token = document.querySelector("#api-csrf [name=csrfmiddlewaretoken]").value;

  // Swagger UI leaves some of its fields without a name, and its samples to the mouse.
  const NAMES = {
    ".examples-select-element": "Example",
    ".body-param__text": "Body",
    ".content-type-wrapper select": "Media type",
    ".parameters-col_description select": "Value",
  };
  function name() {
    for (const [selector, words] of Object.entries(NAMES)) {
      for (const field of place.querySelectorAll(`${selector}:not([aria-label])`)) {
        field.setAttribute("aria-label", words);
      }
    }
    for (const sample of place.querySelectorAll("pre:not([tabindex])")) {
      sample.tabIndex = 0;  // so that the keyboard can scroll it
    }
  }
  new MutationObserver(name).observe(place, { childList: true, subtree: true });

  function asStaff(request) {
    const method = (request.method || "GET").toUpperCase();
    const here = new URL(request.url, location.href).origin === location.origin;
    if (here && method !== "GET" && method !== "HEAD") { request.headers["X-CSRFToken"] = token; }
    return request;
  }

  SwaggerUIBundle({
    url: place.dataset.schema,
    domNode: place,
    defaultModelsExpandDepth: 0,
    displayRequestDuration: true,
    tryItOutEnabled: true,
    validatorUrl: null,  // it would send the document to another company
    requestInterceptor: asStaff,
  });
})();
