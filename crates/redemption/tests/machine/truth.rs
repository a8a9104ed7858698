//! The first promise, against every order of events: a voucher that may have been taken is never called failed, rejected
//! or untouched, nothing is sent again after an answer that forbids it, and nothing undoes a success.

use crate::support::{PIN, coded, options, pin, rejection, success, told};
use mozarto::Answer;
use proptest::prelude::*;
use redemption::{AttemptKey, Effect, Event, Machine, Options, Permission, PhaseName, Timer, TimerKind};
use std::collections::HashMap;

/// What a browser, a customer, a merchant and a network can do. Numbers choose among what is possible then.
#[derive(Clone, Debug)]
enum Step {
    Submit,
    Retry,
    Edit,
    Cancel,
    Allow,
    Refuse,
    TimeOut,
    Slow,
    Answer { which: usize, reply: usize, kept: bool },
}

const REPLIES: usize = 10;

fn reply(number: usize) -> Answer {
    match number {
        0 => success(),
        1 => rejection("Invalid voucher PIN"),
        2 => rejection("Voucher already redeemed"),
        3 => rejection("Something else"),
        4 => coded("PSP_TIMEOUT"),
        5 => coded("PSP_RATE_LIMITED"),
        6 => coded("UNKNOWN_PSP_ERROR"),
        7 => coded("NOT_SENT"),
        8 => coded("INVALID_PSP_CREDENTIALS"),
        _ => Answer::none(),
    }
}

/// May a try that was answered so have taken the voucher? Only what is proven counts.
fn may_have_taken(reply: usize) -> bool {
    [0, 2, 4, 6, 9].contains(&reply)
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let answer =
        || (0..3_usize, 0..REPLIES, any::<bool>()).prop_map(|(which, reply, kept)| Step::Answer { which, reply, kept });
    let step = prop_oneof![
        2 => Just(Step::Submit),
        3 => Just(Step::Retry),
        1 => Just(Step::Edit),
        1 => Just(Step::Cancel),
        2 => Just(Step::Allow),
        1 => Just(Step::Refuse),
        4 => Just(Step::TimeOut),
        1 => Just(Step::Slow),
        6 => answer(),
    ];
    prop::collection::vec(step, 4..50)
}

/// What really happened to one attempt: its tries, each with its answer if it has one.
#[derive(Default)]
struct Truth {
    tries: Vec<Option<usize>>,
    unconfirmed_told: bool,
}

impl Truth {
    /// Whether nothing that happened can have taken the voucher: each try has an answer that says so, or one proves it.
    fn is_untouched(&self) -> bool {
        let running = self.tries.iter().any(Option::is_none);
        let answers = || self.tries.iter().flatten();
        let proven = answers().any(|reply| *reply == 1) && !answers().any(|reply| [0, 2].contains(reply));
        !running && (proven || !answers().any(|reply| may_have_taken(*reply)))
    }

    /// Whether an answer forbids another try.
    fn is_closed(&self) -> bool {
        self.tries.iter().flatten().any(|reply| [2, 6].contains(reply))
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, ..ProptestConfig::default() })]

    #[test]
    fn no_order_of_events_tells_an_untruth(steps in steps(), asked: bool) {
        let mut machine = Machine::new(Options { before_submit: asked, ..options() });
        machine.handle(pin(PIN));
        let mut truths: HashMap<String, Truth> = HashMap::new();
        let (mut submits, mut current) = (0_u32, String::new());
        for step in steps {
            let attempt = AttemptKey::new(current.clone());
            let try_number = truths.get(&current).map_or(0, |truth| u32::try_from(truth.tries.len()).expect("few"));
            let event = match step {
                Step::Submit => {
                    submits += 1;
                    Event::Submitted { key: AttemptKey::new(submits.to_string()) }
                }
                Step::Retry => Event::RetryRequested,
                Step::Edit => Event::EditRequested,
                Step::Cancel => Event::Cancelled,
                Step::Allow => Event::BeforeSubmitAnswered {
                    attempt: if machine.phase() == PhaseName::Preparing && try_number == 0 { AttemptKey::new(submits.to_string()) } else { attempt },
                    try_number: try_number + 1,
                    permission: Permission::Granted { headers: Vec::new(), session_token: None },
                },
                Step::Refuse => Event::BeforeSubmitAnswered { attempt, try_number: try_number + 1, permission: Permission::Refused },
                Step::TimeOut => Event::TimerFired(Timer { attempt, try_number, kind: TimerKind::Try }),
                Step::Slow => Event::TimerFired(Timer { attempt, try_number, kind: TimerKind::Slow }),
                Step::Answer { which, reply: number, kept } => {
                    let Some(truth) = truths.get_mut(&current) else { continue };
                    let Some(open) = truth.tries.get_mut(which).filter(|answered| answered.is_none()) else { continue };
                    *open = Some(number);
                    let answer = Box::new(reply(number));
                    let try_number = u32::try_from(which + 1).expect("few");
                    Event::Answered { attempt, try_number, answer, attempt_kept: kept }
                }
            };
            let before = machine.phase();
            let effects = machine.handle(event.clone());
            for effect in &effects {
                if let Effect::Send(request) = effect {
                    let key = request.attempt.as_str().to_owned();
                    let truth = truths.entry(key.clone()).or_default();
                    prop_assert!(!truth.is_closed(), "sent after an answer that forbids it");
                    truth.tries.push(None);
                    prop_assert_eq!(u32::try_from(truth.tries.len()).expect("few"), request.try_number);
                    current = key;
                }
            }
            if before == PhaseName::Redeemed {
                prop_assert_eq!(machine.phase(), PhaseName::Redeemed);
            }
            let Some((kind, code, money, _)) = told(&effects) else { continue };
            let truth = truths.get_mut(&current).expect("an outcome has an attempt");
            let was_redeemed = truth.tries.iter().flatten().any(|reply| *reply == 0);
            prop_assert_eq!(kind == "redeemed", was_redeemed, "{} {}", kind, code);
            prop_assert!(!(kind == "failed" && truth.unconfirmed_told), "failed follows unconfirmed");
            // "Already used" at first sight is a rejection; that it was not our own doing, only the proxy can know.
            let first_sight = code == "VOUCHER_ALREADY_REDEEMED" && truth.tries.iter().flatten().filter(|r| may_have_taken(**r)).count() == 1;
            if money == "no" || kind == "rejected" || kind == "failed" {
                prop_assert!(truth.is_untouched() || first_sight, "{kind} {code} {money}: {:?}", truth.tries);
            }
            truth.unconfirmed_told |= kind == "unconfirmed";
        }
    }
}
