//! Each rule has a proxy that breaks it, and it is caught: that rule fails, and no other.

use crate::model::Flaw::{self, *};
use crate::world::run;
use flexepin_conformance::{RULES, Report, Verdict};
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

const FLAWS: &[(Flaw, &str)] = &[
    (PutIsPost, "method.others"),
    (SendsAnExtraField, "body.built"),
    (SendsTheAmountAsText, "body.built"),
    (PinUnchecked, "body.pin"),
    (AmountUnchecked, "body.amount"),
    (CurrencyUnchecked, "body.currency"),
    (UnknownFieldsPass, "body.unknown-field"),
    (DuplicateFieldsPass, "body.duplicate-field"),
    (NoBodyLimit, "body.too-long"),
    (RefusesInPlainText, "body.refusal"),
    (SendsTheCustomersToken, "token.company"),
    (NoUserHeader, "token.user"),
    (UserTokenIsNoJwt, "token.user"),
    (UserTokenOfSomebodyElse, "token.user"),
    (TellsTheCompanyToken, "token.leak"),
    (AnybodyMayPost, "session.required"),
    (BodyDecidesWhoItIs, "session.decides"),
    (EchoesThePin, "pin.echo"),
    (PinInAnAnswersHeader, "pin.headers"),
    (PinInARequestsHeader, "pin.headers"),
    (WritesTheBodyAnew, "answer.unchanged"),
    (DropsRetryAfter, "answer.retry-after"),
    (Passes408On, "answer.408"),
    (CutIsA500, "answer.cut"),
    (CutWithinIsASuccess, "answer.cut"),
    (PassesLongAnswersOn, "answer.too-long"),
    (GarbageIsARejection, "answer.garbage"),
    (FollowsRedirects, "answer.redirect"),
    (PassesTheProxysWordsOn, "answer.proxys-words"),
    (GivesUpEarly, "answer.deadline"),
    (NeverGivesUp, "answer.deadline"),
    (WrongStatus, "answer.codes"),
    (UnknownCode, "answer.codes"),
    (Retries408, "try.408"),
    (Retries500, "try.5xx"),
    (NotSentWithoutRetryAfter, "not-sent.said"),
    (NotSentIsLost, "not-sent.said"),
    (NotSentIsFinal, "not-sent.again"),
    (NotSentCannotBeClosed, "not-sent.delete"),
    (LimitsOpenAttempts, "limit.new-keys"),
    (PreflightLacksDelete, "cors.preflight"),
    (PreflightLacksTheKey, "cors.preflight"),
    (ExposesNothing, "cors.exposed"),
    (KeyHeaderMissingOnGet, "attempt-key"),
    (KeyHeaderInCapitals, "attempt-key"),
    (MayBeStored, "no-store"),
    (MakesUpAKey, "key.required"),
    (AnyTextIsAKey, "key.uuid"),
    (QuotesAreRefused, "key.quoted"),
    (CapitalsAreAnotherKey, "key.case"),
    (ReplaysUnmarked, "replay.same"),
    (SendsFinalAgain, "replay.unsent"),
    (WaitsForTheTry, "pending.within"),
    (GetKnowsNothingOfRunningTries, "pending.get"),
    (TryEndsWithTheBrowser, "pending.late"),
    (SecondPostIsPending, "pending.second"),
    (SecondPostIsSent, "pending.second"),
    (InUseNamesNothing, "in-use.same"),
    (InUseNotForTheSame, "in-use.same"),
    (InUseNamesToEverybody, "in-use.other"),
    (InUseNotForOthers, "in-use.other"),
    (InUseForEver, "in-use.ended"),
    (DeleteOfUnknownIs404, "delete.unknown"),
    (DeleteForgets, "delete.closes"),
    (DeleteWhileSending, "delete.sending"),
    (DeleteAfterUnknown, "delete.unknown-try"),
    (DeleteAfterRateLimit, "delete.unknown-try"),
    (DeleteOfRedeemed, "delete.redeemed"),
    (AnyVoucher, "mismatch.voucher"),
    (AnyAmount, "mismatch.amount"),
    (AmountsAsText, "mismatch.same-value"),
    (UnknownWithoutCode, "get.unknown"),
    (GetWritesAnew, "get.stored"),
    (GetOfOpenIsLost, "get.open"),
    (QueryIsAnotherPath, "get.query"),
    (SuccessAfterUnknownIsUnconfirmed, "unknown.redeemed"),
    (InvalidPinAfterUnknownIsUnconfirmed, "unknown.invalid-pin"),
    (RateLimitAfterUnknownIsUnconfirmed, "unknown.retried"),
    (AlreadyRedeemedAfterUnknownPasses, "unconfirmed.post"),
    (GetTellsAlreadyRedeemed, "unconfirmed.get"),
    (SendsAfterAlreadyRedeemed, "unconfirmed.unsent"),
    (UnconfirmedIsNeverSent, "unconfirmed.new-try"),
    (SendsAfterPending, "accepted.unsent"),
    (AnybodyMayPostAnyKey, "foreign.post"),
    (AnybodyMayGetAnyKey, "foreign.get"),
    (AnybodyMayDeleteAnyKey, "foreign.delete"),
];

/// How many runs at once: they wait most of the time.
const AT_ONCE: usize = 10;

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_rule_fails_and_no_other() {
    let (mut runs, places) = (JoinSet::new(), Arc::new(Semaphore::new(AT_ONCE)));
    for (flaw, rule) in FLAWS {
        let places = Arc::clone(&places);
        runs.spawn(async move {
            let _place = places.acquire_owned().await.expect("never closed");
            (*flaw, *rule, broken_by(*flaw).await)
        });
    }
    let mut wrong = Vec::new();
    for (flaw, rule, report) in runs.join_all().await {
        if report.names(Verdict::Fail) == [rule] {
            continue;
        }
        // Some rules are about time, and ten runs at once leave none on a busy machine: alone it must be seen.
        let report = broken_by(flaw).await;
        if report.names(Verdict::Fail) != [rule] {
            wrong.push(format!("{flaw:?} should break {rule} alone:\n{report}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

async fn broken_by(flaw: Flaw) -> Report {
    let report = run(|made, setup| {
        made.flaw = Some(flaw);
        if flaw == GivesUpEarly {
            // Half of it must be earlier than the slack allows, and later than POST's own time.
            (made.deadline, setup.times.upstream_deadline) = (made.deadline * 3, made.deadline * 3);
        }
    });
    report.await.expect("it can be checked")
}

/// A retry after a cut changes what every later answer finds, so it is looked at where nothing is kept.
#[tokio::test]
async fn a_proxy_that_retries_a_cut_is_caught() {
    let report = run(|made, _| (made.flaw, made.keeps_attempts) = (Some(RetriesCuts), false)).await.expect("checked");
    assert_eq!(report.names(Verdict::Fail), ["try.cut"], "{report}");
}

#[test]
fn each_rule_has_a_proxy_that_breaks_it() {
    let broken: BTreeSet<&str> = FLAWS.iter().map(|(_, rule)| *rule).chain(["try.cut"]).collect();
    let rules: BTreeSet<&str> = RULES.iter().map(|rule| rule.id).collect();
    assert_eq!(broken, rules);
}

#[tokio::test]
async fn a_right_proxy_passes_all() {
    let report = run(|_, _| {}).await.expect("it can be checked");
    assert_eq!((report.keeps_attempts, report.count(Verdict::Pass)), (true, RULES.len()), "{report}");
}
