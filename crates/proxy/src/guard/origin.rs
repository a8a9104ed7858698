//! Which pages may call. CORS keeps another site's page from reading answers; this keeps it from asking at all, also by
//! requests that browsers send without a preflight.

use super::Guard;
use crate::own::Own;
use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use reqwest::Url;
use std::sync::Arc;
use tracing::info;

/// Lets a request through unless a page of a foreign origin sends it.
pub(crate) async fn check(State(guard): State<Arc<Guard>>, request: Request, next: Next) -> Response {
    let is_asked = matches!(*request.method(), Method::POST | Method::DELETE | Method::GET)
        && request.uri().path().starts_with("/cashier");
    if is_asked && !is_fine(request.headers(), &guard.allow_origins) {
        info!("refused: a page of another origin calls, which --allow-origin does not name");
        return Own::ForeignOrigin.into_response();
    }
    next.run(request).await
}

fn is_fine(headers: &HeaderMap, allowed: &[HeaderValue]) -> bool {
    let mut origins = headers.get_all(header::ORIGIN).iter();
    let Some(origin) = origins.next() else { return true };
    if origins.next().is_some() {
        return false;
    }
    let same_site = headers.get("sec-fetch-site").is_some_and(|site| site == "same-origin");
    same_site || allowed.contains(origin) || is_own(origin, headers.get(header::HOST)).unwrap_or(false)
}

/// Whether a page's origin is this host, by whatever scheme: TLS may end at a proxy before this one.
fn is_own(origin: &HeaderValue, host: Option<&HeaderValue>) -> Option<bool> {
    let origin = Url::parse(origin.to_str().ok()?).ok()?;
    let host: Authority = host?.to_str().ok()?.parse().ok()?;
    let usual = match origin.scheme() {
        "https" => 443,
        "http" => 80,
        _ => return None,
    };
    let same_host = origin.host_str()?.eq_ignore_ascii_case(host.host());
    Some(same_host && origin.port().unwrap_or(usual) == host.port_u16().unwrap_or(usual))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_may_call_from_its_own_host_or_an_allowed_origin() {
        let allowed = [HeaderValue::from_static("https://shop.example")];
        for (origin, host, site, expected) in [
            (None, "pay.example", None, true),
            (Some("https://shop.example"), "pay.example", Some("cross-site"), true),
            (Some("https://pay.example"), "pay.example", None, true),
            (Some("https://pay.example"), "PAY.example:443", None, true),
            (Some("http://pay.example"), "pay.example", None, true),
            (Some("http://127.0.0.1:8080"), "127.0.0.1:8080", None, true),
            (Some("http://[::1]:8080"), "[::1]:8080", None, true),
            (Some("https://www.shop.example"), "127.0.0.1:8082", Some("same-origin"), true),
            (Some("https://evil.example"), "pay.example", Some("cross-site"), false),
            (Some("https://evil.example"), "pay.example", None, false),
            (Some("https://pay.example.evil.example"), "pay.example", None, false),
            (Some("https://pay.example:444"), "pay.example", None, false),
            (Some("http://127.0.0.1:8080"), "127.0.0.1:8082", None, false),
            (Some("http://shop.example"), "pay.example", None, false),
            (Some("https://shop.example:8443"), "pay.example", None, false),
            (Some("null"), "pay.example", Some("cross-site"), false),
            (Some("null"), "null", None, false),
            (Some("file://pay.example"), "pay.example", None, false),
            (Some("' OR 1=1 --"), "pay.example", None, false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, HeaderValue::from_static(host));
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, HeaderValue::from_static(origin));
            }
            if let Some(site) = site {
                headers.insert("sec-fetch-site", HeaderValue::from_static(site));
            }
            assert_eq!(is_fine(&headers, &allowed), expected, "{origin:?} at {host}");
            if origin.is_some() {
                headers.append(header::ORIGIN, HeaderValue::from_static("https://shop.example"));
                assert!(!is_fine(&headers, &allowed), "two origins are none");
            }
        }
    }
}
