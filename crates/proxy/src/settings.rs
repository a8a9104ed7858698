//! What an operator sets, by flag or environment. Secrets come by environment only: flags are in every process list.

use axum::http::HeaderValue;
use clap::Parser;
use reqwest::Url;
use std::fmt;
use std::net::SocketAddr;
use zeroize::Zeroizing;

/// The merchant's backend proxy between the Flexepin cashier and Mozarto.
///
/// The company token of Mozarto is read from the environment variable `CASHIER_COMPANY_TOKEN`. Logs go to stderr;
/// `RUST_LOG` sets their level.
#[derive(Debug, Parser)]
#[command(name = "flexepin-cashier-proxy", version)]
pub struct Args {
    /// Where to listen
    #[arg(long, env = "CASHIER_LISTEN", value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8082")]
    pub listen: SocketAddr,
    /// Mozarto's base URL, such as <https://backend.stg-app.mozarto.io>; http only to this machine
    #[arg(long, env = "CASHIER_MOZARTO_URL", value_name = "URL")]
    pub mozarto_url: Option<String>,
    /// Take userId and email from the request body, without checking who sends it: for trying out only
    #[arg(long)]
    pub insecure_no_sessions: bool,
    /// An origin of pages on other hosts that may call this proxy, such as <https://shop.example>; may be given several
    /// times (in the variable: separated by spaces)
    #[arg(long = "allow-origin", env = "CASHIER_ALLOW_ORIGINS", value_name = "ORIGIN", value_delimiter = ' ')]
    pub allow_origins: Vec<String>,
}

/// Settings that are complete.
#[derive(Debug)]
pub struct Settings {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Mozarto's base URL.
    pub mozarto_url: Url,
    /// Mozarto's company token. Prints as `[token]`.
    pub company_token: CompanyToken,
    /// Origins that may call.
    pub allow_origins: Vec<HeaderValue>,
}

/// The company token: a secret of the merchant's.
pub struct CompanyToken(Zeroizing<String>);

impl CompanyToken {
    /// Takes a token over.
    pub fn new(token: String) -> Self {
        Self(Zeroizing::new(token))
    }

    /// The token in the clear, for the request to Mozarto.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for CompanyToken {
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
    /// Checks what was given. `company_token` is the value of `CASHIER_COMPANY_TOKEN`.
    pub fn new(args: Args, company_token: Option<String>) -> Result<Self, SettingsError> {
        let error = |text: &str| SettingsError(text.to_owned());
        let mozarto_url = args.mozarto_url.ok_or_else(|| {
            error("--mozarto-url (or CASHIER_MOZARTO_URL) is missing: Mozarto's base URL, such as https://backend.stg-app.mozarto.io")
        })?;
        let company_token =
            company_token.map(|token| token.trim().to_owned()).filter(|token| !token.is_empty()).ok_or_else(|| {
                error("CASHIER_COMPANY_TOKEN is missing: the company token of Mozarto, in the environment")
            })?;
        if !company_token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(error(
                "CASHIER_COMPANY_TOKEN holds a character that no token has: give it alone, without \"Bearer \"",
            ));
        }
        if !args.insecure_no_sessions {
            return Err(error(
                "--insecure-no-sessions is missing: checkout sessions are not there yet, so whoever reaches this proxy can redeem in \
                 any customer's name. Pass it to try things out; do not open the proxy to the internet",
            ));
        }
        Ok(Self {
            listen: args.listen,
            mozarto_url: base_url(&mozarto_url)?,
            company_token: CompanyToken::new(company_token),
            allow_origins: args
                .allow_origins
                .iter()
                // An empty variable, or two spaces, names no origin.
                .filter(|origin| !origin.is_empty())
                .map(|origin| allowed_origin(origin))
                .collect::<Result<_, _>>()?,
        })
    }
}

fn base_url(text: &str) -> Result<Url, SettingsError> {
    let error = |why: &str| SettingsError(format!("--mozarto-url (or CASHIER_MOZARTO_URL) {why}"));
    let url = Url::parse(text).map_err(|_| error("is no URL: write it such as https://backend.stg-app.mozarto.io"))?;
    let loopback = match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
        return Err(error("must be without user, password, query and fragment"));
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if loopback => Ok(url),
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

    fn args(flags: &[&str]) -> Args {
        Args::parse_from(["proxy"].iter().chain(flags))
    }

    fn read(flags: &[&str]) -> Result<Settings, String> {
        Settings::new(args(flags), Some("token".into())).map_err(|error| error.to_string())
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
            let error = Settings::new(args(&[OPEN, URL]), token).expect_err("no token");
            assert!(error.to_string().contains("CASHIER_COMPANY_TOKEN"), "{error}");
        }
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
            assert!(!format!("{settings:?}").contains("\"token\""));
        }
        assert_eq!(read(&[OPEN, URL, "--allow-origin="]).expect("complete").allow_origins.len(), 0);
        let several = read(&[OPEN, URL, "--allow-origin=https://a.example  https://b.example"]).expect("complete");
        assert_eq!(several.allow_origins, ["https://a.example", "https://b.example"]);
    }
}
