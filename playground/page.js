// The playground's own script: what a merchant's developer would do by hand. It speaks to the cashier by its public
// interface only, and to the sandbox to issue vouchers.

import { FORMS, integrityOf, tag } from "./tag.js";

/** The cashier on the page: another one after `destroy()` and `mount()`. */
let cashier = document.querySelector("flexepin-cashier");
const find = (id) => document.getElementById(id);
const make = (tag, properties, ...children) => {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
};

// ---- Options as controls. An empty control is an option that is not given.

const OPTIONS = [
  { name: "endpoint", attribute: "endpoint" },
  { name: "currency", attribute: "currency" },
  { name: "amounts", attribute: "amounts", hint: "a choice of values" },
  { name: "amount", attribute: "amount", hint: "one fixed value; neither: typed" },
  { name: "userId", attribute: "user-id" },
  { name: "email", attribute: "email", hint: "empty: the customer is asked" },
  { name: "brandId", attribute: "brand-id" },
  { name: "sessionToken", attribute: "session-token" },
  { name: "locale", attribute: "locale", hint: "auto, or such as de-AT" },
  { name: "theme", attribute: "theme", choices: ["", "auto", "light", "dark"] },
  { name: "timeout", attribute: "timeout", hint: "ms per try" },
  { name: "credentials", attribute: "credentials", choices: ["", "same-origin", "include"] },
  { name: "messages", json: true, hint: 'such as {"title": "Pay"}' },
  { name: "beforeSubmit", choices: ["", "allows after 2 s", "answers false", "throws", "never answers"] },
];

const BEFORE_SUBMIT = {
  "allows after 2 s": () => new Promise((resolve) => setTimeout(resolve, 2000)),
  "answers false": () => false,
  throws: () => {
    throw new Error("the playground's beforeSubmit throws");
  },
  "never answers": () => new Promise(() => {}),
};

const valueOf = ({ name, json }, text) => {
  if (text === "") return null;
  if (name === "beforeSubmit") return BEFORE_SUBMIT[text];
  return json ? JSON.parse(text) : text;
};

const optionForm = find("options");
const wrong = make("p", { className: "wrong", role: "status" });
for (const option of OPTIONS) {
  const { name, attribute, choices, hint } = option;
  const value = (attribute && cashier.getAttribute(attribute)) ?? "";
  const control = choices
    ? make("select", { name }, ...choices.map((choice) => make("option", { value: choice, textContent: choice || "not given" })))
    : make("input", { name, value, placeholder: hint ?? "" });
  control.addEventListener("change", () => {
    try {
      cashier.update({ [name]: valueOf(option, control.value.trim()) });
      wrong.textContent = "";
    } catch (error) {
      wrong.textContent = error.message;
    }
    showTag();
  });
  optionForm.append(make("label", {}, attribute ?? `${name} (property)`, control));
}
optionForm.append(wrong);
optionForm.addEventListener("submit", (event) => event.preventDefault());

const textOf = ({ name }) => optionForm.elements[name].value.trim();

/** What is given now, by property. A text that is no JSON yet is left out. */
const given = () =>
  OPTIONS.filter((option) => textOf(option)).flatMap((option) => {
    try {
      return [[option, valueOf(option, textOf(option))]];
    } catch {
      return [];
    }
  });

// ---- Ready themes: classes of themes.css, each with the `theme` that it goes with.

const THEMES = { none: "", paper: "light", mint: "light", midnight: "dark", contrast: "light" };

for (const [name, theme] of Object.entries(THEMES)) {
  const choice = make("input", { type: "radio", name: "theme", value: name, checked: name === "none" });
  choice.addEventListener("change", () => {
    cashier.className = name;
    optionForm.elements.theme.value = theme;
    cashier.theme = theme || null;
    showTag();
  });
  find("themes").append(make("label", {}, choice, ` ${name}`));
}

// ---- Methods.

/** Calls a method, and records what came of it. */
const call = (name, act) => {
  try {
    record(name, act());
  } catch (error) {
    record(`${name} threw`, { name: error.name, message: error.message });
  }
};

for (const button of document.querySelectorAll("[data-call]")) {
  const name = button.dataset.call;
  button.addEventListener("click", () => call(`${name}()`, () => cashier[name]()));
}

find("mount").addEventListener("click", () =>
  call("FlexepinCashier.mount()", () => {
    cashier.destroy();
    const options = Object.fromEntries(given().map(([{ name }, value]) => [name, value]));
    cashier = FlexepinCashier.mount(".checkout", options);
  }),
);

find("field-error").addEventListener("submit", (event) => {
  event.preventDefault();
  const { field, message } = event.target.elements;
  call("setFieldError()", () => cashier.setFieldError(field.value, message.value));
});

// No event tells of each phase.
setInterval(() => {
  find("phase").textContent = cashier.isConnected ? cashier.phase : "destroyed";
}, 200);

// ---- The tag to copy.

