// Typings of flexepin-cashier: of the ES module (`import { mount } from "flexepin-cashier"`), of the classic script's
// `FlexepinCashier`, of the element `<flexepin-cashier>`, of its events wherever they bubble to, and of the tag in
// React.
//
// Written once and by hand. docs/merchant.md tells in full what they say; `tests/interface.rs` keeps the sets of
// options, methods, events and words the same here, in the script, in the wasm and in that document. They check with
// and without React, from TypeScript 5.4 on.

/**
 * Puts a cashier into `target` and returns the element at once: it has all methods, and what is typed before the app
 * has been loaded is kept.
 *
 * @param target The place, to which it is appended: an element, a fragment (such as a shadow root), or a selector.
 * @param options As attributes have them, in camelCase.
 * @throws TypeError that names the first wrong option, or the target that is not there.
 */
export function mount(target: string | Element | DocumentFragment, options: MountOptions): FlexepinCashierElement;

/** The version that this import brought, such as `1.0.0`. Where the page had another one before, that one is kept. */
export const version: string;

/** What the classic script gives the page. */
export interface FlexepinCashierGlobal {
  /** The version in force: the first that the page has loaded. */
  readonly version: string;
  /** As {@link mount} of the ES module. */
  readonly mount: typeof mount;
}

// ---- Options.

/** How the widget looks: `auto` is as the customer's system has it. */
export type FlexepinTheme = "auto" | "light" | "dark";

/** Whether cookies go to a proxy on another origin: the words of `fetch`. */
export type FlexepinCredentials = "same-origin" | "include";

/** Every option. `undefined` changes nothing; `null` is the default. */
export interface FlexepinOptions {
  /**
   * The proxy's URL; a relative one is resolved against the page's. `https:`, or `http:` on localhost, 127.0.0.0/8 and
   * [::1]. Required. An attempt keeps the one it began with.
   */
  endpoint?: string | null | undefined;
  /** ISO 4217, in capitals, such as `EUR`. Required. */
  currency?: string | null | undefined;
  /** A choice of voucher values in major units, such as `["10", "25.50"]` or `"10 25.50"`. Excludes `amount`. */
  amounts?: string | readonly string[] | null | undefined;
  /** One fixed voucher value in major units, such as `"25.00"`. Without this and `amounts` the customer types it. */
  amount?: string | null | undefined;
  /** The customer's id at the merchant. Without it the proxy's session must say who the customer is. */
  userId?: string | null | undefined;
  /** The customer's email address. Without it the customer is asked. */
  email?: string | null | undefined;
  /** Mozarto's id of the merchant's brand. */
  brandId?: string | null | undefined;
  /** Sent to the proxy as `Authorization: Bearer`. */
  sessionToken?: string | null | undefined;
  /** How money and numbers are written: BCP 47, such as `de-AT`. Default `auto`: as the page's, else the browser's. */
  locale?: string | null | undefined;
  /** Default `auto`. */
  theme?: FlexepinTheme | null | undefined;
  /**
   * How long the customer waits for one try: whole milliseconds from 1000 to 120000. Default 30000. A later answer
   * still counts.
   */
  timeout?: number | null | undefined;
  /** Default `same-origin`. */
  credentials?: FlexepinCredentials | null | undefined;
  /** The merchant's own words. Default: none. */
  messages?: FlexepinMessages | null | undefined;
  /** Asked before every try and every status ask. Default: nobody is asked. */
  beforeSubmit?: BeforeSubmit | null | undefined;
}

/** What `mount` takes: the required options must be there. */
export interface MountOptions extends FlexepinOptions {
  endpoint: string;
  currency: string;
}

/**
 * Texts in place of the widget's own, in whatever language it speaks. Placeholders, such as `{amount}`, are those of the
 * text they replace. One that cannot be used is named on the console, and the widget's own stays.
 */
export type FlexepinMessages = { readonly [key in FlexepinMessageKey | FlexepinPluralKey]?: string };

