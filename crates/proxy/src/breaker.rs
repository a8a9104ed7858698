//! The circuit breaker before Mozarto: after so many tries in a row without a complete answer nothing is sent for a
//! while, and then one try asks whether Mozarto is there again. Customers are told "not sent" at once instead of
//! "unknown" after 45 s, and a Mozarto that struggles is left alone.
//!
//! `Circuit` is pure: time comes in. `Breaker` is what the tries share. Left to others: what counts as a complete answer
//! (`upstream`), and what a customer is told (`attempts`).

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// The pause after the last failure that was one too many.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
/// Each probe that fails doubles the pause, up to this.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// The breaker that all tries share.
pub(crate) struct Breaker(Mutex<Circuit>);

impl Breaker {
    /// Opens after so many tries in a row without a complete answer; 0 for never.
    pub(crate) fn new(most_failures: u32) -> Self {
        Self(Mutex::new(Circuit::new(most_failures)))
    }

    /// Whether a try may be sent. If not: in how long it is worth asking again.
    pub(crate) fn ask(self: &Arc<Self>) -> Result<Pass, Duration> {
        let asked = self.circuit().ask(Instant::now())?;
        Ok(Pass { breaker: Arc::clone(self), asked: Some(asked) })
    }

    /// How long nothing is sent from now on; `None` where a try may be sent.
    pub(crate) fn left(&self) -> Option<Duration> {
        self.circuit().left(Instant::now())
    }

    fn circuit(&self) -> MutexGuard<'_, Circuit> {
        // Nothing in here panics between two writes.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to send one try. Dropped without an end, nothing was sent by it.
pub(crate) struct Pass {
    breaker: Arc<Breaker>,
    asked: Option<Asked>,
}

impl Pass {
    /// The try has ended, with a complete answer or without.
    pub(crate) fn ended(mut self, with_an_answer: bool) {
        let Some(asked) = self.asked.take() else { return };
        let mut circuit = self.breaker.circuit();
        if with_an_answer { circuit.answered() } else { circuit.failed(asked, Instant::now()) }
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        if let Some(asked) = self.asked.take() {
            self.breaker.circuit().given_back(asked, Instant::now());
        }
    }
}

/// What a try may be sent as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    /// One of many.
    Free,
    /// The one that asks whether Mozarto is there again, by its number.
    Probe(u64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Closed { failures: u32 },
    Open { until: Instant, pause: Duration },
    HalfOpen { probe: u64, pause: Duration },
}

/// The breaker's rules.
#[derive(Debug)]
struct Circuit {
    most_failures: u32,
    state: State,
    probes: u64,
}

impl Circuit {
    fn new(most_failures: u32) -> Self {
        Self { most_failures, state: State::Closed { failures: 0 }, probes: 0 }
    }

    fn ask(&mut self, now: Instant) -> Result<Asked, Duration> {
        match (self.left(now), self.state) {
            (Some(left), _) => Err(left),
            (None, State::Open { pause, .. }) => {
                self.probes += 1;
                self.state = State::HalfOpen { probe: self.probes, pause };
                Ok(Asked::Probe(self.probes))
            }
            (None, _) => Ok(Asked::Free),
        }
    }

    fn left(&self, now: Instant) -> Option<Duration> {
        match self.state {
            State::Closed { .. } => None,
            State::Open { until, .. } => Some(until.saturating_duration_since(now)).filter(|left| !left.is_zero()),
            // Its end is not known; by then it may have ended.
            State::HalfOpen { .. } => Some(FIRST_PAUSE),
        }
    }

    /// A complete answer is proof, whichever try it is of.
    fn answered(&mut self) {
        self.state = State::Closed { failures: 0 };
    }

    fn failed(&mut self, asked: Asked, now: Instant) {
        match (self.state, asked) {
            _ if self.most_failures == 0 => {}
            (State::Closed { failures }, _) if failures + 1 < self.most_failures => {
                self.state = State::Closed { failures: failures + 1 };
            }
            (State::Closed { .. }, _) => self.open(now, FIRST_PAUSE),
            (State::HalfOpen { probe, pause }, Asked::Probe(number)) if probe == number => {
                self.open(now, (pause * 2).min(LONGEST_PAUSE));
            }
            // It was sent before this pause began, and says nothing new.
            (State::Open { .. } | State::HalfOpen { .. }, _) => {}
        }
    }

    /// A probe that was not sent leaves its turn to the next try.
    fn given_back(&mut self, asked: Asked, now: Instant) {
        if let (State::HalfOpen { probe, pause }, Asked::Probe(number)) = (self.state, asked)
            && probe == number
        {
            self.state = State::Open { until: now, pause };
        }
    }

