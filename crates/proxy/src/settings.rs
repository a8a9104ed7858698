//! Settings that are complete and right, made of the command line (`args`) and of the secrets, which come by environment
//! only: flags are in every process list.

use crate::args::Args;
use crate::notify::Receiver;
use crate::pin_key::PinKeys;
use axum::http::HeaderValue;
use reqwest::Url;
use std::env::VarError;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

const SHORTEST_OUTCOMES_TOKEN: usize = 16;

/// What comes by environment only.
#[derive(Default)]
pub struct Secrets {
    /// `CASHIER_COMPANY_TOKEN`.
    pub company_token: Option<String>,
    /// `CASHIER_PIN_KEY`.
    pub pin_key: Option<String>,
    /// `CASHIER_OUTCOMES_TOKEN`.
    pub outcomes_token: Option<String>,
    /// `CASHIER_NOTIFY_SECRET`.
    pub notify_secret: Option<String>,
}

impl Secrets {
    /// Reads them from this process's environment.
    ///
    /// # Errors
    /// When a value is no UTF-8: read as if it were missing it would switch something off in silence.
    pub fn from_env() -> Result<Self, SettingsError> {
        let read = |name: &str| match std::env::var(name) {
            Ok(value) => Ok(Some(value)),
            Err(VarError::NotPresent) => Ok(None),
            Err(VarError::NotUnicode(_)) => Err(SettingsError(format!("{name} is no UTF-8"))),
        };
        Ok(Self {
            company_token: read("CASHIER_COMPANY_TOKEN")?,
            pin_key: read("CASHIER_PIN_KEY")?,
            outcomes_token: read("CASHIER_OUTCOMES_TOKEN")?,
            notify_secret: read("CASHIER_NOTIFY_SECRET")?,
        })
    }
}

/// Settings that are complete. No secret of them prints.
#[derive(Debug)]
pub struct Settings {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Mozarto's base URL.
    pub mozarto_url: Url,
    /// Mozarto's company token.
    pub company_token: Token,
    /// The keys by which vouchers are recognised.
    pub pin_keys: PinKeys,
    /// What the merchant's own server shows to read the books. `None`: nobody reads them.
    pub outcomes_token: Option<Token>,
    /// Who is told of each outcome. `None`: nobody.
    pub receiver: Option<Receiver>,
    /// The ledger's file, such as `sqlite://cashier.db`.
    pub database_url: String,
    /// Where the mark is kept by which a restored ledger is noticed.
    pub mark_file: PathBuf,
    /// Origins that may call.
    pub allow_origins: Vec<HeaderValue>,
    /// How long things may take.
    pub times: Times,
    /// How many tries may run at once; what comes beyond is not sent. 0 for no limit: a Mozarto that stalls then keeps
    /// ever more PINs and connections.
    pub most_tries: usize,
    /// After so many tries in a row without a complete answer nothing is sent for a while; 0 for never.
    pub breaker_failures: u32,
    /// For tests: a file with the seconds by which the wall clock is off.
    pub clock_offset_file: Option<PathBuf>,
}

/// How long things may take. The default is what the contract says; tests may shorten it.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// A whole try, from connecting to the last byte of Mozarto's answer: 45 s. Longer than any browser waits: a late
    /// answer is worth having.
    pub upstream_deadline: Duration,
    /// A POST, until it is answered that the try still runs: 25 s.
    pub answer_within: Duration,
    /// The ledger, to begin a try: 8 s. Then it is not sent.
    pub ledger_within: Duration,
    /// A process that shares its ledger with others, from its last sign of life until they may take it for gone: 15 s.
    pub lease: Duration,
    /// The head of a request, from the first byte of waiting for it: 20 s.
    pub head_within: Duration,
    /// The body of a request: 10 s.
    pub body_within: Duration,
}

impl Default for Times {
    fn default() -> Self {
        Self {
            upstream_deadline: Duration::from_secs(45),
            answer_within: Duration::from_secs(25),
            ledger_within: Duration::from_secs(8),
            lease: Duration::from_secs(15),
            head_within: Duration::from_secs(20),
            body_within: Duration::from_secs(10),
        }
    }
}

