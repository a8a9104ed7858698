//! The storm over proxies of which one rule is broken on purpose: it finds exactly that, and nothing in one that is
//! whole.

mod ledger;
mod model;

use cashier_storm::{Blow, Habits, Report, Rule, Settings, Upstream, run};
use model::{Broken, Model};
use mozarto_sandbox::{Fault, Faults};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// A storm over a model.
async fn storm(broken: Broken, settings: &Settings) -> Report {
    let mozarto = Upstream::start(settings.gap).expect("the sandbox starts");
    let model = Arc::new(Model::start(broken, &mozarto.url, settings));
    run(settings, &mozarto, model, |_| {}).await.expect("it runs to its end")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proxy_that_is_whole_passes_the_whole_storm() {
    let report = storm(Broken::Nothing, &Settings::short(300, 7)).await;
    assert!(report.is_good(), "{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_broken_rule_is_found_and_nothing_else() {
    // Most of a small storm is waiting: several at a time.
    let room = Arc::new(Semaphore::new(8));
    let mut storms = JoinSet::new();
    for (broken, rule, settings) in cases() {
        let room = Arc::clone(&room);
        storms.spawn(async move {
            let _place = room.acquire_owned().await.expect("it is never closed");
            (broken, rule, storm(broken, &settings).await)
        });
    }
    for (broken, rule, report) in storms.join_all().await {
        assert_eq!(report.broken(), [rule], "{broken:?}: {report}");
    }
}

/// What is broken, the rule by which it is found, and what has to go wrong so that it matters.
fn cases() -> [(Broken, Rule, Settings); 11] {
    let lossy = Settings { faults: faults(&[(Fault::CutAfter, 0.3)]), ..calm() };
    let habits = |habits| Settings { habits, ..calm() };
    let killed = |times: &[f64]| Settings {
        weather: times.iter().map(|share| (*share, Blow::Kill { down: Duration::from_millis(50) })).collect(),
        ..calm()
    };
    [
        // The longest first: whoever meets it waits to no end.
        (
            Broken::LostTryNeverEnds,
            Rule::WithoutState,
            Settings { faults: faults(&[(Fault::CutAfter, 0.06)]), ..calm() },
        ),
        (Broken::RetriesUpstream, Rule::TakenButDenied, lossy.clone()),
        (Broken::ForgetsAfterKill, Rule::ProxySaysOtherwise, killed(&[1.0])),
        (Broken::SendsAgainAfterFinal, Rule::SentAfterFinal, habits(Habits { answer_lost: 0.3, ..Habits::calm() })),
        (
            Broken::UntouchedAfterUnknown,
            Rule::TakenButDenied,
            Settings { habits: Habits { reload: 0.5, ..Habits::calm() }, ..lossy },
        ),
        (
            Broken::DeleteClosesSending,
            Rule::TakenButDenied,
            Settings {
                faults: faults(&[(Fault::Past25, 0.5)]),
                // Who does not try another key does not have the voucher taken twice.
                habits: Habits { raced_by_delete: 0.5, patience: 0, ..Habits::calm() },
                ..calm()
            },
        ),
        (Broken::NoVoucherInUse, Rule::TakenTwice, habits(Habits { two_keys: 0.5, ..Habits::calm() })),
        (Broken::OutboxRowMissing, Rule::NotInOutbox, calm()),
        (Broken::OutboxRowTwice, Rule::CreditedTwice, calm()),
        (Broken::WrittenAfterSending, Rule::TakenButDenied, killed(&[0.2, 0.4, 0.6, 0.8])),
        (
            Broken::TimeoutIsSuccess,
            Rule::UntouchedButRedeemed,
            Settings { faults: faults(&[(Fault::Timeout, 0.3)]), ..calm() },
        ),
    ]
}

/// A small storm in which nothing goes wrong but what a case adds.
fn calm() -> Settings {
    let short = Settings::short(100, 7);
    let gap = Duration::from_millis(10);
    Settings { gap, at_once: 20, faults: faults(&[]), habits: Habits::calm(), weather: Vec::new(), ..short }
}

fn faults(rates: &[(Fault, f64)]) -> Faults {
    Faults { rates: rates.to_vec(), ..Settings::short(1, 7).faults }
}
