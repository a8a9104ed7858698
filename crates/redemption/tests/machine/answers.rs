//! What the answer of a first try is shown and told as, row by row.

use crate::support::{
    OTHER_PIN, PIN, accepted, after, answered, answered_by, asked, coded, eur, html, in_use, key, numbered_key,
    options, pin, redeeming, rejection, sends, stored, submitted, submitted_as, success, success_of, told, uncoded,
};
use PhaseName::{Checking, Editing, Failed, Redeemed, Unconfirmed, Waiting};
use mozarto::Answer;
use redemption::{
    AmountOption, AmountView, CardState, Effect, Event, FieldError, FormError, Keeping, Method, Options, OutcomeKind,
    PhaseName, Screen, Stage,
};

#[test]
fn a_success_is_a_receipt_from_the_answer_and_erases_the_pin() {
    let mut machine = redeeming();
    let effects = machine.handle(answered(1, success()));
    assert_eq!(told(&effects), Some(("redeemed", "REDEEMED", "yes", "none")));
    assert!(effects.iter().any(|effect| matches!(effect, Effect::ClearPin)));
    let Screen::Redeemed { outcome, .. } = machine.view().screen else { panic!("a receipt") };
    let OutcomeKind::Redeemed(redemption) = outcome.kind else { panic!("a redemption") };
    assert_eq!(redemption.amount, Some(eur(2500)));
    assert_eq!(redemption.serial.as_deref(), Some("FP-9876543210"));
    assert_eq!(redemption.discrepancy, None);
    assert_eq!(outcome.reference, "64a1f2b3c4d5e6f7a8b9c0d1");
    assert!(!format!("{machine:?}").contains(PIN));
}

#[test]
fn a_receipt_over_another_amount_says_what_was_asked() {
    let mut machine = redeeming();
    machine.handle(answered(1, success_of(50.0)));
    let Screen::Redeemed { outcome, .. } = machine.view().screen else { panic!("a receipt") };
    let OutcomeKind::Redeemed(redemption) = outcome.kind else { panic!("a redemption") };
    assert_eq!(redemption.amount, Some(eur(5000)));
    assert_eq!(redemption.discrepancy.map(|discrepancy| discrepancy.requested), Some(eur(2500)));
}

#[test]
fn every_answer_of_a_first_try_leads_where_the_contract_says() {
    type Row = (&'static str, Answer, Option<(&'static str, &'static str, &'static str)>, PhaseName);
    let rows: [Row; 23] = [
        ("1", success(), Some(("redeemed", "yes", "none")), Redeemed),
        ("2", accepted(), Some(("unconfirmed", "unknown", "status")), Unconfirmed),
        ("4", rejection("Voucher blocked"), Some(("rejected", "no", "edit")), Editing),
        ("4, used", rejection("Voucher already redeemed"), Some(("rejected", "no", "support")), Editing),
        ("5", coded("INVALID_PSP_CREDENTIALS"), Some(("failed", "no", "none")), Failed),
        ("6", rejection("Missing required field: voucherPin"), Some(("rejected", "no", "edit")), Editing),
        ("6, set-up", rejection("Missing required field: userId"), Some(("failed", "no", "none")), Failed),
        ("7", rejection("Rules action is not matched"), Some(("failed", "no", "none")), Failed),
        ("9", rejection("Payment provider rejected the request"), Some(("rejected", "no", "edit")), Editing),
        ("10", uncoded(401, "Unauthorized"), Some(("failed", "no", "none")), Failed),
        ("11", coded("PSP_TIMEOUT"), None, Waiting),
        ("12", coded("PSP_UNAVAILABLE"), None, Waiting),
        ("13", coded("PSP_RATE_LIMITED"), None, Waiting),
        ("14", uncoded(500, "Internal server error"), None, Waiting),
        ("15", coded("UNKNOWN_PSP_ERROR"), Some(("unconfirmed", "unknown", "support")), Unconfirmed),
        ("16, nothing", Answer::none(), None, Waiting),
        ("16, garbage", html(), None, Waiting),
        ("never left", coded("NOT_SENT"), None, Waiting),
        ("another POST runs", coded("ATTEMPT_IN_PROGRESS"), None, Checking),
        ("staff will settle", coded("ATTEMPT_UNCONFIRMED"), Some(("unconfirmed", "unknown", "support")), Unconfirmed),
        ("closed", coded("ATTEMPT_CLOSED"), Some(("rejected", "no", "edit")), Editing),
        ("too many", coded("TOO_MANY_TRIES"), Some(("failed", "no", "same-attempt")), Failed),
        ("foreign", coded("ATTEMPT_FOREIGN"), Some(("failed", "no", "none")), Failed),
    ];
    for (row, answer, expected, phase) in rows {
        let mut machine = redeeming();
        let effects = machine.handle(answered(1, answer));
        assert_eq!(told(&effects).map(|(kind, _, money, next)| (kind, money, next)), expected, "row {row}");
        assert_eq!(machine.phase(), phase, "row {row}");
    }
}