/// A secret of the merchant's. Prints as `[token]`.
#[derive(Clone)]
pub struct Token(Zeroizing<String>);

impl Token {
    /// Takes a token over.
    pub fn new(token: String) -> Self {
        Self(Zeroizing::new(token))
    }

    /// The token in the clear, for the request to Mozarto.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    /// Whether that is the token. Takes as long for a wrong one as for a nearly right one.
    pub(crate) fn is(&self, given: &str) -> bool {
        self.0.as_bytes().ct_eq(given.as_bytes()).into()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[token]")
    }
}

/// A setting that is missing or wrong. Names the flag and the variable; exit code 2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsError(String);

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for SettingsError {}

impl Settings {
    /// Checks what was given.
    pub fn new(args: Args, secrets: Secrets) -> Result<Self, SettingsError> {
        let error = |text: &str| SettingsError(text.to_owned());
        let mozarto_url = args.mozarto_url.ok_or_else(|| {
            error("--mozarto-url (or CASHIER_MOZARTO_URL) is missing: Mozarto's base URL, such as https://backend.stg-app.mozarto.io")
        })?;
        let company_token = token("CASHIER_COMPANY_TOKEN", secrets.company_token)?.ok_or_else(|| {
            error("CASHIER_COMPANY_TOKEN is missing: the company token of Mozarto, in the environment")
        })?;
        let pin_key = secrets.pin_key.map(Zeroizing::new).filter(|key| !key.trim().is_empty()).ok_or_else(|| {
            error("CASHIER_PIN_KEY is missing: a secret of 32 bytes or more, in the environment; `openssl rand -hex 32` makes one")
        })?;
        let pin_keys = PinKeys::parse(&pin_key).map_err(|why| SettingsError(format!("CASHIER_PIN_KEY {why}")))?;
        if !args.insecure_no_sessions {
            return Err(error(
                "--insecure-no-sessions is missing: checkout sessions are not there yet, so whoever reaches this proxy can redeem in \
                 any customer's name. Pass it to try things out; do not open the proxy to the internet",
            ));
        }
        let usual = Times::default();
        let ms = |given: Option<u64>, usual: Duration| given.map_or(usual, Duration::from_millis);
        let answer_within = ms(args.test_answer_within_ms, usual.answer_within);
        Ok(Self {
            listen: args.listen,
            mozarto_url: base_url(&mozarto_url)?,
            company_token,
            pin_keys,
            outcomes_token: outcomes_token(secrets.outcomes_token)?,
            mark_file: mark_file(args.mark_file, &args.database_url),
            receiver: receiver(args.notify_url, secrets.notify_secret)?,
            database_url: args.database_url,
            allow_origins: args
                .allow_origins
                .iter()
                // An empty variable, or two spaces, names no origin.
                .filter(|origin| !origin.is_empty())
                .map(|origin| allowed_origin(origin))
                .collect::<Result<_, _>>()?,
            times: Times {
                upstream_deadline: ms(args.test_upstream_deadline_ms, usual.upstream_deadline),
                answer_within,
                // Shortened together: most of the time is the try's.
                ledger_within: usual.ledger_within.min(answer_within / 3),
                lease: usual.lease.min(answer_within),
                ..usual
            },
            most_tries: usize::try_from(args.max_tries).unwrap_or(usize::MAX),
            breaker_failures: args.breaker_failures,
            clock_offset_file: args.test_clock_offset_file,
        })
    }
}

/// Beside the ledger's file; for a database elsewhere in the folder where the proxy runs.
fn mark_file(given: Option<PathBuf>, database_url: &str) -> PathBuf {
    given.unwrap_or_else(|| match database_url.strip_prefix("sqlite:") {
        Some(file) => {
            let file = file.trim_start_matches("//");
            PathBuf::from(format!("{}.mark", file.split('?').next().unwrap_or(file)))
        }
        None => PathBuf::from("cashier.mark"),
    })
}

