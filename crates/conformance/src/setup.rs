//! What is checked, and how: the endpoint, who its customers are, what stands behind it, and the contract's times.

use crate::Upstream;
use mozarto::Amount;
use reqwest::header::HeaderMap;
use std::fmt;
use std::time::Duration;
use url::Url;

/// One run of the kit.
pub struct Setup {
    /// The proxy's endpoint, as the widget has it.
    pub endpoint: Url,
    /// What the proxy under test calls.
    pub behind: Behind,
    /// The customer in whose name nearly everything is asked.
    pub customer: Customer,
    /// A second customer, for what one must not learn of another.
    pub other: Option<Customer>,
    /// What every voucher is worth.
    pub amount: Amount,
    /// An origin whose pages may call the proxy. Without it CORS is not checked.
    pub origin: Option<String>,
    /// Beginnings of the ids of the rules to check; none means all.
    pub only: Vec<String>,
    /// How long things may take.
    pub times: Times,
}

/// What the proxy under test has as its Mozarto.
pub enum Behind {
    /// The kit itself: everything can be provoked and seen.
    Kit(Upstream),
    /// The project's sandbox with its scripted PINs: what it can play is checked, and what was sent is not seen.
    Sandbox,
    /// Something else, such as Mozarto's staging: only what must be answered without sending is checked.
    Unseen,
}

/// A customer of the merchant's.
#[derive(Clone, Default)]
pub struct Customer {
    /// What the customer's browser sends to be known: `Authorization`, `Cookie`. Empty where the proxy has no sessions.
    pub headers: HeaderMap,
    /// `userId` of the body; left out where the session fixes it.
    pub user_id: Option<String>,
    /// `email` of the body; left out where the session fixes it.
    pub email: Option<String>,
    /// `brandId` of the body.
    pub brand_id: Option<String>,
}

/// The contract's times. Shorter ones are for tests, with a proxy that was made as much shorter.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// POST answers within it.
    pub answer_within: Duration,
    /// How long Mozarto may take.
    pub upstream_deadline: Duration,
    /// How much later or earlier than the two is still in time.
    pub slack: Duration,
    /// How long the proxy may take to start.
    pub wait: Duration,
}

impl Default for Times {
    fn default() -> Self {
        Self {
            answer_within: Duration::from_secs(25),
            upstream_deadline: Duration::from_secs(45),
            slack: Duration::from_secs(2),
            wait: Duration::from_mins(1),
        }
    }
}

/// Nothing could be checked: the proxy is not there, calls somebody else, or refuses the kit's customer. Says what to
/// change; exit code 2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetupError(pub(crate) String);

impl fmt::Display for SetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for SetupError {}
