"use strict";

// Everything comes from this server. A token that is typed in lives in this page's memory and ends with it.
SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#docs",
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  persistAuthorization: false,
  // Else Swagger UI would send the document to a validator of its makers, and a link could name another document.
  validatorUrl: null,
  queryConfigEnabled: false,
});
