//! The kit as a program: reads what to check, plays Mozarto where it is told to, and prints what it found. Exit code 0
//! when nothing failed, 1 when something did, 2 when nothing could be checked.

use anyhow::{Context, Result, anyhow, bail, ensure};
use clap::Parser;
use flexepin_conformance::{Behind, Customer, RULES, Rule, Setup, Times, Upstream, Verdict, check};
use mozarto::{Amount, Currency};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use std::io::Write;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;
use url::Url;

/// Checks a proxy between the Flexepin cashier and Mozarto, rule by rule.
///
/// Start your proxy with the address of --upstream-listen as Mozarto's base URL; the kit waits for it, plays Mozarto
/// and sees what reaches it. Raise the proxy's own limits on tries for the run, and never point the kit at a proxy
/// that serves customers. Takes about 50 seconds.
#[derive(Parser)]
#[command(name = "flexepin-conformance", version)]
struct Args {
    /// The proxy's endpoint, such as <http://127.0.0.1:8082/cashier/flexepin>
    #[arg(required_unless_present = "list")]
    endpoint: Option<Url>,
    /// Play Mozarto here, such as 127.0.0.1:9400. Without it only little can be checked
    #[arg(long, value_name = "ADDRESS:PORT")]
    upstream_listen: Option<SocketAddr>,
    /// The proxy calls the project's sandbox: use its scripted PINs
    #[arg(long, conflicts_with = "upstream_listen")]
    sandbox: bool,
    /// A header of the customer's session, such as 'Authorization: Bearer …'; may be given several times
    #[arg(long, value_name = "NAME: VALUE")]
    header: Vec<String>,
    /// A header of a second customer's session
    #[arg(long, value_name = "NAME: VALUE")]
    other_header: Vec<String>,
    /// The customer's userId; without sessions kit-1
    #[arg(long, value_name = "ID")]
    user_id: Option<String>,
    /// The customer's email address; without sessions kit-1@example.com
    #[arg(long)]
    email: Option<String>,
    /// The brandId of every request
    #[arg(long, value_name = "ID")]
    brand_id: Option<String>,
    /// The second customer's userId; without sessions kit-2
    #[arg(long, value_name = "ID")]
    other_user_id: Option<String>,
    /// The second customer's email address; without sessions kit-2@example.com
    #[arg(long, value_name = "EMAIL")]
    other_email: Option<String>,
    /// What every voucher is worth
    #[arg(long, default_value = "25.00")]
    amount: String,
    /// Its currency
    #[arg(long, default_value = "EUR", value_name = "CODE")]
    currency: String,
    /// An origin whose pages may call the proxy, such as <https://shop.example>: checks CORS
    #[arg(long)]
    origin: Option<String>,
    /// Check only rules whose names begin so, such as delete; may be given several times
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// How many seconds the proxy may take to start
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    wait: u64,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// List the rules and end
    #[arg(long)]
    list: bool,
    /// For the tests of a proxy whose 25 s were made shorter
    #[arg(long, hide = true, value_name = "MS")]
    test_answer_within_ms: Option<u64>,
    /// For the tests of a proxy whose 45 s were made shorter
    #[arg(long, hide = true, value_name = "MS")]
    test_upstream_deadline_ms: Option<u64>,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Args::parse()).await {
        Ok(code) => code,
        Err(error) => {
            // Where even stderr is gone there is nobody to tell.
            let _ = writeln!(std::io::stderr(), "flexepin-conformance: {error:#}");
            ExitCode::from(2)
        }
    }
}

