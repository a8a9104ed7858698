//! What is missing, short or swapped is named, and nothing of it is quoted.

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
        (vec![URL], "CASHIER_SESSION_KEYS is missing"),
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
    for token in [None, Some(""), Some(" "), Some("a\nb"), Some("Bearer a")] {
        let error =
            Settings::new(args(&[OPEN, URL]), Secrets { company_token: token.map(SecretString::from), ..secrets() })
                .expect_err("no token");
        assert!(error.to_string().contains("CASHIER_COMPANY_TOKEN"), "{error}");
    }
    for (key, says) in [(None, "missing"), (Some(" "), "missing"), (Some("short"), "32 bytes")] {
        let given = Secrets { pin_key: key.map(SecretString::from), ..secrets() };
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
fn complete_settings_are_taken_and_print_no_token() {
    for url in
        ["--mozarto-url=http://127.0.0.9:1", "--mozarto-url=http://[::1]:1", "--mozarto-url=http://localhost:1", URL]
    {
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

#[test]
fn a_receiver_has_an_address_and_a_secret_and_neither_prints() {
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let read = |url: &str, secret: &str| {
        let given = Secrets { notify_secret: Some(secret.into()), ..secrets() };
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
        assert!(printed.contains("[receiver]") && !printed.contains("canary-path"), "{printed}");
    }
    assert!(read("", "").expect("complete").receiver.is_none());
}

#[test]
fn sessions_have_keys_and_an_issuer_or_are_left_out_on_purpose() {
    const KEYS: &str = "a=session-secret-canary-of-the-tests";
    const ISSUER: &str = "--session-issuer=https://shop.example";
    let read = |flags: &[&str], keys: &str| {
        let given = Secrets { session_keys: Some(keys.into()), ..secrets() };
        Settings::new(args(flags), given).map_err(|error| error.to_string())
    };
    for (flags, keys, named) in [
        (vec![URL, ISSUER], " ", "CASHIER_SESSION_KEYS is missing"),
        (vec![URL, ISSUER, OPEN], KEYS, "--insecure-no-sessions and CASHIER_SESSION_KEYS"),
        (vec![URL], KEYS, "--session-issuer (or CASHIER_SESSION_ISSUER) is missing"),
        (vec![URL, "--session-issuer= "], KEYS, "--session-issuer (or CASHIER_SESSION_ISSUER) is missing"),
        (vec![URL, ISSUER, "--session-audience="], KEYS, "--session-audience (or CASHIER_SESSION_AUDIENCE) is missing"),
        (vec![URL, ISSUER], "a=short", "CASHIER_SESSION_KEYS is too short"),
        (vec![URL, ISSUER], "session-secret-canary-of-the-tests", "CASHIER_SESSION_KEYS has a key without an id"),
    ] {
        let error = read(&flags, keys).map(|_| ()).expect_err(named);
        assert!(error.contains(named) && !error.contains("canary"), "{error}");
    }
    let settings = read(&[URL, ISSUER], KEYS).expect("complete");
    assert!(!format!("{settings:?}").contains("canary"));
    assert_eq!(settings.sessions.expect("sessions").audience, "flexepin-cashier");
}

#[test]
fn limits_hops_and_files_are_checked() {
    for (flag, named) in [
        ("--max-head-bytes=100", "--max-head-bytes (or CASHIER_MAX_HEAD_BYTES)"),
        ("--trusted-proxy=10.0.0.0/33", "--trusted-proxy (or CASHIER_TRUSTED_PROXIES)"),
        ("--trusted-proxy=front", "--trusted-proxy (or CASHIER_TRUSTED_PROXIES)"),
        ("--mark-file=/", "--mark-file (or CASHIER_MARK_FILE)"),
        ("--mark-file=/nowhere/mark", "--mark-file (or CASHIER_MARK_FILE)"),
    ] {
        let error = read(&[OPEN, URL, flag]).map(|_| ()).expect_err(flag);
        assert!(error.contains(named), "{error}");
    }
    let flags = [OPEN, URL, "--trusted-proxy=10.0.0.0/8 ::1", "--head-seconds=0", "--max-head-bytes=0"];
    let settings = read(&flags).expect("complete");
    assert_eq!((settings.trusted_proxies.len(), settings.times.head_within), (2, None));
    for (url, mark) in [
        ("sqlite:///var/lib/a.db", "/var/lib/a.db.mark"),
        ("sqlite://a%20b.db", "a b.db.mark"),
        ("postgres://me:canary@db/cashier", "cashier.mark"),
    ] {
        let settings = read(&[OPEN, URL, &format!("--database-url={url}")]).expect("complete");
        assert_eq!(settings.mark_file, PathBuf::from(mark));
        assert!(!format!("{settings:?}").contains("canary"));
    }
}
