// Uses that must not check: each has the expectation above it, and an error that disappears fails.

import { mount } from "flexepin-cashier";
import type {
  BeforeSubmit, FlexepinCashierElement, FlexepinCode, FlexepinOptions, FlexepinOutcome,
} from "flexepin-cashier";
// @ts-expect-error: the element's class is not exported, only its type.
import { FlexepinCashier as nobody } from "flexepin-cashier";

const cashier: FlexepinCashierElement = document.createElement("flexepin-cashier");

// ---- Options.

// @ts-expect-error: the required options are missing.
mount("#checkout", {});
// @ts-expect-error: the currency is missing.
mount("#checkout", { endpoint: "/cashier/flexepin" });
// @ts-expect-error: a required option cannot be taken back here.
mount("#checkout", { endpoint: null, currency: "EUR" });
// @ts-expect-error: there is no place.
mount(null, { endpoint: "/cashier/flexepin", currency: "EUR" });
// @ts-expect-error: there is no such option.
mount("#checkout", { endpoint: "/cashier/flexepin", currency: "EUR", color: "red" });
// @ts-expect-error: in camelCase here.
cashier.update({ "user-id": "user_123" });
// @ts-expect-error: money is never a float.
cashier.update({ amount: 25.5 });
// @ts-expect-error: the same in a list.
cashier.update({ amounts: [10, 20] });
// @ts-expect-error: not a theme.
cashier.theme = "blue";
// @ts-expect-error: milliseconds are a number.
cashier.timeout = "5s";
// @ts-expect-error: not of `fetch`'s words that are allowed.
cashier.credentials = "omit";
// @ts-expect-error: a text there is not.
cashier.messages = { heading: "Pay" };
// @ts-expect-error: a text is a string.
cashier.messages = { title: 5 };
// @ts-expect-error: a URL object is not taken.
cashier.endpoint = new URL("https://shop.example/");
// @ts-expect-error: what is given back is a list.
const text: string = cashier.amounts;
// @ts-expect-error: it may be missing.
const email: string = cashier.email;
// @ts-expect-error: what is given back is not ours to change.
cashier.amounts?.push("10");
// @ts-expect-error: read only.
cashier.phase = "editing";

// ---- beforeSubmit.

// @ts-expect-error: `true` is no answer.
cashier.beforeSubmit = () => true;
// @ts-expect-error: a token is a string.
cashier.beforeSubmit = async () => ({ sessionToken: 5 });
// @ts-expect-error: the PIN is never told.
const curious: BeforeSubmit = ({ pin }) => void pin;
const hasty: BeforeSubmit = ({ reason }) => {
  // @ts-expect-error: there is no such reason.
  if (reason === "redeem") return false;
  return undefined;
};

// ---- Methods.

// @ts-expect-error: there is no such field.
cashier.setFieldError("iban", "Wrong");
// @ts-expect-error: a field's name is needed.
cashier.setFieldError();
// @ts-expect-error: submit takes nothing.
cashier.submit("1234");
// @ts-expect-error: options, or none.
cashier.update("endpoint");
// @ts-expect-error: there is no such method.
cashier.open();
// @ts-expect-error: there is no such phase.
if (cashier.phase === "sending") cashier.reset();

// ---- Events.

// @ts-expect-error: no event has the PIN.
cashier.addEventListener("flexepin-redeemed", ({ detail }) => detail.pin);
// @ts-expect-error: a failure has no serial number.
cashier.addEventListener("flexepin-failed", ({ detail }) => detail.serial);
// @ts-expect-error: a change says nothing about money.
document.addEventListener("flexepin-change", ({ detail }) => detail.money);
// @ts-expect-error: the amount may not be readable.
cashier.addEventListener("flexepin-redeemed", ({ detail }) => detail.amountMinor + 1);
// @ts-expect-error: the widget's own failure has no reference.
document.addEventListener("flexepin-failed", ({ detail }) => detail.reference.length);
// @ts-expect-error: a detail is not ours to change.
cashier.addEventListener("flexepin-redeemed", ({ detail }) => (detail.amountMinor = 5));
// @ts-expect-error: an unconfirmed attempt is never known to be untouched.
cashier.addEventListener("flexepin-unconfirmed", ({ detail }) => detail.money === "no");

// ---- The closed lists.

// @ts-expect-error: there is no such code.
const code: FlexepinCode = "VOUCHER_EXPIRED";
// @ts-expect-error: money is one of three words.
const outcome: Pick<FlexepinOutcome, "money"> = { money: "maybe" };
// @ts-expect-error: a way on there is not.
const next: Pick<FlexepinOutcome, "next"> = { next: "retry" };

void [nobody, text, email, curious, hasty, code, outcome, next, {} satisfies FlexepinOptions];
