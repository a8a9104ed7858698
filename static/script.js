// The classic script: defines the element, gives the page `FlexepinCashier`, and is itself a cashier's place where it has
// `data-*` options. What it is made of is fetched from beside it, or from `data-base`, from the first moment on.

import { TAG, OPTIONS } from "./options.js";
import { once, fetched, isSupported, makeApps } from "./load.js";
import { makeLanguages } from "./language.js";
import { define, mount } from "./element.js";

const VERSION = "__VERSION__";

const script = document.currentScript;

/** Where the other files lie. */
const beside = () => {
  const base = script?.dataset.base;
  try {
    if (base) return new URL(base.replace(/\/?$/, "/"), document.baseURI);
  } catch {
    console.error(`${TAG}: data-base "${base}" is not a URL.`);
  }
  return script?.src || document.baseURI;
};

const start = () => {
  const file = (name) => new URL(name, beside());
  const makeGlue = () => {
    /* @glue */
    return wasm_bindgen;
  };
  if (!isSupported()) return define({ version: VERSION });
  const sheet = new CSSStyleSheet();
  const loadApp = makeApps(file("flexepin-cashier.wasm"), "__WASM_INTEGRITY__", makeGlue);
  const loadStyle = once(async () => {
    const style = await fetched(file("flexepin-cashier.css"), "__STYLE_INTEGRITY__");
    return sheet.replace(new TextDecoder().decode(style));
  });
  const loadLanguage = makeLanguages(file, "__LOCALES_INTEGRITY__");
  define({ version: VERSION, loadApp, loadLanguage, loadStyle, sheet });
  // Who needs them hears of a failure; nobody may yet.
  loadApp().catch(() => {});
  loadStyle().catch(() => {});
};

/** The one-tag form: a cashier behind the script itself, or in `data-target`, which may come later in the page. */
const placeByTag = ({ dataset }) => {
  const { target, base, ...given } = dataset;
  const unknown = Object.keys(given).filter((name) => !OPTIONS[name]?.attribute);
  if (target === undefined && Object.keys(given).length === unknown.length) return;
  for (const name of unknown) console.warn(`${TAG}: there is no option data-${name.replace(/[A-Z]/g, "-$&").toLowerCase()}.`);
  const element = document.createElement(TAG);
  for (const [name, { attribute }] of Object.entries(OPTIONS)) {
    if (attribute && name in given) element.setAttribute(attribute, given[name]);
  }
  if (target === undefined) {
    if (!document.head?.contains(script)) return script.after(element);
    return console.error(`${TAG}: a script in <head> has no place on the page: give it data-target, or move it into <body>.`);
  }
  const place = () => {
    try {
      document.querySelector(target).append(element);
    } catch {
      if (document.readyState === "loading") return document.addEventListener("DOMContentLoaded", place, { once: true });
      console.error(`${TAG}: data-target "${target}" is not on the page.`);
    }
  };
  place();
};

const earlier = customElements.get(TAG);
if (!earlier) start();
else if (earlier.version !== VERSION) console.warn(`${TAG} ${VERSION}: the page has version ${earlier.version} already; that one is kept.`);
// An element of that id is no API.
if (!window.FlexepinCashier?.mount) window.FlexepinCashier = Object.freeze({ version: customElements.get(TAG).version, mount });
if (script) placeByTag(script);
