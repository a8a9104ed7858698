// Reads the widget as a screen reader goes through it, from top to bottom: every control, heading, list, group and text
// that is not hidden from it. Gives `[element or null, row]` each; the row's role and name are the driver's to say where
// there is an element.
const root = document.querySelector("flexepin-cashier").shadowRoot;
const said = (node) => node.innerText.replace(/\s+/g, " ").trim();
const found = [];

const description = (node) =>
  (node.getAttribute("aria-describedby") ?? "").split(" ").filter(Boolean).map((id) => said(root.getElementById(id))).filter(Boolean).join(" ");
const states = (node) => {
  const is = (name) => node.getAttribute(`aria-${name}`) === "true";
  return Object.entries({
    checked: node.checked && node.type === "radio",
    required: is("required") || node.required,
    invalid: is("invalid"),
    "read-only": node.readOnly && node.localName === "input" && node.type !== "radio",
    unavailable: is("disabled") || node.disabled,
    busy: is("busy"),
    focused: root.activeElement === node,
  }).filter(([, holds]) => holds).map(([name]) => name);
};
const text = (node, role) => said(node) && found.push([null, { role, name: said(node), description: "", states: states(node) }]);

const read = (node) => {
  if (!node.checkVisibility({ checkVisibilityCSS: true }) || node.getAttribute("aria-hidden") === "true") return;
  const role = node.getAttribute("role");
  if (role === "timer" || (role === "status" && said(node))) return text(node, role);
  const stop = () => found.push([node, { level: Number(/^H(\d)$/.exec(node.tagName)?.[1]) || null, description: description(node), states: states(node) }]);
  if (node.matches("h1, h2, h3, h4, h5, h6, input, button")) return stop();
  // Read with what they name.
  if (node.matches("label[for], legend")) return;
  if (node.matches("ul, fieldset, [role=group], [role=radiogroup]")) stop();
  // The choice's text is its radio's name.
  if (node.matches("label")) return read(node.querySelector("input"));
  const isText = [...node.childNodes].some((child) => child.nodeType === Node.TEXT_NODE && child.data.trim());
  if (isText) return text(node, "text");
  for (const child of node.children) read(child);
};
for (const part of root.children) read(part);
return found;
