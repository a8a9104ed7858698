//! Checkout sessions: JWTs that the merchant's server signs and the browser sends as bearer. Owns what of them is
//! believed: which keys, whose, for whom, until when, and what each fixes. Left to others: who may do what with one
//! (`guard`), and how a body is held against it (`pay_in`).
//!
//! The library checks the signature alone. Times are held against the proxy's own clock here, and the algorithm is the
//! key's, never the token's. Source: RFC 7519, and RFC 8725 for what can go wrong.

mod keys;
#[cfg(test)]
mod tests;

use crate::clock::Clock;
use crate::live::Live;
use crate::pay_in::{is_email, is_plain};
use axum::http::{HeaderMap, header};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Validation, decode, decode_header};
pub use keys::SessionKeys;
use mozarto::{Amount, Currency};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use std::sync::Arc;

/// How far the merchant's clock may be off.
const SKEW_SECONDS: i64 = 60;
/// The longest a session may last, and how long after its end it may still ask about its own attempts.
const DAY_SECONDS: i64 = 24 * 3600;
/// A widget's is under 1 KB.
const LONGEST_TOKEN_BYTES: usize = 8 * 1024;
const LONGEST_TEXT: usize = 128;
/// An amount that no currency can express is refused before its currency is known: none has more decimals.
const MOST_DECIMALS: &str = "KWD";

/// Which sessions are believed.
pub(crate) struct Sessions {
    pub(crate) keys: Live<SessionKeys>,
    pub(crate) issuer: String,
    pub(crate) audience: String,
    pub(crate) clock: Arc<Clock>,
}

/// A session that was signed by the merchant and has not ended, or not long ago.
pub(crate) struct Session {
    /// Names it among all sessions.
    pub(crate) id: String,
    /// The customer: owns what is posted under it.
    pub(crate) subject: String,
    /// Whether something new may be begun under it. Else it may only ask about, and finish, what was begun.
    pub(crate) is_live: bool,
    pub(crate) fixed: Fixed,
}

/// What a session fixes. `None` fixes nothing.
#[derive(Default)]
pub(crate) struct Fixed {
    pub(crate) email: Option<String>,
    pub(crate) amount: Option<AmountClaim>,
    pub(crate) amounts: Option<Vec<AmountClaim>>,
    pub(crate) currency: Option<Currency>,
    pub(crate) brand_id: Option<String>,
    pub(crate) first_name: Option<String>,
    pub(crate) last_name: Option<String>,
    pub(crate) phone: Option<String>,
    pub(crate) country_code: Option<String>,
}

/// An amount in major units.
#[derive(Deserialize)]
#[serde(untagged)]
pub(crate) enum AmountClaim {
    Number(f64),
    Text(String),
}

impl AmountClaim {
    pub(crate) fn in_currency(&self, currency: Currency) -> Option<Amount> {
        match self {
            Self::Number(number) => Amount::from_json_number(*number, currency).ok(),
            Self::Text(text) => Amount::parse(text, currency).ok(),
        }
    }
}

/// Why there is no session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// No bearer was sent.
    None,
    /// There are two: nobody can tell which one a proxy on the way has checked.
    Twice,
    /// It ended more than a day ago.
    Expired,
    /// It is not to be believed. The text is for the log, and says nothing of the token's own words.
    Broken(&'static str),
}

/// The bearer of a request, whatever it is worth.
pub(crate) fn bearer(headers: &HeaderMap) -> Result<SecretString, Refused> {
    let mut given = headers.get_all(header::AUTHORIZATION).iter();
    let Some(first) = given.next() else { return Err(Refused::None) };
    if given.next().is_some() {
        return Err(Refused::Twice);
    }
    let text = first.to_str().map_err(|_| Refused::Broken("the Authorization header is no text"))?;
    // The scheme is compared as HTTP says: without regard to capitals.
    match text.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") && !token.trim().is_empty() => {
            Ok(SecretString::from(token.trim()))
        }
        _ => Err(Refused::None),
    }
}

impl Sessions {
    /// The session of a bearer.
    pub(crate) fn of(&self, bearer: &SecretString) -> Result<Session, Refused> {
        let claims = self.claims(bearer.expose_secret())?;
        let now = i64::try_from(self.clock.wall_seconds()).unwrap_or(i64::MAX);
        let is_live = self.is_live(&claims, now)?;
        session_of(claims, is_live)
    }

