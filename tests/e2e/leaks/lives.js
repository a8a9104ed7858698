// In a shop's page: widgets that come and go, one after the other. The network is played here; timers and requests that
// are under way are counted.
(() => {
  const KEY = "11111111-1111-4111-8111-111111111111";
  const SUCCESS = { isSuccess: true, data: { result: "0", currency: "EUR", value: 25, serial: "FP-1", transactionId: "1" } };
  const { setTimeout: start, clearTimeout: stop } = window;
  const load = window.fetch;
  window.timers = new Set();
  window.requests = new Map();
  const NOT_SENT = { isSuccess: false, errorCode: "NOT_SENT" };
  /** What the shop's proxy says to a POST, as status and body; without, every request hangs. */
  let answer = null;

  window.setTimeout = (act, ms, ...given) => {
    const timer = start(() => {
      timers.delete(timer);
      act(...given);
    }, ms);
    timers.add(timer);
    return timer;
  };
  window.clearTimeout = (timer) => {
    timers.delete(timer);
    stop(timer);
  };
  const response = (status, body, key) => new Response(JSON.stringify(body), { status, headers: { "attempt-key": key, "retry-after": "20" } });
  window.fetch = (request, options) => {
    if (!(request instanceof Request)) return load(request, options);
    const { method, signal, headers } = request;
    if (method === "POST" && answer) return Promise.resolve(response(...answer, headers.get("idempotency-key")));
    return new Promise((resolve, reject) => {
      const over = (act) => () => act(requests.delete(request));
      requests.set(request, over(() => resolve(response(200, SUCCESS, headers.get("idempotency-key")))));
      signal.addEventListener("abort", over(() => reject(signal.reason)), { once: true });
    });
  };

  const heard = (widget, name) => new Promise((resolve) => widget.addEventListener(`flexepin-${name}`, resolve, { once: true }));
  const task = () => new Promise((resolve) => start(resolve));
  const until = async (condition) => {
    while (!condition()) await task();
  };
  const submit = (widget) => {
    const pin = widget.shadowRoot.querySelector("[part=pin]");
    pin.value = "1234567890123456";
    pin.dispatchEvent(new InputEvent("input"));
    if (!widget.submit()) throw new Error("no attempt has begun");
  };
  const record = () => {
    const stored = { endpoint: new URL("/cashier/flexepin", location).href, userId: "user_123", amountMinor: 2500, currency: "EUR" };
    localStorage.setItem(`flexepin-cashier.open.${KEY}`, JSON.stringify({ ...stored, lastFour: "3456", beganAtMs: Date.now(), stage: "sent", tries: 1 }));
  };

  /** What a widget lives through before it is destroyed. */
  const lives = {
    ready: (widget) => heard(widget, "ready"),
    "not yet ready": () => {},
    async redeemed(widget) {
      answer = [200, SUCCESS];
      await heard(widget, "ready");
      const redeemed = heard(widget, "redeemed");
      submit(widget);
      await redeemed;
    },
    async waiting(widget) {
      answer = [503, NOT_SENT];
      await heard(widget, "ready");
      submit(widget);
      await until(() => widget.phase === "waiting");
    },
    async asking(widget) {
      record();
      await heard(widget, "ready");
      await until(() => requests.size > 0);
    },
    async "with a press under way"(widget) {
      await heard(widget, "ready");
      widget.shadowRoot.querySelector("[part=pin]").dispatchEvent(new PointerEvent("pointerup", { bubbles: true, composed: true }));
    },
    async "put elsewhere and back"(widget) {
      await heard(widget, "ready");
      const place = widget.parentNode;
      place.append(widget);
      widget.remove();
      await task();
      const again = heard(widget, "ready");
      place.append(widget);
      await again;
    },
    async redeeming(widget) {
      await heard(widget, "ready");
      submit(widget);
      await until(() => requests.size > 0);
    },
  };

  /** So many widgets with this life, one after the other. */
  window.live = async (life, times) => {
    for (let time = 0; time < times; time += 1) {
      localStorage.clear();
      answer = null;
      const widget = FlexepinCashier.mount("main", {
        endpoint: "/cashier/flexepin", currency: "EUR", amounts: "10 25", userId: "user_123", locale: "en", amount: null, ...FIXED[life],
      });
      await lives[life](widget);
      widget.destroy();
      await task();
    }
    // What was begun with 0 ms is over, and who listened to the page hears no more of it.
    await task();
    flexepinEvents.length = 0;
  };
  /** A choice of amounts and the question for the address are on screen, but where the form must be valid. */
  const fixed = { amounts: null, amount: "25.00", email: "player@example.com" };
  const FIXED = { redeemed: fixed, waiting: fixed, asking: fixed, redeeming: fixed };
})();
