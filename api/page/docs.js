// /openapi.json, made readable. Nothing here knows a route: what is described there is what is shown.
const description = await (await fetch("/openapi.json")).json();

function element(tag, properties = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

function table(heads, rows) {
  const cells = (tag, row) => element("tr", {}, ...row.map((cell) => element(tag, {}, cell)));
  return element("table", {}, element("thead", {}, cells("th", heads)), element("tbody", {}, ...rows.map((row) => cells("td", row))));
}

function reference(schema) {
  const name = schema?.$ref?.split("/").pop();
  return name ? element("a", { href: `#schema-${name}`, textContent: name }) : JSON.stringify(schema ?? {});
}

function operation(method, path, { summary, security, parameters, requestBody, responses }) {
  const parts = [];
  if (parameters.length) {
    parts.push(element("h4", { textContent: "Parameters" }), table(["name", "in", "schema", ""],
      parameters.map((each) => [each.name, each.in, JSON.stringify(each.schema), each.description ?? ""])));
  }
  if (requestBody) parts.push(element("h4", { textContent: "Body" }), reference(Object.values(requestBody.content)[0].schema));
  parts.push(element("h4", { textContent: "Answers" }), table(["status", "", "body"],
    Object.entries(responses).map(([status, answer]) =>
      [status, answer.description, answer.content ? reference(Object.values(answer.content)[0].schema) : "—"])));
  return element("details", {},
    element("summary", {}, element("b", { className: "method", textContent: method.toUpperCase() }), element("code", { textContent: path }),
      element("span", { textContent: summary + (security.length ? "" : " · public") })), ...parts);
}

const operations = Object.entries(description.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, each]) => ({ tag: each.tags[0], node: operation(method, path, each) })));
const tags = [...new Set(operations.map(({ tag }) => tag))];
document.getElementById("operations").append(...tags.flatMap((tag) =>
  [element("h2", { textContent: tag }), ...operations.filter((each) => each.tag === tag).map(({ node }) => node)]));

document.getElementById("schemas").append(...Object.entries(description.components.schemas).map(([name, schema]) =>
  element("details", { id: `schema-${name}` }, element("summary", {}, element("code", { textContent: name }), element("span", { textContent: schema.description ?? "" })),
    element("pre", { textContent: JSON.stringify(schema, null, 2) }))));

document.getElementById("problems").append(...description["x-problems"].map(({ type, status, title }) =>
  element("tr", { id: `problem-${type.split("/").pop()}` }, element("td", {}, element("code", { textContent: type })),
    element("td", { textContent: status }), element("td", { textContent: title }))));

function reveal() {
  const target = location.hash && document.getElementById(location.hash.slice(1));
  if (target?.tagName === "DETAILS") target.open = true;
  for (const row of document.querySelectorAll(".target")) row.classList.remove("target");
  if (target) {
    target.classList.add("target");
    target.scrollIntoView();
  }
}
addEventListener("hashchange", reveal);
reveal();
