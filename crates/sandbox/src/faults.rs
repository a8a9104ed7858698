//! What goes wrong with the tries of issued vouchers: a plan, set by the back office or by
//! [`crate::Ledger::set_faults`]. Without one nothing does.
//!
//! The fault of a try is a pure function of the plan's seed, the voucher's number in the order of issue and the number
//! of the try: whoever sets the same seed again meets the same faults. Owns the names, the shares and the delays; what
//! a try does without a fault is the ledger's.

use crate::replies::Refused;
use crate::script::{Act, Play, Say};
use serde_json::{Map, Value, json};
use std::time::Duration;

/// While there is a plan nothing is taken later than this after it arrived: whoever asks gives up at 45 s, the
/// contract's upstream deadline.
const LATEST: Duration = Duration::from_secs(42);

/// Delays in seconds: past what a proxy waits before it says "pending", and past what a browser waits.
const PAST_25: (f64, f64) = (25.5, 29.0);
const PAST_30: (f64, f64) = (30.5, 39.0);

macro_rules! faults {
    ($($(#[$doc:meta])+ $name:ident = $word:literal, $storm:literal;)+) => {
        /// What goes wrong with one try.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Fault { $($(#[$doc])+ $name,)+ }

        /// Every fault, its name in the back office, and its share in the mix called `storm`.
        const FAULTS: &[(Fault, &str, f64)] = &[$((Fault::$name, $word, $storm),)+];
    };
}

faults! {
    /// The connection closes without a byte; the voucher is as it was.
    CutBefore = "cutBefore", 0.06;
    /// The voucher is taken, then the connection closes without a byte.
    CutAfter = "cutAfter", 0.03;
    /// Taken and answered after more than 25 s.
    Past25 = "past25", 0.04;
    /// Taken and answered after more than 30 s, well before the upstream deadline.
    Past30 = "past30", 0.04;
    /// The request is processed a second time before the first time is answered.
    Twice = "twice", 0.04;
    /// Half an answer; the voucher is as it was.
    Garbage = "garbage", 0.03;
    /// The voucher is taken; half an answer.
    GarbageTaken = "garbageTaken", 0.01;
    /// A gateway's 502 page; the voucher is as it was.
    Page = "page", 0.03;
    /// The voucher is taken; a gateway's 502 page.
    PageTaken = "pageTaken", 0.01;
    /// 500 without a code; the voucher is as it was.
    Error = "error500", 0.03;
    /// The voucher is taken; 500 without a code.
    ErrorTaken = "error500Taken", 0.01;
    /// 429 with `Retry-After`; not processed.
    TooManyRequests = "tooManyRequests", 0.05;
    /// `PSP_UNAVAILABLE`; the voucher is as it was.
    Unavailable = "pspUnavailable", 0.03;
    /// `PSP_TIMEOUT`; the voucher is as it was.
    Timeout = "pspTimeout", 0.03;
    /// The voucher is taken; `PSP_TIMEOUT`.
    TimeoutTaken = "pspTimeoutTaken", 0.01;
    /// The voucher is taken; `PENDING` without a result.
    PendingTaken = "pendingTaken", 0.005;
}

/// A plan of faults.
#[derive(Clone, Debug, PartialEq)]
pub struct Faults {
    /// Repeats the faults of every voucher and try.
    pub seed: u64,
    /// What every delay is multiplied by, from 0 to 1.
    pub time_scale: f64,
    /// The share of tries that each fault befalls, together at most 1.
    pub rates: Vec<(Fault, f64)>,
}

/// A fault and what it needs to happen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Befallen {
    pub(crate) fault: Fault,
    /// How long the try takes between its check and its taking.
    pub(crate) delay: Duration,
}

impl Faults {
    /// The mix called `storm`: something befalls every second try, and every thirteenth takes the voucher and is not
    /// told of.
    pub fn storm(seed: u64, time_scale: f64) -> Self {
        Self { seed, time_scale, rates: FAULTS.iter().map(|(fault, _, share)| (*fault, *share)).collect() }
    }

    /// Reads the body of `POST /sandbox/faults`; `None` where the rates are `none`.
    pub(crate) fn read(body: &[u8], fresh_seed: u64) -> Result<Option<Self>, Refused> {
        let invalid = |error: String| Refused::Invalid(vec![error]);
        let body: Map<String, Value> =
            serde_json::from_slice(body).map_err(|_| invalid("body must be a JSON object".to_owned()))?;
        if let Some(unknown) = body.keys().find(|key| !matches!(key.as_str(), "seed" | "timeScale" | "rates")) {
            return Err(invalid(format!("{unknown} is no setting: there are seed, timeScale and rates")));
        }
        let seed = match body.get("seed") {
            None => fresh_seed,
            Some(seed) => seed.as_u64().ok_or_else(|| invalid("seed must be a whole number from 0".to_owned()))?,
        };
        let time_scale = body.get("timeScale").map_or(Some(1.0), Value::as_f64);
        let time_scale = time_scale
            .filter(|scale| (0.0..=1.0).contains(scale))
            .ok_or_else(|| invalid("timeScale must be a number from 0 to 1".to_owned()))?;
        match body.get("rates") {
            None => Err(Refused::Missing("rates")),
            Some(Value::String(name)) if name == "none" => Ok(None),
            Some(Value::String(name)) if name == "storm" => Ok(Some(Self::storm(seed, time_scale))),
            Some(Value::Object(rates)) => {
                let rates = rates.iter().map(|(name, share)| rate(name, share)).collect::<Result<Vec<_>, _>>();
                let rates = rates.map_err(invalid)?;
                if rates.iter().map(|(_, share)| share).sum::<f64>() > 1.0 {
                    return Err(invalid("rates must be at most 1 together".to_owned()));
                }
                Ok(Some(Self { seed, time_scale, rates }))
            }
            Some(_) => Err(invalid("rates must be none, storm, or an object of shares".to_owned())),
        }
    }

    /// The plan as the back office tells it.
    pub(crate) fn told(&self) -> Value {
        let name = |fault: Fault| FAULTS.iter().find(|(known, ..)| *known == fault).map_or("", |(_, name, _)| name);
        let rates: Map<String, Value> =
            self.rates.iter().map(|(fault, share)| (name(*fault).to_owned(), json!(share))).collect();
        json!({"seed": self.seed, "timeScale": self.time_scale, "rates": rates})
    }

    /// What befalls a try, if anything: always the same for the same seed, voucher and number of try.
    pub(crate) fn of(&self, voucher: u64, try_number: u32) -> Option<Befallen> {
        let mut random = fastrand::Rng::with_seed(self.seed);
        let mut random = fastrand::Rng::with_seed(random.u64(..) ^ voucher);
        let mut random = fastrand::Rng::with_seed(random.u64(..) ^ u64::from(try_number));
        let mut drawn = random.f64();
        let (fault, _) = self.rates.iter().find(|(_, share)| {
            drawn -= share;
            drawn < 0.0
        })?;
        let between = |(from, to): (f64, f64), part: f64| Duration::from_secs_f64(from + (to - from) * part);
        let delay = match fault {
            Fault::Past25 => between(PAST_25, random.f64()),
            Fault::Past30 => between(PAST_30, random.f64()),
            _ => Duration::ZERO,
        };
        Some(Befallen { fault: *fault, delay: delay.mul_f64(self.time_scale) })
    }

    /// How long after its arrival a try may take the voucher.
    pub(crate) fn latest(&self) -> Duration {
        LATEST.mul_f64(self.time_scale)
    }
}

fn rate(name: &str, share: &Value) -> Result<(Fault, f64), String> {
    let (fault, ..) =
        FAULTS.iter().find(|(_, known, _)| *known == name).ok_or_else(|| format!("{name} is no fault"))?;
    let share = share.as_f64().filter(|share| (0.0..=1.0).contains(share));
    Ok((*fault, share.ok_or_else(|| format!("{name} must be a number from 0 to 1"))?))
}

impl Fault {
    /// What the try does, given what it would have done. A fault never takes what would not have been taken.
    pub(crate) fn change(self, play: Play) -> Play {
        let untouched = |act| Play { takes: false, act };
        let as_it_was = |act| Play { takes: play.takes, act };
        match self {
            Self::CutBefore => untouched(Act::Cut),
            Self::CutAfter => as_it_was(Act::Cut),
            Self::Garbage => untouched(Act::Say(Say::HalfAnAnswer)),
            Self::GarbageTaken => as_it_was(Act::Say(Say::HalfAnAnswer)),
            Self::Page => untouched(Act::Say(Say::HtmlPage)),
            Self::PageTaken => as_it_was(Act::Say(Say::HtmlPage)),
            Self::Error => untouched(Act::Say(Say::ServerError)),
            Self::ErrorTaken => as_it_was(Act::Say(Say::ServerError)),
            Self::TooManyRequests => untouched(Act::Say(Say::TooManyRequests)),
            Self::Unavailable => untouched(Act::Say(Say::PspUnavailable)),
            Self::Timeout => untouched(Act::Say(Say::PspTimeout)),
            Self::TimeoutTaken => as_it_was(Act::Say(Say::PspTimeout)),
            // Nothing is pending about a voucher that is refused.
            Self::PendingTaken if play.takes => as_it_was(Act::Say(Say::Pending)),
            Self::Past25 | Self::Past30 | Self::Twice | Self::PendingTaken => play,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::say;

    #[test]
    fn a_seed_repeats_the_faults_of_every_voucher_and_try() {
        let all = |seed: u64| -> Vec<_> {
            let plan = Faults::storm(seed, 1.0);
            (0..1000).flat_map(|voucher| (1..5).map(move |nth| (voucher, nth))).map(|(v, n)| plan.of(v, n)).collect()
        };
        assert_eq!(all(7), all(7));
        assert_ne!(all(7), all(8));
    }

    #[test]
    fn each_fault_has_about_its_share() {
        let plan = Faults::storm(3, 1.0);
        for (fault, name, share) in FAULTS {
            let hits = (0..20_000).filter(|v| plan.of(*v, 1).is_some_and(|befallen| befallen.fault == *fault)).count();
            let found = f64::from(u32::try_from(hits).expect("a small number")) / 20_000.0;
            assert!((found - share).abs() < 0.01, "{name}: {found} of {share}");
        }
    }

    #[test]
    fn slow_tries_end_within_the_deadline_at_every_scale() {
        for scale in [1.0, 0.1, 0.01] {
            let plan = Faults { seed: 1, time_scale: scale, rates: vec![(Fault::Past25, 0.5), (Fault::Past30, 0.5)] };
            for befallen in (0..1000).filter_map(|voucher| plan.of(voucher, 1)) {
                let least = if befallen.fault == Fault::Past25 { 25.0 } else { 30.0 };
                let seconds = befallen.delay.as_secs_f64() / scale;
                assert!(seconds > least && seconds < 39.1, "{befallen:?}");
                assert!(befallen.delay < plan.latest());
            }
        }
    }

    #[test]
    fn no_fault_takes_what_would_not_have_been_taken() {
        for (fault, name, _) in FAULTS {
            assert!(!fault.change(say(Say::MismatchedAmount)).takes, "{name}");
        }
    }

    #[test]
    fn the_readme_tells_every_fault_with_its_share() {
        let told: Vec<(String, f64)> = include_str!("../README.md")
            .lines()
            .filter_map(|line| {
                let cells: Vec<&str> = line.strip_prefix("| `")?.split('|').collect();
                let share = cells.get(2)?.trim().strip_suffix(" %")?.parse::<f64>().ok()?;
                Some((cells[0].trim().trim_end_matches('`').to_owned(), share))
            })
            .collect();
        let known: Vec<_> = FAULTS.iter().map(|(_, name, share)| ((*name).to_owned(), share * 100.0)).collect();
        assert_eq!(told, known);
    }
}
