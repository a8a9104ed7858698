// Loading: files are fetched in parallel, checked by their hash before they are used, and never cached when that fails.
// The wasm is compiled once; an instance that traps is given up, and the next one is made of the same module.

/** A server that says nothing for this long says nothing any more. */
const LIMIT_MS = 30000;

/** A failure to load, with the word for `flexepin-loaderror`. */
const failure = (cause, message) => new Error(message, { cause });

/** `load` once, however often it is asked for; again after a failure. */
export const once = (load) => {
  let promise;
  return () => (promise ??= load().catch((error) => {
    promise = undefined;
    throw error;
  }));
};

/** What this widget stands on, besides what every browser with modules has. */
export const isSupported = () =>
  Boolean(globalThis.WebAssembly && "adoptedStyleSheets" in document && AbortSignal.timeout && Intl.supportedValuesOf);

const bytes = async (url, options) => {
  try {
    const response = await fetch(url, { credentials: "omit", signal: AbortSignal.timeout(LIMIT_MS), ...options });
    if (!response.ok) throw `the answer was ${response.status}`;
    return await response.arrayBuffer();
  } catch (error) {
    throw failure("network", `${url}: ${error}`);
  }
};

/** The bytes of a file that has this hash (`sha384-…`). The browser does not say why it refuses one: that is found out here. */
export const fetched = async ({ href }, integrity) => {
  let blocked = false;
  const notice = ({ blockedURI }) => {
    blocked ||= blockedURI === href;
  };
  document.addEventListener("securitypolicyviolation", notice);
  try {
    // The second time past a cache, which may hold a damaged or an older file.
    return await bytes(href, { integrity }).catch(() => bytes(href, { integrity, cache: "reload" }));
  } catch {
    // The browser tells of its policy in a task of its own.
    await new Promise((resolve) => setTimeout(resolve, 50));
    if (blocked) throw failure("blocked", `the page's Content-Security-Policy does not let ${href} be fetched: add its origin to connect-src`);
    await bytes(href, { cache: "no-store" });
    throw failure("integrity", `${href} is not the file that belongs to this version of the script`);
  } finally {
    document.removeEventListener("securitypolicyviolation", notice);
  }
};

/** The smallest module there is: where it does not run, none may. Safari compiles what it then does not instantiate. */
const mayRun = () => {
  try {
    return Boolean(new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0))));
  } catch {
    return false;
  }
};

/** A step of WebAssembly, with the cause where it fails. */
const step = async (take) => {
  try {
    return await take();
  } catch (error) {
    throw mayRun()
      ? failure("unsupported", `this browser cannot run the widget: ${error}`)
      : failure("wasm-blocked", `the page's Content-Security-Policy lets no WebAssembly run: add 'wasm-unsafe-eval' to script-src`);
  }
};

/**
 * The exports of an instance, each with an eye on it: whatever is thrown out of wasm leaves it in the middle of something,
 * so it is not entered again. `trapped` is called before anybody else hears of it.
 */
const guarded = (exports, trapped) => {
  let dead = false;
  const guard = (call) => (...args) => {
    if (dead) return;
    try {
      return call(...args);
    } catch (error) {
      // One that was called by wasm throws through the outer one too.
      if (!dead) {
        dead = true;
        trapped(error);
      }
      throw error;
    }
  };
  return Object.fromEntries(Object.entries(exports).map(([name, item]) => [name, typeof item === "function" ? guard(item) : item]));
};

/**
 * Gives the app: `{ glue, widgets, dead }`, one wasm instance for all widgets of the page. `widgets` are functions that are
 * told of a trap; the next call makes a new instance. `records` of what it gives are the open attempts that the browser
 * would not store.
 */
export const makeApps = (wasm, integrity, makeGlue) => {
  const compiled = once(async () => {
    const file = await fetched(wasm, integrity);
    return step(() => WebAssembly.compile(file));
  });
  /** They outlive the instance that made them. */
  const records = new Map();
  let begun;
  const begin = async () => {
    const app = { widgets: new Set(), dead: false };
    const releases = new Set();
    const trapped = (error) => {
      begun = undefined;
      app.dead = true;
      // Locks that nobody is left to release: the next instance must be able to send.
      for (const release of releases) release();
      for (const tell of app.widgets) tell(error);
    };
    const module = await compiled();
    app.glue = await step(() => makeGlue()(module, (exports) => guarded(exports, trapped)));
    app.glue.survive(records, releases);
    return app;
  };
  const loadApp = () => (begun ??= begin().catch((error) => {
    begun = undefined;
    throw error;
  }));
  return Object.assign(loadApp, { records });
};
