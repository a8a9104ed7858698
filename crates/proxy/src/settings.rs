//! Settings that are complete and right, made of the command line (`args`) and of the secrets (`secrets`).

mod limits;
mod secrets;
#[cfg(test)]
mod tests;

use crate::args::{Args, MozartoUser};
use crate::ledger::sql;
use crate::live::Live;
use crate::notify::Receiver;
use crate::pin_key::PinKeys;
use crate::session::SessionKeys;
use crate::tls::Tls;
use axum::http::HeaderValue;
use ipnet::IpNet;
pub use limits::Limits;
use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};
pub(crate) use secrets::{
    COMPANY_TOKEN, NOTIFY_SECRET, OUTCOMES_TOKEN, PIN_KEY, SESSION_KEYS, company_token, is_it, outcomes_token, read,
};
pub use secrets::{Secrets, database_url};
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A session is named by issuer and id together, in 256 characters.
const LONGEST_ISSUER: usize = 127;

/// Settings that are complete. No secret of them prints.
#[derive(Debug)]
pub struct Settings {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Mozarto's base URL.
    pub mozarto_url: Url,
    /// Mozarto's company token.
    pub company_token: Live<SecretString>,
    /// How Mozarto learns who the customer is.
    pub mozarto_user: MozartoUser,
    /// Which checkout sessions are believed. `None`: whoever reaches the proxy is believed (`--insecure-no-sessions`).
    pub sessions: Option<SessionSettings>,
    /// The keys by which vouchers are recognised.
    pub pin_keys: Live<PinKeys>,
    /// What the merchant's own server shows to read the books. `None`: nobody reads them.
    pub outcomes_token: Option<Live<SecretString>>,
    /// Who is told of each outcome. `None`: nobody.
    pub receiver: Option<Receiver>,
    /// The ledger, such as `sqlite://cashier.db`.
    pub database_url: SecretString,
    /// Where the mark is kept by which a restored ledger is noticed.
    pub mark_file: PathBuf,
    /// Origins that may call.
    pub allow_origins: Vec<HeaderValue>,
    /// Hops whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// How much clients may ask for.
    pub limits: Limits,
    /// The certificate, where TLS is served.
    pub tls: Option<Tls>,
    /// How long things may take.
    pub times: Times,
    /// How many tries may run at once; what comes beyond is not sent. 0 for no limit: a Mozarto that stalls then keeps
    /// ever more PINs and connections.
    pub most_tries: usize,
    /// After so many tries in a row without a complete answer nothing is sent for a while; 0 for never.
    pub breaker_failures: u32,
    /// Where the metrics are read. `None`: nowhere.
    pub metrics_listen: Option<SocketAddr>,
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
    /// The head of a request, from the first byte of waiting for it: 20 s. `None`: as long as it takes.
    pub head_within: Option<Duration>,
    /// The body of a request: 10 s. `None`: as long as it takes.
    pub body_within: Option<Duration>,
}

/// Which checkout sessions are believed.
#[derive(Clone, Debug)]
pub struct SessionSettings {
    /// The keys they may be signed with.
    pub keys: Live<SessionKeys>,
    /// Their `iss`.
    pub issuer: String,
    /// Their `aud`.
    pub audience: String,
}

impl Default for Times {
    fn default() -> Self {
        Self {
            upstream_deadline: Duration::from_secs(45),
            answer_within: Duration::from_secs(25),
            ledger_within: Duration::from_secs(8),
            lease: Duration::from_secs(15),
            head_within: Some(Duration::from_secs(20)),
            body_within: Some(Duration::from_secs(10)),
        }
    }
}

/// A setting that is missing or wrong. Names the flag and the variable; exit code 2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsError(pub(crate) String);

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
        let mozarto_url = args.mozarto_url.clone().ok_or_else(|| {
            error("--mozarto-url (or CASHIER_MOZARTO_URL) is missing: Mozarto's base URL, such as https://backend.stg-app.mozarto.io")
        })?;
        let company_token = company_token(secrets.company_token)?;
        let pin_keys = pin_keys(secrets.pin_key)?;
        let sessions = sessions(&args, secrets.session_keys)?;
        let database_url = database_url(args.database_url.as_deref())?;
        let mark_file = mark_file(args.mark_file.clone(), database_url.expose_secret())?;
        let limits = Limits::new(&args.limits)?;
        let usual = Times::default();
        let ms = |given: Option<u64>, usual: Duration| given.map_or(usual, Duration::from_millis);
        let answer_within = ms(args.test_answer_within_ms, usual.answer_within);
        Ok(Self {
            listen: args.listen,
            mozarto_url: base_url(&mozarto_url)?,
            company_token: Live::new(company_token),
            mozarto_user: args.mozarto_user,
            sessions,
            pin_keys: Live::new(pin_keys),
            outcomes_token: outcomes_token(secrets.outcomes_token)?.map(Live::new),
            receiver: receiver(args.notify_url, secrets.notify_secret.as_ref())?,
            database_url,
            mark_file,
            allow_origins: args
                .allow_origins
                .iter()
                // An empty variable, or two spaces, names no origin.
                .filter(|origin| !origin.is_empty())
                .map(|origin| allowed_origin(origin))
                .collect::<Result<_, _>>()?,
            trusted_proxies: args
                .limits
                .trusted_proxies
                .iter()
                .filter(|network| !network.is_empty())
                .map(|network| limits::trusted_proxy(network))
                .collect::<Result<_, _>>()?,
            limits,
            tls: Tls::new(args.tls_cert, args.tls_key)?,
            times: Times {
                upstream_deadline: ms(args.test_upstream_deadline_ms, usual.upstream_deadline),
                answer_within,
                // Shortened together: most of the time is the try's.
                ledger_within: usual.ledger_within.min(answer_within / 3),
                lease: usual.lease.min(answer_within),
                head_within: limits::time_limit(args.limits.head_seconds),
                body_within: limits::time_limit(args.limits.body_seconds),
            },
            most_tries: usize::try_from(args.max_tries).unwrap_or(usize::MAX),
            breaker_failures: args.breaker_failures,
            metrics_listen: args.metrics_listen,
            clock_offset_file: args.test_clock_offset_file,
        })
    }
}

