//! A customer with a voucher: what one does with the widget, in good time and in bad. Begins with the first visit,
//! comes back for the last round. What a page shows decides what a customer wants; the seed decides among what is
//! possible.

use crate::line::Network;
use crate::page::{Browser, Page};
use fastrand::Rng;
use mozarto::{Amount, VoucherPin};
use redemption::{AmountOption, AttemptKey, CardState, CardView, Code, Event, Options, OutcomeKind, Screen, View};
use std::sync::Arc;
use std::time::{Duration, Instant};
use uuid::Builder;

/// What vouchers are worth, in cents.
pub(crate) const VALUES: [u64; 5] = [1000, 2000, 2500, 5000, 10_000];

/// After how long everybody leaves a page, whatever it shows.
const VISIT: Duration = Duration::from_mins(2);

/// What every customer has in common.
pub(crate) struct Shop {
    pub(crate) network: Arc<Network>,
    pub(crate) endpoint: String,
}

/// One customer.
pub(crate) struct Customer {
    pub(crate) shop: Arc<Shop>,
    pub(crate) browser: Browser,
    pub(crate) user_id: String,
    pub(crate) pin: VoucherPin,
    /// Which of [`VALUES`] the voucher has.
    pub(crate) value: usize,
    /// Which of [`VALUES`] is chosen first.
    pub(crate) chosen: usize,
    pub(crate) random: Rng,
    /// When the page is reloaded, once.
    pub(crate) reloads_after: Option<Duration>,
    pub(crate) leaves: Option<Leaving>,
    /// How long after the others this customer comes.
    pub(crate) comes_after: Duration,
    /// A page has said that the voucher is redeemed.
    pub(crate) redeemed: bool,
    /// Has left, and is never seen again.
    pub(crate) gone: bool,
    pub(crate) submitted: bool,
}

/// Leaving in the middle.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Leaving {
    pub(crate) after: Duration,
    /// Whether the customer is ever seen again.
    pub(crate) returns: bool,
}

/// What a customer wants to do.
#[derive(Clone, Debug)]
enum Wish {
    Submit,
    Retry,
    CheckNow(AttemptKey),
    /// Enter the same PIN for this attempt.
    Finish(AttemptKey, Amount),
    Another,
    Edit,
    Reload,
    Leave,
}

impl Customer {
    /// Whether this one can come back for the last round and has reason to.
    pub(crate) fn comes_back(&self) -> bool {
        !self.redeemed && !self.gone
    }

    /// A visit to the shop, until there is nothing more to do. `patience` is how often the customer presses a button
    /// that should not have been necessary.
    pub(crate) async fn visit(&mut self, rough: bool, mut patience: u32) {
        let began = Instant::now();
        let scaled = |time: Duration| time.mul_f64(self.shop.network.time_scale);
        let ends = began + scaled(VISIT);
        let mut reloads = self.reloads_after.take().map(|after| began + scaled(after));
        let leaves = self.leaves.take().map(|leaving| (began + scaled(leaving.after), leaving.returns));
        let mut page = self.open(rough);
        let mut wish = self.wish(&page, patience);
        loop {
            self.redeemed |= page.told.as_ref().is_some_and(|told| matches!(told.kind, OutcomeKind::Redeemed(_)));
            let next = [
                Some((ends, Wish::Leave)),
                reloads.map(|at| (at, Wish::Reload)),
                leaves.map(|(at, _)| (at, Wish::Leave)),
                wish.clone(),
            ];
            let (at, what) = next.into_iter().flatten().min_by_key(|(at, _)| *at).expect("every visit ends");
            tokio::select! {
                () = page.step() => {
                    wish = self.wish(&page, patience);
                    continue;
                }
                () = tokio::time::sleep_until(at.into()) => {}
            }
            match what {
                Wish::Leave => {
                    self.gone = leaves.is_some_and(|(leaves, returns)| leaves == at && !returns);
                    page.leave(self.random.f64() < 0.7);
                    return;
                }
                Wish::Reload => {
                    reloads = None;
                    page.leave(self.random.f64() < 0.7);
                    page = self.open(rough);
                }
                Wish::Submit => {
                    patience = patience.saturating_sub(u32::from(self.submitted));
                    self.submitted = true;
                    let key = self.fresh_key();
                    page.submit(self.pin.expose(), self.chosen, key);
                }
                Wish::Finish(key, amount) => {
                    patience = patience.saturating_sub(1);
                    page.happen(Event::FinishRequested(key));
                    let chosen = VALUES.iter().position(|value| *value == amount.minor()).unwrap_or(self.chosen);
                    let unused = self.fresh_key();
                    page.submit(self.pin.expose(), chosen, unused);
                }
                pressed => {
                    patience = patience.saturating_sub(1);
                    page.happen(match pressed {
                        Wish::CheckNow(key) => Event::StatusRequested(key),
                        Wish::Another => Event::AnotherRequested,
                        Wish::Edit => Event::EditRequested,
                        _ => Event::RetryRequested,
                    });
                }
            }
            wish = self.wish(&page, patience);
        }
    }

