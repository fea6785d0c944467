// Shows every service's OpenAPI document on one page; the list in the top bar chooses between them.
fetch("/docs/services.json")
  .then((answer) => answer.json())
  .then((services) => {
    SwaggerUIBundle({
      dom_id: "#documentation",
      urls: services,
      presets: [SwaggerUIBundle.presets.apis, SwaggerUIStandalonePreset],
      // the logo styles itself inline, which our content security policy refuses
      plugins: [() => ({ components: { Logo: () => null } })],
      layout: "StandaloneLayout",
      deepLinking: true,
      // the validator badge would send each document to somebody else
      validatorUrl: null,
    });
  });
