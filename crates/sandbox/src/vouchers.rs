//! The ledger: which vouchers there are, what each is worth, which transaction took it. In memory, behind one
//! lock, so a try is one step: of any number that come at the same moment, one takes the voucher.
//!
//! It decides what a try does (page "Flexepin", "Voucher-level rejection", and the script); how that is said is
//! `replies.rs`.

use crate::script::{self, Play, REDEEM, Say};
use mozarto::{Amount, Currency, VoucherPin};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};
use uuid::Uuid;

/// The voucher of page "Flexepin", "Example request": 25.00 EUR.
const PAGES_OWN: &str = "1234567890123456";

/// A voucher that was issued, or a scripted one that was tried.
#[derive(Clone, Debug)]
pub struct Voucher {
    /// Its PIN. Prints as `[PIN]`.
    pub pin: VoucherPin,
    /// Its whole value; of a scripted voucher what the try that took it asked for, else what the latest try
    /// asked for.
    pub amount: Amount,
    /// The transaction that took it, 24 hexadecimal digits; `None` while it can still be redeemed.
    pub transaction_id: Option<String>,
    /// How many valid requests have named it.
    pub tries: u32,
}

/// The vouchers. [`Default`] has the page's own one.
pub struct Ledger(Mutex<BTreeMap<String, Voucher>>);

/// What one try came to.
pub(crate) struct Tried {
    pub(crate) play: Play,
    pub(crate) amount: Amount,
    /// Of this try, whether or not it took the voucher.
    pub(crate) transaction_id: String,
    pub(crate) serial: String,
}

impl Default for Ledger {
    fn default() -> Self {
        let ledger = Self(Mutex::default());
        ledger.reset();
        ledger
    }
}

impl Ledger {
    /// A fresh voucher worth `amount`. Its PIN is random and never a scripted one.
    pub fn issue(&self, amount: Amount) -> VoucherPin {
        let mut vouchers = self.lock();
        loop {
            let digits = format!("{:016}", random(10_u128.pow(16)));
            if !digits.starts_with(script::PREFIX) && !vouchers.contains_key(&digits) {
                return add(&mut vouchers, &digits, amount);
            }
        }
    }

    /// Every voucher, ordered by PIN.
    pub fn vouchers(&self) -> Vec<Voucher> {
        self.lock().values().cloned().collect()
    }

    /// Forgets every voucher and try; what is left is the page's own voucher, unused.
    pub fn reset(&self) {
        let mut vouchers = self.lock();
        vouchers.clear();
        add(&mut vouchers, PAGES_OWN, pages_own_amount());
    }

    /// One try to redeem a voucher for what the request asks.
    pub(crate) fn attempt(&self, pin: &VoucherPin, asked: Amount) -> Tried {
        let transaction_id = format!("{:024x}", random(1 << 96));
        let mut vouchers = self.lock();
        let plays = script::plays(pin);
        if plays.is_some() && !vouchers.contains_key(pin.expose()) {
            add(&mut vouchers, pin.expose(), asked);
        }
        let play = match vouchers.get_mut(pin.expose()) {
            Some(voucher) => voucher.attempt(plays, asked, &transaction_id),
            None => script::say(Say::InvalidPin),
        };
        Tried { play, amount: asked, transaction_id, serial: format!("FP-{:010}", random(10_u128.pow(10))) }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Voucher>> {
        self.0.lock().expect("nothing panics while it holds the ledger")
    }
}

impl Voucher {
    fn attempt(&mut self, plays: Option<&[Play]>, asked: Amount, transaction_id: &str) -> Play {
        self.tries = self.tries.saturating_add(1);
        if self.transaction_id.is_some() {
            return script::say(Say::AlreadyRedeemed);
        }
        let play = if let Some(plays) = plays {
            self.amount = asked;
            let nth = usize::try_from(self.tries).unwrap_or(usize::MAX).min(plays.len());
            plays[nth - 1]
        } else if self.amount.currency() != asked.currency() {
            script::say(Say::MismatchedCurrency)
        } else if self.amount != asked {
            script::say(Say::MismatchedAmount)
        } else {
            REDEEM
        };
        if play.takes {
            self.transaction_id = Some(transaction_id.to_owned());
        }
        play
    }
}

fn add(vouchers: &mut BTreeMap<String, Voucher>, digits: &str, amount: Amount) -> VoucherPin {
    let pin = VoucherPin::from_wire(digits).expect("every caller has 16 digits");
    vouchers.insert(digits.to_owned(), Voucher { pin: pin.clone(), amount, transaction_id: None, tries: 0 });
    pin
}

fn pages_own_amount() -> Amount {
    let eur: Currency = "EUR".parse().expect("EUR is a currency");
    Amount::from_minor(2500, eur).expect("25.00 EUR is an amount")
}

/// A random number below `bound`.
fn random(bound: u128) -> u128 {
    Uuid::new_v4().as_u128() % bound
}