/** The texts there are. The English ones stand in static/locales/en.json. */
export type FlexepinMessageKey =
  | "title" | "pin-label" | "pin-hint" | "pin-hide" | "pin-show" | "pin-empty" | "pin-length.one"
  | "pin-length.other" | "pin-not-digits" | "pin-invalid" | "pin-used" | "pin-currency" | "pin-amount"
  | "pin-held-back" | "pin-in-use" | "pin-in-use-elsewhere" | "pin-other" | "pin-rejected" | "amount-label"
  | "amount-hint" | "amount-empty" | "amount-not-chosen" | "amount-not-number" | "amount-not-positive"
  | "amount-decimals" | "amount-too-large" | "amount-mismatched" | "email-label" | "email-missing" | "email-invalid"
  | "summary" | "refused" | "not-started" | "ended" | "of-earlier" | "finishing" | "finish-later" | "untouched"
  | "provider-rejected" | "submit" | "submit-amount" | "submitting" | "once-only" | "confirm-title" | "confirm-text"
  | "confirm-yes" | "back" | "preparing" | "preparing-again" | "redeeming" | "redeeming-slow" | "cancel"
  | "waiting-doubt" | "waiting-untouched" | "waiting-for" | "try-now" | "stop-trying" | "checking-title"
  | "checking-text" | "check-now" | "checked" | "checking-now" | "finish" | "use-another" | "card-open"
  | "card-support" | "card-named" | "card-redeemed-unread" | "card-redeemed" | "card-used" | "card-in-use"
  | "card-not-redeemed" | "card-untouched" | "dismiss" | "redeemed-title" | "redeemed-amount" | "redeemed-differs"
  | "receipt-title" | "receipt-date" | "receipt-amount" | "receipt-currency" | "receipt-serial"
  | "receipt-transaction" | "receipt-keep" | "copy" | "copied" | "copy-failed" | "copy-receipt" | "print"
  | "unconfirmed-title" | "unconfirmed-text" | "unconfirmed-keep" | "unconfirmed-retry" | "other-pin-entered"
  | "unconfirmed-check" | "unconfirmed-support" | "failed-title" | "failed-untouched" | "failed-busy"
  | "failed-not-sent" | "failed-too-many" | "failed-session" | "retry-after" | "failed-set-up" | "reference"
  | "try-again" | "back-to-form" | "loading" | "load-failed" | "load-connection" | "load-old" | "load-newer"
  | "not-set-up" | "tell-shop" | "stopped" | "stopped-open" | "earlier-open" | "nothing-running"
  | "voucher-untouched";

/** Forms of a text that English does not have: the plural categories of `Intl.PluralRules`. */
export type FlexepinPluralKey = "pin-length.zero" | "pin-length.two" | "pin-length.few" | "pin-length.many";

/** What a try or a status ask is for: `session` when the proxy has refused the session, and wants a fresh one. */
export type BeforeSubmitReason = "submit" | "retry" | "status" | "session";

/** What `beforeSubmit` is told. Never the PIN. */
export interface BeforeSubmitQuestion {
  /** The attempt's key: a UUID, the `Idempotency-Key` of its requests. */
  readonly attempt: string;
  /** The number of the try, from 1. */
  readonly try: number;
  /** What would be redeemed, in minor units of `currency` (2500 is 25.00 EUR). */
  readonly amountMinor: number;
  /** ISO 4217. */
  readonly currency: string;
  /** What it is for. */
  readonly reason: BeforeSubmitReason;
  /** Aborted when the answer is not wanted any more: after 10 seconds, or because the customer has cancelled. */
  readonly signal: AbortSignal;
}

/** What goes along with this request, besides or instead of what the options say. */
export interface BeforeSubmitGrant {
  /** Further request headers. `Idempotency-Key` and `Content-Type` are the widget's own and cannot be set. */
  readonly headers?: HeadersInit | undefined;
  /** In place of the option `sessionToken`. */
  readonly sessionToken?: string | undefined;
}

/** `false` says no, and so does a throw: a first try is stopped, a later one is a try that never left. */
export type BeforeSubmitAnswer = void | false | BeforeSubmitGrant;

/** The merchant's say before each request. It has 10 seconds. */
export type BeforeSubmit = (question: BeforeSubmitQuestion) => BeforeSubmitAnswer | Promise<BeforeSubmitAnswer>;

// ---- The element.

/** What the widget is at. */
export type FlexepinPhase =
  | "editing"
  | "confirming"
  | "preparing"
  | "redeeming"
  | "waiting"
  | "checking"
  | "redeemed"
  | "unconfirmed"
  | "failed";

/** A field that the merchant can put words at. */
export type FlexepinField = "pin" | "amount" | "email";

/**
 * `<flexepin-cashier>`. Each option is a property; setting one throws a TypeError that names it where the value is
 * wrong, and then changes nothing. `null` and `undefined` set the default. Properties never show in attributes; the
 * last writer wins.
 *
 * Options that are set before the script has come are taken over. Methods are there from then on; a browser that is too
 * old for the widget never has them, and says so by `flexepin-loaderror`.
 */