/// Without keys whoever reaches the proxy is believed, and that must be said.
fn sessions(args: &Args, keys: Option<SecretString>) -> Result<Option<SessionSettings>, SettingsError> {
    let Some(keys) = keys.filter(|keys| !keys.expose_secret().trim().is_empty()) else {
        if args.insecure_no_sessions {
            return Ok(None);
        }
        return Err(SettingsError(
            "CASHIER_SESSION_KEYS is missing: the keys under which your server signs checkout sessions. To try things out without \
             sessions pass --insecure-no-sessions; then whoever reaches this proxy can redeem in any customer's name"
                .to_owned(),
        ));
    };
    if args.insecure_no_sessions {
        return Err(SettingsError(
            "--insecure-no-sessions and CASHIER_SESSION_KEYS are both there: leave the flag out, and sessions are checked".to_owned(),
        ));
    }
    let keys = session_keys(&keys)?;
    let named = |flag: &str, name: Option<&str>| {
        let name = name.filter(|name| !name.trim().is_empty()).map(str::to_owned);
        let name = name.ok_or_else(|| SettingsError(format!("{flag} is missing: the name that your sessions have")))?;
        if !crate::pay_in::is_plain(&name, LONGEST_ISSUER) {
            return Err(SettingsError(format!(
                "{flag} must be at most {LONGEST_ISSUER} characters without control characters"
            )));
        }
        Ok(name)
    };
    Ok(Some(SessionSettings {
        keys: Live::new(keys),
        issuer: named("--session-issuer (or CASHIER_SESSION_ISSUER)", args.session_issuer.as_deref())?,
        audience: named("--session-audience (or CASHIER_SESSION_AUDIENCE)", Some(&args.session_audience))?,
    }))
}

/// The keys of `CASHIER_PIN_KEY`.
pub(crate) fn pin_keys(text: Option<SecretString>) -> Result<PinKeys, SettingsError> {
    let text = text.filter(|text| !text.expose_secret().trim().is_empty()).ok_or_else(|| {
        SettingsError(format!(
            "{PIN_KEY} is missing: a secret of 32 bytes or more, in the environment or in the file of {PIN_KEY}_FILE; `openssl rand -hex 32` makes one"
        ))
    })?;
    PinKeys::parse(text.expose_secret()).map_err(|why| SettingsError(format!("{PIN_KEY} {why}")))
}

/// The keys of `CASHIER_SESSION_KEYS`.
pub(crate) fn session_keys(text: &SecretString) -> Result<SessionKeys, SettingsError> {
    SessionKeys::parse(text.expose_secret()).map_err(|why| SettingsError(format!("{SESSION_KEYS} {why}")))
}

/// Beside the ledger's file, unless another place is given: best on another disk than the backups.
fn mark_file(given: Option<PathBuf>, database_url: &str) -> Result<PathBuf, SettingsError> {
    let Some(path) = given.filter(|path| !path.as_os_str().is_empty()) else {
        let mut mark = sql::file_of(database_url).unwrap_or_else(|| PathBuf::from("cashier")).into_os_string();
        mark.push(".mark");
        return Ok(PathBuf::from(mark));
    };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if path.is_dir() || !folder.is_dir() {
        return Err(SettingsError(format!(
            "--mark-file (or CASHIER_MARK_FILE): {} must be a file in a folder that is there",
            path.display()
        )));
    }
    Ok(path)
}

/// Who is told of the outcomes. Empty is as if it were not given.
fn receiver(url: Option<String>, secret: Option<&SecretString>) -> Result<Option<Receiver>, SettingsError> {
    let missing = |text: &str| Err(SettingsError(text.to_owned()));
    let secret = secret.filter(|secret| !secret.expose_secret().trim().is_empty());
    match (url.filter(|url| !url.trim().is_empty()), secret) {
        (None, None) => Ok(None),
        (Some(url), Some(secret)) => Receiver::new(&url, secret).map(Some).map_err(SettingsError),
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
