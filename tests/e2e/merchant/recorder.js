// In the page before anything else: takes down the widget's events, what is said on the console, errors that nobody
// caught, and what a policy forbade. Read by the page object; once per page, however often it is loaded.
(() => {
  if (window.flexepinEvents) return;
  window.flexepinEvents = [];
  window.flexepinConsole = [];
  window.flexepinViolations = [];

  for (const name of ["ready", "change", "submit", "redeemed", "rejected", "unconfirmed", "failed", "loaderror"])
    window.addEventListener(`flexepin-${name}`, ({ type, detail }) => flexepinEvents.push({ type, detail }));

  const text = (value) => {
    if (value instanceof Error || value instanceof DOMException) return `${value.name}: ${value.message}`;
    if (typeof value !== "object") return String(value);
    try {
      return JSON.stringify(value);
    } catch {
      return String(value);
    }
  };
  const take = (level, ...values) => flexepinConsole.push({ level, text: values.map(text).join(" ") });

  for (const level of ["debug", "error", "info", "log", "warn"]) {
    const say = console[level];
    console[level] = (...values) => {
      take(level, ...values);
      say.apply(console, values);
    };
  }
  // In the capture phase: what did not load tells it to its own element alone.
  window.addEventListener("error", (event) => {
    if (event.target === window) return take("error", "Uncaught", event.error ?? event.message);
    take("error", `${event.target.localName} did not load: ${event.target.src ?? event.target.href}`);
  }, true);
  window.addEventListener("unhandledrejection", (event) => take("error", "Uncaught (in promise)", event.reason));
  document.addEventListener("securitypolicyviolation", ({ effectiveDirective, blockedURI, sample }) => {
    flexepinViolations.push({ directive: effectiveDirective, blocked: blockedURI, sample });
    take("error", `the page's policy ${effectiveDirective} forbids ${blockedURI} ${sample}`);
  });
})();
