//! The ledger: which vouchers there are, what each is worth, which transactions took it. In memory, behind one lock.
//!
//! A try has two steps, each under the lock, with time between: it is checked, and if nothing stands against it then,
//! it takes the voucher. So two tries at the same moment can both take one voucher, and the ledger counts it. It
//! decides what a try does (page "Flexepin", "Voucher-level rejection", the script and the plan of faults); how that is
//! said is `replies.rs`.

use crate::faults::{Befallen, Faults};
use crate::script::{self, Play, REDEEM, Say};
use mozarto::{Amount, Currency, VoucherPin};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};
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
    /// The transactions that took it, 24 hexadecimal digits each, in order; none while it can still be redeemed. Two or
    /// more are money taken twice.
    pub taken_by: Vec<String>,
    /// How many valid requests that named it were processed.
    pub tries: u32,
    /// Its place in the order of issue, from 0, by which faults befall it; none befall the others.
    number: Option<u64>,
}

/// One try that was processed.
#[derive(Clone, Debug)]
pub struct Try {
    /// The voucher's PIN. Prints as `[PIN]`.
    pub pin: VoucherPin,
    /// `brandId`, as the request had it.
    pub brand_id: Option<String>,
    /// Its transaction.
    pub transaction_id: String,
    /// When its processing began.
    pub began: Instant,
    /// Whether it took the voucher.
    pub took: bool,
}

/// The vouchers. [`Default`] has the page's own one.
pub struct Ledger(Mutex<Book>);

#[derive(Default)]
struct Book {
    vouchers: BTreeMap<String, Voucher>,
    issued: u64,
    tries: Vec<Try>,
    faults: Option<Faults>,
}

/// What one try comes to, once it is checked.
pub(crate) struct Tried {
    pub(crate) play: Play,
    /// What goes wrong with it.
    pub(crate) befallen: Option<Befallen>,
    /// How long after its arrival it may take the voucher, where that has an end.
    pub(crate) latest: Option<Duration>,
    pub(crate) amount: Amount,
    /// Of this try, whether or not it takes the voucher.
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
        let mut book = self.lock();
        loop {
            let digits = format!("{:016}", random(10_u128.pow(16)));
            if !digits.starts_with(script::PREFIX) && !book.vouchers.contains_key(&digits) {
                let number = book.issued;
                book.issued += 1;
                return add(&mut book.vouchers, &digits, amount, Some(number));
            }
        }
    }

    /// Every voucher, ordered by PIN.
    pub fn vouchers(&self) -> Vec<Voucher> {
        self.lock().vouchers.values().cloned().collect()
    }

    /// Every try with 16 digits for a PIN, in the order in which they began.
    pub fn tries(&self) -> Vec<Try> {
        self.lock().tries.clone()
    }

    /// What goes wrong from now on with the tries of issued vouchers; `None` ends it.
    pub fn set_faults(&self, faults: Option<Faults>) {
        self.lock().faults = faults;
    }

    /// Forgets every voucher, try and fault; what is left is the page's own voucher, unused.
    pub fn reset(&self) {
        let mut book = self.lock();
        *book = Book::default();
        add(&mut book.vouchers, PAGES_OWN, pages_own_amount(), None);
    }

    /// The first step of a try to redeem a voucher for what the request asks: what it comes to. `faulty` is whether the
    /// plan of faults holds for it.
    pub(crate) fn check(&self, pin: &VoucherPin, asked: Amount, brand_id: Option<String>, faulty: bool) -> Tried {
        let transaction_id = format!("{:024x}", random(1 << 96));
        let mut book = self.lock();
        let Book { vouchers, tries, faults, .. } = &mut *book;
        tries.push(Try {
            pin: pin.clone(),
            brand_id,
            transaction_id: transaction_id.clone(),
            began: Instant::now(),
            took: false,
        });
        let plays = script::plays(pin);
        if plays.is_some() && !vouchers.contains_key(pin.expose()) {
            add(vouchers, pin.expose(), asked, None);
        }
        let (play, befallen) = match vouchers.get_mut(pin.expose()) {
            Some(voucher) => voucher.check(plays, asked, faults.as_ref().filter(|_| faulty)),
            None => (script::say(Say::InvalidPin), None),
        };
        let serial = format!("FP-{:010}", random(10_u128.pow(10)));
        let latest = faults.as_ref().map(Faults::latest);
        Tried { play, befallen, latest, amount: asked, transaction_id, serial }
    }

    /// The second step: takes the voucher, whatever has happened to it since the check.
    pub(crate) fn take(&self, pin: &VoucherPin, transaction_id: &str) {
        let mut book = self.lock();
        // A reset in between has forgotten both.
        if let Some(voucher) = book.vouchers.get_mut(pin.expose()) {
            voucher.taken_by.push(transaction_id.to_owned());
        }
        if let Some(this) = book.tries.iter_mut().rev().find(|this| this.transaction_id == transaction_id) {
            this.took = true;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Book> {
        self.0.lock().expect("nothing panics while it holds the ledger")
    }
}

impl Voucher {
    /// Whether a try at this sandbox took it.
    pub fn is_taken(&self) -> bool {
        !self.taken_by.is_empty()
    }

    fn check(&mut self, plays: Option<&[Play]>, asked: Amount, faults: Option<&Faults>) -> (Play, Option<Befallen>) {
        self.tries = self.tries.saturating_add(1);
        let play = self.play(plays, asked);
        let befallen = faults.zip(self.number).and_then(|(faults, number)| faults.of(number, self.tries));
        (befallen.map_or(play, |befallen| befallen.fault.change(play)), befallen)
    }

    /// What this try does where nothing goes wrong.
    fn play(&mut self, plays: Option<&[Play]>, asked: Amount) -> Play {
        if self.is_taken() {
            return script::say(Say::AlreadyRedeemed);
        }
        if let Some(plays) = plays {
            self.amount = asked;
            let nth = usize::try_from(self.tries).unwrap_or(usize::MAX).min(plays.len());
            plays[nth - 1]
        } else if self.amount.currency() != asked.currency() {
            script::say(Say::MismatchedCurrency)
        } else if self.amount != asked {
            script::say(Say::MismatchedAmount)
        } else {
            REDEEM
        }
    }
}

fn add(vouchers: &mut BTreeMap<String, Voucher>, digits: &str, amount: Amount, number: Option<u64>) -> VoucherPin {
    let pin = VoucherPin::from_wire(digits).expect("every caller has 16 digits");
    let voucher = Voucher { pin: pin.clone(), amount, taken_by: Vec::new(), tries: 0, number };
    vouchers.insert(digits.to_owned(), voucher);
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
