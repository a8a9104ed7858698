//! Four ledgers side by side, and what must not be in them. Pure: what the sandbox, the proxy, the clients and the
//! merchant have written down goes in, the broken rules come out, each with the keys of the attempts that break it.

use crate::journal::Entry;
use crate::merchant::Row;
use mozarto::{Amount, Currency, Meaning, Money, Signal};
use std::collections::{HashMap, HashSet};
use std::time::Instant;

macro_rules! rules {
    ($($(#[$doc:meta])+ $name:ident = $title:literal,)+) => {
        /// What must not happen to any attempt.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Rule { $($(#[$doc])+ $name,)+ }

        impl Rule {
            /// Every rule, in the order of the report.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// What it says in the report.
            pub fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)+ }
            }
        }
    };
}

rules! {
    /// Two tries took one voucher.
    TakenTwice = "taken twice",
    /// A try reached Mozarto after somebody had got a final answer of its key.
    SentAfterFinal = "sent upstream after a final answer of the same key",
    /// A try of this key took the voucher, and somebody was told that none had.
    TakenButDenied = "taken by a try of this key but told rejected, failed or untouched",
    /// A customer or the merchant was told that it was redeemed, and no try of this key took anything.
    UntouchedButRedeemed = "untouched but told redeemed",
    /// A customer was told that it was redeemed, and the proxy does not say so.
    ProxySaysOtherwise = "told redeemed but the proxy says otherwise",
    /// The merchant was told twice of one attempt, or of one transaction.
    CreditedTwice = "credited twice",
    /// The merchant was never told of it, or told another value.
    NotInOutbox = "redeemed but not in the outbox",
    /// Nobody can say what became of it.
    WithoutState = "without a state",
}

/// What the proxy says of an attempt at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Says {
    Redeemed,
    /// Ended, and the voucher is as it was.
    Untouched,
    /// Not known: waiting for the next try, or for staff.
    Open,
    /// A try still runs, long after every try must have ended.
    Running,
    /// Nothing was sent under this key.
    Unknown,
    /// No answer, or one that does not say that it keeps this attempt.
    Nothing,
}

impl Says {
    /// Whether this is no state that an attempt can stay in.
    pub(crate) fn is_unclear(self) -> bool {
        matches!(self, Self::Running | Self::Nothing)
    }

    /// From the answer to a GET.
    pub(crate) fn of(meaning: &Meaning, kept: bool) -> Self {
        match &meaning.signal {
            _ if !kept => Self::Nothing,
            Signal::Redeemed(_) => Self::Redeemed,
            Signal::AttemptUnknown => Self::Unknown,
            Signal::TryRunning | Signal::AttemptInProgress => Self::Running,
            Signal::AttemptClosed | Signal::SettledUntouched => Self::Untouched,
            signal if signal.is_retried() || signal.money() == Money::Unknown => Self::Open,
            signal if signal.is_the_proxys() => Self::Nothing,
            _ => Self::Untouched,
        }
    }
}

/// One try as Mozarto has it.
#[derive(Clone, Debug)]
pub(crate) struct SeenTry {
    /// The attempt; empty where the request did not say.
    pub(crate) key: String,
    /// Which voucher, if it was issued.
    pub(crate) voucher: Option<usize>,
    pub(crate) began: Instant,
    pub(crate) took: bool,
}

/// The four ledgers.
pub(crate) struct Books {
    /// What each voucher is worth.
    pub(crate) values: Vec<Amount>,
    pub(crate) mozarto: Vec<SeenTry>,
    pub(crate) proxy: HashMap<String, Says>,
    pub(crate) clients: HashMap<String, Entry>,
    pub(crate) merchant: Vec<Row>,
}

impl Books {
    /// The attempts that break each rule, in the order of the rules, sorted.
    pub(crate) fn compare(&self) -> Vec<(Rule, Vec<String>)> {
        let compared = |rule: &Rule| {
            let mut keys = match rule {
                Rule::TakenTwice => self.taken_twice(),
                Rule::SentAfterFinal => self.sent_after_final(),
                Rule::TakenButDenied => self.taken_but_denied(),
                Rule::UntouchedButRedeemed => self.untouched_but_redeemed(),
                Rule::ProxySaysOtherwise => self.proxy_says_otherwise(),
                Rule::CreditedTwice => self.credited_twice(),
                Rule::NotInOutbox => self.not_in_outbox(),
                Rule::WithoutState => self.without_state(),
            };
            keys.sort();
            keys.dedup();
            (*rule, keys)
        };
        Rule::ALL.iter().map(compared).collect()
    }

    fn taken_twice(&self) -> Vec<String> {
        let mut takers: HashMap<usize, Vec<&SeenTry>> = HashMap::new();
        for one in self.takings() {
            if let Some(voucher) = one.voucher {
                takers.entry(voucher).or_default().push(one);
            }
        }
        takers.into_values().filter(|takers| takers.len() > 1).flatten().map(|one| one.key.clone()).collect()
    }

