//! What a storm found, for people: the counts, whether they are as they must be, and the attempts that are not. Never a
//! PIN.

use crate::books::Rule;
use crate::journal::Entry;
use crate::settings::LEAST_REDEEMED;
use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

/// How many attempts of a broken rule are named.
const NAMED: usize = 10;

/// What a storm found.
pub struct Report {
    pub(crate) seed: u64,
    pub(crate) took: Duration,
    pub(crate) vouchers: usize,
    pub(crate) customers: usize,
    pub(crate) attempts: usize,
    pub(crate) posts: usize,
    pub(crate) tries: usize,
    pub(crate) blows: Vec<(&'static str, u32)>,
    pub(crate) valid: usize,
    pub(crate) redeemed_before: usize,
    pub(crate) redeemed_after: usize,
    pub(crate) untouched_at_hand: Vec<usize>,
    pub(crate) credits: usize,
    pub(crate) broken: Vec<(Rule, Vec<String>)>,
    pub(crate) told: HashMap<String, Entry>,
}

impl Report {
    /// How many attempts break a rule.
    pub fn count(&self, rule: Rule) -> usize {
        self.broken.iter().find(|(known, _)| *known == rule).map_or(0, |(_, keys)| keys.len())
    }

    /// The rules that are broken.
    pub fn broken(&self) -> Vec<Rule> {
        self.broken.iter().filter(|(_, keys)| !keys.is_empty()).map(|(rule, _)| *rule).collect()
    }

    /// Whether enough vouchers were redeemed before the last round, and every untouched one in it.
    pub fn enough_redeemed(&self) -> bool {
        share(self.redeemed_before, self.valid) >= LEAST_REDEEMED && self.untouched_at_hand.is_empty()
    }

    /// Whether everything is as it must be.
    pub fn is_good(&self) -> bool {
        self.broken().is_empty() && self.enough_redeemed()
    }
}

#[expect(clippy::cast_precision_loss, reason = "a number of vouchers")]
fn share(part: usize, of: usize) -> f64 {
    if of == 0 { 1.0 } else { part as f64 / of as f64 }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { vouchers, customers, attempts, posts, tries, valid, .. } = self;
        writeln!(f, "\n{vouchers} vouchers, {customers} customers, seed {}, {} s", self.seed, self.took.as_secs())?;
        writeln!(f, "{attempts} attempts, {posts} POSTs, {tries} tries at Mozarto, {} credits", self.credits)?;
        for (name, times) in &self.blows {
            writeln!(f, "proxy: {name}, {times} times")?;
        }
        writeln!(f)?;
        for (rule, keys) in &self.broken {
            writeln!(f, "{:>7}  {}", keys.len(), rule.title())?;
        }
        let percent = |part| 100.0 * share(part, *valid);
        writeln!(
            f,
            "\n{:>6.1}%  of {valid} valid vouchers redeemed before the last round; at least {:.0}% wanted",
            percent(self.redeemed_before),
            100.0 * LEAST_REDEEMED
        )?;
        writeln!(f, "{:>6.1}%  after it", percent(self.redeemed_after))?;
        writeln!(f, "{:>7}  untouched with the PIN at hand after it; none wanted", self.untouched_at_hand.len())?;
        for (rule, keys) in self.broken.iter().filter(|(_, keys)| !keys.is_empty()) {
            writeln!(f, "\n{}:", rule.title())?;
            for key in keys.iter().take(NAMED) {
                writeln!(f, "  {key}: {}", self.story(key))?;
            }
            if keys.len() > NAMED {
                writeln!(f, "  and {} more", keys.len() - NAMED)?;
            }
        }
        if !self.untouched_at_hand.is_empty() {
            let numbers: Vec<String> = self.untouched_at_hand.iter().take(NAMED).map(usize::to_string).collect();
            writeln!(f, "\nuntouched with the PIN at hand: vouchers {} in the order of issue", numbers.join(", "))?;
        }
        let verdict = if self.is_good() { "the storm passed" } else { "THE STORM DID NOT PASS" };
        writeln!(f, "\n{verdict}; --seed {} repeats its faults", self.seed)
    }
}

impl Report {
    /// What clients were told about an attempt.
    fn story(&self, key: &str) -> String {
        let Some(entry) = self.told.get(key) else { return "no client used it".to_owned() };
        let told: Vec<String> = entry.told.iter().map(|told| format!("{:?} {}", told.what, told.code)).collect();
        format!(
            "{} POSTs; told {}",
            entry.posts.len(),
            if told.is_empty() { "nothing".into() } else { told.join(", ") }
        )
    }
}
