//! `x-user-token`: a JWT about the customer that Mozarto decodes. Owns its claims, its minting, and the check at the
//! start that what is minted can be decoded: Mozarto answers one that cannot with a 504 after a long time.
//!
//! Source: page "Authentication". It documents that Mozarto decodes this token, not whose signature it checks; both sides
//! know the company token, so that is the key (HS256).

use crate::customer::Customer;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};

/// The token is made anew for every try.
const SECONDS: u64 = 300;

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Claims {
    user_id: String,
    email: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    country_code: Option<String>,
    iat: u64,
    exp: u64,
}

impl Claims {
    fn of(customer: &Customer, now_seconds: u64) -> Self {
        Self {
            user_id: customer.user_id.clone(),
            email: customer.email.clone(),
            first_name: customer.first_name.clone(),
            last_name: customer.last_name.clone(),
            phone: customer.phone.clone(),
            country_code: customer.country_code.clone(),
            iat: now_seconds,
            exp: now_seconds + SECONDS,
        }
    }
}

/// The customer's token, from `now_seconds` since 1970 on. `None` where it cannot be signed, which [`check`] has ruled
/// out.
pub(crate) fn minted(customer: &Customer, company_token: &str, now_seconds: u64) -> Option<String> {
    let key = EncodingKey::from_secret(company_token.as_bytes());
    jsonwebtoken::encode(&Header::new(Algorithm::HS256), &Claims::of(customer, now_seconds), &key).ok()
}

/// Mints one under that company token and decodes it.
pub(crate) fn check(company_token: &str) -> Result<(), &'static str> {
    let text = |text: &str| Some(text.to_owned());
    let customer = Customer {
        user_id: "user \u{20ac} \"1\"".to_owned(),
        email: "user@shop.example".to_owned(),
        first_name: text("Zo\u{eb}"),
        last_name: text("O'Neil"),
        phone: text("+35699000000"),
        country_code: text("MT"),
        bearer: None,
    };
    let token =
        minted(&customer, company_token, 0).ok_or("no x-user-token can be signed with CASHIER_COMPANY_TOKEN")?;
    let mut validation = Validation::new(Algorithm::HS256);
    // Its time is the check's own, not the clock's.
    validation.validate_exp = false;
    let key = DecodingKey::from_secret(company_token.as_bytes());
    match jsonwebtoken::decode::<Claims>(&token, &key, &validation) {
        Ok(decoded) if decoded.claims == Claims::of(&customer, 0) => Ok(()),
        _ => Err("an x-user-token that is minted with CASHIER_COMPANY_TOKEN cannot be decoded"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn customer(more: Option<&str>) -> Customer {
        let more = more.map(str::to_owned);
        Customer {
            user_id: "user_123".to_owned(),
            email: "a@b.example".to_owned(),
            first_name: more.clone(),
            last_name: more.clone(),
            phone: more.clone(),
            country_code: more,
            bearer: None,
        }
    }

    /// What Mozarto sees without any key.
    fn claims(token: &str) -> Value {
        jsonwebtoken::dangerous::insecure_decode(token).expect("decodable").claims
    }

    #[test]
    fn it_says_what_is_known_of_the_customer_and_nothing_else() {
        let token = minted(&customer(Some("x")), "company token", 1_000).expect("a token");
        let expected = json!({
            "userId": "user_123", "email": "a@b.example", "firstName": "x", "lastName": "x", "phone": "x", "countryCode": "x",
            "iat": 1_000, "exp": 1_300,
        });
        assert_eq!(claims(&token), expected);
        let token = minted(&customer(None), "company token", 1_000).expect("a token");
        assert_eq!(claims(&token), json!({ "userId": "user_123", "email": "a@b.example", "iat": 1_000, "exp": 1_300 }));
    }

    #[test]
    fn it_is_signed_with_the_company_token_under_hs256() {
        let token = minted(&customer(None), "company token", 1_000).expect("a token");
        assert_eq!(jsonwebtoken::decode_header(&token).expect("a header").alg, Algorithm::HS256);
        let mut validation = Validation::new(Algorithm::HS256);
        validation.validate_exp = false;
        let decoded =
            |key: &str| jsonwebtoken::decode::<Claims>(&token, &DecodingKey::from_secret(key.as_bytes()), &validation);
        assert!(decoded("company token").is_ok() && decoded("another token").is_err());
    }

    #[test]
    fn whatever_a_company_token_is_what_is_minted_with_it_can_be_decoded() {
        for token in ["t", "eyJhbGciOiJIUzI1NiJ9.eyJhIjoxfQ.c2ln", &"x".repeat(4096)] {
            assert_eq!(check(token), Ok(()), "{token}");
        }
    }
}