    fn sent_after_final(&self) -> Vec<String> {
        let told = self.merchant.iter().map(|row| (row.attempt.as_str(), row.at));
        let answered = self.clients.iter().filter_map(|(key, entry)| Some((key.as_str(), entry.final_at?)));
        let mut finals: HashMap<&str, Instant> = HashMap::new();
        for (key, at) in told.chain(answered) {
            finals.entry(key).and_modify(|before| *before = at.min(*before)).or_insert(at);
        }
        let late = |one: &&SeenTry| finals.get(one.key.as_str()).is_some_and(|at| one.began > *at);
        self.mozarto.iter().filter(late).map(|one| one.key.clone()).collect()
    }

    fn taken_but_denied(&self) -> Vec<String> {
        let denied = |one: &&SeenTry| {
            let by_the_proxy = self.proxy.get(&one.key) == Some(&Says::Untouched);
            by_the_proxy
                || self.clients.get(&one.key).is_some_and(|entry| {
                    // A customer who was told "failed" may have it tried again: then it was true when it was told.
                    let tried_again = |at: Instant| entry.posts.iter().any(|post| at < *post && *post < one.began);
                    entry.told.iter().any(|told| told.what.denies() && !tried_again(told.at))
                })
        };
        self.takings().filter(denied).map(|one| one.key.clone()).collect()
    }

    fn untouched_but_redeemed(&self) -> Vec<String> {
        let credited = self.credits().map(|row| row.attempt.clone());
        let took: HashSet<&str> = self.takings().map(|one| one.key.as_str()).collect();
        credited.chain(self.told_redeemed()).filter(|key| !took.contains(key.as_str())).collect()
    }

    fn proxy_says_otherwise(&self) -> Vec<String> {
        self.told_redeemed().filter(|key| self.proxy.get(key) != Some(&Says::Redeemed)).collect()
    }

    fn credited_twice(&self) -> Vec<String> {
        let mut twice = Vec::new();
        let (mut attempts, mut transactions) = (HashMap::new(), HashMap::new());
        for row in self.credits() {
            let before = attempts.insert(row.attempt.as_str(), row.sequence);
            let again = row.transaction_id.as_deref().and_then(|id| transactions.insert(id, row.sequence));
            if before.is_some() || again.is_some() {
                twice.push(row.attempt.clone());
            }
        }
        twice
    }

    fn not_in_outbox(&self) -> Vec<String> {
        let credits: HashMap<&str, &Row> = self.credits().map(|row| (row.attempt.as_str(), row)).collect();
        let values: HashMap<&str, Amount> =
            self.takings().filter_map(|one| Some((one.key.as_str(), self.values[one.voucher?]))).collect();
        let says_so = self.proxy.iter().filter(|(_, says)| **says == Says::Redeemed).map(|(key, _)| key.clone());
        says_so
            .chain(self.told_redeemed())
            .filter(|key| match credits.get(key.as_str()) {
                Some(row) => values.get(key.as_str()).is_some_and(|value| credited(row) != Some(*value)),
                None => true,
            })
            .collect()
    }

    fn without_state(&self) -> Vec<String> {
        let sent: HashSet<&str> = self.mozarto.iter().map(|one| one.key.as_str()).collect();
        let lost = |(key, entry): &(&String, &Entry)| {
            let says = self.proxy.get(*key).copied().unwrap_or(Says::Nothing);
            // Who was told the end has a state; that the proxy has none is another rule's.
            let forgotten = says == Says::Unknown && sent.contains(key.as_str()) && !entry.is_redeemed();
            says.is_unclear() || forgotten || (entry.told.is_empty() && !entry.stored)
        };
        self.clients.iter().filter(lost).map(|(key, _)| key.clone()).collect()
    }

    fn takings(&self) -> impl Iterator<Item = &SeenTry> {
        self.mozarto.iter().filter(|one| one.took)
    }

    fn credits(&self) -> impl Iterator<Item = &Row> {
        self.merchant.iter().filter(|row| row.outcome == "redeemed")
    }

    fn told_redeemed(&self) -> impl Iterator<Item = String> {
        self.clients.iter().filter(|(_, entry)| entry.is_redeemed()).map(|(key, _)| key.clone())
    }
}

