//! Every screen that a customer may see, reached as a customer reaches it, for tests that look at all of them.

use crate::browser::{Browser, until};
use crate::merchant::{Merchant, Road, Serves, bad};
use crate::sandbox::scripted;
use crate::widget::Widget;
use std::sync::atomic::{AtomicU32, Ordering};
use url::form_urlencoded;

/// A screen of the widget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    /// The empty form, with everything that it may ask for.
    Editing,
    /// Submitted empty: an error at each field, and their summary.
    Mistakes,
    /// The voucher was refused: the reason at its field, and the reference.
    Rejected,
    /// The customer typed the amount, and is asked once more.
    Confirming,
    /// The merchant's `beforeSubmit` runs.
    Preparing,
    Redeeming,
    Waiting,
    Checking,
    Redeemed,
    Unconfirmed,
    Failed,
    /// An open attempt above the form.
    Card,
    /// The PIN of an open attempt is entered again.
    Finishing,
    /// The widget could not be loaded.
    LoadError,
}

impl Shown {
    pub(crate) const ALL: [Self; 14] = [
        Self::Editing,
        Self::Mistakes,
        Self::Rejected,
        Self::Confirming,
        Self::Preparing,
        Self::Redeeming,
        Self::Waiting,
        Self::Checking,
        Self::Redeemed,
        Self::Unconfirmed,
        Self::Failed,
        Self::Card,
        Self::Finishing,
        Self::LoadError,
    ];

    /// For files and messages.
    pub(crate) fn name(self) -> String {
        format!("{self:?}").to_lowercase()
    }

    /// Whether the customer has led the widget there, and is read the heading.
    fn has_focus_on_heading(self) -> bool {
        use Shown::{Confirming, Failed, Preparing, Redeemed, Redeeming, Unconfirmed, Waiting};
        matches!(self, Confirming | Preparing | Redeeming | Waiting | Redeemed | Unconfirmed | Failed)
    }

    /// The options that lead there, besides `more`.
    fn attributes(self) -> String {
        static CUSTOMER: AtomicU32 = AtomicU32::new(1);
        let (amount, email) = match self {
            Self::Editing | Self::Mistakes => ("amounts='10 25 50 100'", ""),
            Self::Confirming => ("", "email=player@example.com"),
            _ => ("amount=25.00", "email=player@example.com"),
        };
        let busy = |retry| {
            let json = r#"{"isSuccess": false, "errorCode": "PSP_RATE_LIMITED", "message": "Too many requests"}"#;
            let query = form_urlencoded::Serializer::new(String::new())
                .extend_pairs([("status", "429"), ("json", json), ("retry", retry)])
                .finish();
            format!("{}?{query}", bad::SAYS)
        };
        let endpoint = match self {
            Self::Waiting => busy("59"),
            Self::Failed => busy("90"),
            _ => "/cashier/flexepin".to_owned(),
        };
        // Of a customer of their own: what one left open is on no other's page.
        let customer = CUSTOMER.fetch_add(1, Ordering::Relaxed);
        format!("endpoint='{endpoint}' {amount} currency=EUR user-id=customer_{customer} {email}")
    }
}

/// A page with the widget, which has these attributes too, on a screen. The site must live as long as the page is looked
/// at.
pub(crate) async fn show<'a>(browser: &'a Browser, shown: Shown, more: &str) -> (Merchant, Widget<'a>) {
    let shop = Merchant::with_widget(&format!("{} {more}", shown.attributes())).await;
    if shown == Shown::LoadError {
        shop.set_wasm(Serves::Missing);
    }
    browser.goto(&shop.url).await;
    let widget = if shown == Shown::LoadError {
        let widget = Widget::present_on(browser).await;
        widget.event("flexepin-loaderror").await;
        widget
    } else {
        Widget::ready_on(browser).await
    };
    lead_to(browser, shown, &shop, &widget).await;
    if shown.has_focus_on_heading() {
        // It comes a task after the phase.
        let look =
            "return document.querySelector('flexepin-cashier').shadowRoot.activeElement?.hasAttribute('data-heading')";
        until("the focus is on the heading", async || browser.script(look, &[]).await.as_bool().filter(|is| *is)).await;
    }
    (shop, widget)
}

/// What a customer does from the empty form on.
async fn lead_to(browser: &Browser, shown: Shown, shop: &Merchant, widget: &Widget<'_>) {
    let submit = async |script: &str| {
        widget.type_into("pin", &scripted(script)).await;
        widget.click("submit").await;
    };
    match shown {
        Shown::Editing | Shown::LoadError => {}
        Shown::Mistakes => {
            widget.click("submit").await;
            widget.part("summary").await;
        }
        Shown::Rejected => {
            submit("4075").await;
            widget.part("reference").await;
        }
        Shown::Confirming => {
            widget.type_into("amount", "25").await;
            submit("0000").await;
            widget.reaches("confirming").await;
        }
        Shown::Preparing => {
            let never = "document.querySelector('flexepin-cashier').beforeSubmit = () => new Promise(() => {});";
            browser.script(never, &[]).await;
            submit("0000").await;
            widget.reaches("preparing").await;
        }
        Shown::Redeeming => {
            shop.set_road(Road::HoldsAnswers);
            submit("0000").await;
            widget.reaches("redeeming").await;
        }
        Shown::Waiting => {
            submit("0000").await;
            widget.reaches("waiting").await;
        }
        Shown::Checking => {
            // Answers after 40 s.
            submit("1504").await;
            widget.event("flexepin-submit").await;
            until("sent", async || (!shop.posts().is_empty()).then_some(())).await;
            browser.accept_leaving().await;
            browser.reload().await;
            Widget::present_on(browser).await.reaches("checking").await;
        }
        Shown::Redeemed => {
            submit("0000").await;
            widget.reaches("redeemed").await;
        }
        Shown::Failed => {
            submit("0000").await;
            widget.part("retry-after").await;
        }
        Shown::Unconfirmed | Shown::Card | Shown::Finishing => {
            submit("0502").await;
            widget.click("stop").await;
            widget.reaches("unconfirmed").await;
            if shown != Shown::Unconfirmed {
                widget.click("another").await;
                browser.reload().await;
                Widget::ready_on(browser).await.part("card-finish").await;
            }
            if shown == Shown::Finishing {
                widget.click("card-finish").await;
                widget.part("finishing").await;
            }
        }
    }
}
