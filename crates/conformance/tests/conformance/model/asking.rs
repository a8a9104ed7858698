//! GET and DELETE of an attempt.

use super::attempts::{Attempt, Kept, Phase, closed, pending};
use super::{Flaw, Model, own};
use mozarto::{ErrorCode, Signal};
use serde_json::{Value, json};
use std::time::Duration;

fn untouched() -> Kept {
    Kept::new(200, json!({ "status": "untouched" }).to_string())
}

fn anew(kept: &Kept) -> Kept {
    let body = serde_json::from_str::<Value>(&kept.body).map_or_else(|_| kept.body.clone(), |value| value.to_string());
    Kept { body, ..kept.clone() }
}

impl Model {
    pub(crate) fn got(&self, key: &str, asker: Option<&str>) -> Kept {
        let book = self.book.lock().expect("not poisoned");
        let unknown = if self.has(Flaw::UnknownWithoutCode) { None } else { Some("ATTEMPT_UNKNOWN") };
        let Some(attempt) = book.attempts.get(&key.to_lowercase()) else { return own(404, unknown, "never seen") };
        if is_foreign(attempt, asker) && !self.has(Flaw::AnybodyMayGetAnyKey) {
            return own(403, Some("ATTEMPT_FOREIGN"), "not yours");
        }
        match attempt.phase {
            // Only at first, so that other checks find the try that they wait for.
            Phase::Sending(since)
                if self.has(Flaw::GetKnowsNothingOfRunningTries) && since.elapsed() < Duration::from_millis(350) =>
            {
                own(404, Some("ATTEMPT_UNKNOWN"), "never seen")
            }
            Phase::Sending(_) => pending(),
            Phase::Closed => closed(),
            Phase::Unconfirmed if self.has(Flaw::GetTellsAlreadyRedeemed) => attempt.raw_last.clone(),
            Phase::Final if self.has(Flaw::GetWritesAnew) => anew(&attempt.last),
            Phase::Open if self.has(Flaw::GetOfOpenIsLost) && attempt.signal == Signal::PspTimeout => {
                own(504, None, "no answer")
            }
            _ => attempt.last.clone(),
        }
    }

    pub(crate) fn closed(&self, key: &str, asker: Option<&str>) -> Kept {
        let mut book = self.book.lock().expect("not poisoned");
        let Some(attempt) = book.attempts.get_mut(&key.to_lowercase()) else {
            if !self.has(Flaw::DeleteForgets) {
                book.attempts.insert(key.to_lowercase(), Attempt::never_sent(asker));
            }
            return if self.has(Flaw::DeleteOfUnknownIs404) {
                own(404, Some(ErrorCode::AttemptUnknown.as_str()), "never seen")
            } else {
                untouched()
            };
        };
        if is_foreign(attempt, asker) && !self.has(Flaw::AnybodyMayDeleteAnyKey) {
            return own(403, Some("ATTEMPT_FOREIGN"), "not yours");
        }
        let proves = match attempt.phase {
            Phase::Sending(_) => self.has(Flaw::DeleteWhileSending),
            Phase::Open if self.has(Flaw::NotSentCannotBeClosed) && attempt.signal == Signal::NotSent => false,
            Phase::Open if self.has(Flaw::DeleteAfterRateLimit) && attempt.signal == Signal::RateLimited => true,
            Phase::Open => !attempt.unknown || self.has(Flaw::DeleteAfterUnknown),
            Phase::Final => self.has(Flaw::DeleteOfRedeemed) && matches!(attempt.signal, Signal::Redeemed(_)),
            Phase::Closed => true,
            Phase::Unconfirmed => false,
        };
        if proves {
            attempt.phase = Phase::Closed;
            return untouched();
        }
        if matches!(attempt.phase, Phase::Sending(_)) { pending() } else { attempt.last.clone() }
    }
}

fn is_foreign(attempt: &Attempt, asker: Option<&str>) -> bool {
    matches!((attempt.owner.as_deref(), asker), (Some(owner), Some(asker)) if owner != asker)
}
