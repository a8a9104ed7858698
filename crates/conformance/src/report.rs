//! What a run found: a verdict and one line of why for each rule, as a table or as JSON.

use crate::Rule;
use serde_json::{Value, json};
use std::fmt;

/// What was found of one rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The proxy keeps it.
    Pass,
    /// The proxy breaks it.
    Fail,
    /// It is none of this proxy's, or cannot be checked in this run.
    NotSupported,
}

impl Verdict {
    /// The words of table and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::NotSupported => "not supported",
        }
    }
}

/// One rule and what was found.
pub struct Checked {
    /// The rule.
    pub rule: &'static Rule,
    /// What was found.
    pub verdict: Verdict,
    /// One line of why.
    pub why: String,
}

/// What a run found.
pub struct Report {
    /// The proxy's endpoint, without a query.
    pub endpoint: String,
    /// Whether the proxy keeps attempts.
    pub keeps_attempts: bool,
    /// Every rule that was asked for, in the order of [`crate::RULES`].
    pub checked: Vec<Checked>,
}

impl Report {
    /// How many rules have this verdict.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.checked.iter().filter(|checked| checked.verdict == verdict).count()
    }

    /// The names of the rules with this verdict.
    pub fn names(&self, verdict: Verdict) -> Vec<&'static str> {
        self.checked.iter().filter(|checked| checked.verdict == verdict).map(|checked| checked.rule.id).collect()
    }

    /// The report for programs.
    pub fn json(&self) -> Value {
        let row = |checked: &Checked| {
            json!({
                "id": checked.rule.id, "title": checked.rule.title, "rule": checked.rule.place,
                "verdict": checked.verdict.as_str(), "why": checked.why,
            })
        };
        json!({
            "endpoint": self.endpoint,
            "keepsAttempts": self.keeps_attempts,
            "passed": self.count(Verdict::Pass),
            "failed": self.count(Verdict::Fail),
            "notSupported": self.count(Verdict::NotSupported),
            "checks": self.checked.iter().map(row).collect::<Vec<_>>(),
        })
    }
}

/// The report for people. What failed also has its rule's words and place.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let longest = self.checked.iter().map(|checked| checked.rule.id.len()).max().unwrap_or_default();
        for Checked { rule, verdict, why } in &self.checked {
            writeln!(f, "{:<15}{:<longest$}  {why}", verdict.as_str(), rule.id)?;
            if *verdict == Verdict::Fail {
                writeln!(f, "{:<15}{:<longest$}  {} (CONTRACT.md, {})", "", "", rule.title, rule.place)?;
            }
        }
        let keeps = if self.keeps_attempts { "yes" } else { "no" };
        writeln!(f, "\n{} keeps attempts: {keeps}", self.endpoint)?;
        let [passed, failed, not_supported] =
            [Verdict::Pass, Verdict::Fail, Verdict::NotSupported].map(|verdict| self.count(verdict));
        write!(f, "{passed} passed, {failed} failed, {not_supported} not supported")
    }
}