/// A token as it can stand in a header. Empty is as if it were not given.
fn token(name: &str, given: Option<String>) -> Result<Option<Token>, SettingsError> {
    let Some(token) = given.map(|token| token.trim().to_owned()).filter(|token| !token.is_empty()) else {
        return Ok(None);
    };
    if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(SettingsError(format!(
            "{name} holds a character that no token has: give it alone, without \"Bearer \""
        )));
    }
    Ok(Some(Token::new(token)))
}

/// The merchant makes it, so it can be long enough not to be tried out.
fn outcomes_token(given: Option<String>) -> Result<Option<Token>, SettingsError> {
    const NAME: &str = "CASHIER_OUTCOMES_TOKEN";
    let token = token(NAME, given)?;
    if token.as_ref().is_some_and(|token| token.expose().len() < SHORTEST_OUTCOMES_TOKEN) {
        return Err(SettingsError(format!(
            "{NAME} is too short: it has at least {SHORTEST_OUTCOMES_TOKEN} bytes; `openssl rand -hex 32` makes one"
        )));
    }
    Ok(token)
}

/// Who is told of the outcomes. Empty is as if it were not given.
fn receiver(url: Option<String>, secret: Option<String>) -> Result<Option<Receiver>, SettingsError> {
    let given = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
    let missing = |text: &str| Err(SettingsError(text.to_owned()));
    match (given(url), given(secret).map(Zeroizing::new)) {
        (None, None) => Ok(None),
        (Some(url), Some(secret)) => Receiver::new(&url, &secret).map(Some).map_err(SettingsError),
        (Some(_), None) => missing(
            "CASHIER_NOTIFY_SECRET is missing: what is sent to --notify-url is signed with it; `echo whsec_$(openssl rand -base64 32)` makes one",
        ),
        (None, Some(_)) => missing(
            "--notify-url (or CASHIER_NOTIFY_URL) is missing: there is a CASHIER_NOTIFY_SECRET, and nowhere to send to",
        ),
    }
}

/// Whether a URL leads no further than this machine, as far as its text says.
pub(crate) fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn base_url(text: &str) -> Result<Url, SettingsError> {
    let error = |why: &str| SettingsError(format!("--mozarto-url (or CASHIER_MOZARTO_URL) {why}"));
    let url = Url::parse(text).map_err(|_| error("is no URL: write it such as https://backend.stg-app.mozarto.io"))?;
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
        return Err(error("must be without user, password, query and fragment"));
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_this_machine(&url) => Ok(url),
        _ => Err(error("must be https; http only to localhost, 127.0.0.0/8 and [::1]")),
    }
}

fn allowed_origin(text: &str) -> Result<HeaderValue, SettingsError> {
    let origin = Url::parse(text).ok().map(|url| url.origin().ascii_serialization());
    match origin {
        Some(origin) if origin == text => HeaderValue::from_str(text).map_err(|_| unclear_origin(text)),
        _ => Err(unclear_origin(text)),
    }
}

