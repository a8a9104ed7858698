//! The receipt of a redemption, as the answer has it, to read, copy and print.

use super::Context;
use super::button::Button;
use super::copy_button::CopyButton;
use super::mark::mark;
use crate::i18n::Message;
use redemption::Redemption;
use yew::{Html, html};

/// `began_at_ms` is when the voucher was sent, in milliseconds since 1970.
pub(super) fn receipt(redemption: &Redemption, began_at_ms: u64, context: &Context) -> Html {
    let title = match redemption.amount {
        Some(amount) => Message::RedeemedAmount { amount: context.texts.money(amount) },
        None => Message::RedeemedTitle,
    };
    let rows = [
        (Message::ReceiptAmount, redemption.amount.map(|amount| context.texts.money(amount)), "receipt-amount"),
        (Message::ReceiptCurrency, redemption.currency.clone(), "receipt-currency"),
        (Message::ReceiptSerial, redemption.serial.clone(), "receipt-serial"),
        (Message::ReceiptTransaction, redemption.transaction_id.clone(), "receipt-transaction"),
        (Message::ReceiptDate, Some(context.texts.date(began_at_ms)), "receipt-date"),
    ];
    let rows: Vec<_> =
        rows.into_iter().filter_map(|(label, value, part)| Some((context.text(&label), value?, part))).collect();
    let lines: Vec<_> = rows.iter().map(|(label, value, _)| format!("{label}\t{value}")).collect();
    let discrepancy = redemption.discrepancy.as_ref().map(|discrepancy| context.texts.money(discrepancy.requested));
    html! {
        <section part="receipt" class="outcome good">
            { mark("M14 25l7 7 13-15") }
            <h2 part="heading" data-heading="" tabindex="-1">{ context.text(&title) }</h2>
            if let Some(requested) = discrepancy {
                <p part="discrepancy" class="banner">{ context.text(&Message::RedeemedDiffers { requested }) }</p>
            }
            <div class="receipt">
                <h3 part="subheading">{ context.text(&Message::ReceiptTitle) }</h3>
                <dl part="rows">
                    { for rows.iter().map(|(label, value, part)| html! {
                        <div part="row" class="row"><dt part="row-label">{ label }</dt><dd><bdi part={*part} dir={direction(part)}>{ value }</bdi></dd></div>
                    }) }
                </dl>
                <p part="note" class="note">{ context.text(&Message::ReceiptKeep) }</p>
            </div>
            <div part="buttons" class="buttons">
                <CopyButton label={context.text(&Message::CopyReceipt)} text={lines.join("\n")} context={context.clone()} />
                <Button part="print" label={context.text(&Message::Print)} on_press={context.print.clone()} />
            </div>
        </section>
    }
}

/// Money and ids run from left to right everywhere, words as their language does.
fn direction(part: &str) -> &'static str {
    if part == "receipt-date" { "auto" } else { "ltr" }
}