async fn run(args: Args) -> Result<ExitCode> {
    if args.list {
        writeln!(std::io::stdout(), "{}", list())?;
        return Ok(ExitCode::SUCCESS);
    }
    let json = args.json;
    let setup = setup(args).await?;
    let note = match &setup.behind {
        Behind::Kit(upstream) => {
            format!("plays Mozarto at {0}: start the proxy with {0} as Mozarto's base URL", upstream.url())
        }
        Behind::Sandbox => "uses the sandbox's scripted PINs; what is sent upstream is not seen".to_owned(),
        Behind::Unseen => "sends nothing that a proxy should pass on; for more: --upstream-listen".to_owned(),
    };
    writeln!(std::io::stderr(), "flexepin-conformance {note}; checks {}", setup.endpoint)?;
    let report = tokio::select! {
        report = check(setup) => report?,
        _ = tokio::signal::ctrl_c() => bail!("interrupted"),
    };
    let text = if json { format!("{:#}", report.json()) } else { report.to_string() };
    writeln!(std::io::stdout(), "{text}")?;
    Ok(if report.count(Verdict::Fail) == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn list() -> String {
    let line = |rule: &Rule| {
        let whom = if rule.is_about_attempts() { "attempts" } else { "all" };
        format!("{:<22}{whom:<10}{} ({})", rule.id, rule.title, rule.place)
    };
    RULES.iter().map(line).collect::<Vec<_>>().join("\n")
}

async fn setup(args: Args) -> Result<Setup> {
    let endpoint = args.endpoint.ok_or_else(|| anyhow!("the proxy's endpoint is missing"))?;
    let http = matches!(endpoint.scheme(), "http" | "https") && endpoint.has_host();
    ensure!(http, "{endpoint} is no endpoint: write it such as http://127.0.0.1:8082/cashier/flexepin");
    let currency: Currency = args.currency.parse().map_err(|error| anyhow!("--currency {}: {error}", args.currency))?;
    let amount = Amount::parse(&args.amount, currency).map_err(|error| anyhow!("--amount {} {error}", args.amount))?;
    let first = customer("--header", &args.header, args.user_id, args.email, args.brand_id.clone(), 1)?;
    let second =
        customer("--other-header", &args.other_header, args.other_user_id, args.other_email, args.brand_id, 2)?;
    // Where the first has a session, a second without one is nobody.
    let other = if args.header.is_empty() || !args.other_header.is_empty() { Some(second) } else { None };
    let behind = match (args.upstream_listen, args.sandbox) {
        (Some(address), _) => Behind::Kit(
            Upstream::bind(address).await.with_context(|| format!("cannot listen on {address} (--upstream-listen)"))?,
        ),
        (None, true) => Behind::Sandbox,
        (None, false) => Behind::Unseen,
    };
    let mut times = Times { wait: Duration::from_secs(args.wait), ..Times::default() };
    times.answer_within = args.test_answer_within_ms.map_or(times.answer_within, Duration::from_millis);
    times.upstream_deadline = args.test_upstream_deadline_ms.map_or(times.upstream_deadline, Duration::from_millis);
    Ok(Setup { endpoint, behind, customer: first, other, amount, origin: args.origin, only: args.only, times })
}

/// A customer with a session has the facts that were given, and one without has the kit's own for the rest.
fn customer(
    flag: &str,
    headers: &[String],
    user_id: Option<String>,
    email: Option<String>,
    brand_id: Option<String>,
    number: u8,
) -> Result<Customer> {
    let made_up = |text: String| if headers.is_empty() { Some(text) } else { None };
    Ok(Customer {
        user_id: user_id.or_else(|| made_up(format!("kit-{number}"))),
        email: email.or_else(|| made_up(format!("kit-{number}@example.com"))),
        brand_id,
        headers: headers.iter().map(|text| header(flag, text)).collect::<Result<HeaderMap>>()?,
    })
}

fn header(flag: &str, text: &str) -> Result<(HeaderName, HeaderValue)> {
    // The value may be a session, which no error says.
    let Some((name, value)) = text.split_once(':') else { bail!("{flag} wants 'Name: value'") };
    let name = name.trim().parse().with_context(|| format!("{flag}: the name is none of a header"))?;
    let mut value: HeaderValue =
        value.trim().parse().with_context(|| format!("{flag}: the value is none of a header"))?;
    value.set_sensitive(true);
    Ok((name, value))
}
