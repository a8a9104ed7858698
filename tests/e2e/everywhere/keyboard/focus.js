// Where the focus is: the place among the widget's controls in the order of its markup, and what is wrong with its being
// seen. `arguments[0]` is how much of the page's top and bottom something else covers.
const edge = arguments[0];
const root = document.querySelector("flexepin-cashier").shadowRoot;
const radios = [...root.querySelectorAll("[type=radio]")];
const stop = radios.find((radio) => radio.checked) ?? radios[0];
const controls = [...root.querySelectorAll("button, input")].filter((node) => node.checkVisibility() && (node.type !== "radio" || node === stop));

const active = root.activeElement;
if (!active) return { place: null, of: controls.length, name: document.activeElement.id, faults: [] };
const shown = active.type === "radio" ? active.nextElementSibling : active;
const box = shown.getBoundingClientRect();
const { outlineStyle, outlineWidth, outlineOffset } = getComputedStyle(shown);
const faults = [];
if (outlineStyle === "none" || parseFloat(outlineWidth) < 2) faults.push(`its outline is ${outlineStyle} ${outlineWidth}`);
const around = parseFloat(outlineWidth) + parseFloat(outlineOffset);
if (box.top - around < edge || box.bottom + around > innerHeight - edge)
  faults.push(`it is at ${Math.round(box.top)} to ${Math.round(box.bottom)} of ${innerHeight}, of which ${edge} are covered at each end`);
const at = root.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
if (!at || !(active.contains(at) || shown.contains(at))) faults.push(`${at?.getAttribute("part") ?? at?.localName} covers it`);
const part = active.getAttribute("part");
return {
  place: controls.indexOf(active),
  of: controls.length,
  top: box.top + scrollY,
  left: box.left,
  name: /^(heading|subheading|text)$/.test(part) ? `heading of ${active.parentElement.closest("[part]").getAttribute("part")}` : (part ?? active.localName),
  faults,
};
