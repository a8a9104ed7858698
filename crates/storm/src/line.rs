//! The line between a page and the proxy: requests as the widget's shell makes them, over a network that loses, delays
//! and repeats. What the network does to a request is drawn before it leaves; the journal sees answers that the page
//! does not get.

use crate::journal::Journal;
use crate::settings::Habits;
use fastrand::Rng;
use mozarto::{Answer, ErrorCode, Reply};
use redemption::{AttemptKey, Keeping, Method, Request, StatusAsk};
use reqwest::{Client, RequestBuilder, Response};
use std::sync::Arc;
use std::time::Duration;

/// What happens to a request on its way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Fate {
    Arrives,
    NeverLeaves,
    AnswerLost,
    Delayed(Duration),
    /// The connection dies after a while, and the browser sends the request once more.
    SentTwice(Duration),
    /// After a while another device of the customer's has the attempt closed.
    RacedByDelete(Duration),
}

/// An answer, and whether the proxy says that it keeps the attempt.
pub(crate) struct Got {
    pub(crate) answer: Answer,
    pub(crate) keeping: Keeping,
}

/// What all lines share.
pub(crate) struct Network {
    pub(crate) client: Client,
    pub(crate) journal: Journal,
    pub(crate) habits: Habits,
    pub(crate) time_scale: f64,
}

impl Got {
    fn none() -> Self {
        Self { answer: Answer::none(), keeping: Keeping::No }
    }

    /// What a page says itself where another of its requests has the lock of this attempt.
    pub(crate) fn in_progress() -> Self {
        let reply =
            Reply { is_success: Some(false), error_code: Some(ErrorCode::AttemptInProgress), ..Reply::default() };
        Self { answer: Answer { reply: Some(reply), ..Answer::none() }, keeping: Keeping::Kept }
    }
}

impl Network {
    /// Draws what happens to a POST.
    pub(crate) fn fate_of_post(&self, random: &mut Rng) -> Fate {
        let Habits { never_leaves, answer_lost, delayed, sent_twice, raced_by_delete, .. } = self.habits;
        let mut drawn = random.f64();
        let after = Duration::from_secs_f64(random.f64() * self.time_scale);
        let much_later = 30.0 * random.f64().powi(2);
        let mut is = |share: f64| {
            drawn -= share;
            drawn < 0.0
        };
        if is(never_leaves) {
            Fate::NeverLeaves
        } else if is(answer_lost) {
            Fate::AnswerLost
        } else if is(delayed) {
            Fate::Delayed(after * 20)
        } else if is(sent_twice) {
            Fate::SentTwice(after)
        } else if is(raced_by_delete) {
            // Mostly at once, at times when most tries have long ended.
            Fate::RacedByDelete(after.mul_f64(much_later))
        } else {
            Fate::Arrives
        }
    }

    /// Draws what happens to a GET or DELETE.
    pub(crate) fn fate_of_ask(&self, random: &mut Rng) -> Fate {
        if random.f64() < self.habits.answer_lost { Fate::AnswerLost } else { Fate::Arrives }
    }

    /// One try.
    pub(crate) async fn post(self: Arc<Self>, mut request: Request, fate: Fate) -> Got {
        // By this the sandbox knows whose try it is; nothing else of a request tells the attempt.
        request.pay_in.brand_id = Some(request.attempt.as_str().to_owned());
        match fate {
            Fate::NeverLeaves => return Got::none(),
            Fate::Delayed(by) => tokio::time::sleep(by).await,
            Fate::SentTwice(after) => {
                let first = tokio::time::timeout(after, self.send(self.posting(&request), &request.attempt)).await;
                if let Ok(answered) = first {
                    return answered;
                }
            }
            Fate::RacedByDelete(after) => {
                let (network, endpoint, key) = (Arc::clone(&self), request.endpoint.clone(), request.attempt.clone());
                tokio::spawn(async move {
                    tokio::time::sleep(after).await;
                    network.delete(&endpoint, &key).await;
                });
            }
            Fate::Arrives | Fate::AnswerLost => {}
        }
        let got = self.send(self.posting(&request), &request.attempt).await;
        if fate == Fate::AnswerLost { Got::none() } else { got }
    }

    /// One status ask.
    pub(crate) async fn ask(&self, ask: &StatusAsk, fate: Fate) -> Got {
        let key = &ask.ask.attempt;
        let got = match ask.method {
            Method::Get => self.get(&ask.endpoint, key).await,
            Method::Delete => self.delete(&ask.endpoint, key).await,
        };
        if fate == Fate::AnswerLost { Got::none() } else { got }
    }

    /// The status of an attempt.
    pub(crate) async fn get(&self, endpoint: &str, key: &AttemptKey) -> Got {
        self.send(self.client.get(format!("{endpoint}/{}", key.as_str())), key).await
    }

    async fn delete(&self, endpoint: &str, key: &AttemptKey) -> Got {
        let got = self.send(self.client.delete(format!("{endpoint}/{}", key.as_str())), key).await;
        let untouched = got.answer.meaning().signal == mozarto::Signal::AttemptClosed;
        if untouched && got.keeping != Keeping::No {
            self.journal.told_untouched(key);
        }
        got
    }

    fn posting(&self, request: &Request) -> RequestBuilder {
        self.journal.posted(&request.attempt);
        let body = serde_json::to_vec(&request.pay_in).expect("a Pay-In is JSON");
        self.client
            .post(&request.endpoint)
            .header("content-type", "application/json")
            .header("idempotency-key", request.attempt.as_str())
            .body(body)
    }

    async fn send(&self, request: RequestBuilder, key: &AttemptKey) -> Got {
        let Ok(response) = request.send().await else { return Got::none() };
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
        let kept = header("attempt-key").is_some_and(|named| named.eq_ignore_ascii_case(key.as_str()));
        let keeping = match header("idempotency-replayed") {
            _ if !kept => Keeping::No,
            Some("true") => Keeping::Replayed,
            _ => Keeping::Kept,
        };
        let Some(answer) = read(response).await else { return Got { answer: Answer::none(), keeping } };
        if kept {
            self.journal.answered(key, &answer.meaning());
        }
        Got { answer, keeping }
    }
}

/// `None` where the answer was cut short: the page has a status and no more, which is no answer.
async fn read(response: Response) -> Option<Answer> {
    let status = response.status().as_u16();
    let wait = response.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
    let body = response.bytes().await.ok()?;
    Some(Answer { status, retry_after: wait.map(Duration::from_secs), reply: serde_json::from_slice(&body).ok() })
}
