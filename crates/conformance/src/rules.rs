//! The rules, by name: what each asks of a proxy, where it stands, and the check that looks.
//!
//! A rule of [`Scope::Attempts`] is none of a proxy's that keeps no attempts. What is checked side by side uses
//! vouchers and keys of its own; what shuts the kit's Mozarto, or reaches the proxy's limits, comes when the others are
//! done; what holds of every answer is asked last.

mod answers;
mod bodies;
mod closing;
mod every_answer;
mod foreign;
mod in_use;
mod keys;
mod limits;
mod not_sent;
mod origins;
mod running;
mod sessions;
mod status;
mod tokens;
mod tries;
mod unknown;

use crate::kit::{Found, Kit};
use std::pin::Pin;

/// Whom a rule binds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Every proxy.
    Any,
    /// Proxies that keep attempts.
    Attempts,
}

/// When a rule is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    /// Side by side with the others; it waits for one of the contract's times.
    Slow,
    /// Side by side with the others.
    Together,
    /// Alone, when those are done.
    Alone,
    /// At the end, of all answers.
    AtTheEnd,
}

type Check = for<'k> fn(&'k Kit) -> Pin<Box<dyn Future<Output = Found> + Send + 'k>>;

/// One rule.
pub struct Rule {
    /// Its name, which stays.
    pub id: &'static str,
    /// What it says.
    pub title: &'static str,
    /// Where CONTRACT.md says it.
    pub place: &'static str,
    pub(crate) scope: Scope,
    pub(crate) when: When,
    pub(crate) check: Check,
}

impl Rule {
    /// Whether it binds only proxies that keep attempts.
    pub fn is_about_attempts(&self) -> bool {
        self.scope == Scope::Attempts
    }
}

macro_rules! rules {
    ($($id:literal $scope:ident $when:ident $check:path, $place:literal, $title:literal;)+) => {
        &[$(Rule {
            id: $id,
            title: $title,
            place: $place,
            scope: Scope::$scope,
            when: When::$when,
            check: |kit| Box::pin($check(kit)),
        }),+]
    };
}

