//! A customer with a checkout session, against a proxy that lets nobody else redeem.

use crate::browser::{DESKTOP, browse};
use crate::given;
use crate::merchant::Merchant;
use crate::sandbox::{issue, taken, tries};
use crate::widget::Widget;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::json;
use std::path::Path;
use std::process::Stdio;
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

const SECRET: &str = "the-session-secret-of-the-end-to-end-tests";
const ISSUER: &str = "https://shop.example";

/// A proxy of the test's own, with sessions, which pages of that origin may call; and its endpoint.
async fn proxy(origin: &str, name: &str) -> (Child, String) {
    let ledger = Path::new(&given("E2E_LOGS")).join(format!("sessions-{name}-{}.db", std::process::id()));
    let mut proxy = Command::new(Path::new(&given("E2E_PROGRAMS")).join("flexepin-cashier-proxy"));
    proxy.args(["--listen=127.0.0.1:0", "--mozarto-url", &given("E2E_SANDBOX"), "--allow-origin", origin]);
    proxy.args(["--session-issuer", ISSUER, "--database-url", &format!("sqlite://{}", ledger.display())]);
    proxy.env("CASHIER_COMPANY_TOKEN", "sandbox-company").env("CASHIER_PIN_KEY", "a key of the end-to-end tests alone");
    proxy.env("CASHIER_SESSION_KEYS", format!("shop={SECRET}")).env("RUST_LOG", "warn");
    let mut child = proxy.stdout(Stdio::piped()).kill_on_drop(true).spawn().expect("the proxy starts");
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().expect("piped")).read_line(&mut line).await.expect("a line");
    let url = line.trim().strip_prefix("flexepin-cashier-proxy listens on ").expect(&line).to_owned();
    (child, format!("{url}/cashier/flexepin"))
}

/// A session of `user_123` that ends so many seconds from now.
fn session(id: &str, left: i64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
    let now = i64::try_from(now).expect("a time");
    let claims = json!({ "iss": ISSUER, "aud": "flexepin-cashier", "sub": "user_123", "jti": id,
        "email": "player@example.com", "amounts": ["25.00"], "currency": "EUR", "iat": now + left - 900, "exp": now + left });
    let header = Header { kid: Some("shop".to_owned()), ..Header::new(Algorithm::HS256) };
    encode(&header, &claims, &EncodingKey::from_secret(SECRET.as_bytes())).expect("a token")
}

/// A site with a widget for that endpoint.
fn page(shop: &Merchant, endpoint: &str, attributes: &str) {
    shop.set_widget(&format!(
        "endpoint={endpoint} amount=25.00 currency=EUR user-id=user_123 email=player@example.com {attributes}"
    ));
}

#[tokio::test]
async fn a_session_that_is_over_is_renewed_by_the_page_and_the_same_attempt_is_redeemed() {
    let shop = Merchant::with_widget("").await;
    let (_proxy, endpoint) = proxy(&shop.url, "renewed").await;
    page(&shop, &endpoint, &format!("session-token={}", session("over", -600)));
    let pin = issue(25.0, "EUR").await;
    browse(DESKTOP, async |browser| {
        browser.goto(&shop.url).await;
        let widget = Widget::ready_on(browser).await;
        let renews = "const [fresh] = arguments;
            window.reasons = [];
            document.querySelector('flexepin-cashier').beforeSubmit = ({reason}) => {
              window.reasons.push(reason);
              return reason === 'session' ? {sessionToken: fresh} : undefined;
            };";
        browser.script(renews, &[json!(session("fresh", 900))]).await;
        widget.type_into("pin", &pin).await;
        widget.click("submit").await;
        let detail = widget.event("flexepin-redeemed").await;
        assert_eq!(taken(&pin).await, detail["transactionId"]);
        assert_eq!(browser.script("return window.reasons", &[]).await, json!(["submit", "session"]));
    })
    .await;
}

#[tokio::test]
async fn nobody_redeems_without_a_session_and_the_customer_is_told_that_nothing_was_taken() {
    let shop = Merchant::with_widget("").await;
    let (_proxy, endpoint) = proxy(&shop.url, "none").await;
    page(&shop, &endpoint, "");
    let pin = issue(25.0, "EUR").await;
    browse(DESKTOP, async |browser| {
        browser.goto(&shop.url).await;
        let widget = Widget::ready_on(browser).await;
        widget.type_into("pin", &pin).await;
        widget.click("submit").await;
        let detail = widget.event("flexepin-failed").await;
        assert_eq!((&detail["money"], &detail["next"]), (&json!("no"), &json!("session")));
        assert_eq!(tries(&pin).await, 0);
    })
    .await;
}
