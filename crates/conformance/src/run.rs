//! One run: waits for the proxy, finds out whether it can be checked and whether it keeps attempts, and checks rule by
//! rule, most of them side by side. It ends when every rule has its verdict.

use crate::kit::{Kit, Shared, Stop, Voucher, fresh_key};
use crate::report::{Checked, Report, Verdict};
use crate::rules::{RULES, Rule, Scope, When};
use crate::upstream::Says;
use crate::{Behind, Setup, SetupError, browser};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use url::Url;

/// How many checks are under way at once, not counting those that wait for the contract's times.
const SIDE_BY_SIDE: usize = 8;

/// Checks a proxy. Takes about the contract's upstream deadline, 45 s.
///
/// # Errors
/// When nothing can be checked: the proxy is not there, calls another Mozarto, or refuses the kit's customer.
pub async fn check(setup: Setup) -> Result<Report, SetupError> {
    let wanted: Vec<&'static Rule> = RULES.iter().filter(|rule| is_wanted(rule, &setup.only)).collect();
    if let Some(unknown) = setup.only.iter().find(|only| !RULES.iter().any(|rule| rule.id.starts_with(only.as_str()))) {
        return Err(SetupError(format!("no rule begins with {unknown:?}")));
    }
    reachable(&setup.endpoint, setup.times.wait).await?;
    let client = browser::client(setup.times.upstream_deadline + setup.times.slack * 2);
    let client = client.map_err(|error| SetupError(format!("the HTTP client cannot be set up: {error}")))?;
    let mut endpoint = setup.endpoint.clone();
    endpoint.set_query(None);
    let shared = Arc::new(Shared { setup, client, observed: crate::observed::Observed::default() });
    let keeps_attempts = probe(&Kit::new(Arc::clone(&shared), false)).await?;

    let mut found = Vec::new();
    let together = wanted.iter().filter(|rule| matches!(rule.when, When::Slow | When::Together)).copied();
    let mut running = side_by_side(together, &shared, keeps_attempts);
    while let Some(done) = running.join_next().await {
        found.push(done.map_err(|failed| SetupError(format!("the kit has a defect: {failed}")))??);
    }
    for when in [When::Alone, When::AtTheEnd] {
        for rule in wanted.iter().filter(|rule| rule.when == when) {
            found.push(checked(rule, &Kit::new(Arc::clone(&shared), keeps_attempts)).await?);
        }
    }
    found.sort_by_key(|checked| RULES.iter().position(|rule| rule.id == checked.rule.id));
    Ok(Report { endpoint: endpoint.into(), keeps_attempts, checked: found })
}

fn is_wanted(rule: &Rule, only: &[String]) -> bool {
    only.is_empty() || only.iter().any(|only| rule.id.starts_with(only.as_str()))
}

fn side_by_side(
    rules: impl Iterator<Item = &'static Rule>,
    shared: &Arc<Shared>,
    keeps: bool,
) -> JoinSet<Result<Checked, SetupError>> {
    let places = Arc::new(Semaphore::new(SIDE_BY_SIDE));
    let mut running = JoinSet::new();
    for rule in rules {
        let (kit, places) = (Kit::new(Arc::clone(shared), keeps), Arc::clone(&places));
        running.spawn(async move {
            // The semaphore is never closed; without a place the check only runs beside more others.
            let _place = if rule.when == When::Together { places.acquire_owned().await.ok() } else { None };
            checked(rule, &kit).await
        });
    }
    running
}

async fn checked(rule: &'static Rule, kit: &Kit) -> Result<Checked, SetupError> {
    let found = if rule.scope == Scope::Attempts && !kit.keeps {
        Err(Stop::NotSupported("the proxy keeps no attempts".to_owned()))
    } else {
        (rule.check)(kit).await
    };
    let (verdict, why) = match found {
        Ok(why) if kit.missed_something() => (Verdict::Pass, format!("{why} (what was sent upstream is not seen)")),
        Ok(why) => (Verdict::Pass, why.to_owned()),
        Err(Stop::Fails(why)) => (Verdict::Fail, why),
        Err(Stop::NotSupported(why)) => (Verdict::NotSupported, why),
        Err(Stop::Setup(why)) => return Err(SetupError(why)),
    };
    Ok(Checked { rule, verdict, why })
}

/// Waits until somebody listens at the endpoint.
async fn reachable(endpoint: &Url, wait: Duration) -> Result<(), SetupError> {
    let (Some(host), Some(port)) = (endpoint.host_str(), endpoint.port_or_known_default()) else {
        return Err(SetupError(format!("{endpoint} names no host and port")));
    };
    // An IPv6 address has brackets in a URL, and as a host has none.
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let until = Instant::now() + wait;
    loop {
        let connected = timeout(Duration::from_secs(5), TcpStream::connect((host, port))).await;
        if matches!(connected, Ok(Ok(_))) {
            return Ok(());
        }
        if Instant::now() >= until {
            let waited = wait.as_secs();
            return Err(SetupError(format!("nobody listens at {host}:{port}, waited {waited} s: start the proxy")));
        }
        sleep(Duration::from_millis(250)).await;
    }
}

/// Sends one voucher to see whether anything can be checked; then asks for unknown keys. Whether the proxy keeps
/// attempts: whether any of the three answers has `Attempt-Key`, the one promise of it. A page's fallback, 200 with
/// HTML to any GET, has none.
async fn probe(kit: &Kit) -> Result<bool, SetupError> {
    let unwrapped = |stop| match stop {
        Stop::Fails(why) | Stop::NotSupported(why) | Stop::Setup(why) => SetupError(why),
    };
    let mut answers = Vec::new();
    if !matches!(kit.setup().behind, Behind::Unseen) {
        let voucher = kit.voucher(&[Says::InvalidPin]).map_err(unwrapped)?;
        let got = kit.post(&fresh_key(), &voucher).await.map_err(unwrapped)?;
        let arrived = match &kit.setup().behind {
            Behind::Kit(_) => voucher.notes().map_err(unwrapped)?.requests().len() == 1,
            _ => got.signal().proves_untouched(),
        };
        if !arrived {
            return Err(SetupError(nothing_arrives(kit, &got, &voucher)));
        }
        answers.push(got);
    }
    answers.push(kit.get(&fresh_key()).await.map_err(unwrapped)?);
    answers.push(kit.delete(&fresh_key()).await.map_err(unwrapped)?);
    Ok(answers.iter().any(|got| got.headers.contains_key("attempt-key")))
}

fn nothing_arrives(kit: &Kit, got: &browser::Got, voucher: &Voucher) -> String {
    let said = got.reply().map(|reply| [reply.message.into_iter().collect(), reply.errors].concat().join("; "));
    let said = said.filter(|text| !text.is_empty() && !voucher.is_said_in(text));
    let said = said.map(|text| format!(", \"{text}\"")).unwrap_or_default();
    let remedy = match (got.status, &kit.setup().behind) {
        (401 | 403, _) => {
            "it wants a session: give one by --header, such as --header 'Authorization: Bearer …'".to_owned()
        }
        (400, _) => "say by --user-id, --email, --amount and --currency what its session allows".to_owned(),
        (404 | 405, _) => "is this its endpoint?".to_owned(),
        (_, Behind::Kit(upstream)) => format!("is its Mozarto base URL {}?", upstream.url()),
        _ => "does it call the sandbox?".to_owned(),
    };
    format!("a good request was answered {}{said}, and did not reach Mozarto; {remedy}", got.brief())
}
