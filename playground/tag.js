// The tag that a merchant copies, in its three forms, for the options of the moment. Pure but for `integrityOf`; the
// forms are those of docs/merchant.md.

/** The forms: the word in the page's choice, and its label. */
export const FORMS = { element: "script and element", "one-tag": "one tag", npm: "npm" };

const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll('"', "&quot;");
const attribute = (name, value) => `${name}="${escaped(value)}"`;
const indent = (lines, by) => lines.map((line) => `${by}${line}`).join("\n");

/** The open end of the script's tag. Without a hash (`null`) there is none to check. */
const script = (version, hash, ...more) => {
  const integrity = hash ? `\n        integrity="${hash}" crossorigin` : "";
  return `<script src="/flexepin-cashier/${version}/flexepin-cashier.js" async${integrity}${more.map((line) => `\n        ${line}`).join("")}></script>`;
};

const MAKE = {
  element: ({ version, hash, attributes }) =>
    `${script(version, hash)}\n<flexepin-cashier\n${indent(attributes.map(([name, value]) => attribute(name, value)), "  ")}></flexepin-cashier>`,
  "one-tag": ({ version, hash, attributes }) => script(version, hash, ...attributes.map(([name, value]) => attribute(`data-${name}`, value))),
  npm: ({ properties }) => {
    const options = properties.map(([name, value]) => `${name}: ${JSON.stringify(value)},`);
    return `import { mount } from "flexepin-cashier";\n\nmount("#checkout", {\n${indent(options, "  ")}\n});`;
  },
};

/**
 * The text to copy. `attributes` are pairs of attribute and text, `properties` of property and value: the second are all
 * that can be written down, the first those that have an attribute.
 */
export const tag = (form, options) => MAKE[form](options);

/** `integrity` of a script, or null where the page cannot tell: plain http on another machine has no `crypto.subtle`. */
export const integrityOf = async (url) => {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
  if (!globalThis.crypto?.subtle) return null;
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-384", await answer.arrayBuffer()));
  return `sha384-${btoa(String.fromCharCode(...hash))}`;
};
