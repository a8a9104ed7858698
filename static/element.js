// <flexepin-cashier>: the custom element. Owns its life cycle, its options, the form shell, and what is said where the app
// cannot come or has trapped. The shell can be typed into before the app is there; the app then adopts its PIN field and
// renders beside it. Left to the wasm: everything that happens after it is there.

import { TAG, OPTIONS, parse } from "./options.js";
import { ENGLISH, make, makeSay, makeShell, paintLanguage, paintTheme, showNotice, showSetUpNotice, voucherNote } from "./shell.js";
import { isSupported } from "./load.js";
import { ENGLISH_LANGUAGE } from "./language.js";

/** Waits for texts, but not for ever: those that are slow to come are taken when they come. */
const soon = (texts) => {
  let timer;
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, 8000);
  });
  return Promise.race([texts, late]).finally(() => clearTimeout(timer));
};

/**
 * Defines the element. `loadApp` gives `{ glue, widgets, dead }` (see load.js), `loadLanguage` the texts for a `locale`
 * (see language.js); `sheet` is the style sheet, which `loadStyle` fills.
 */
export const define = ({ version, loadApp, loadLanguage, loadStyle, sheet }) => {
  class FlexepinCashierElement extends HTMLElement {
    static version = version;
    static observedAttributes = Object.values(OPTIONS).flatMap((option) => option.attribute ?? []);

    #values = Object.fromEntries(Object.keys(OPTIONS).map((name) => [name, parse(name, null)]));
    /** What is wrong with options that could not throw where they were set: attributes, and properties set too early. */
    #wrong = new Map();
    #shell;
    /** The app that this widget is in, and its handle there. */
    #app = null;
    #handle = null;
    #phase = "editing";
    /** The attempt that is open, `{ attempt, reference }`: it can be told when the app has trapped. */
    #open = null;
    #trapped = false;
    /** The outcomes that were told, by event and attempt. Some are told once, whoever finds them out. */
    #told = new Set();
    #fieldErrors = new Map();
    #submitHeld = false;
    #startPending = false;
    /** Only the newest start goes on. */
    #turn = 0;
    #failedWith = null;
    #language = ENGLISH_LANGUAGE;
    /** The `locale` whose texts were asked for last, and when they are there. */
    #speaking;
    /** Says again what stands in the form's place. */
    #sayAgain = null;
    #dark = matchMedia("(prefers-color-scheme: dark)");

    constructor() {
      super();
      this.attachShadow({ mode: "open" }).adoptedStyleSheets = [sheet];
      this.#build();
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
        this.#set({ [name]: parse(name, value) });
      } catch (error) {
        this.#wrong.set(name, error);
        this.#startSoon();
      }
    }

    /** Merges options. Throws a TypeError naming the first wrong one, and then changes nothing. */
    update(options) {
      const known = Object.entries(options).filter(([name, value]) => {
        if (!Object.hasOwn(OPTIONS, name)) console.warn(`${TAG}: there is no option "${name}".`);
        return Object.hasOwn(OPTIONS, name) && value !== undefined;
      });
      this.#set(Object.fromEntries(known.map(([name, value]) => [name, parse(name, value)])));
    }

    submit() {
      // What is submitted is what the options are now.
      if (this.#startPending && this.#handle && !this.#wrongOption()) this.#mountOrUpdate(this.#app);
      return this.#ask((handle) => handle.submit()) ?? false;
    }

    reset() {
      if (this.#trapped) return this.#restart();
      if (this.#handle) return this.#ask((handle) => handle.reset());
      this.#holdSubmit(false);
      this.#shell.pin.value = "";
    }

    focus(options) {
      this.#handle ? this.#ask((handle) => handle.focus()) : this.#shell.pin.focus(options);
    }

    setFieldError(field, message) {
      if (!["pin", "amount", "email"].includes(field)) throw new TypeError(`${TAG}: there is no field "${field}"`);
      if (this.#handle) this.#ask((handle) => handle.set_field_error(field, message || undefined));
      else this.#fieldErrors.set(field, message);
    }

    destroy() {
      this.#unmount();
      this.remove();
    }

    get phase() {
      return this.#phase;
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

    // ---- The shell.

    #build() {
      this.#shell = makeShell();
      const { parts, form, submit } = this.#shell;
      this.shadowRoot.replaceChildren(...parts);
      const submitted = (event) => {
        event.preventDefault();
        if (this.#handle) this.submit();
        else if (this.#failedWith === null && !this.#trapped) this.#holdSubmit(true);
      };
      form.addEventListener("submit", submitted);
      // A sandboxed page may be forbidden to submit forms; then there is a click and no `submit`.
      submit.addEventListener("click", submitted);
      this.#paintTheme();
      this.#paintLanguage();
    }

    #say = (key) => makeSay(this.#language, this.#values.messages)(key);

    #paintLanguage() {
      paintLanguage(this.#shell, this.#language, this.#say);
      this.#sayAgain?.();
    }

    #paintTheme = () => paintTheme(this.#shell, this.#values.theme, this.#dark.matches);

    #holdSubmit(held) {
      this.#submitHeld = held;
      if (held) this.#shell.form.setAttribute("aria-busy", "true");
      else this.#shell.form.removeAttribute("aria-busy");
      // The app's own from when it is there.
      if (!this.#handle) this.#shell.live.textContent = held ? this.#say("loading") : "";
    }

    /** Says the texts of these keys in the form's place, with what `more` makes below. */
    #notice(keys, more) {
      this.#holdSubmit(false);
      this.#sayAgain = () => showNotice(this.#shell, keys.map(this.#say), ...more());
      this.#sayAgain();
    }

    #clearNotice() {
      this.#sayAgain = null;
      this.#shell.notice.replaceChildren();
    }

    #retry(act) {
      const button = make("button", { part: "retry", type: "button" }, this.#say("try-again"));
      button.addEventListener("click", act);
      return button;
    }

    // ---- Loading and mounting.

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
      if (this.#trapped) return;
      const wrong = this.#wrongOption();
      const spoken = this.#speak();
      if (wrong) return this.#failConfig(wrong);
      if (this.#handle) return this.#mountOrUpdate(this.#app);
      const turn = ++this.#turn;
      const isOver = () => turn !== this.#turn || !this.isConnected || this.#trapped;
      let app;
      try {
        // What says how it ended must not have to be fetched then.
        [app] = await Promise.all([loadApp(), soon(spoken), loadStyle().catch(this.#missStyle)]);
      } catch (error) {
        return isOver() || this.#failLoad(error);
      }
      if (isOver()) return;
      // Much may have happened meanwhile: options went wrong, or another widget's trap has ended that app.
      if (app.dead || this.#wrongOption()) return this.#start();
      this.#mountOrUpdate(app);
    }

    /** Has the texts of the customer's language fetched, and takes them when they are still wanted. */
    #speak() {
      const { locale } = this.#values;
      if (this.#speaking?.locale !== locale) {
        const done = loadLanguage(locale).then((language) => {
          if (this.#speaking?.done !== done) return;
          this.#language = language;
          this.#paintLanguage();
          // Where options are about to be looked at, it is taken with them.
          if (this.#handle && !this.#startPending && !this.#wrongOption()) this.#mountOrUpdate(this.#app);
        });
        this.#speaking = { locale, done };
      }
      return this.#speaking.done;
    }

    #missStyle = (error) => console.warn(`${TAG}: the style sheet is missing; the form works without it.`, error);

    #wrongOption() {
      const [wrong] = this.#wrong.values();
      const [missing] = Object.entries(OPTIONS).filter(([name, option]) => option.required && this.#values[name] === null);
      return wrong?.message ?? (missing && `${TAG}: ${missing[1].attribute} is required`);
    }

    #mountOrUpdate(app) {
      try {
        if (this.#handle) this.#handle.update(this.#given());
        else this.#mount(app);
      } catch (error) {
        // The app throws a text where options do not go together; of a trap this widget hears by itself.
        if (typeof error === "string") return this.#failConfig(`${TAG}: ${error}`);
        return this.#trapped ? undefined : this.#failLoad(error);
      }
      this.#failedWith = null;
      this.#clearNotice();
      this.#ask((handle) => handle.ready());
      for (const [field, message] of this.#fieldErrors) this.setFieldError(field, message);
      this.#fieldErrors.clear();
      if (this.#submitHeld) {
        this.#holdSubmit(false);
        this.submit();
      }
    }

    /** What the app reads. */
    #given() {
      return { ...this.#values, language: this.#language };
    }

    #mount(app) {
      this.#app = app;
      this.#shell.live.textContent = "";
      app.widgets.add(this.#trap);
      const emit = (name, detail) => this.#emit(name, detail);
      const keep = (phase, attempt, reference) => {
        this.#phase = phase;
        // Redeemed is what the customer sees and the page was told, and that is a moment later.
        if (phase !== "redeemed") this.#open = attempt && { attempt, reference };
      };
      try {
        this.#handle = app.glue.mount(this.shadowRoot, this.#given(), emit, keep);
      } catch (error) {
        app.widgets.delete(this.#trap);
        throw error;
      }
    }

    /** Asks the app. Where it traps, that was told; who asked gets nothing. */
    #ask(act) {
      try {
        return this.#handle ? act(this.#handle) : undefined;
      } catch (error) {
        if (!this.#trapped) throw error;
      }
    }

    #unmount() {
      this.#dark.removeEventListener("change", this.#paintTheme);
      this.#app?.widgets.delete(this.#trap);
      this.#fieldErrors.clear();
      const handle = this.#handle;
      this.#renew("");
      if (!handle) return;
      try {
        handle.destroy();
      } catch (error) {
        return console.error(`${TAG}: stopped by a defect.`, error);
      }
      // Not inside one of its own calls, which may have led here.
      queueMicrotask(() => handle.free());
    }

    /** As it was made, in a fresh shell with this text in its field. */
    #renew(typed) {
      this.#turn += 1;
      this.#app = this.#handle = this.#open = this.#failedWith = null;
      this.#phase = "editing";
      this.#trapped = this.#submitHeld = false;
      this.#sayAgain = null;
      this.#speaking = undefined;
      // Listeners of an instance that has trapped keep the old field for ever.
      this.#shell.pin.value = "";
      this.#build();
      this.#shell.pin.value = typed;
    }

    // ---- What is told where the app cannot.

    #emit(name, detail) {
      const outcome = detail?.money && `${name} ${detail.attempt}`;
      const isOnce = name === "flexepin-unconfirmed" || name === "flexepin-redeemed";
      if (isOnce && this.#told.has(outcome)) return;
      if (outcome) this.#told.add(outcome);
      if (name === "flexepin-redeemed" && this.#phase === "redeemed" && this.#open?.attempt === detail.attempt) this.#open = null;
      this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
    }

    /** The merchant's set-up is wrong: told once per reason, on the console in full, on screen in plain words. A form that is already
     * there goes on with the options it has. */
    #failConfig(reason) {
      if (this.#failedWith === reason) return;
      this.#failedWith = reason;
      console.error(reason);
      if (!this.#handle) {
        this.#holdSubmit(false);
        this.#sayAgain = () => showSetUpNotice(this.#shell, loadApp.records, this.#told.size > 0, this.#say);
        this.#sayAgain();
      }
      const { money } = this.#note();
      this.#emit("flexepin-failed", { code: "config", money, next: "none", attempt: null, reference: null });
    }

    #note() {
      return voucherNote(loadApp.records, this.#told.size > 0);
    }

    #failLoad(error) {
      console.error(`${TAG}: could not be loaded.`, error);
      const { note } = this.#note();
      const { cause } = error;
      if (cause === "unsupported") this.#notice(["load-old", note, "load-newer"], () => [make("slot", {})]);
      else {
        const retry = () => {
          this.#clearNotice();
          this.#shell.form.hidden = false;
          this.#shell.pin.focus();
          this.#failedWith = null;
          // A language that did not come is asked for again too.
          this.#speaking = undefined;
          this.#start();
        };
        const remedy = cause === "network" ? "load-connection" : "tell-shop";
        this.#notice(["load-failed", note, remedy], () => [this.#retry(retry)]);
      }
      this.#emit("flexepin-loaderror", { cause: cause ?? "network" });
    }

    /** The wasm has trapped: its instance is not entered again. What is on screen stays until a task later: this may be the middle of a call. */
    #trap = (error) => {
      this.#trapped = true;
      this.#handle = null;
      this.#app = null;
      console.error(`${TAG}: stopped by a defect.`, error);
      setTimeout(() => this.#trapped && this.#tellTrap());
    };

    #tellTrap() {
      // What the cards say stays true; nobody is left to hear their buttons.
      this.#shell.cards.inert = true;
      const retry = () => this.#retry(() => this.#restart());
      if (this.#open) {
        const { attempt, reference } = this.#open;
        this.#shell.pin.value = "";
        this.#phase = "unconfirmed";
        const found = () => make("p", {}, `${this.#say("reference")}: `, make("bdi", { dir: "ltr" }, reference));
        this.#notice(["stopped", "stopped-open"], () => [found(), retry()]);
        this.#emit("flexepin-unconfirmed", { code: "internal", money: "unknown", next: "status", attempt, reference });
      } else if (this.#phase !== "redeemed") {
        // A receipt is all there, and true; without one the form is gone.
        const { money, note } = this.#note();
        this.#phase = "failed";
        this.#notice(["stopped", note], () => [retry()]);
        this.#emit("flexepin-failed", { code: "internal", money, next: "none", attempt: null, reference: null });
      }
    }

    /** A fresh instance, which asks for whatever is open. What was typed stays where nothing is open. */
    #restart() {
      this.#renew(this.#shell.pin.value);
      this.#shell.pin.focus();
      this.#start();
    }
  }

  /** For a browser that lacks what the widget stands on: the merchant's own words between the tags stay on screen. */
  class UnsupportedElement extends HTMLElement {
    static version = version;

    connectedCallback() {
      const detail = { cause: "unsupported" };
      // A task later: the words between the tags may not have been read yet.
      setTimeout(() => {
        if (!this.hasChildNodes()) this.append(`${ENGLISH["load-old"]} ${ENGLISH["load-newer"]}`);
        this.dispatchEvent(new CustomEvent("flexepin-loaderror", { detail, bubbles: true, composed: true }));
      });
    }
  }

  customElements.define(TAG, isSupported() ? FlexepinCashierElement : UnsupportedElement);
};

/** Puts a cashier into `target` (an element or a selector) and returns it at once: it has all methods. */
export const mount = (target, options) => {
  const place = typeof target === "string" ? document.querySelector(target) : target;
  if (!(place instanceof Element || place instanceof DocumentFragment)) throw new TypeError(`${TAG}: there is no target "${target}"`);
  const element = document.createElement(TAG);
  element.update?.(options ?? {});
  place.append(element);
  return element;
};
