//! What the tries of one attempt prove together. Pure: a list of tries in, a verdict out; the ledger writes it down in
//! the transaction that ends a try.
//!
//! What one answer says about its own try is `mozarto`'s. The order of these questions decides; the first that is
//! answered with yes is the verdict:
//!
//! | question | state | the attempt's answer |
//! |---|---|---|
//! | did a try redeem? | final | its answer: a success wins over everything, however late |
//! | does a try still run? | sending | 202 pending: no rejection overrides it |
//! | was none begun? | recorded | none |
//! | no try unknown, the last one is tried again (429, `NOT_SENT`)? | open | the last one |
//! | no try unknown? | final | the last one, also "already redeemed": no try of ours took it |
//! | a try unknown, none forbids tries, one proves "untouched"? | final | that one (invalid PIN, mismatch) |
//! | a try unknown, none forbids tries, the last is tried again? | open | the last one |
//! | else | unconfirmed | see below |
//!
//! An unconfirmed attempt answers 202 `ATTEMPT_UNCONFIRMED`; but where the last try is the only unknown one (`PENDING`,
//! `UNKNOWN_PSP_ERROR`) its own answer, which says the same and no browser may have missed another. Recorded, open and
//! unconfirmed attempts may have another try, unless tries are forbidden.
//!
//! An open attempt with an unknown try whose last try says "not taken" (429, `NOT_SENT`) answers as that unknown one:
//! 504 without code, with the last one's `Retry-After`. A browser that missed the unknown try would take the bare 429
//! for "untouched". `answers` puts it so.
//!
//! "Already redeemed" and `PENDING` forbid tries for good. Beside one of them a proof of "untouched" contradicts
//! it, and stays unconfirmed. Source: CONTRACT, "What the attempt means".

use mozarto::{Money, Signal};

/// What the answer of one ended try says, as far as the attempt depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) money: Money,
    pub(crate) proves_untouched: bool,
    pub(crate) is_retried: bool,
    pub(crate) forbids_tries: bool,
}

impl From<&Signal> for Said {
    fn from(signal: &Signal) -> Self {
        Self {
            money: signal.money(),
            proves_untouched: signal.proves_untouched(),
            is_retried: signal.is_retried(),
            forbids_tries: signal.forbids_tries(),
        }
    }
}

/// A try, as the ledger has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Try {
    /// Sent, and not ended: an answer may still come.
    Running,
    /// Ended: answered, lost, or never left.
    Ended(Said),
}

/// The states that follow from tries. Closed and settled are somebody's deed and stand in the ledger alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Recorded,
    Sending,
    Open,
    Unconfirmed,
    Final,
}

/// What the tries prove together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) standing: Standing,
    /// The try, by its place in the list, whose answer is the attempt's.
    pub(crate) answer: Option<usize>,
    /// Some try may have taken the voucher and nobody knows.
    pub(crate) unknown_try: bool,
    /// Nothing may be sent under this key any more.
    pub(crate) forbids_tries: bool,
}

/// The verdict on an attempt's tries, given in the order in which they were begun. `forgotten`: the ledger was restored
/// from a copy, and there may have been a try before them of which nobody knows.
pub(crate) fn verdict(tries: &[Try], forgotten: bool) -> Verdict {
    let ended = || tries.iter().enumerate().filter_map(|(at, one)| Some((at, ended(*one)?)));
    let unknown_try = forgotten || ended().any(|(_, said)| said.money == Money::Unknown);
    let forbids_tries = ended().any(|(_, said)| said.forbids_tries);
    let (standing, answer) = if let Some((at, _)) = ended().find(|(_, said)| said.money == Money::Yes) {
        (Standing::Final, Some(at))
    } else if tries.contains(&Try::Running) {
        (Standing::Sending, None)
    } else if let Some((last, said)) = ended().next_back() {
        let proof = ended().rfind(|(_, said)| said.proves_untouched);
        match (unknown_try, proof) {
            (false, _) if said.is_retried => (Standing::Open, Some(last)),
            (false, _) => (Standing::Final, Some(last)),
            (true, Some((at, _))) if !forbids_tries => (Standing::Final, Some(at)),
            (true, _) if !forbids_tries && said.is_retried => (Standing::Open, Some(last)),
            (true, _) => {
                let alone = !forgotten && ended().filter(|(_, said)| said.money == Money::Unknown).count() == 1;
                (Standing::Unconfirmed, Some(last).filter(|_| alone && said.money == Money::Unknown))
            }
        }
    } else {
        (Standing::Recorded, None)
    };
    Verdict { standing, answer, unknown_try, forbids_tries }
}

