// The form shell: what is on screen and can be typed into before the app is there. Its form cannot navigate: no field
// has a name. The app takes the texts over when it is there; a test keeps these the same as the English catalogue.

/** An element with these attributes and children. */
export const make = (tag, attributes, ...children) => {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
};
const slot = (name) => make("div", { "data-slot": name });

/** The parts of a fresh shell, in no document yet. */
export const makeShell = () => {
  const pin = make("input", {
    id: "pin", part: "pin", type: "text", inputmode: "numeric", autocomplete: "off", autocorrect: "off", autocapitalize: "off",
    spellcheck: "false", dir: "ltr", "aria-describedby": "pin-hint pin-error", "aria-required": "true",
    // Session recorders: leave this field alone.
    class: "fs-mask sentry-mask rr-mask rr-ignore", "data-hj-suppress": "", "data-private": "", "data-dd-privacy": "mask",
  });
  const submit = make("button", { part: "submit", type: "submit" }, make("span", {}, "Redeem voucher"));
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
    submit,
    slot("action"),
  );
  const live = make("div", { "data-slot": "live", class: "visually-hidden", role: "status", "aria-atomic": "true" });
  const notice = make("div", { part: "notice", class: "card", role: "alert" });
  const [cards, screen] = [slot("cards"), slot("screen")];
  return { cards, form, pin, submit, live, notice, screen, parts: [cards, form, screen, notice, live] };
};

/** Light or dark: `theme`, or where it is "auto" what the system has. */
export const paintTheme = ({ parts }, theme, dark) => {
  for (const part of parts) part.dataset.theme = theme === "auto" ? (dark ? "dark" : "light") : theme;
};

/** Says something in the place of form and screen; the focus stays in the shell. */
export const showNotice = ({ form, screen, notice }, message, ...more) => {
  const focused = notice.getRootNode().activeElement;
  for (const part of [form, screen]) part.hidden = true;
  notice.replaceChildren(make("p", {}, message), ...more);
  if (focused) notice.querySelector("button")?.focus();
};

/**
 * What becomes of the voucher where the form cannot be shown. A page before may have left an attempt open; `records` are
 * those that the browser would not store. `told`: an outcome was told before, which may have been about this voucher.
 */
export const voucherNote = (records, told) => {
  let open = records?.size > 0;
  try {
    open ||= [localStorage, sessionStorage].some((stored) => Object.keys(stored).some((name) => name.startsWith("flexepin-cashier.open.")));
  } catch {
    // Forbidden: then nothing was stored.
  }
  return open
    ? { money: "unknown", text: "A voucher that you entered before is not known yet: keep it, and do not use it anywhere else." }
    : { money: "no", text: told ? "Nothing is being redeemed now." : "Your voucher is untouched." };
};

/** The options are wrong: in plain words, for the customer. */
export const showSetUpNotice = (shell, records, told) =>
  showNotice(shell, `This payment form is not set up correctly. ${voucherNote(records, told).text} Please tell the shop.`);
