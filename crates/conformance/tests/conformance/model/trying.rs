//! One try at Mozarto, and what of its answer may be told.

use super::attempts::Kept;
use super::reading::Order;
use super::{Flaw, Model, own};
use jsonwebtoken::{EncodingKey, Header};
use mozarto::{Answer, Signal, VoucherPin, redact_pin};
use serde_json::{Value, json};

/// A try that has ended.
pub(crate) struct Tried {
    /// What POST says.
    pub(crate) told: Kept,
    /// What is kept; the same, but for a flaw.
    pub(crate) kept: Kept,
    pub(crate) signal: Signal,
}

/// Why there is no answer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lost {
    Cut,
    Within,
    Late,
    Garbage,
    NotMozartos,
}

const MAX: usize = 256 * 1024;

impl Model {
    pub(crate) async fn tried(&self, order: &Order) -> Tried {
        let first = self.one(order).await;
        let again = match &first {
            Ok(Ok(answer)) => {
                (self.has(Flaw::Retries408) && answer.0 == 408) || (self.has(Flaw::Retries500) && answer.0 == 500)
            }
            Ok(Err(Lost::Cut)) => self.has(Flaw::RetriesCuts),
            _ => false,
        };
        let sent = if again { self.one(order).await } else { first };
        match sent {
            Err(()) => self.not_sent(),
            Ok(Err(lost)) => self.lost(lost),
            Ok(Ok((status, retry_after, body))) => self.answered(order, status, retry_after, body),
        }
    }

    /// Sends once. The outer error: nothing has left.
    async fn one(&self, order: &Order) -> Result<Result<(u16, Option<String>, Vec<u8>), Lost>, ()> {
        let deadline = match self.made.flaw {
            Some(Flaw::GivesUpEarly) => self.made.deadline / 2,
            Some(Flaw::NeverGivesUp) => self.made.deadline * 10,
            _ => self.made.deadline,
        };
        let token = if self.has(Flaw::SendsTheCustomersToken) {
            order.authorization.clone()
        } else {
            format!("Bearer {}", self.made.company_token)
        };
        let mut request = self
            .client
            .post(format!("{}/v1/api/mozarto/cashier", self.made.mozarto))
            .timeout(deadline)
            .header("authorization", token)
            .header("content-type", "application/json")
            .body(order.body.to_string());
        if !self.has(Flaw::NoUserHeader) {
            request = request.header("x-user-token", self.user_token(order));
        }
        if self.has(Flaw::PinInARequestsHeader) {
            request = request.header("x-trace", format!("voucher-{}", order.pin));
        }
        let mut response = match request.send().await {
            Ok(response) => response,
            Err(error) if error.is_connect() => return Err(()),
            Err(error) if error.is_timeout() => return Ok(Err(Lost::Late)),
            Err(_) => return Ok(Err(Lost::Cut)),
        };
        let status = response.status().as_u16();
        let retry_after =
            response.headers().get("retry-after").and_then(|value| value.to_str().ok()).map(str::to_owned);
        let mut body = Vec::new();
        loop {
            match response.chunk().await {
                Ok(None) => return Ok(Ok((status, retry_after, body))),
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Err(_) if self.has(Flaw::CutWithinIsASuccess) => {
                    let body = br#"{"isSuccess":true,"data":{"result":"0"}}"#.to_vec();
                    return Ok(Ok((status, retry_after, body)));
                }
                Err(_) => return Ok(Err(Lost::Within)),
            }
            if body.len() > MAX && !self.has(Flaw::PassesLongAnswersOn) {
                return Ok(Err(Lost::Within));
            }
        }
    }

    fn user_token(&self, order: &Order) -> String {
        if self.has(Flaw::UserTokenIsNoJwt) {
            return "Bearer alice".to_owned();
        }
        let user = if self.has(Flaw::UserTokenOfSomebodyElse) { "carol" } else { &order.owner };
        let claims = json!({ "userId": user, "email": order.email, "exp": 4_000_000_000_u64 });
        let key = EncodingKey::from_secret(self.made.company_token.as_bytes());
        format!("Bearer {}", jsonwebtoken::encode(&Header::default(), &claims, &key).expect("encodes"))
    }

    fn not_sent(&self) -> Tried {
        if self.has(Flaw::NotSentIsLost) {
            let told = own(502, None, "no connection");
            return Tried { told: told.clone(), kept: told, signal: Signal::NotSent };
        }
        let mut told = own(503, Some("NOT_SENT"), "nothing was sent");
        told.retry_after = Some("1".to_owned()).filter(|_| !self.has(Flaw::NotSentWithoutRetryAfter));
        Tried { told: told.clone(), kept: told, signal: Signal::NotSent }
    }

    fn lost(&self, lost: Lost) -> Tried {
        let kept = own(504, None, "Mozarto gave no complete answer");
        let told = match lost {
            Lost::Cut if self.has(Flaw::CutIsA500) => own(500, None, "Internal server error"),
            Lost::Garbage if self.has(Flaw::GarbageIsARejection) => own(400, None, "Voucher rejected"),
            _ => kept.clone(),
        };
        Tried { told, kept, signal: Signal::NoAnswer }
    }

    fn answered(&self, order: &Order, status: u16, retry_after: Option<String>, body: Vec<u8>) -> Tried {
        let reply = serde_json::from_slice(&body).ok();
        let Ok(mut text) = String::from_utf8(body) else { return self.lost(Lost::Garbage) };
        let signal = Answer { status, retry_after: None, reply }.meaning().signal;
        let redirect = (300..400).contains(&status);
        let undocumented = serde_json::from_str::<mozarto::Reply>(&text).is_err();
        if redirect || (signal.is_the_proxys() && !self.has(Flaw::PassesTheProxysWordsOn)) {
            return self.lost(Lost::NotMozartos);
        }
        if undocumented {
            return self.lost(Lost::Garbage);
        }
        let pin = VoucherPin::from_wire(&order.pin).filter(|_| !self.has(Flaw::EchoesThePin));
        if let Some(pin) = pin {
            text = redact_pin(&text, &pin).into_owned();
        }
        if self.has(Flaw::WritesTheBodyAnew) && status == 200 {
            text = serde_json::from_str::<Value>(&text).map_or_else(|_| text.clone(), |value| value.to_string());
        }
        let status = if status == 408 && !self.has(Flaw::Passes408On) { 504 } else { status };
        let retry_after = retry_after.filter(|_| !self.has(Flaw::DropsRetryAfter));
        let kept = Kept { retry_after, ..Kept::new(status, text) };
        let signal = if signal.is_the_proxys() { Signal::NoAnswer } else { signal };
        Tried { told: kept.clone(), kept, signal }
    }
}
