// The ES module: defines the element when it is imported, and exports `mount`. Self-contained but for the wasm and the
// texts of other languages, which bundlers find by the `new URL`s below. On a server, where there is no page, importing it
// does nothing.

import { TAG } from "./options.js";
import { isSupported, makeApps } from "./load.js";
import { makeLanguages } from "./language.js";
import { define, mount } from "./element.js";

const version = "__VERSION__";

const start = () => {
  const makeGlue = () => {
    /* @glue */
    return wasm_bindgen;
  };
  if (!isSupported()) return define({ version });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync("__STYLE__");
  const files = { "flexepin-cashier.wasm": new URL("flexepin-cashier.wasm", import.meta.url), "__FILES__": "" };
  const file = (name) => {
    const beside = files[name];
    // While developing, Vite before 8 serves a copy of this module from a folder of its own, and leaves the others where they were.
    const copied = beside.pathname.includes("/.vite/deps/");
    return copied ? new URL(`../../flexepin-cashier/${name}`, files["flexepin-cashier.wasm"]) : beside;
  };
  const loadApp = makeApps(file("flexepin-cashier.wasm"), "__WASM_INTEGRITY__", makeGlue);
  const loadLanguage = makeLanguages(file, "__LOCALES_INTEGRITY__");
  define({ version, loadApp, loadLanguage, loadStyle: async () => {}, sheet });
  // Who needs it hears of a failure; nobody may yet.
  loadApp().catch(() => {});
};

if (globalThis.customElements) {
  const earlier = customElements.get(TAG);
  if (!earlier) start();
  else if (earlier.version !== version) console.warn(`${TAG} ${version}: the page has version ${earlier.version} already; that one is kept.`);
}

export { mount, version };
