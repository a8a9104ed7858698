//! `GET /outcomes?after=<sequence>`: the merchant's books, for the merchant's own server. Source: CONTRACT, "Hop 3".

use crate::clock::rfc3339;
use crate::ledger::Entry;
use crate::openapi;
use crate::own::Own;
use crate::routes::Shared;
use crate::session;
use crate::settings::is_it;
use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tracing::error;

const USUAL_LIMIT: u32 = 100;
const LARGEST_LIMIT: u32 = 1000;

/// The merchant's books, in order.
#[utoipa::path(
    get,
    path = "/outcomes",
    tag = "books",
    params(
        ("after" = Option<i64>, Query, minimum = 0, description = "Only lines after this sequence number; 0 by default"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 1000, description = "At most so many; 100 by default"),
    ),
    security(("outcomes" = [])),
    responses(
        (status = 200, description = "The lines", body = openapi::Outcomes),
        (status = 400, description = "What was asked for is unclear", body = openapi::Answer),
        (status = 401, description = "Not the token", body = openapi::Answer),
        (status = 404, description = "Nobody reads the books here: there is no CASHIER_OUTCOMES_TOKEN", body = openapi::Answer),
        (status = 503, description = "The ledger cannot be read", body = openapi::Answer),
    ),
)]
pub(crate) async fn outcomes(State(shared): State<Shared>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let Some(token) = &shared.outcomes_token else { return Own::NotFound.into_response() };
    if !session::bearer(&headers).is_ok_and(|given| is_it(&token.now(), given.expose_secret())) {
        return Own::Unauthorized.into_response();
    }
    let (after, limit) = match asked(query.as_deref().unwrap_or_default()) {
        Ok(asked) => asked,
        Err(why) => return Own::Invalid(why).into_response(),
    };
    match shared.attempts.ledger.outcomes(after, limit).await {
        Ok(outcomes) => {
            let outcomes: Vec<Value> = outcomes.iter().map(line).collect();
            Json(json!({ "outcomes": outcomes })).into_response()
        }
        Err(unavailable) => {
            error!(%unavailable, "the merchant's books cannot be read");
            Own::LedgerUnreadable.into_response()
        }
    }
}

fn asked(query: &str) -> Result<(i64, u32), String> {
    let (mut after, mut limit) = (0, USUAL_LIMIT);
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        match name.as_ref() {
            "after" => {
                after =
                    value.parse().ok().filter(|after| *after >= 0).ok_or("after must be a sequence number, or 0")?;
            }
            "limit" => {
                let whole = value.parse().ok().filter(|limit| (1..=LARGEST_LIMIT).contains(limit));
                limit = whole.ok_or_else(|| format!("limit must be from 1 to {LARGEST_LIMIT}"))?;
            }
            _ => return Err("only after and limit can be asked for".to_owned()),
        }
    }
    Ok((after, limit))
}

/// One line of the books, as it is listed and as it is delivered.
pub(crate) fn line(outcome: &Entry) -> Value {
    json!({
        "sequence": outcome.sequence,
        "attempt": outcome.attempt,
        "transactionId": outcome.transaction_id,
        "userId": outcome.user_id,
        "currency": outcome.redeemed.currency,
        "value": outcome.redeemed.value.as_deref().and_then(|value| serde_json::from_str::<Value>(value).ok()),
        "outcome": outcome.outcome,
        "at": rfc3339(outcome.at),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_is_read_or_refused() {
        for (query, expected) in [
            ("", Some((0, 100))),
            ("after=7", Some((7, 100))),
            ("after=7&limit=1000", Some((7, 1000))),
            ("after=-1", None),
            ("after=x", None),
            ("after=", None),
            ("limit=0", None),
            ("limit=1001", None),
            ("since=7", None),
        ] {
            assert_eq!(asked(query).ok(), expected, "{query}");
        }
    }
}