export interface FlexepinCashierElement extends HTMLElement {
  /** The proxy's URL, absolute. @see {@link FlexepinOptions.endpoint} */
  get endpoint(): string | null;
  set endpoint(value: string | null | undefined);
  /** @see {@link FlexepinOptions.currency} */
  get currency(): string | null;
  set currency(value: string | null | undefined);
  /** The choice, as a list. @see {@link FlexepinOptions.amounts} */
  get amounts(): readonly string[] | null;
  set amounts(value: string | readonly string[] | null | undefined);
  /** @see {@link FlexepinOptions.amount} */
  get amount(): string | null;
  set amount(value: string | null | undefined);
  /** @see {@link FlexepinOptions.userId} */
  get userId(): string | null;
  set userId(value: string | null | undefined);
  /** @see {@link FlexepinOptions.email} */
  get email(): string | null;
  set email(value: string | null | undefined);
  /** @see {@link FlexepinOptions.brandId} */
  get brandId(): string | null;
  set brandId(value: string | null | undefined);
  /** @see {@link FlexepinOptions.sessionToken} */
  get sessionToken(): string | null;
  set sessionToken(value: string | null | undefined);
  /** `auto`, or BCP 47 in its canonical form. @see {@link FlexepinOptions.locale} */
  get locale(): string;
  set locale(value: string | null | undefined);
  /** @see {@link FlexepinOptions.theme} */
  get theme(): FlexepinTheme;
  set theme(value: FlexepinTheme | null | undefined);
  /** Milliseconds. @see {@link FlexepinOptions.timeout} */
  get timeout(): number;
  set timeout(value: number | null | undefined);
  /** @see {@link FlexepinOptions.credentials} */
  get credentials(): FlexepinCredentials;
  set credentials(value: FlexepinCredentials | null | undefined);
  /** @see {@link FlexepinOptions.messages} */
  get messages(): FlexepinMessages | null;
  set messages(value: FlexepinMessages | null | undefined);
  /** @see {@link FlexepinOptions.beforeSubmit} */
  get beforeSubmit(): BeforeSubmit | null;
  set beforeSubmit(value: BeforeSubmit | null | undefined);

  /** What the widget is at. */
  readonly phase: FlexepinPhase;

  /**
   * Merges options: what is not named stays.
   *
   * @throws TypeError that names the first wrong option; then nothing has changed.
   */
  update(options: FlexepinOptions): void;
  /** Submits the form, as its button does. Whether an attempt has begun by it: `false` too before `flexepin-ready`. */
  submit(): boolean;
  /**
   * Back to an empty form. An attempt that is not known yet stays in sight as a card.
   *
   * @throws InvalidStateError (a DOMException) while an attempt is being sent.
   */
  reset(): void;
  /** Moves the focus to what the customer has to do next. */
  focus(options?: FocusOptions): void;
  /** Shows the merchant's own words at a field; `null`, `undefined` and the empty text take them back. */
  setFieldError(field: FlexepinField, message?: string | null | undefined): void;
  /** Takes the widget off the page, with its timers and listeners. A request that has left goes on. */
  destroy(): void;

  addEventListener<K extends keyof HTMLElementEventMap>(
    type: K,
    listener: (this: FlexepinCashierElement, event: HTMLElementEventMap[K]) => unknown,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject,
    options?: boolean | AddEventListenerOptions,
  ): void;
  removeEventListener<K extends keyof HTMLElementEventMap>(
    type: K,
    listener: (this: FlexepinCashierElement, event: HTMLElementEventMap[K]) => unknown,
    options?: boolean | EventListenerOptions,
  ): void;
  removeEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject,
    options?: boolean | EventListenerOptions,
  ): void;
}

// ---- Events.

/** The events. They bubble, also out of shadow roots, and come after the screen, in tasks of their own. None has a PIN. */
export interface FlexepinEventMap {
  /** Once per mount: from now on `submit()` acts. */
  "flexepin-ready": CustomEvent<null>;
  /** What the form has in it has changed. */
  "flexepin-change": CustomEvent<ChangeDetail>;
  /** The first request of an attempt has left. */
  "flexepin-submit": CustomEvent<SubmitDetail>;
  /** The voucher is redeemed. Credit from the server, never from here. */
  "flexepin-redeemed": CustomEvent<RedeemedDetail>;
  /** Not redeemed: the form is back with the reason; for an open attempt that is a card, the card says it. */
  "flexepin-rejected": CustomEvent<RejectedDetail>;
  /** Nobody knows yet. `flexepin-redeemed` or `flexepin-rejected` of the same attempt may follow. */
  "flexepin-unconfirmed": CustomEvent<UnconfirmedDetail>;
  /** Not redeemed, and the form cannot put it right; or the widget itself cannot go on. */
  "flexepin-failed": CustomEvent<FailedDetail>;
  /** The widget could not be loaded. It says so to the customer, who can try again. */
  "flexepin-loaderror": CustomEvent<LoadErrorDetail>;
}