    /// What to do next, and when; `None` while there is only to wait.
    fn wish(&mut self, page: &Page, patience: u32) -> Option<(Instant, Wish)> {
        let wish = self.wish_in(&page.view(), page, patience)?;
        let thinks = match wish {
            Wish::Leave => 0.0,
            Wish::Submit if !self.submitted => 0.0,
            _ => 0.5 + 4.0 * self.random.f64(),
        };
        Some((Instant::now() + Duration::from_secs_f64(thinks * self.shop.network.time_scale), wish))
    }

    fn wish_in(&mut self, view: &View, page: &Page, patience: u32) -> Option<Wish> {
        let gives_up = patience == 0;
        match &view.screen {
            Screen::Redeemed { .. } => Some(Wish::Leave),
            Screen::Waiting { .. } => (self.random.f64() < 0.05 && !gives_up).then_some(Wish::Retry),
            Screen::Progress { .. }
            | Screen::Checking { .. }
            | Screen::Confirm(_)
            | Screen::Unconfirmed { checking: true, .. } => None,
            Screen::Unconfirmed { .. } | Screen::Failed { .. } if gives_up => Some(Wish::Leave),
            Screen::Unconfirmed { may_retry, may_finish, outcome, summary, .. } => {
                let key = outcome.attempt.clone();
                Some(match self.random.u32(0..10) {
                    0..5 if *may_retry => Wish::Retry,
                    0..8 if *may_finish => Wish::Finish(key, summary.amount),
                    8 => Wish::Another,
                    // Only staff can do more.
                    0..5 if !*may_retry && !*may_finish => Wish::Leave,
                    _ => Wish::CheckNow(key),
                })
            }
            Screen::Failed { may_retry: true, .. } if self.random.f64() < 0.7 => Some(Wish::Retry),
            Screen::Failed { .. } => Some(Wish::Edit),
            Screen::Form => self.wish_at_form(view, page, gives_up),
        }
    }

    fn wish_at_form(&mut self, view: &View, page: &Page, gives_up: bool) -> Option<Wish> {
        if view.cards.iter().any(|card| card.state == CardState::Checking) {
            return None;
        }
        let redeemed = |card: &CardView| match &card.state {
            CardState::Ended(outcome) => matches!(outcome.kind, OutcomeKind::Redeemed(_)),
            CardState::Checking | CardState::Open(_) => false,
        };
        if view.cards.iter().any(redeemed) {
            return Some(Wish::Leave);
        }
        if gives_up && self.submitted {
            return Some(Wish::Leave);
        }
        if let Some(card) = view.cards.iter().find(|card| matches!(card.state, CardState::Open(_))) {
            let key = card.attempt.clone();
            return Some(match card.may_finish {
                true => Wish::Finish(key, card.summary.amount),
                false if self.random.bool() => Wish::Leave,
                false => Wish::CheckNow(key),
            });
        }
        match page.told.as_ref().map(|told| told.code) {
            Some(Code::InvalidPin | Code::AlreadyRedeemed | Code::VoucherRejected) => Some(Wish::Leave),
            Some(Code::MismatchedAmount) if self.chosen == self.value => Some(Wish::Leave),
            Some(Code::MismatchedAmount) => {
                self.chosen = self.value;
                Some(Wish::Submit)
            }
            _ => Some(Wish::Submit),
        }
    }

    fn open(&mut self, rough: bool) -> Page {
        let currency = "EUR".parse().expect("EUR is a currency");
        let amount = |minor: u64| Amount::from_minor(minor, currency).expect("every value is an amount");
        let options = Options {
            endpoint: self.shop.endpoint.clone(),
            currency,
            amount: AmountOption::OneOf(VALUES.map(amount).to_vec()),
            user_id: Some(self.user_id.clone()),
            email: Some("player@example.com".into()),
            brand_id: None,
            session_token: None,
            timeout_ms: 30_000,
            before_submit: false,
            decimal_separator: '.',
        };
        Page::open(options, self.browser.clone(), Arc::clone(&self.shop.network), rough, self.random.fork())
    }

    fn fresh_key(&mut self) -> AttemptKey {
        let uuid = Builder::from_random_bytes(self.random.u128(..).to_be_bytes()).into_uuid();
        AttemptKey::new(uuid.to_string())
    }
}
