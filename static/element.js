// <flexepin-cashier>: the custom element. Owns its life cycle, the table of options, the form shell and the loading of
// wasm and style. The shell can be typed into before the wasm is there; the Yew app then adopts its PIN field and
// renders beside it. Left to the wasm: everything that happens after it is there. `cargo xtask dist` puts
// wasm-bindgen's glue in below.
(() => {
  "use strict";

  const VERSION = "__VERSION__";
  const TAG = "flexepin-cashier";
  const BASE = new URL(".", document.currentScript?.src || document.baseURI);

  if (customElements.get(TAG)) {
    console.warn(`${TAG} ${VERSION}: the page has loaded version ${window.FlexepinCashier?.version} before; that one is kept.`);
    return;
  }

  // ---- Loading: requested once, at the first moment, in parallel. A failed load is never cached.

  /** The glue keeps its wasm instance in a closure: each call makes a new one. */
  const makeGlue = () => {
    /* @glue */
    return wasm_bindgen;
  };

  const fetched = async (file) => {
    const response = await fetch(new URL(file, BASE), { credentials: "omit" });
    if (!response.ok) throw new Error(`${response.url} answered ${response.status}`);
    return response;
  };

  const once = (load) => {
    let promise;
    return () => (promise ??= load().catch((error) => {
      promise = undefined;
      throw error;
    }));
  };

  const loadApp = once(async () => {
    const bytes = await (await fetched("flexepin-cashier.wasm")).arrayBuffer();
    const glue = makeGlue();
    await glue({ module_or_path: await WebAssembly.compile(bytes) });
    return glue;
  });

  const sheet = new CSSStyleSheet();
  const loadStyle = once(async () => sheet.replace(await (await fetched("flexepin-cashier.css")).text()));

  /* @include options.js */
  /* @include shell.js */

  /** What becomes of the voucher where the form cannot be shown. A page before may have left an attempt open. */
  const voucherNote = () => {
    let open;
    try {
      open = [localStorage, sessionStorage].some((stored) => Object.keys(stored).some((name) => name.startsWith(`${TAG}.open.`)));
    } catch {
      open = false; // Forbidden: then nothing was stored.
    }
    return open
      ? { money: "unknown", text: "A voucher that you entered before is not known yet: keep it, and do not use it anywhere else." }
      : { money: "no", text: "Nothing was sent and your voucher is untouched." };
  };

  // ---- The element.

  class FlexepinCashierElement extends HTMLElement {
    static observedAttributes = Object.values(OPTIONS).flatMap((option) => option.attribute ?? []);

    #values = Object.fromEntries(Object.keys(OPTIONS).map((name) => [name, parse(name, null)]));
    /** What is wrong with options that could not throw where they were set: attributes, and properties set too early. */
    #wrong = new Map();
    #shell = makeShell();
    #handle = null;
    #submitHeld = false;
    #startPending = false;
    #failedWith = null;
    #dark = matchMedia("(prefers-color-scheme: dark)");

    constructor() {
      super();
      const root = this.attachShadow({ mode: "open" });
      root.adoptedStyleSheets = [sheet];
      const { cards, form, screen, notice, live } = this.#shell;
      root.append(cards, form, screen, notice, live);
      form.addEventListener("submit", (event) => {
        event.preventDefault();
        if (this.#handle) this.#handle.submit();
        else if (this.#failedWith === null) this.#holdSubmit(true);
      });
      this.#paintTheme();
    }

    connectedCallback() {
      // Properties that were set before the element was defined stand in the way of the accessors.
      for (const name of Object.keys(OPTIONS)) {
        if (!Object.hasOwn(this, name)) continue;
        const value = this[name];
        delete this[name];
        try {
          this[name] = value;
        } catch (error) {
          this.#wrong.set(name, error);
        }
      }
      this.#dark.addEventListener("change", this.#paintTheme);
      this.#startSoon();
    }

    disconnectedCallback() {
      // A move disconnects and connects again in one task: only who stays away is torn down.
      queueMicrotask(() => this.isConnected || this.#unmount());
    }

    attributeChangedCallback(attribute, _, value) {
      const [name] = Object.entries(OPTIONS).find(([, option]) => option.attribute === attribute);
      try {
        this.#wrong.delete(name);
        this.#set({ [name]: parse(name, value) });
      } catch (error) {
        this.#wrong.set(name, error);
        this.#startSoon();
      }
    }

    /** Merges options. Throws a TypeError naming the first wrong one, and then changes nothing. */
    update(options) {
      const known = Object.entries(options).filter(([name, value]) => {
        if (!(name in OPTIONS)) console.warn(`${TAG}: there is no option "${name}".`);
        return name in OPTIONS && value !== undefined;
      });
      this.#set(Object.fromEntries(known.map(([name, value]) => [name, parse(name, value)])));
    }

    submit() {
      return this.#handle?.submit() ?? false;
    }

    reset() {
      if (this.#handle) return this.#handle.reset();
      this.#holdSubmit(false);
      this.#shell.pin.value = "";
    }

    focus(options) {
      this.#handle ? this.#handle.focus() : this.#shell.pin.focus(options);
    }

    setFieldError(field, message) {
      if (!["pin", "amount", "email"].includes(field)) throw new TypeError(`${TAG}: there is no field "${field}"`);
      this.#handle?.set_field_error(field, message || undefined);
    }

    destroy() {
      this.#unmount();
      this.remove();
    }

    get phase() {
      return this.#handle?.phase ?? "editing";
    }

    static {
      for (const name of Object.keys(OPTIONS)) {
        Object.defineProperty(this.prototype, name, {
          configurable: true,
          enumerable: true,
          get() {
            return this.#values[name];
          },
          set(value) {
            this.update({ [name]: value ?? null });
          },
        });
      }
    }

    #set(values) {
      for (const name of Object.keys(values)) this.#wrong.delete(name);
      Object.assign(this.#values, values);
      if ("theme" in values) this.#paintTheme();
      this.#startSoon();
    }

    #paintTheme = () => {
      const { theme } = this.#values;
      const dark = theme === "auto" ? this.#dark.matches : theme === "dark";
      const { cards, form, screen, notice } = this.#shell;
      for (const part of [cards, form, screen, notice]) part.dataset.theme = dark ? "dark" : "light";
    };

    /** Options arrive one by one; what they come to is looked at once, a task later. */
    #startSoon() {
      if (this.#startPending || !this.isConnected) return;
      this.#startPending = true;
      setTimeout(() => {
        this.#startPending = false;
        if (this.isConnected) this.#start();
      });
    }

    async #start() {
      const wrong = this.#wrongOption();
      if (wrong) return this.#failConfig(wrong);
      loadStyle().catch((error) => console.warn(`${TAG}: the style sheet is missing; the form works without it.`, error));
      let app;
      try {
        app = await loadApp();
      } catch (error) {
        return this.#failLoad(error);
      }
      if (this.isConnected) this.#mountOrUpdate(app);
    }

    #wrongOption() {
      const [wrong] = this.#wrong.values();
      const [missing] = Object.entries(OPTIONS).filter(([name, option]) => option.required && this.#values[name] === null);
      return wrong?.message ?? (missing && `${TAG}: ${missing[1].attribute} is required`);
    }

    #mountOrUpdate(app) {
      try {
        if (this.#handle) this.#handle.update(this.#values);
        else this.#handle = app.mount(this.shadowRoot, this.#values, (name, detail) => this.#emit(name, detail));
      } catch (error) {
        // The app throws a text where options do not go together; anything else is a defect of ours.
        if (typeof error !== "string") throw error;
        return this.#failConfig(`${TAG}: ${error}`);
      }
      this.#failedWith = null;
      this.#shell.notice.replaceChildren();
      this.#handle.ready();
      if (this.#submitHeld) {
        this.#holdSubmit(false);
        this.#handle.submit();
      }
    }

    #holdSubmit(held) {
      this.#submitHeld = held;
      this.#shell.form.toggleAttribute("aria-busy", held);
    }

    /** The merchant's set-up is wrong: told once per reason, on the console in full, on screen in plain words. A form that is already
     * there goes on with the options it has. */
    #failConfig(reason) {
      if (this.#failedWith === reason) return;
      this.#failedWith = reason;
      console.error(reason);
      const { money, text } = voucherNote();
      if (!this.#handle) {
        this.#holdSubmit(false);
        this.#notice(`This payment form is not set up correctly. ${text} Please tell the shop.`);
      }
      this.#emit("flexepin-failed", { code: "config", money, next: "none", attempt: null, reference: null });
    }

    #failLoad(error) {
      console.error(`${TAG}: could not be loaded.`, error);
      const cause = error instanceof WebAssembly.CompileError ? "wasm-blocked" : "network";
      const retry = make("button", { part: "retry", type: "button" }, "Try again");
      retry.addEventListener("click", () => {
        this.#shell.notice.replaceChildren();
        this.#shell.form.hidden = false;
        this.#start();
      });
      this.#holdSubmit(false);
      this.#notice(`The payment form could not be loaded. ${voucherNote().text} Check your connection.`, retry);
      this.#emit("flexepin-loaderror", { cause });
    }

    #notice(message, ...more) {
      const { form, notice, screen } = this.#shell;
      form.hidden = true;
      screen.hidden = true;
      notice.replaceChildren(make("p", {}, message), ...more);
    }

    #emit(name, detail) {
      this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
    }

    #unmount() {
      this.#dark.removeEventListener("change", this.#paintTheme);
      this.#holdSubmit(false);
      this.#shell.pin.value = "";
      const handle = this.#handle;
      if (!handle) return;
      this.#handle = null;
      handle.destroy();
      // Not inside one of its own calls, which may have led here.
      queueMicrotask(() => handle.free());
    }
  }

  customElements.define(TAG, FlexepinCashierElement);

  window.FlexepinCashier = Object.freeze({
    version: VERSION,
    /** Puts a cashier into `target` (an element or a selector) and returns it at once: it has all methods. */
    mount(target, options) {
      const place = typeof target === "string" ? document.querySelector(target) : target;
      if (!(place instanceof Element || place instanceof DocumentFragment)) throw new TypeError(`${TAG}: there is no target "${target}"`);
      const element = document.createElement(TAG);
      element.update(options);
      place.append(element);
      return element;
    },
  });

  loadApp().catch(() => {});
  loadStyle().catch(() => {});
})();