fn credited(row: &Row) -> Option<Amount> {
    let currency: Currency = row.currency.as_deref()?.parse().ok()?;
    Amount::from_json_number(row.value?, currency).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::{Told, What};
    use std::time::Duration;

    /// Four ledgers of one voucher of 25.00 EUR, redeemed under the key `a` as it should be: posted, begun at Mozarto,
    /// answered and told, polled by the merchant, a second each.
    struct Story {
        start: Instant,
        books: Books,
    }

    impl Story {
        fn new() -> Self {
            let start = Instant::now();
            let value = Amount::from_minor(2500, "EUR".parse().expect("a currency")).expect("an amount");
            let books = Books {
                values: vec![value],
                mozarto: Vec::new(),
                proxy: HashMap::new(),
                clients: HashMap::new(),
                merchant: Vec::new(),
            };
            let mut story = Self { start, books };
            story.post("a", 0).seen("a", 1, true).told("a", 2, What::Redeemed).says("a", Says::Redeemed).row("a", 25.0);
            story
        }

        fn at(&self, second: u64) -> Instant {
            self.start + Duration::from_secs(second)
        }

        fn post(&mut self, key: &str, second: u64) -> &mut Self {
            let at = self.at(second);
            self.books.clients.entry(key.into()).or_default().posts.push(at);
            self
        }

        fn seen(&mut self, key: &str, second: u64, took: bool) -> &mut Self {
            let began = self.at(second);
            self.books.mozarto.push(SeenTry { key: key.into(), voucher: Some(0), began, took });
            self
        }

        fn told(&mut self, key: &str, second: u64, what: What) -> &mut Self {
            let at = self.at(second);
            let entry = self.books.clients.entry(key.into()).or_default();
            entry.told.push(Told { at, what, code: "CODE" });
            entry.final_at = (what == What::Redeemed).then_some(at);
            self
        }

        fn says(&mut self, key: &str, says: Says) -> &mut Self {
            self.books.proxy.insert(key.into(), says);
            self
        }

        fn row(&mut self, attempt: &str, value: f64) -> &mut Self {
            let sequence = u64::try_from(self.books.merchant.len() + 1).expect("few");
            self.books.merchant.push(Row {
                sequence,
                attempt: attempt.into(),
                transaction_id: Some(attempt.into()),
                currency: Some("EUR".into()),
                value: Some(value),
                outcome: "redeemed".into(),
                at: self.at(3),
            });
            self
        }

        fn seen_nothing(&mut self) -> &mut Self {
            self.books.mozarto.clear();
            self
        }

        fn told_nothing(&mut self) -> &mut Self {
            self.books.clients.clear();
            self
        }

        fn no_rows(&mut self) -> &mut Self {
            self.books.merchant.clear();
            self
        }

        fn broken(&self) -> Vec<(Rule, Vec<String>)> {
            self.books.compare().into_iter().filter(|(_, keys)| !keys.is_empty()).collect()
        }
    }

    #[test]
    fn a_redemption_that_everybody_agrees_on_breaks_no_rule() {
        assert_eq!(Story::new().broken(), []);
    }

    #[test]
    fn each_rule_is_broken_by_what_it_forbids() {
        type Change = fn(&mut Story) -> &mut Story;
        let cases: [(&str, Change, Rule); 13] = [
            ("two tries of a key took it", |s| s.seen("a", 1, true), Rule::TakenTwice),
            ("a try began after the end was told", |s| s.seen("a", 3, false), Rule::SentAfterFinal),
            ("rejected, then taken all the same", |s| s.told("a", 2, What::Rejected), Rule::TakenButDenied),
            ("untouched, then taken all the same", |s| s.told("a", 2, What::Untouched), Rule::TakenButDenied),
            ("the proxy says untouched", |s| s.told_nothing().says("a", Says::Untouched), Rule::TakenButDenied),
            ("failed while it ran", |s| s.post("a", 3).told("a", 2, What::Failed), Rule::TakenButDenied),
            ("nothing was taken", |s| s.seen_nothing(), Rule::UntouchedButRedeemed),
            ("the proxy does not know", |s| s.says("a", Says::Open), Rule::ProxySaysOtherwise),
            ("two rows of one attempt", |s| s.row("a", 25.0), Rule::CreditedTwice),
            ("no row", |s| s.no_rows(), Rule::NotInOutbox),
            ("a row of another value", |s| s.no_rows().row("a", 50.0), Rule::NotInOutbox),
            (
                "a try that never ends",
                |s| s.post("b", 4).told("b", 5, What::Unconfirmed).says("b", Says::Running),
                Rule::WithoutState,
            ),
            ("neither told nor stored", |s| s.post("b", 4).says("b", Says::Open), Rule::WithoutState),
        ];
        for (name, change, rule) in cases {
            let mut story = Story::new();
            change(&mut story);
            let broken: Vec<Rule> = story.broken().into_iter().map(|(rule, _)| rule).collect();
            assert_eq!(broken, [rule], "{name}");
        }
    }

    #[test]
    fn a_try_that_followed_a_true_failed_breaks_no_rule() {
        let mut story = Story::new();
        let books = &mut story.books;
        books.clients.clear();
        books.mozarto.clear();
        story.post("a", 0).told("a", 1, What::Failed).post("a", 2).seen("a", 3, true).told("a", 4, What::Redeemed);
        story.books.merchant[0].at = story.at(5);
        assert_eq!(story.broken(), []);
    }

    #[test]
    fn a_key_that_nothing_was_sent_under_has_a_state() {
        let mut story = Story::new();
        story.post("b", 4).told("b", 5, What::Unconfirmed).says("b", Says::Unknown);
        assert_eq!(story.broken(), []);
        story.seen("b", 4, false);
        assert_eq!(story.broken(), [(Rule::WithoutState, vec!["b".to_owned()])]);
    }
}
