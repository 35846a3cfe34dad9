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

// An operation shows its errors only on demand.
const foldedErrors = ({ React }) => ({
  wrapComponents: { responses: (Responses) => function Folded(props) {
    const [open, setOpen] = React.useState(false);
    const button = { className: "btn errors", onClick: () => setOpen(!open) };
    return React.createElement("div", { className: open ? "" : "folded" },
      React.createElement(Responses, props),
      React.createElement("button", button, open ? "Hide the errors" : "Show the errors"));
  } },
});

async function show() {
  const stack = await (await read("/docs/stack.json")).json();
  const caller = document.getElementById("caller");
  const select = caller.querySelector("select");
  let user, token; // of the page's own calls
  const renew = async () => {
    token = await (await read(`/docs/token?user=${encodeURIComponent(user.name)}`)).text();
    ui.preauthorizeApiKey(scheme, token);
  };
  const actAs = async (chosen) => {
    user = chosen;
    await renew();
    caller.querySelector("span").textContent = user.note;
    caller.dataset.user = user.name;
  };
  // A token of the page that is refused, such as one from before the stack's last start, is replaced by a new one.
  const call = async (url, request) => {
    const response = await fetch(url, request);
    if (response.status !== 401 || !token || request.headers.Authorization !== `Bearer ${token}`) return response;
    await renew();
    return fetch(url, { ...request, headers: { ...request.headers, Authorization: `Bearer ${token}` } });
  };
  const ui = SwaggerUIBundle({
    url: "/openapi.yaml",
    dom_id: "#api",
    deepLinking: true,
    displayRequestDuration: true,
    tryItOutEnabled: true,
    validatorUrl: null,
    plugins: [onlyServer(stack.gateway), foldedErrors],
    requestInterceptor: (request) => Object.assign(request, { userFetch: call }),
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
