//! The headers that the proxy adds: the merchant's credentials, and who the customer is.

use crate::kit::{Found, Kit, Stop, ensure, fresh_key};
use crate::upstream::{Received, Says};
use serde_json::Value;

/// A request as it reached the kit's Mozarto.
async fn sent(kit: &Kit) -> Result<Received, Stop> {
    kit.upstream()?;
    let voucher = kit.voucher(&[Says::InvalidPin])?;
    kit.post(&fresh_key(), &voucher).await?;
    let request = voucher.notes()?.requests().into_iter().next();
    request.ok_or_else(|| Stop::Fails("nothing was sent".to_owned()))
}

pub(super) async fn company(kit: &Kit) -> Found {
    let request = sent(kit).await?;
    let Some(token) = request.bearer("authorization") else {
        return Err(Stop::Fails("Authorization: Bearer … is missing".to_owned()));
    };
    let the_customers =
        kit.setup().customer.headers.values().any(|value| value.to_str().is_ok_and(|text| text.contains(token)));
    ensure!(!the_customers, "the customer's own token was sent in place of the company's");
    Ok("Authorization: Bearer … is there")
}

pub(super) async fn user(kit: &Kit) -> Found {
    let request = sent(kit).await?;
    let Some(token) = request.bearer("x-user-token") else {
        ensure!(
            request.bearer("x-user-authorization").is_some(),
            "neither x-user-token nor x-user-authorization is there"
        );
        return Ok("x-user-authorization is there");
    };
    let claims = jsonwebtoken::dangerous::insecure_decode::<Value>(token).map(|token| token.claims);
    let Ok(claims) = claims else { return Err(Stop::Fails("x-user-token is no JWT that can be decoded".to_owned())) };
    let customer = &kit.setup().customer;
    for (name, wanted) in [("userId", &customer.user_id), ("email", &customer.email)] {
        let given = claims.get(name).and_then(Value::as_str).unwrap_or_default();
        let right = wanted.as_deref().map_or(!given.is_empty(), |wanted| wanted == given);
        ensure!(right, "{name} in x-user-token is not the customer's");
    }
    Ok("x-user-token is a JWT of the customer's userId and email")
}