/** Detail of `flexepin-change`. */
export interface ChangeDetail {
  /** Every field has as much in it as it needs. */
  readonly complete: boolean;
  /** A submit would be accepted. */
  readonly valid: boolean;
}

/** Detail of `flexepin-submit`. */
export interface SubmitDetail {
  /** The attempt's key: a UUID, the `Idempotency-Key` of its requests. */
  readonly attempt: string;
}

/** What every outcome says. */
export interface FlexepinOutcome {
  /** Why: a closed list. */
  readonly code: FlexepinCode;
  /** Whether the voucher was taken. */
  readonly money: FlexepinMoney;
  /** What can be done next. */
  readonly next: FlexepinNext;
  /** The attempt's key: a UUID, the `Idempotency-Key` of its requests. `null` where it is about no attempt. */
  readonly attempt: string | null;
  /** What support finds it by, and what the customer sees: Mozarto's transaction id, else the key; `null` as above. */
  readonly reference: string | null;
}

/** The outcome of an attempt. */
export interface AttemptOutcome extends FlexepinOutcome {
  readonly attempt: string;
  readonly reference: string;
}

/** Detail of `flexepin-redeemed`, as Mozarto's answer has it. `null` is what the answer does not say readably. */
export interface RedeemedDetail extends AttemptOutcome {
  readonly code: "REDEEMED";
  readonly money: "yes";
  readonly next: "none";
  /** The voucher's value in minor units of `currency` (2500 is 25.00 EUR). */
  readonly amountMinor: number | null;
  /** ISO 4217. */
  readonly currency: string | null;
  /** The voucher's serial number. */
  readonly serial: string | null;
  /** Mozarto's id of the transaction. */
  readonly transactionId: string | null;
  /** There where the voucher had another value or currency than was asked. */
  readonly discrepancy?: Discrepancy;
}

/** The voucher was not what was asked for. */
export interface Discrepancy {
  /** What was asked. */
  readonly requested: {
    /** In minor units of `currency`. */
    readonly amountMinor: number;
    /** ISO 4217. */
    readonly currency: string;
  };
}

/** Detail of `flexepin-rejected`. `money` is `unknown` where a used voucher may have been used by this very attempt. */
export interface RejectedDetail extends AttemptOutcome {
  readonly money: "no" | "unknown";
}

/** Detail of `flexepin-unconfirmed`. */
export interface UnconfirmedDetail extends AttemptOutcome {
  readonly money: "unknown";
}

/** Detail of `flexepin-failed`. */
export type FailedDetail = FailedAttemptDetail | FailedWidgetDetail<"config"> | FailedWidgetDetail<"internal">;

/** An attempt has failed: its voucher is untouched. */
export interface FailedAttemptDetail extends AttemptOutcome {
  readonly code: Exclude<FlexepinCode, FlexepinWidgetCode>;
  readonly money: "no";
}

/** The widget cannot go on. `money` is `unknown` where an attempt of before is still open. */
export interface FailedWidgetDetail<Code extends FlexepinWidgetCode = FlexepinWidgetCode> extends FlexepinOutcome {
  readonly code: Code;
  readonly money: "no" | "unknown";
  readonly next: "none";
  readonly attempt: null;
  readonly reference: null;
}

/** Detail of `flexepin-loaderror`. */
export interface LoadErrorDetail {
  /** What stood in the way. */
  readonly cause: LoadErrorCause;
}

/** Why the widget could not be loaded. */
export type LoadErrorCause =
  /** The browser is too old. */
  | "unsupported"
  /** The page's policy lets a file not be fetched: `connect-src`. */
  | "blocked"
  /** The page's policy lets no WebAssembly run: `'wasm-unsafe-eval'` in `script-src`. */
  | "wasm-blocked"
  /** A file is not the one that belongs to this version. */
  | "integrity"
  /** A file did not come. */
  | "network";

/** Whether the voucher was taken. */
export type FlexepinMoney = "yes" | "no" | "unknown";

/** What can be done next: by the customer in the form, by a fresh session, by looking again later, or by support. */
export type FlexepinNext = "none" | "edit" | "same-attempt" | "session" | "status" | "support";

/** Why an outcome is what it is: a closed list. What to do about each: docs/merchant.md, "Events". */
export type FlexepinCode = FlexepinAttemptCode | FlexepinWidgetCode;