let form = "element";
/** The script's hash: undefined until it is known, null where it cannot be. */
let hash;

for (const [word, label] of Object.entries(FORMS)) {
  const choice = make("input", { type: "radio", name: "form", value: word, checked: word === form });
  choice.addEventListener("change", () => {
    form = word;
    showTag();
  });
  find("forms").append(make("label", {}, choice, ` ${label}`));
}

function showTag() {
  const options = given();
  const attributes = options.filter(([{ attribute }]) => attribute).map(([option]) => [option.attribute, textOf(option)]);
  const properties = options.filter(([{ name }]) => name !== "beforeSubmit").map(([{ name }, value]) => [name, value]);
  const version = customElements.get("flexepin-cashier")?.version ?? "0.0.0";
  find("tag").textContent = tag(form, { version, hash, attributes, properties });
  const notes = [];
  if (form !== "npm" && textOf({ name: "messages" })) notes.push("messages is a property: set it by script.");
  if (textOf({ name: "beforeSubmit" })) notes.push("beforeSubmit is a function of yours: set it by script.");
  if (form !== "npm") {
    notes.push(
      hash
        ? "The hash is of the script on this page. For the one that you ship, see sri.json in dist/."
        : "The hash of the script is not known here: see sri.json in dist/.",
    );
  }
  find("tag-note").textContent = notes.join(" ");
}

showTag();
integrityOf(new URL("flexepin-cashier.js", document.baseURI)).then(
  (known) => {
    hash = known;
    showTag();
  },
  (error) => record("the script's hash is not known", { message: error.message }),
);
customElements.whenDefined("flexepin-cashier").then(showTag);

find("copy-tag").addEventListener("click", async () => {
  try {
    await navigator.clipboard.writeText(find("tag").textContent);
    find("copied").textContent = "Copied";
  } catch {
    find("copied").textContent = "Not copied. Select the text instead.";
  }
});

// ---- Events as they happen.

function record(name, detail) {
  const text = detail === undefined || detail === null ? "" : ` ${JSON.stringify(detail, null, 1)}`;
  find("events").prepend(make("li", {}, make("strong", { textContent: name }), make("code", { textContent: text })));
}

for (const name of ["ready", "change", "submit", "redeemed", "rejected", "unconfirmed", "failed", "loaderror"]) {
  // On the document: events bubble, and a cashier that is mounted anew is heard too.
  document.addEventListener(`flexepin-${name}`, (event) => record(event.type, event.detail));
}

// ---- Vouchers.

const grouped = (pin) => pin.replace(/(\d{4})(?=\d)/g, "$1 ");

find("issue").addEventListener("submit", async (event) => {
  event.preventDefault();
  const { value, currency } = event.target.elements;
  const issued = find("issued");
  try {
    const response = await fetch("/sandbox/vouchers", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ value: Number(value.value), currency: currency.value.trim() }),
    });
    const voucher = await response.json();
    issued.textContent = response.ok
      ? `${grouped(voucher.pin)}: ${voucher.value} ${voucher.currency}`
      : [voucher.message, ...(voucher.errors ?? [])].join(": ");
  } catch {
    issued.textContent = "The sandbox does not answer. Start it with: cargo xtask demo";
  }
});

const SCRIPTS = [
  ["1234567890123456", "a voucher of 25.00 EUR, once"],
  ["9900000000000001", "redeems, for whatever is asked"],
  ["9900407500000001", "invalid PIN"],
  ["9900041000000001", "already redeemed"],
  ["9900041100000001", "mismatched amount"],
  ["9900041200000001", "mismatched currency"],
  ["9900040300000001", "the shop's credentials are refused"],
  ["9900040800000001", "Flexepin times out; the next try redeems"],
  ["9900140800000001", "Flexepin times out, though the voucher was taken"],
  ["9900042900000001", "too many requests; then redeems"],
  ["9900050300000001", "Flexepin is unavailable twice; then redeems"],
  ["9900050000000001", "an internal error; then redeems"],
  ["9900150000000001", "an internal error, though the voucher was taken"],
  ["9900059900000001", "an error nobody can classify"],
  ["9900044400000001", "the connection is cut; then redeems"],
  ["9900144400000001", "the connection is cut after the voucher was taken"],
  ["9900050400000001", "no answer at all"],
  ["9900150400000001", "takes the voucher, and answers after 40 s"],
  ["9900050200000001", "a page of HTML for an answer"],
  ["9900020100000001", "an answer that is not JSON"],
  ["9900020200000001", "accepted, not final"],
  ["9900077700000001", "an answer that repeats the PIN"],
];

for (const [pin, what] of SCRIPTS) {
  const copy = make("button", { type: "button", textContent: "Copy", ariaLabel: `Copy ${grouped(pin)}` });
  copy.addEventListener("click", () => navigator.clipboard?.writeText(pin));
  find("scripts").append(make("tr", {}, make("td", { textContent: grouped(pin) }), make("td", { textContent: what }), make("td", {}, copy)));
}