    /// The claims, once the signature is known to be the merchant's.
    fn claims(&self, token: &str) -> Result<Claims, Refused> {
        if token.len() > LONGEST_TOKEN_BYTES {
            return Err(Refused::Broken("it is over 8 KB"));
        }
        let header = decode_header(token).map_err(|_| Refused::Broken("its header is none of a signed JWT"))?;
        if header.crit.is_some() {
            return Err(Refused::Broken("its header has critical fields that are not known here"));
        }
        let Some(id) = header.kid else { return Err(Refused::Broken("its header has no kid")) };
        let keys = self.keys.now();
        let Some(key) = keys.of(&id) else { return Err(Refused::Broken("its kid is none of CASHIER_SESSION_KEYS")) };
        let mut validation = Validation::new(key.algorithm);
        validation.required_spec_claims.clear();
        (validation.validate_exp, validation.validate_aud) = (false, false);
        let token = decode::<Claims>(token, &key.key, &validation).map_err(|error| match error.kind() {
            ErrorKind::InvalidAlgorithm => Refused::Broken("its alg is not its key's"),
            ErrorKind::InvalidSignature => Refused::Broken("its signature is not its key's"),
            _ => Refused::Broken("its claims are missing, double or not as documented"),
        })?;
        Ok(token.claims)
    }

    /// Whether it has not ended, if it is for us and its times are possible.
    fn is_live(&self, claims: &Claims, now: i64) -> Result<bool, Refused> {
        if claims.iss != self.issuer {
            return Err(Refused::Broken("its iss is not --session-issuer"));
        }
        let is_ours = match &claims.aud {
            Audience::One(name) => *name == self.audience,
            Audience::Several(names) => names.contains(&self.audience),
        };
        if !is_ours {
            return Err(Refused::Broken("its aud is not --session-audience"));
        }
        let (Some(iat), Some(exp)) = (seconds(claims.iat), seconds(claims.exp)) else {
            return Err(Refused::Broken("its iat or exp is no time"));
        };
        let nbf = claims.nbf.map_or(Some(iat), seconds).ok_or(Refused::Broken("its nbf is no time"))?;
        if exp <= iat || exp - iat > DAY_SECONDS {
            return Err(Refused::Broken("it lasts longer than 24 hours, or ends before it begins"));
        }
        if iat.max(nbf) > now + SKEW_SECONDS {
            return Err(Refused::Broken("it begins in the future: compare the clocks"));
        }
        if now > exp + DAY_SECONDS {
            return Err(Refused::Expired);
        }
        Ok(now < exp + SKEW_SECONDS)
    }
}

/// Times are whole seconds to us; RFC 7519 allows parts of one.
#[expect(clippy::cast_possible_truncation, reason = "the range is checked before the cast")]
fn seconds(time: f64) -> Option<i64> {
    (0.0..1e11).contains(&time).then_some(time as i64)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Claims {
    iss: String,
    aud: Audience,
    sub: String,
    iat: f64,
    exp: f64,
    nbf: Option<f64>,
    jti: String,
    email: Option<String>,
    amount: Option<AmountClaim>,
    amounts: Option<Vec<AmountClaim>>,
    currency: Option<String>,
    brand_id: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
    phone: Option<String>,
    country_code: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

fn session_of(claims: Claims, is_live: bool) -> Result<Session, Refused> {
    let texts = [
        Some(&claims.sub),
        Some(&claims.jti),
        claims.brand_id.as_ref(),
        claims.first_name.as_ref(),
        claims.last_name.as_ref(),
        claims.phone.as_ref(),
        claims.country_code.as_ref(),
    ];
    if texts.into_iter().flatten().any(|text| text.trim().is_empty() || !is_plain(text, LONGEST_TEXT)) {
        return Err(Refused::Broken("a claim is empty, over 128 characters, or has control characters"));
    }
    if claims.email.as_deref().is_some_and(|email| !is_email(email)) {
        return Err(Refused::Broken("its email is no email address"));
    }
    let currency = claims.currency.as_deref().map(str::parse::<Currency>).transpose();
    let currency = currency.map_err(|_| Refused::Broken("its currency is no currency code"))?;
    let expresses = currency.or_else(|| MOST_DECIMALS.parse().ok());
    let is_amount = |amount: &AmountClaim| expresses.is_some_and(|currency| amount.in_currency(currency).is_some());
    if !claims.amount.iter().chain(claims.amounts.iter().flatten()).all(is_amount) {
        return Err(Refused::Broken("its amount is no amount"));
    }
    Ok(Session {
        id: format!("{} {}", claims.iss, claims.jti),
        subject: claims.sub,
        is_live,
        fixed: Fixed {
            email: claims.email,
            amount: claims.amount,
            amounts: claims.amounts,
            currency,
            brand_id: claims.brand_id,
            first_name: claims.first_name,
            last_name: claims.last_name,
            phone: claims.phone,
            country_code: claims.country_code,
        },
    })
}
