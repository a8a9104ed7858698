//! Who comes to the shop: vouchers and customers, drawn from the seed. Each voucher's draws are its own, so that
//! voucher 17 meets the same customer in a storm of any size.

use crate::Settings;
use crate::customer::{Customer, Leaving, Shop, VALUES};
use crate::page::Browser;
use fastrand::Rng;
use mozarto::{Amount, VoucherPin};
use mozarto_sandbox::Ledger;
use std::sync::Arc;
use std::time::Duration;

/// A voucher and what is wanted of it.
#[derive(Clone, Debug)]
pub(crate) struct Voucher {
    pub(crate) pin: VoucherPin,
    pub(crate) value: Amount,
    /// It was issued, and is redeemed for what it is worth.
    pub(crate) valid: bool,
    /// Somebody has its PIN in the last round.
    pub(crate) at_hand: bool,
}

/// Issues the vouchers and draws their customers, in the order in which they come.
pub(crate) fn gather(settings: &Settings, ledger: &Ledger, shop: &Arc<Shop>) -> (Vec<Voucher>, Vec<Customer>) {
    let habits = &settings.habits;
    let eur = "EUR".parse().expect("EUR is a currency");
    let (mut vouchers, mut customers) = (Vec::new(), Vec::new());
    for number in 0..settings.redemptions {
        let mut seeds = Rng::with_seed(settings.seed);
        let mut random = Rng::with_seed(seeds.u64(..) ^ u64::try_from(number).unwrap_or(u64::MAX));
        let mut is = |share: f64| random.f64() < share;
        let (two_keys, no_voucher, wrong_amount) =
            (is(habits.two_keys), is(habits.no_voucher), is(habits.wrong_amount));
        let value = random.usize(0..VALUES.len());
        let amount = Amount::from_minor(VALUES[value], eur).expect("every value is an amount");
        // Issued in any case: its place in the order of issue decides its faults.
        let issued = ledger.issue(amount);
        let pin = if no_voucher { never_issued(number) } else { issued };
        let chosen = if wrong_amount { (value + 1) % VALUES.len() } else { value };
        let same_customer = random.bool();
        let mut at_hand = false;
        for nth in 0..=usize::from(two_keys) {
            let user = if same_customer { number.to_string() } else { format!("{number}-{nth}") };
            let within = |random: &mut Rng, share: f64, seconds: f64| {
                let after = Duration::from_secs_f64(random.f64() * seconds);
                (random.f64() < share).then_some(after)
            };
            let customer = Customer {
                shop: Arc::clone(shop),
                browser: Browser::default(),
                user_id: format!("customer_{user}"),
                pin: pin.clone(),
                value,
                chosen,
                reloads_after: within(&mut random, habits.reload, 15.0),
                leaves: within(&mut random, habits.leave, 30.0)
                    .map(|after| Leaving { after, returns: two_keys || random.bool() }),
                comes_after: within(&mut random, 0.5 * f64::from(u8::from(nth > 0)), 5.0).unwrap_or_default(),
                redeemed: false,
                gone: false,
                submitted: false,
                random: random.fork(),
            };
            at_hand |= customer.leaves.is_none_or(|leaving| leaving.returns);
            customers.push(customer);
        }
        vouchers.push(Voucher { pin, value: amount, valid: !no_voucher && !wrong_amount, at_hand });
    }
    (vouchers, customers)
}

/// A PIN that the sandbox never issues: it begins as the scripted ones do, and there is no such script.
fn never_issued(number: usize) -> VoucherPin {
    VoucherPin::from_wire(&format!("9900{:012}", 999_900_000_000 + number)).expect("16 digits")
}
