//! What the embedder hears: event names and details. No detail holds the PIN.

use crate::app::Told;
use crate::object::{object, set};
use js_sys::Object;
use mozarto::Amount;
use redemption::{Code, Notice, Outcome, OutcomeKind, Redemption};
use wasm_bindgen::JsValue;

/// The event's name and detail. What a merchant must put right goes to the console too, with its remedy.
pub(super) fn event(told: &Told) -> (&'static str, JsValue) {
    match told {
        Told::Ready => ("flexepin-ready", JsValue::NULL),
        Told::Notice(Notice::Changed { complete, valid }) => {
            ("flexepin-change", object(&[("complete", (*complete).into()), ("valid", (*valid).into())]).into())
        }
        Told::Notice(Notice::Submitted(attempt)) => {
            ("flexepin-submit", object(&[("attempt", attempt.as_str().into())]).into())
        }
        Told::Notice(Notice::Outcome(outcome)) => {
            name_remedy(outcome);
            let name = match outcome.kind {
                OutcomeKind::Redeemed(_) => "flexepin-redeemed",
                OutcomeKind::Rejected => "flexepin-rejected",
                OutcomeKind::Unconfirmed => "flexepin-unconfirmed",
                OutcomeKind::Failed => "flexepin-failed",
            };
            (name, detail(outcome).into())
        }
    }
}

/// What a merchant must put right goes to the console, with its remedy.
pub(crate) fn name_remedy(outcome: &Outcome) {
    if let Some(remedy) = remedy(outcome.code) {
        let text = format!("flexepin-cashier: {}: {remedy} Reference: {}", outcome.code.as_str(), outcome.reference);
        web_sys::console::error_1(&text.into());
    }
}

fn detail(outcome: &Outcome) -> Object {
    let detail = object(&[
        ("code", outcome.code.as_str().into()),
        ("money", outcome.money.as_str().into()),
        ("next", outcome.next.as_str().into()),
        ("attempt", outcome.attempt.as_str().into()),
        ("reference", outcome.reference.as_str().into()),
    ]);
    if let OutcomeKind::Redeemed(redemption) = &outcome.kind {
        add_redemption(&detail, redemption);
    }
    detail
}

fn add_redemption(detail: &Object, redemption: &Redemption) {
    let text = |text: &Option<String>| text.as_deref().map_or(JsValue::NULL, JsValue::from);
    let minor = redemption.amount.map_or(JsValue::NULL, minor);
    set(detail, "amountMinor", &minor);
    set(detail, "currency", &text(&redemption.currency));
    set(detail, "serial", &text(&redemption.serial));
    set(detail, "transactionId", &text(&redemption.transaction_id));
    if let Some(discrepancy) = &redemption.discrepancy {
        let asked = discrepancy.requested;
        let requested = object(&[("amountMinor", self::minor(asked)), ("currency", code(asked))]);
        set(detail, "discrepancy", &object(&[("requested", requested.into())]).into());
    }
}

#[expect(clippy::cast_precision_loss, reason = "at most 10^12 minor units, exact in a double")]
fn minor(amount: Amount) -> JsValue {
    JsValue::from(amount.minor() as f64)
}

fn code(amount: Amount) -> JsValue {
    amount.currency().code().into()
}

/// What the merchant does about a failure of the set-up. Source: Mozarto's pages "Errors" (2026-05-05) and "Flexepin"
/// (2026-06-09).
fn remedy(code: Code) -> Option<&'static str> {
    Some(match code {
        Code::InvalidPspCredentials => {
            "Flexepin refuses the API key or secret. Correct them in Mozarto's back office, Payment Methods - Configuration, Flexepin."
        }
        Code::NoRule => {
            "No active orchestration rule matches. Create and activate one in Mozarto's back office, Orchestration, for FLEXEPIN."
        }
        Code::NotConfigured => {
            "Flexepin is not configured for your company. Save its credentials in Mozarto's back office, Payment Methods - Configuration."
        }
        Code::Unauthorized => "Mozarto refuses the proxy's company token. Check that it is set and has not expired.",
        Code::RequestInvalid => {
            "The server refuses a field that the customer does not fill. Look into the proxy's log, and check user-id, email and currency."
        }
        _ => return None,
    })
}