fn ended(one: Try) -> Option<Said> {
    match one {
        Try::Running => None,
        Try::Ended(said) => Some(said),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mozarto::{Receipt, Rejection};
    use proptest::prelude::*;

    /// Every signal of Mozarto's, and the proxy's own that a try can end with.
    fn signals() -> Vec<Signal> {
        use Rejection::{AlreadyRedeemed, InvalidPin, MismatchedAmount, MismatchedCurrency, Other};
        let rejections = [InvalidPin, MismatchedAmount, MismatchedCurrency, AlreadyRedeemed, Other];
        let mut all: Vec<Signal> = rejections.into_iter().map(Signal::Rejected).collect();
        all.extend([
            Signal::Redeemed(Receipt::default()),
            Signal::Pending,
            Signal::InvalidPspCredentials,
            Signal::RequestInvalid(vec![]),
            Signal::NoRule,
            Signal::NotConfigured,
            Signal::ProviderRejected,
            Signal::Unauthorized,
            Signal::PspTimeout,
            Signal::PspUnavailable,
            Signal::RateLimited,
            Signal::ServerError,
            Signal::UnknownError,
            Signal::NoAnswer,
            Signal::NotSent,
        ]);
        all
    }

    fn ended_with(signal: &Signal) -> Try {
        Try::Ended(Said::from(signal))
    }

    #[test]
    fn each_row_alone_and_after_an_unknown_try_has_its_standing() {
        use Standing::{Final, Open, Unconfirmed};
        for signal in signals() {
            let (alone, after_unknown, answer_after) = match &signal {
                Signal::Redeemed(_)
                | Signal::Rejected(
                    Rejection::InvalidPin | Rejection::MismatchedAmount | Rejection::MismatchedCurrency,
                ) => (Final, Final, Some(1)),
                Signal::Pending | Signal::UnknownError => (Unconfirmed, Unconfirmed, None),
                Signal::PspTimeout
                | Signal::PspUnavailable
                | Signal::RateLimited
                | Signal::ServerError
                | Signal::NoAnswer
                | Signal::NotSent => (Open, Open, Some(1)),
                _ => (Final, Unconfirmed, None),
            };
            let first = verdict(&[ended_with(&signal)], false);
            assert_eq!((first.standing, first.answer), (alone, Some(0)), "{signal} alone");
            let second = verdict(&[ended_with(&Signal::NoAnswer), ended_with(&signal)], false);
            assert_eq!(
                (second.standing, second.answer),
                (after_unknown, answer_after),
                "{signal} after an unknown try"
            );
            assert!(second.unknown_try);
        }
    }

    #[test]
    fn what_was_seen_as_used_or_accepted_is_not_tried_again_and_no_proof_ends_it() {
        let proof = ended_with(&Signal::Rejected(Rejection::InvalidPin));
        for seen in [Signal::Pending, Signal::Rejected(Rejection::AlreadyRedeemed)] {
            for tries in [
                [ended_with(&Signal::NoAnswer), ended_with(&seen), proof],
                [proof, ended_with(&seen), ended_with(&Signal::NoAnswer)],
            ] {
                let verdict = verdict(&tries, false);
                assert_eq!((verdict.standing, verdict.forbids_tries), (Standing::Unconfirmed, true), "{seen}");
            }
        }
    }

    #[test]
    fn an_attempt_without_tries_is_recorded() {
        let none = Verdict { standing: Standing::Recorded, answer: None, unknown_try: false, forbids_tries: false };
        assert_eq!(verdict(&[], false), none);
    }

    #[test]
    fn a_forgotten_try_is_an_unknown_one_that_came_first() {
        for signal in signals() {
            let (after, forgotten) = (
                verdict(&[ended_with(&Signal::NoAnswer), ended_with(&signal)], false),
                verdict(&[ended_with(&signal)], true),
            );
            assert_eq!(forgotten.standing, after.standing, "{signal}");
            assert!(forgotten.unknown_try);
            assert_eq!(forgotten.answer, after.answer.map(|_| 0), "{signal}");
        }
        assert_eq!(verdict(&[], true).standing, Standing::Recorded);
    }

    fn any_try() -> impl Strategy<Value = Try> {
        prop_oneof![
            1 => Just(Try::Running),
            9 => prop::sample::select(signals()).prop_map(|signal| ended_with(&signal)),
        ]
    }

    /// What Mozarto can answer to a try of a voucher that a try before may have taken. `taken` is the truth; an answer
    /// may be lost whatever the truth.
    fn possible(taken: bool) -> Vec<Signal> {
        let untaken_only = |signal: &Signal| signal.proves_untouched();
        signals().into_iter().filter(|signal| !(taken && untaken_only(signal))).collect()
    }

    proptest! {
        #[test]
        fn the_rules_hold_for_any_tries(tries in prop::collection::vec(any_try(), 0..7)) {
            let verdict = verdict(&tries, false);
            let said = |is: &dyn Fn(Said) -> bool| tries.iter().any(|one| ended(*one).is_some_and(is));
            let redeemed = said(&|said| said.money == Money::Yes);
            if redeemed {
                prop_assert_eq!(verdict.standing, Standing::Final);
            }
            if verdict.standing == Standing::Final && !redeemed {
                prop_assert!(!tries.contains(&Try::Running), "no rejection overrides a running try");
                let proven = said(&|said| said.proves_untouched) && !said(&|said| said.forbids_tries);
                prop_assert!(!said(&|said| said.money == Money::Unknown) || proven, "only a proof ends doubt");
            }
            if let Some(at) = verdict.answer {
                prop_assert!(ended(tries[at]).is_some(), "an answer is an ended try's");
            }
        }

        #[test]
        fn a_success_wins_whenever_it_comes(tries in prop::collection::vec(any_try(), 0..6), at in 0..6_usize) {
            let mut tries = tries;
            tries.insert(at.min(tries.len()), ended_with(&Signal::Redeemed(Receipt::default())));
            prop_assert_eq!(verdict(&tries, false).standing, Standing::Final);
        }

        #[test]
        fn a_voucher_taken_by_a_try_is_never_said_to_be_untouched(
            before in prop::collection::vec(prop::sample::select(possible(false)), 0..4),
            lost in prop::sample::select(vec![Signal::NoAnswer, Signal::PspTimeout, Signal::ServerError, Signal::UnknownError, Signal::Pending]),
            after in prop::collection::vec(prop::sample::select(possible(true)), 0..4),
        ) {
            let mut tries: Vec<Try> = Vec::new();
            // Sent one after the other, as the ledger allows: nothing follows what ends or forbids.
            for signal in before.iter().chain([&lost]).chain(&after) {
                let so_far = verdict(&tries, false);
                if so_far.standing == Standing::Final || so_far.forbids_tries {
                    break;
                }
                tries.push(ended_with(signal));
            }
            if tries.len() > before.len() {
                let verdict = verdict(&tries, false);
                let redeemed = tries.contains(&ended_with(&Signal::Redeemed(Receipt::default())));
                prop_assert!(verdict.standing != Standing::Final || redeemed, "{tries:?}");
            }
        }
    }
}