/** Codes of attempts. */
export type FlexepinAttemptCode =
  | "REDEEMED"
  | "PENDING"
  | "INVALID_VOUCHER_PIN"
  | "MISMATCHED_AMOUNT"
  | "MISMATCHED_CURRENCY"
  | "VOUCHER_ALREADY_REDEEMED"
  | "VOUCHER_REJECTED"
  | "INVALID_PSP_CREDENTIALS"
  | "REQUEST_INVALID"
  | "RULE_NOT_MATCHED"
  | "PSP_NOT_CONFIGURED"
  | "PROVIDER_REJECTED"
  | "UNAUTHORIZED"
  | "PSP_TIMEOUT"
  | "PSP_UNAVAILABLE"
  | "PSP_RATE_LIMITED"
  | "SERVER_ERROR"
  | "UNKNOWN_PSP_ERROR"
  | "NO_ANSWER"
  | "NOT_SENT"
  | "ATTEMPT_IN_PROGRESS"
  | "ATTEMPT_UNCONFIRMED"
  | "VOUCHER_IN_USE"
  | "ATTEMPT_CLOSED"
  | "ATTEMPT_MISMATCH"
  | "SESSION_REQUIRED"
  | "ATTEMPT_FOREIGN"
  | "TOO_MANY_TRIES"
  | "ATTEMPT_UNKNOWN"
  | "ATTEMPT_SETTLED_UNTOUCHED";

/** Codes of the widget itself: its options are wrong (the console says which), or it was stopped by a defect. */
export type FlexepinWidgetCode = "config" | "internal";

// ---- The page.

declare global {
  /** Of the classic script; there once the script has run. */
  const FlexepinCashier: FlexepinCashierGlobal;

  interface Window {
    /** Of the classic script; not there before an `async` one has run. */
    readonly FlexepinCashier?: FlexepinCashierGlobal;
  }

  interface HTMLElementTagNameMap {
    "flexepin-cashier": FlexepinCashierElement;
  }

  // The events bubble up to the window: every element, the document and the window know them.
  interface GlobalEventHandlersEventMap extends FlexepinEventMap {}
}

// ---- The tag in React 19.

/**
 * The options as React writes them on the tag: by their attributes, which also work where the script comes after React
 * has rendered. React hands `messages`, `beforeSubmit` and a list of `amounts` over only to an element that is defined
 * by then: import the module first, or set them by a `ref`.
 */
export interface FlexepinCashierAttributes {
  /** @see {@link FlexepinOptions.endpoint} */
  endpoint?: string | undefined;
  /** @see {@link FlexepinOptions.currency} */
  currency?: string | undefined;
  /** @see {@link FlexepinOptions.amounts} */
  amounts?: string | readonly string[] | undefined;
  /** @see {@link FlexepinOptions.amount} */
  amount?: string | undefined;
  /** @see {@link FlexepinOptions.userId} */
  "user-id"?: string | undefined;
  /** @see {@link FlexepinOptions.email} */
  email?: string | undefined;
  /** @see {@link FlexepinOptions.brandId} */
  "brand-id"?: string | undefined;
  /** @see {@link FlexepinOptions.sessionToken} */
  "session-token"?: string | undefined;
  /** @see {@link FlexepinOptions.locale} */
  locale?: string | undefined;
  /** @see {@link FlexepinOptions.theme} */
  theme?: FlexepinTheme | undefined;
  /** @see {@link FlexepinOptions.timeout} */
  timeout?: number | `${number}` | undefined;
  /** @see {@link FlexepinOptions.credentials} */
  credentials?: FlexepinCredentials | undefined;
  /** @see {@link FlexepinOptions.messages} */
  messages?: FlexepinMessages | null | undefined;
  /** @see {@link FlexepinOptions.beforeSubmit} */
  beforeSubmit?: BeforeSubmit | null | undefined;
  /** As `className`. */
  class?: string | undefined;
}

/** The listeners as React 19 writes them on the tag, such as `onflexepin-redeemed`. */
export type FlexepinCashierListeners = {
  [K in keyof FlexepinEventMap as `on${K}`]?: ((event: FlexepinEventMap[K]) => void) | undefined;
};

// Where React's typings are not installed there is nothing to add to, and no name below is known: that is no error.
// @ts-ignore
declare module "react" {
  namespace JSX {
    interface IntrinsicElements {
      // @ts-ignore
      "flexepin-cashier": DetailedHTMLProps<HTMLAttributes<FlexepinCashierElement>, FlexepinCashierElement> &
        FlexepinCashierAttributes &
        FlexepinCashierListeners;
    }
  }
}
