// A page with the classic script: no import, one reference.
/// <reference types="flexepin-cashier" />

const mounted = FlexepinCashier.mount("#checkout", { endpoint: "/cashier/flexepin", amount: "25.00", currency: "EUR" });
const early: string | undefined = window.FlexepinCashier?.version;
void [mounted.phase, early, FlexepinCashier.version];

// @ts-expect-error: an `async` script may not have run yet.
window.FlexepinCashier.mount("#checkout", { endpoint: "/cashier/flexepin", currency: "EUR" });
// @ts-expect-error: the page cannot replace it.
FlexepinCashier.version = "2";
// @ts-expect-error: the class is not the page's.
new FlexepinCashierElement();