fn unclear_origin(text: &str) -> SettingsError {
    SettingsError(format!(
        "--allow-origin (or CASHIER_ALLOW_ORIGINS): {text:?} is no origin: write it such as https://shop.example"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    fn args(flags: &[&str]) -> Args {
        Args::parse_from(["proxy"].iter().chain(flags))
    }

    fn secrets() -> Secrets {
        Secrets {
            company_token: Some("token".into()),
            pin_key: Some("a key of the tests, long enough.".into()),
            ..Secrets::default()
        }
    }

    fn read(flags: &[&str]) -> Result<Settings, String> {
        Settings::new(args(flags), secrets()).map_err(|error| error.to_string())
    }

    const URL: &str = "--mozarto-url=https://mozarto.example";
    const OPEN: &str = "--insecure-no-sessions";

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        for (flags, named) in [
            (vec![OPEN], "CASHIER_MOZARTO_URL"),
            (vec![URL], "--insecure-no-sessions"),
            (vec![OPEN, "--mozarto-url=mozarto"], "is no URL"),
            (vec![OPEN, "--mozarto-url=http://mozarto.example"], "must be https"),
            (vec![OPEN, "--mozarto-url=ftp://127.0.0.1"], "must be https"),
            (vec![OPEN, "--mozarto-url=http://localhost.example"], "must be https"),
            (vec![OPEN, "--mozarto-url=https://me:secret@mozarto.example"], "without user"),
            (vec![OPEN, "--mozarto-url=https://mozarto.example/?a=b"], "without user"),
            (vec![OPEN, URL, "--allow-origin=https://shop.example/"], "https://shop.example/"),
            (vec![OPEN, URL, "--allow-origin=*"], "is no origin"),
        ] {
            let error = read(&flags).expect_err(named);
            assert!(error.contains(named), "{error}");
        }
        for token in [None, Some(String::new()), Some(" ".into()), Some("a\nb".into()), Some("Bearer a".into())] {
            let error =
                Settings::new(args(&[OPEN, URL]), Secrets { company_token: token, ..secrets() }).expect_err("no token");
            assert!(error.to_string().contains("CASHIER_COMPANY_TOKEN"), "{error}");
        }
        for (key, says) in [(None, "missing"), (Some(" "), "missing"), (Some("short"), "32 bytes")] {
            let given = Secrets { pin_key: key.map(str::to_owned), ..secrets() };
            let error = Settings::new(args(&[OPEN, URL]), given).expect_err("no key").to_string();
            assert!(error.starts_with("CASHIER_PIN_KEY") && error.contains(says), "{error}");
        }
        for (token, says) in [("a b", "a character"), ("a", "too short"), ("fifteen-bytes-0", "too short")] {
            let given = Secrets { outcomes_token: Some(token.into()), ..secrets() };
            let error = Settings::new(args(&[OPEN, URL]), given).expect_err("no token").to_string();
            assert!(error.contains("CASHIER_OUTCOMES_TOKEN") && error.contains(says), "{error}");
        }
    }

    #[test]
    fn a_receiver_has_an_address_and_a_secret_and_neither_prints() {
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let read = |url: &str, secret: &str| {
            let given = Secrets { notify_secret: Some(secret.to_owned()), ..secrets() };
            Settings::new(args(&[OPEN, URL, &format!("--notify-url={url}")]), given).map_err(|error| error.to_string())
        };
        for (url, secret, named) in [
            ("https://shop.example", " ", "CASHIER_NOTIFY_SECRET is missing"),
            ("", secret, "--notify-url"),
            ("https://shop.example", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "CASHIER_NOTIFY_SECRET has a secret without"),
            ("shop", secret, "is no URL"),
            ("http://shop.example", secret, "must be https"),
            ("https://me:pw@shop.example", secret, "without user"),
            ("https://shop.example#here", secret, "fragment"),
        ] {
            let error = read(url, secret).map(|_| ()).expect_err(named);
            assert!(error.contains(named) && !error.contains("MfKQ"), "{error}");
        }
        for url in ["https://shop.example/flexepin?of=canary-path", "http://127.0.0.1:9/canary-path"] {
            let printed = format!("{:?}", read(url, secret).expect("complete").receiver);
            assert!(printed.contains("[1 secrets]") && !printed.contains("canary-path"), "{printed}");
        }
        assert!(read("", "").expect("complete").receiver.is_none());
    }

    #[test]
    fn complete_settings_are_taken_and_print_no_token() {
        for url in [
            "--mozarto-url=http://127.0.0.9:1",
            "--mozarto-url=http://[::1]:1",
            "--mozarto-url=http://localhost:1",
            URL,
        ] {
            let settings = read(&[OPEN, url, "--allow-origin=https://a.example", "--allow-origin=http://b.example:81"]);
            let settings = settings.expect("complete");
            assert_eq!(settings.allow_origins.len(), 2);
            let printed = format!("{settings:?}");
            assert!(!printed.contains("\"token\"") && !printed.contains("a key of the tests"), "{printed}");
        }
        assert_eq!(read(&[OPEN, URL, "--allow-origin="]).expect("complete").allow_origins.len(), 0);
        let several = read(&[OPEN, URL, "--allow-origin=https://a.example  https://b.example"]).expect("complete");
        assert_eq!(several.allow_origins, ["https://a.example", "https://b.example"]);
    }
}