#[test]
fn a_rejection_is_shown_at_the_field_at_fault_and_the_pin_is_kept() {
    let choice = Options { amount: AmountOption::OneOf(vec![eur(1000), eur(2500)]), ..options() };
    let pin_error = |error: FieldError| (Some(error), None);
    for (options, message, code, (at_pin, at_amount)) in [
        (options(), "Invalid voucher PIN", "INVALID_VOUCHER_PIN", pin_error(FieldError::InvalidPin)),
        (options(), "Mismatched amount", "MISMATCHED_AMOUNT", pin_error(FieldError::MismatchedAmount(eur(2500)))),
        (choice, "Mismatched amount", "MISMATCHED_AMOUNT", (None, Some(FieldError::MismatchedAmount(eur(2500))))),
        (
            options(),
            "Mismatched currency",
            "MISMATCHED_CURRENCY",
            pin_error(FieldError::MismatchedCurrency(eur(1).currency())),
        ),
        (
            options(),
            "Voucher already redeemed",
            "VOUCHER_ALREADY_REDEEMED",
            pin_error(FieldError::AlreadyRedeemed { reference: key().as_str().into() }),
        ),
        (options(), "Voucher blocked", "VOUCHER_REJECTED", pin_error(FieldError::VoucherRejected)),
        (options(), "Missing required field: voucherPin", "REQUEST_INVALID", pin_error(FieldError::Refused)),
    ] {
        let mut machine = after(options, [Event::AmountChosen(1), pin(PIN), submitted()]);
        let effects = machine.handle(answered(1, rejection(message)));
        let (kind, told_code, money, _) = told(&effects).expect(message);
        assert_eq!((kind, told_code, money), ("rejected", code, "no"), "{message}");
        let form = machine.view().form;
        let amount_error = match form.amount {
            AmountView::Choice { error, .. } => error,
            _ => None,
        };
        assert_eq!((form.pin_error, amount_error), (at_pin, at_amount), "{message}");
        assert_eq!(sends(&machine.handle(submitted())), 1, "the PIN is still in the form: {message}");
    }
}

#[test]
fn already_redeemed_leaves_the_money_unknown_where_the_proxy_keeps_no_attempts() {
    let mut machine = redeeming();
    let effects = machine.handle(answered_by(Keeping::No, 1, rejection("Voucher already redeemed")));
    assert_eq!(told(&effects), Some(("rejected", "VOUCHER_ALREADY_REDEEMED", "unknown", "support")));
}

#[test]
fn set_up_failures_leave_the_voucher_untouched_and_lead_back_to_the_form() {
    let mut machine = redeeming();
    machine.handle(answered(1, coded("INVALID_PSP_CREDENTIALS")));
    let Screen::Failed { may_retry, .. } = machine.view().screen else { panic!("failed") };
    assert!(!may_retry);
    assert!(machine.handle(Event::RetryRequested).is_empty());
    machine.handle(Event::EditRequested);
    assert_eq!(sends(&machine.handle(submitted())), 1);
}

#[test]
fn the_provider_rejecting_is_said_above_the_form() {
    let mut machine = redeeming();
    machine.handle(answered(1, rejection("Payment provider rejected the request")));
    assert_eq!(machine.view().form.error, Some(FormError::ProviderRejected));
}

#[test]
fn what_only_a_keeping_proxy_can_know_proves_nothing_from_another() {
    for code in ["ATTEMPT_CLOSED", "ATTEMPT_SETTLED_UNTOUCHED", "VOUCHER_IN_USE", "ATTEMPT_FOREIGN"] {
        let mut machine = redeeming();
        let effects = machine.handle(answered_by(Keeping::No, 1, coded(code)));
        assert_eq!(told(&effects), Some(("unconfirmed", "UNKNOWN_PSP_ERROR", "unknown", "support")), "{code}");
    }
}

#[test]
fn a_voucher_in_use_shows_the_attempt_that_has_it_as_a_card_and_asks_about_it() {
    let holder = numbered_key(7);
    let mut machine = redeeming();
    let effects = machine.handle(answered(1, in_use(&holder, "t-7")));
    assert_eq!(told(&effects), Some(("rejected", "VOUCHER_IN_USE", "no", "status")));
    assert_eq!(asked(&effects), [(Method::Get, holder.clone(), 1)]);
    assert_eq!(stored(&effects), [(holder.clone(), Some(Stage::Named)), (key(), None)]);
    let view = machine.view();
    assert_eq!(view.form.pin_error, Some(FieldError::InUse { own: true }));
    let [card] = &view.cards[..] else { panic!("one card") };
    assert_eq!((&card.attempt, card.reference.as_str(), &card.state), (&holder, "t-7", &CardState::Checking));
    assert_eq!(card.summary.last_four, "3456");
}

#[test]
fn a_voucher_in_use_by_somebody_else_or_by_what_is_no_key_names_nothing() {
    let no_key = in_use(&redemption::AttemptKey::new("../../etc".into()), "t");
    for (answer, next) in [(coded("VOUCHER_IN_USE"), "support"), (no_key, "status")] {
        let mut machine = redeeming();
        let effects = machine.handle(answered(1, answer));
        assert_eq!(told(&effects), Some(("rejected", "VOUCHER_IN_USE", "no", next)));
        assert!(machine.view().cards.is_empty() && asked(&effects).is_empty());
    }
}

#[test]
fn after_a_rejection_another_voucher_is_another_attempt() {
    let mut machine = redeeming();
    machine.handle(answered(1, rejection("Invalid voucher PIN")));
    machine.handle(pin(OTHER_PIN));
    let effects = machine.handle(submitted_as(&numbered_key(2)));
    let sent = crate::support::requests(&effects);
    assert_eq!((sent[0].attempt.clone(), sent[0].try_number), (numbered_key(2), 1));
}
