// Shows the description in Swagger UI, for the stack that serves this page.
"use strict";

const scheme = "bearerAuth";

async function read(path) {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return response;
}

// The description names the published server; calls go to the stack alone.
const onlyServer = (url) => () => ({
  statePlugins: { spec: { wrapActions: {
    updateJsonSpec: (next) => (spec) => next({ ...spec, servers: [{ url, description: "the stack that serves this page" }] }),
  } } },
});

async function show() {
  const stack = await (await read("/docs/stack.json")).json();
  const caller = document.getElementById("caller");
  const select = caller.querySelector("select");
  const actAs = async (user) => {
    ui.preauthorizeApiKey(scheme, await (await read(`/docs/token?user=${encodeURIComponent(user.name)}`)).text());
    caller.querySelector("span").textContent = user.note;
    caller.dataset.user = user.name;
  };
  const ui = SwaggerUIBundle({
    url: "/openapi.yaml",
    dom_id: "#api",
    deepLinking: true,
    displayRequestDuration: true,
    validatorUrl: null,
    plugins: [onlyServer(stack.gateway)],
    onComplete: () => {
      if (!stack.users) return; // a token of the other issuer goes into "Authorize"
      for (const user of stack.users) select.add(new Option(user.name));
      select.onchange = () => actAs(stack.users[select.selectedIndex]);
      caller.hidden = false;
      actAs(stack.users[0]);
    },
  });
}

show();
