// The options: one table. `parse` takes what an attribute, a property or `mount` gives, and gives what the app reads;
// it throws the reason why a value is wrong. `null` is "not given".

export const TAG = "flexepin-cashier";

const text = (value) => {
  if (typeof value !== "string") throw "must be a string";
  return value;
};
const filled = (value) => {
  if (!text(value).trim()) throw "must not be empty";
  return value.trim();
};
const oneOf = (...words) => (value) => {
  if (!words.includes(value)) throw `must be one of ${words.join(", ")}`;
  return value;
};
const decimal = (value) => {
  if (!/^\d+(\.\d+)?$/.test(value)) throw `must be a decimal number with ".", such as 25 or 25.00; "${value}" is not`;
  return String(value);
};
const decimals = (value) => {
  const list = Array.isArray(value) ? value : text(value).split(/\s+/).filter(Boolean);
  if (!list.length) throw "must name at least one amount";
  return list.map(decimal);
};
const endpoint = (value) => {
  let url;
  try {
    url = new URL(filled(value), document.baseURI);
  } catch {
    throw "must be a URL";
  }
  const local = url.hostname === "localhost" || url.hostname === "[::1]" || /^127(\.\d+){3}$/.test(url.hostname);
  if (url.protocol !== "https:" && !(url.protocol === "http:" && local)) {
    throw "must be https (http only on localhost, 127.0.0.0/8 and [::1])";
  }
  if (url.username || url.password) throw "must not hold a user name or password";
  url.hash = "";
  return url.href;
};
const currency = (value) => {
  if (!/^[A-Z]{3}$/.test(value) || !Intl.supportedValuesOf("currency").includes(value)) {
    throw `must be a currency code of ISO 4217 in capitals, such as EUR; "${value}" is not`;
  }
  return value;
};
const locale = (value) => {
  if (value === "auto") return value;
  try {
    return Intl.getCanonicalLocales(filled(value))[0];
  } catch {
    throw `must be "auto" or a BCP 47 language tag, such as de-AT; "${value}" is not`;
  }
};
const timeout = (value) => {
  const ms = Number(value);
  if (!Number.isInteger(ms) || ms < 1000 || ms > 120000) throw "must be whole milliseconds from 1000 to 120000";
  return ms;
};
const messages = (value) => {
  if (typeof value !== "object" || Object.values(value).some((message) => typeof message !== "string")) {
    throw "must be an object of texts";
  }
  return { ...value };
};
const callback = (value) => {
  if (typeof value !== "function") throw "must be a function";
  return value;
};

/** Every option by its property: its attribute, where it has one, and what makes its value of what was given. */
export const OPTIONS = {
  endpoint: { attribute: "endpoint", parse: endpoint, required: true },
  currency: { attribute: "currency", parse: currency, required: true },
  amounts: { attribute: "amounts", parse: decimals },
  amount: { attribute: "amount", parse: decimal },
  userId: { attribute: "user-id", parse: filled },
  email: { attribute: "email", parse: filled },
  brandId: { attribute: "brand-id", parse: filled },
  sessionToken: { attribute: "session-token", parse: filled },
  locale: { attribute: "locale", parse: locale, default: "auto" },
  theme: { attribute: "theme", parse: oneOf("auto", "light", "dark"), default: "auto" },
  timeout: { attribute: "timeout", parse: timeout, default: 30000 },
  credentials: { attribute: "credentials", parse: oneOf("same-origin", "include"), default: "same-origin" },
  messages: { parse: messages },
  beforeSubmit: { parse: callback },
};

/** What the app reads, of what was given. Throws a TypeError that names the option. */
export const parse = (name, value) => {
  if (value === null || value === undefined) return OPTIONS[name].default ?? null;
  try {
    return OPTIONS[name].parse(value);
  } catch (reason) {
    throw new TypeError(`${TAG}: ${OPTIONS[name].attribute ?? name} ${reason}`);
  }
};
