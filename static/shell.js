// The form shell: what is on screen and can be typed into before the app is there, and what is said where the app cannot
// come. Its form cannot navigate: no field has a name. The app takes the texts over when it is there.

/** What the shell says, in English, which is built in. A test keeps these the same as `locales/en.json`. */
export const ENGLISH = {
  "pin-label": "Flexepin PIN",
  "pin-hint": "The {length} digits on your voucher",
  submit: "Redeem voucher",
  "try-again": "Try again",
  reference: "Reference",
  loading: "The form is still loading. Nothing has been sent yet.",
  "load-failed": "The payment form could not be loaded.",
  "load-connection": "Check your connection.",
  "load-old": "This browser is too old for the payment form.",
  "load-newer": "Please use a newer browser.",
  "not-set-up": "This payment form is not set up correctly.",
  "tell-shop": "Please tell the shop.",
  stopped: "The payment form has stopped working.",
  "stopped-open": "We do not know yet what became of your voucher: keep it, and do not use it anywhere else.",
  "earlier-open": "We do not know yet what became of a voucher that you entered before: keep it, and do not use it anywhere else.",
  "nothing-running": "Nothing is being redeemed now.",
  "voucher-untouched": "Your voucher is untouched.",
};

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
  const submit = make("button", { part: "submit", type: "submit" }, make("span", {}));
  const label = make("label", { part: "label", for: "pin" });
  const hint = make("p", { part: "hint", id: "pin-hint" });
  const form = make(
    "form", { part: "form", method: "dialog", novalidate: "", class: "card" },
    slot("top"),
    make(
      "div", { part: "field", class: "field" },
      label,
      hint,
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
  return { cards, form, label, hint, pin, submit, live, notice, screen, parts: [cards, form, screen, notice, live] };
};

/** Light or dark: `theme`, or where it is "auto" what the system has. */
export const paintTheme = ({ parts }, theme, dark) => {
  for (const part of parts) part.dataset.theme = theme === "auto" ? (dark ? "dark" : "light") : theme;
};

/** The text of a key: the merchant's own, unless it is too long to be meant, the language's, or English. */
export const makeSay = (language, messages) => (key) =>
  messages?.[key]?.length <= 600 ? messages[key] : language?.messages[key] ?? ENGLISH[key];

/** Puts the shell into a language: `{ tag, dir, messages }`. */
export const paintLanguage = ({ parts, label, hint, submit }, { tag, dir }, say) => {
  for (const part of parts) Object.assign(part, { lang: tag, dir });
  label.textContent = say("pin-label");
  hint.textContent = say("pin-hint").replace("{length}", new Intl.NumberFormat(tag).format(16));
  // The app, which says what is redeemed, says whether it is busy too.
  if (!submit.hasAttribute("aria-busy")) submit.firstChild.textContent = say("submit");
};

/** Says these sentences in the place of form and screen; the focus stays in the shell. */
export const showNotice = ({ form, screen, notice }, sentences, ...more) => {
  const focused = notice.getRootNode().activeElement;
  for (const part of [form, screen]) part.hidden = true;
  notice.replaceChildren(...sentences.map((sentence) => make("p", {}, sentence)), ...more);
  if (focused) notice.querySelector("button")?.focus();
};

/**
 * What becomes of the voucher where the form cannot be shown: the money, and the key of the text. A page before may have
 * left an attempt open; `records` are those that the browser would not store. `told`: an outcome was told before, which
 * may have been about this voucher.
 */
export const voucherNote = (records, told) => {
  let open = records?.size > 0;
  try {
    open ||= [localStorage, sessionStorage].some((stored) => Object.keys(stored).some((name) => name.startsWith("flexepin-cashier.open.")));
  } catch {
    // Forbidden: then nothing was stored.
  }
  return open ? { money: "unknown", note: "earlier-open" } : { money: "no", note: told ? "nothing-running" : "voucher-untouched" };
};

/** The options are wrong: in plain words, for the customer. */
export const showSetUpNotice = (shell, records, told, say) =>
  showNotice(shell, ["not-set-up", voucherNote(records, told).note, "tell-shop"].map(say));
