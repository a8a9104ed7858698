// Uses that must check: what a page without a framework writes.

import { mount, version } from "flexepin-cashier";
import type {
  BeforeSubmit, FailedDetail, FlexepinCashierElement, FlexepinCode, FlexepinMoney, FlexepinNext, FlexepinOptions,
  FlexepinOutcome, FlexepinPhase, LoadErrorCause, RedeemedDetail,
} from "flexepin-cashier";

const say = (...words: (string | number | boolean | null)[]): void => void words;

// ---- Mounting, and every option in each of its forms.

const cashier: FlexepinCashierElement = mount("#checkout", { endpoint: "/cashier/flexepin", currency: "EUR" });
mount(document.body, { endpoint: "/cashier/flexepin", currency: "EUR", amounts: ["10", "20"] });
const root: ShadowRoot = document.body.attachShadow({ mode: "open" });
mount(root, { endpoint: "/cashier/flexepin", currency: "EUR", amounts: "10 20" });
say(version, cashier.tagName);

const ask: BeforeSubmit = async ({ attempt, try: number, amountMinor, currency, reason, signal }) => {
  say(attempt, number, amountMinor, currency, reason === "session", signal.aborted);
  return { headers: { "X-Shop": "1" }, sessionToken: "token" };
};
const all: Required<FlexepinOptions> = {
  endpoint: "/cashier/flexepin",
  currency: "EUR",
  amounts: ["10", "20.50"] as const,
  amount: null,
  userId: "user_123",
  email: "player@example.com",
  brandId: "brand",
  sessionToken: "token",
  locale: "de-AT",
  theme: "dark",
  timeout: 20000,
  credentials: "include",
  messages: { title: "Pay by voucher", "redeemed-amount": "{amount} is yours" },
  beforeSubmit: ask,
};
cashier.update(all);
cashier.update({});
cashier.update({ theme: null, email: undefined, amount: "25.00", amounts: null });

for (const before of [
  () => {},
  () => false as const,
  () => undefined,
  async () => {},
  async () => ({}),
  async () => (Math.random() > 0.5 ? false : { headers: new Headers(), sessionToken: undefined }),
  ({ amountMinor }) => (amountMinor > 10000 ? false : undefined),
] satisfies BeforeSubmit[]) cashier.beforeSubmit = before;

// ---- Properties take more than they give.

cashier.endpoint = "/cashier/flexepin";
cashier.currency = "EUR";
cashier.amounts = "10 20";
cashier.amounts = ["10", "20"];
cashier.amounts = null;
cashier.amount = "25";
cashier.userId = undefined;
cashier.email = null;
cashier.brandId = "brand";
cashier.sessionToken = "token";
cashier.locale = "auto";
cashier.theme = "light";
cashier.timeout = 1000;
cashier.timeout = null;
cashier.credentials = "same-origin";
cashier.messages = { title: "Pay" };
cashier.beforeSubmit = null;
const amounts: readonly string[] | null = cashier.amounts;
const timeout: number = cashier.timeout;
const locale: string = cashier.locale;
const theme: "auto" | "light" | "dark" = cashier.theme;
say(amounts?.[0] ?? null, timeout, locale, theme, cashier.credentials);
say(cashier.messages?.title ?? null, cashier.beforeSubmit === null);

// ---- Methods and phase.

const begun: boolean = cashier.submit();
cashier.reset();
cashier.focus();
cashier.focus({ preventScroll: true });
cashier.setFieldError("pin", "Not this one");
cashier.setFieldError("amount", null);
cashier.setFieldError("email");
cashier.destroy();
const phase: FlexepinPhase = cashier.phase;
say(begun, phase);

// ---- Found on the page.

const made: FlexepinCashierElement = document.createElement("flexepin-cashier");
const found: FlexepinCashierElement | null = document.querySelector("flexepin-cashier");
const list: NodeListOf<FlexepinCashierElement> = document.querySelectorAll("flexepin-cashier");
say(made.phase, found?.phase ?? null, list.length);

// ---- Events: on the element, and wherever they bubble to.

cashier.addEventListener("flexepin-ready", function ({ detail }) {
  const nothing: null = detail;
  say(nothing, this.phase);
});
cashier.addEventListener("flexepin-change", ({ detail }) => say(detail.complete, detail.valid), { once: true });
cashier.addEventListener("flexepin-submit", ({ detail }) => say(detail.attempt));
cashier.addEventListener("click", ({ clientX }) => say(clientX));
cashier.addEventListener("of-the-shop", (event) => say(event.type));
const redeemed = ({ detail }: CustomEvent<RedeemedDetail>): void => {
  const money: "yes" = detail.money;
  say(money, detail.amountMinor, detail.currency, detail.serial, detail.transactionId);
  say(detail.attempt.length, detail.reference.length);
  say(detail.discrepancy?.requested.amountMinor ?? null, detail.discrepancy?.requested.currency ?? null);
};
cashier.addEventListener("flexepin-redeemed", redeemed);
cashier.removeEventListener("flexepin-redeemed", redeemed);
document.addEventListener("flexepin-redeemed", redeemed);
window.addEventListener("flexepin-redeemed", redeemed);
document.body.addEventListener("flexepin-rejected", ({ detail }) => say(detail.code, detail.money === "unknown"));
document.addEventListener("flexepin-unconfirmed", ({ detail }) => say(detail.reference.length, detail.next));
const failed = (detail: FailedDetail): string => {
  if (detail.code === "config" || detail.code === "internal") return `the widget: ${detail.code} ${detail.reference}`;
  return detail.reference.toUpperCase();
};
document.addEventListener("flexepin-failed", ({ detail }) => say(failed(detail)));
document.addEventListener("flexepin-loaderror", ({ detail }) => {
  const cause: LoadErrorCause = detail.cause;
  say(cause);
});

// ---- The closed lists: a switch that misses a word does not check.

const told = (outcome: FlexepinOutcome): string => `${outcome.code} ${outcome.attempt ?? "no attempt"}`;
const money: Record<FlexepinMoney, number> = { yes: 1, no: 0, unknown: NaN };
const next: Record<FlexepinNext, string> = {
  none: "", edit: "Correct it", "same-attempt": "Again", session: "Sign in", status: "Look later", support: "Ask us",
};
const cause = (it: LoadErrorCause): string => {
  switch (it) {
    case "unsupported":
    case "blocked":
    case "wasm-blocked":
    case "integrity":
    case "network":
      return it;
  }
};
const used: FlexepinCode = "VOUCHER_ALREADY_REDEEMED";
const outcome: FlexepinOutcome = { code: used, money: "no", next: "support", attempt: null, reference: null };
say(told(outcome), money.yes, next.edit, cause("network"));
