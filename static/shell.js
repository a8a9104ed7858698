// The form shell: what is on screen and can be typed into before the app is there. Its form cannot navigate: no field
// has a name. Part of element.js. The app takes the texts over when it is there; a test keeps these the same as the
// English catalogue.

const make = (tag, attributes, ...children) => {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
};
const slot = (name) => make("div", { "data-slot": name });

const makeShell = () => {
  const pin = make("input", {
    id: "pin", part: "pin", type: "text", inputmode: "numeric", autocomplete: "off", autocorrect: "off", autocapitalize: "off",
    spellcheck: "false", dir: "ltr", "aria-describedby": "pin-hint pin-error", "aria-required": "true",
    // Session recorders: leave this field alone.
    class: "fs-mask sentry-mask rr-mask rr-ignore", "data-hj-suppress": "", "data-private": "", "data-dd-privacy": "mask",
  });
  const form = make(
    "form", { part: "form", method: "dialog", novalidate: "", class: "card" },
    slot("top"),
    make(
      "div", { part: "field", class: "field" },
      make("label", { part: "label", for: "pin" }, "Flexepin PIN"),
      make("p", { part: "hint", id: "pin-hint" }, "The 16 digits on your voucher"),
      pin,
      slot("pin-tools"),
      slot("pin-error"),
    ),
    slot("fields"),
    make("button", { part: "submit", type: "submit" }, make("span", {}, "Redeem voucher")),
    slot("action"),
  );
  const live = make("div", { "data-slot": "live", class: "visually-hidden", role: "status", "aria-atomic": "true" });
  const notice = make("div", { part: "notice", class: "card", role: "alert" });
  return { cards: slot("cards"), form, pin, live, notice, screen: slot("screen") };
};
