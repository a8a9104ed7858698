//! One sandbox on a port of its own, and a client that speaks to it as the proxy does. Both end with the test.

use mozarto::{Answer, Meaning};
use mozarto_sandbox::Sandbox;
use reqwest::{Client, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::Once;
use std::time::Duration;
use tokio::net::TcpListener;

pub(crate) const SEED_PIN: &str = "1234567890123456";

#[derive(Clone)]
pub(crate) struct World {
    pub(crate) address: SocketAddr,
    pub(crate) sandbox: Sandbox,
    client: Client,
}

/// What came back over HTTP.
pub(crate) struct Got {
    pub(crate) status: StatusCode,
    pub(crate) retry_after: Option<String>,
    pub(crate) content_type: String,
    pub(crate) text: String,
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::start_with(Sandbox::default()).await
    }

    pub(crate) async fn start_with(sandbox: Sandbox) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound listener has an address");
        tokio::spawn(mozarto_sandbox::serve(listener, sandbox.clone(), std::future::pending()));
        Self { address, sandbox, client: client() }
    }

    pub(crate) fn get(&self, path: &str) -> RequestBuilder {
        self.client.get(format!("http://{}{path}", self.address))
    }

    pub(crate) fn post(&self, path: &str, body: String) -> RequestBuilder {
        let request = self.client.post(format!("http://{}{path}", self.address));
        request.header("content-type", "application/json").body(body)
    }

    /// A Pay-In with valid headers.
    pub(crate) fn pay_in(&self, body: &Value) -> RequestBuilder {
        self.post("/v1/api/mozarto/cashier", body.to_string())
            .header("authorization", "Bearer sandbox-company")
            .header("x-user-authorization", "Bearer session")
    }

    /// A try of this PIN for 25.00 EUR, answered over HTTP.
    pub(crate) async fn try_pin(&self, pin: &str) -> Got {
        got(self.pay_in(&request(pin))).await.expect("an answer")
    }

    /// What a try of this PIN means to the proxy, also when no answer comes.
    pub(crate) async fn meaning(&self, pin: &str) -> Meaning {
        match got(self.pay_in(&request(pin))).await {
            Ok(got) => got.meaning(),
            Err(_) => Answer::none().meaning(),
        }
    }

    /// The voucher's line in `GET /sandbox/vouchers`; null if it has none.
    pub(crate) async fn voucher(&self, pin: &str) -> Value {
        let list = got(self.get("/sandbox/vouchers")).await.expect("an answer").json();
        let vouchers = list["vouchers"].as_array().expect("a list");
        vouchers.iter().find(|voucher| voucher["pin"] == pin).cloned().unwrap_or_default()
    }
}

impl Got {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).expect("JSON")
    }

    pub(crate) fn meaning(&self) -> Meaning {
        let retry_after = self.retry_after.as_deref().and_then(|text| text.parse().ok()).map(Duration::from_secs);
        Answer { status: self.status.as_u16(), retry_after, reply: serde_json::from_str(&self.text).ok() }.meaning()
    }
}

pub(crate) async fn got(request: RequestBuilder) -> reqwest::Result<Got> {
    let response = request.send().await?;
    let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let (retry_after, content_type) = (header("retry-after"), header("content-type").unwrap_or_default());
    Ok(Got { status: response.status(), retry_after, content_type, text: response.text().await? })
}

/// The page's own request, for another PIN.
pub(crate) fn request(pin: &str) -> Value {
    let mut body: Value = serde_json::from_str(include_str!("../../../../tests/fixtures/mozarto/request.json"))
        .expect("the page's example is JSON");
    body["voucherPin"] = json!(pin);
    body
}

pub(crate) fn client() -> Client {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        rustls::crypto::ring::default_provider().install_default().expect("nobody else installs one");
    });
    Client::builder().no_proxy().timeout(Duration::from_secs(30)).build().expect("a client")
}
