// The playground's own script: what a merchant's developer would do by hand. It speaks to the cashier by its public
// interface only, and to the sandbox to issue vouchers.

const cashier = document.querySelector("flexepin-cashier");
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

for (const button of document.querySelectorAll("[data-call]")) {
  button.addEventListener("click", () => {
    try {
      record(`${button.dataset.call}()`, cashier[button.dataset.call]());
    } catch (error) {
      record(`${button.dataset.call}() threw`, { name: error.name, message: error.message });
    }
  });
}

// ---- The tag to copy.

const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll('"', "&quot;");

function showTag() {
  const given = OPTIONS.filter(({ attribute, name }) => attribute && optionForm.elements[name].value.trim());
  const attributes = given.map(({ attribute, name }) => `${attribute}="${escaped(optionForm.elements[name].value.trim())}"`);
  find("tag").textContent =
    '<script src="https://cdn.example/flexepin-cashier.js" async></' + `script>\n<flexepin-cashier ${attributes.join("\n  ")}></flexepin-cashier>`;
}
showTag();

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
  cashier.addEventListener(`flexepin-${name}`, (event) => record(event.type, event.detail));
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