/// All rules, in the order of the table.
pub const RULES: &[Rule] = rules! {
    "method.others" Any Together bodies::other_methods, "Hop 1",
        "Other methods are refused with 405, and nothing is sent";
    "body.built" Any Together bodies::built, "Hop 2, Body",
        "Mozarto gets exactly its own fields, with the customer's facts";
    "body.pin" Any Together bodies::pin, "Hop 2, Body",
        "A PIN that is not 16 digits is refused, and nothing is sent";
    "body.amount" Any Together bodies::amount, "Hop 2, Body",
        "An amount that is no positive number is refused, and nothing is sent";
    "body.currency" Any Together bodies::currency, "Hop 2, Body",
        "A currencyCode that differs from currency is refused, and nothing is sent";
    "body.unknown-field" Any Together bodies::unknown_field, "Hop 2, Body",
        "A field that is not known is refused, and nothing is sent";
    "body.duplicate-field" Any Together bodies::duplicate_field, "Hop 2, Body",
        "A field that is there twice is refused, and nothing is sent";
    "body.too-long" Any Together bodies::too_long, "Hop 1",
        "A body of 1 MB is refused, and nothing is sent";
    "body.refusal" Any Together bodies::refusal, "What one answer means, row 6",
        "A refused body is answered in Mozarto's error shape";
    "token.company" Any Together tokens::company, "Hop 2, Headers",
        "The company token is added, and it is not the customer's";
    "token.user" Any Together tokens::user, "Hop 2, Headers",
        "x-user-token or x-user-authorization says who the customer is";
    "token.leak" Any AtTheEnd every_answer::token_leak, "Hop 2, Headers",
        "No answer holds the company token";
    "session.required" Any Together sessions::required, "Hop 1, answers",
        "Without a session nothing is sent, and the answer says so";
    "session.decides" Any Together sessions::decides, "Hop 1",
        "A body that disagrees with the session is refused with 400";
    "pin.echo" Any Together answers::echo, "The PIN",
        "A PIN that Mozarto echoes, with or without separators, becomes [PIN]";
    "pin.headers" Any AtTheEnd every_answer::pin_in_headers, "The PIN",
        "The PIN is in no header and no URL, neither way";
    "answer.unchanged" Any Together answers::unchanged, "Hop 1, answers",
        "Mozarto's status and body come back as they are";
    "answer.retry-after" Any Together answers::retry_after, "Retry",
        "Mozarto's Retry-After comes back with its answer";
    "answer.408" Any Together answers::request_timeout, "The browser resends too",
        "A 408 becomes a 504 with the same body";
    "answer.cut" Any Together answers::cut, "Hop 1, answers",
        "A cut connection is a 504 without errorCode";
    "answer.too-long" Any Together answers::too_long, "Hop 1, answers",
        "An answer over 256 KB is a 504 without errorCode";
    "answer.garbage" Any Together answers::garbage, "What one answer means, row 16",
        "What is not the documented JSON is \"not known\" and nothing more";
    "answer.redirect" Any Together answers::redirect, "What one answer means, row 16",
        "A redirect is not followed, and is \"not known\"";
    "answer.proxys-words" Any Together answers::proxys_words, "Hop 1, answers",
        "Words that only the proxy may say are not passed on from Mozarto";
    "answer.deadline" Any Slow answers::deadline, "Hop 1, answers",
        "Mozarto may take 45 s; then it is a 504 without errorCode";
    "answer.codes" Any AtTheEnd every_answer::codes, "Hop 1, answers",
        "Each errorCode is a known word and comes with its status";
    "try.cut" Any Together tries::cut, "Retry",
        "One POST is one try: nothing is sent again after a cut";
    "try.408" Any Together tries::request_timeout, "Retry",
        "One POST is one try: nothing is sent again after a 408";
    "try.5xx" Any Together tries::server_errors, "Retry",
        "One POST is one try: nothing is sent again after a 5xx, a time-out or a limit of Mozarto's";
    "not-sent.said" Any Alone not_sent::said, "Hop 1, answers",
        "Where Mozarto refuses connections: NOT_SENT with Retry-After";
    "not-sent.again" Any Alone not_sent::again, "Retry",
        "After NOT_SENT the same attempt can be sent";
    "not-sent.delete" Attempts Alone not_sent::delete, "Hop 1, answers",
        "After NOT_SENT DELETE closes the attempt as untouched";
    "limit.new-keys" Any Alone limits::new_keys_only, "Hop 1, answers",
        "TOO_MANY_TRIES is for new attempts, never for an open one";
    "cors.preflight" Any Together origins::preflight, "Hop 1, CORS",
        "Pages of the origin may send what a widget sends";
    "cors.exposed" Any Together origins::exposed, "Hop 1, CORS",
        "Pages of the origin may read the headers of an answer";
    "attempt-key" Attempts AtTheEnd every_answer::attempt_key, "Hop 1",
        "Every answer about an attempt has Attempt-Key, in lower case";
    "no-store" Attempts AtTheEnd every_answer::no_store, "Hop 1",
        "Every answer has Cache-Control: no-store";
    "key.required" Attempts Together keys::required, "Hop 1",
        "A POST without Idempotency-Key is refused, and nothing is sent";
    "key.uuid" Attempts Together keys::uuid, "Hop 1",
        "A key that is no UUID is refused, and nothing is sent";
    "key.quoted" Attempts Together keys::quoted, "Hop 1",
        "A key in quotes is the same key";
    "key.case" Attempts Together keys::case, "Hop 1",
        "A key in capitals is the same key";
    "replay.same" Attempts Together tries::replay_same, "Hop 1, answers",
        "A final attempt is answered as before, with Idempotency-Replayed: true";
    "replay.unsent" Attempts Together tries::replay_unsent, "Hop 1, answers",
        "Nothing is sent for a final attempt";
    "pending.within" Attempts Slow running::within, "Hop 1",
        "POST answers within 25 s: 202 pending while the try runs";
    "pending.get" Attempts Together running::get, "Hop 1, answers",
        "GET says 202 pending while a try runs";
    "pending.late" Attempts Together running::late, "Hop 1",
        "A try runs to its end though the browser has left, and its answer is kept";
    "pending.second" Attempts Together running::second, "Hop 1, answers",
        "A second POST while one is being tried: ATTEMPT_IN_PROGRESS, and nothing is sent";
    "in-use.same" Attempts Together in_use::same_customer, "Hop 1, answers",
        "A voucher of an open attempt: VOUCHER_IN_USE names that attempt to the same customer";
    "in-use.other" Attempts Together in_use::other_customer, "Hop 1, answers",
        "VOUCHER_IN_USE names nothing to another customer";
    "in-use.ended" Attempts Together in_use::ended, "Hop 1, answers",
        "A voucher whose attempt was rejected can be tried under a new key";
    "delete.unknown" Attempts Together closing::unknown, "Hop 1, answers",
        "DELETE of a key that was never seen: 200 untouched";
    "delete.closes" Attempts Together closing::closes, "Hop 1, answers",
        "After that a late POST gets ATTEMPT_CLOSED, and nothing is sent";
    "delete.sending" Attempts Together closing::sending, "Hop 1",
        "DELETE closes nothing while a try runs";
    "delete.unknown-try" Attempts Together closing::unknown_try, "What the attempt means",
        "DELETE closes nothing after a try of which nobody knows";
    "delete.redeemed" Attempts Together closing::redeemed, "What the attempt means",
        "DELETE closes nothing that was redeemed";
    "mismatch.voucher" Attempts Together keys::other_voucher, "Hop 1, answers",
        "The same key with another voucher: ATTEMPT_MISMATCH, and nothing is sent";
    "mismatch.amount" Attempts Together keys::other_amount, "Hop 1, answers",
        "The same key with another amount: ATTEMPT_MISMATCH, and nothing is sent";
    "mismatch.same-value" Attempts Together keys::same_value, "Hop 1, answers",
        "25 and 25.00 are the same amount";
    "get.unknown" Attempts Together status::unknown, "Hop 1, answers",
        "GET of a key that was never seen: ATTEMPT_UNKNOWN";
    "get.stored" Attempts Together status::stored, "Hop 1",
        "GET of a final attempt gives the stored status and body";
    "get.open" Attempts Together status::open, "Hop 1",
        "GET of an idle open attempt gives its last try's answer";
    "get.query" Attempts Together status::query, "Hop 1",
        "GET with a query after the key works too";
    "unknown.redeemed" Attempts Together unknown::redeemed, "What the attempt means",
        "A success after a lost answer: redeemed";
    "unknown.invalid-pin" Attempts Together unknown::invalid_pin, "What the attempt means",
        "An invalid PIN after a lost answer: rejected";
    "unknown.retried" Attempts Together unknown::retried, "What the attempt means",
        "After a lost answer a limit of Mozarto's leaves the attempt open";
    "unconfirmed.post" Attempts Together unknown::unconfirmed_by_post, "Hop 1, answers",
        "Already redeemed after a lost answer: ATTEMPT_UNCONFIRMED by POST";
    "unconfirmed.get" Attempts Together unknown::unconfirmed_by_get, "Hop 1, answers",
        "Already redeemed after a lost answer: ATTEMPT_UNCONFIRMED by GET";
    "unconfirmed.unsent" Attempts Together unknown::unconfirmed_sends_nothing, "Hop 1",
        "Nothing is sent once the voucher was seen as redeemed";
    "unconfirmed.new-try" Attempts Together unknown::unconfirmed_new_try, "Hop 1",
        "Any other unconfirmed attempt can be tried again";
    "accepted.unsent" Attempts Together unknown::accepted_sends_nothing, "Hop 1",
        "Nothing is sent once Mozarto has accepted the voucher (PENDING)";
    "foreign.post" Attempts Together foreign::post, "Hop 1, answers",
        "Another customer's key: ATTEMPT_FOREIGN, and nothing is sent";
    "foreign.get" Attempts Together foreign::get, "Hop 1, answers",
        "With sessions: another customer's key tells nothing";
    "foreign.delete" Attempts Together foreign::delete, "Hop 1, answers",
        "With sessions: another customer closes nothing";
};

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn each_rule_has_its_own_name() {
        let names: BTreeSet<&str> = RULES.iter().map(|rule| rule.id).collect();
        assert_eq!(names.len(), RULES.len());
        let plain = |id: &str| id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'));
        assert!(names.iter().all(|id| plain(id)), "{names:?}");
    }
}
