//! A run of the kit against a model proxy, with the contract's times made shorter.

use crate::model::{self, Flaw, Made, ORIGIN, TOKEN};
use flexepin_conformance::{Behind, Customer, Report, Setup, SetupError, Times, Upstream, check};
use mozarto::Amount;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use std::time::Duration;

/// Long enough that a busy machine is in time, short enough for a hundred runs.
pub(crate) const TIMES: Times = Times {
    answer_within: Duration::from_millis(1500),
    upstream_deadline: Duration::from_secs(3),
    slack: Duration::from_secs(3),
    wait: Duration::from_secs(20),
};

/// A customer who is logged in.
pub(crate) fn logged_in(name: &str) -> Customer {
    let token = HeaderValue::from_str(&format!("Bearer {name}")).expect("a header");
    Customer { headers: HeaderMap::from_iter([(AUTHORIZATION, token)]), brand_id: None, ..named(name) }
}

/// A customer who is who the body says.
pub(crate) fn named(name: &str) -> Customer {
    Customer {
        user_id: Some(name.to_owned()),
        email: Some(format!("{name}@example.com")),
        brand_id: Some("brand-1".to_owned()),
        ..Customer::default()
    }
}

pub(crate) async fn upstream() -> Upstream {
    Upstream::bind(([127, 0, 0, 1], 0).into()).await.expect("a port")
}

/// Alice and bob before an endpoint.
pub(crate) fn setup(endpoint: &str, behind: Behind) -> Setup {
    Setup {
        endpoint: endpoint.parse().expect("a URL"),
        behind,
        customer: logged_in("alice"),
        other: Some(logged_in("bob")),
        amount: Amount::parse("25", "EUR".parse().expect("a code")).expect("an amount"),
        origin: Some(ORIGIN.to_owned()),
        only: Vec::new(),
        times: TIMES,
    }
}

pub(crate) fn made(upstream: &str, flaw: Option<Flaw>) -> Made {
    Made {
        mozarto: upstream.to_owned(),
        company_token: TOKEN,
        flaw,
        keeps_attempts: true,
        sessions: true,
        page: false,
        answer_within: TIMES.answer_within,
        deadline: TIMES.upstream_deadline,
    }
}

/// Checks a model that is made so.
pub(crate) async fn run(change: impl FnOnce(&mut Made, &mut Setup)) -> Result<Report, SetupError> {
    // Fails where another test was first, and then it is there.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let upstream = upstream().await;
    let mut made = made(&upstream.url(), None);
    let mut setup = setup("http://127.0.0.1:1/", Behind::Kit(upstream));
    change(&mut made, &mut setup);
    setup.endpoint = model::start(made).await.parse().expect("a URL");
    check(setup).await
}