    fn open(&mut self, now: Instant, pause: Duration) {
        self.state = State::Open { until: now + pause, pause };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// A circuit that has just opened, at `now`.
    fn opened(now: Instant) -> Circuit {
        let mut circuit = Circuit::new(3);
        for _ in 0..3 {
            assert_eq!(circuit.ask(now), Ok(Asked::Free));
            circuit.failed(Asked::Free, now);
        }
        circuit
    }

    #[test]
    fn it_opens_after_so_many_failures_in_a_row_and_an_answer_between_counts_anew() {
        let now = Instant::now();
        let mut circuit = Circuit::new(3);
        for _ in 0..5 {
            circuit.failed(Asked::Free, now);
            circuit.failed(Asked::Free, now);
            circuit.answered();
        }
        assert_eq!(circuit.ask(now), Ok(Asked::Free));
        assert_eq!(opened(now).ask(now), Err(FIRST_PAUSE));
    }

    #[test]
    fn what_is_left_of_the_pause_is_told_and_then_one_try_asks() {
        let now = Instant::now();
        let mut circuit = opened(now);
        assert_eq!(circuit.ask(now + SECOND), Err(SECOND * 4));
        assert_eq!(circuit.ask(now + SECOND * 5), Ok(Asked::Probe(1)));
        assert_eq!(circuit.ask(now + SECOND * 6), Err(FIRST_PAUSE), "one probe at a time");
        circuit.answered();
        assert_eq!(circuit.ask(now + SECOND * 6), Ok(Asked::Free));
    }

    #[test]
    fn each_probe_that_fails_doubles_the_pause_up_to_a_minute() {
        let mut now = Instant::now();
        let mut circuit = opened(now);
        for seconds in [5, 10, 20, 40, 60, 60] {
            assert_eq!(circuit.left(now), Some(SECOND * seconds));
            now += SECOND * seconds;
            let probe = circuit.ask(now).expect("the pause is over");
            circuit.failed(probe, now);
        }
        circuit.answered();
        for _ in 0..3 {
            circuit.failed(Asked::Free, now);
        }
        assert_eq!(circuit.left(now), Some(FIRST_PAUSE), "after an answer it begins anew");
    }

    #[test]
    fn tries_of_before_do_not_lengthen_a_pause_and_a_late_answer_ends_it() {
        let now = Instant::now();
        let mut circuit = opened(now);
        circuit.failed(Asked::Free, now + SECOND);
        assert_eq!(circuit.left(now + SECOND), Some(SECOND * 4));
        assert_eq!(circuit.ask(now + SECOND * 5), Ok(Asked::Probe(1)));
        circuit.failed(Asked::Free, now + SECOND * 5);
        assert_eq!(circuit.left(now + SECOND * 5), Some(FIRST_PAUSE), "the probe still asks");
        circuit.answered();
        assert_eq!(circuit.left(now + SECOND * 5), None);
        // The probe of a pause that has ended so.
        circuit.given_back(Asked::Probe(1), now + SECOND * 6);
        assert_eq!(circuit.ask(now + SECOND * 6), Ok(Asked::Free));
    }

    #[test]
    fn a_probe_that_was_not_sent_leaves_its_turn_to_the_next() {
        let breaker = Arc::new(Breaker::new(1));
        breaker.ask().unwrap_or_else(|_| panic!("closed")).ended(false);
        assert!(breaker.ask().is_err());
        *breaker.circuit() =
            Circuit { state: State::Open { until: Instant::now(), pause: FIRST_PAUSE }, ..Circuit::new(1) };
        let probe = breaker.ask().unwrap_or_else(|_| panic!("the pause is over"));
        assert!(breaker.ask().is_err());
        drop(probe);
        breaker.ask().unwrap_or_else(|_| panic!("its turn")).ended(true);
        assert_eq!(breaker.left(), None);
    }

    #[test]
    fn zero_is_off() {
        let now = Instant::now();
        let mut circuit = Circuit::new(0);
        for _ in 0..1000 {
            circuit.failed(Asked::Free, now);
        }
        assert_eq!(circuit.ask(now), Ok(Asked::Free));
    }

    #[derive(Clone, Debug)]
    enum Step {
        Ask,
        /// The end of a try that is out: which, and whether it was answered, failed or never sent.
        End(usize, Option<bool>),
        Wait(u64),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            3 => Just(Step::Ask),
            3 => (any::<usize>(), any::<Option<bool>>()).prop_map(|(which, how)| Step::End(which, how)),
            2 => (0..20_000_u64).prop_map(Step::Wait),
        ];
        proptest::collection::vec(step, 1..200)
    }

    proptest! {
        #[test]
        fn whatever_comes_one_probe_is_out_at_most_and_no_wait_is_longer_than_a_minute(most in 1..5_u32, steps in steps()) {
            let mut now = Instant::now();
            let mut circuit = Circuit::new(most);
            let mut out: Vec<Asked> = Vec::new();
            // Failures since the last answer: fewer than `most` never open it.
            let mut failures = 0;
            for step in steps {
                match step {
                    Step::Wait(ms) => now += Duration::from_millis(ms),
                    Step::Ask => match circuit.ask(now) {
                        Ok(asked) => out.push(asked),
                        Err(wait) => {
                            prop_assert!(failures >= most, "closed for no reason");
                            prop_assert!(!wait.is_zero() && wait <= LONGEST_PAUSE);
                        }
                    },
                    Step::End(which, how) if !out.is_empty() => {
                        let asked = out.swap_remove(which % out.len());
                        match how {
                            Some(true) => {
                                circuit.answered();
                                failures = 0;
                                prop_assert_eq!(circuit.left(now), None, "an answer closes it");
                            }
                            Some(false) => {
                                circuit.failed(asked, now);
                                failures += 1;
                            }
                            None => circuit.given_back(asked, now),
                        }
                    }
                    Step::End(..) => {}
                }
                if let State::HalfOpen { probe, .. } = circuit.state {
                    let asking = out.iter().filter(|asked| **asked == Asked::Probe(probe)).count();
                    prop_assert_eq!(asking, 1, "somebody asks, so that the wait ends");
                }
            }
            // Whatever came: when all tries have ended and the longest pause is over, one may ask.
            for asked in out {
                circuit.failed(asked, now);
            }
            prop_assert!(circuit.ask(now + LONGEST_PAUSE).is_ok());
        }
    }
}
