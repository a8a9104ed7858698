//! The command line: what an operator and support staff may give. What it means is decided elsewhere: `settings` for
//! serving, `support` for `attempts`.

mod limits;

use crate::ledger::State;
use crate::telemetry::LogFormat;
use clap::builder::PossibleValuesParser;
use clap::{Parser, Subcommand, ValueEnum};
pub use limits::LimitArgs;
use std::net::SocketAddr;
use std::path::PathBuf;
use uuid::Uuid;

/// The merchant's backend proxy between the Flexepin cashier and Mozarto.
///
/// Secrets are read from the environment: `CASHIER_COMPANY_TOKEN` (Mozarto's company token), `CASHIER_PIN_KEY` (by
/// which vouchers are recognised without their PIN; 32 bytes or more), `CASHIER_SESSION_KEYS` (under which the
/// merchant's server signs checkout sessions), for `GET /outcomes` `CASHIER_OUTCOMES_TOKEN`, and for `--notify-url`
/// `CASHIER_NOTIFY_SECRET`; or from files, which the same names with `_FILE` at the end name, and which are read again
/// at SIGHUP. Logs go to stderr; `RUST_LOG` sets their level.
#[derive(Debug, Parser)]
#[command(name = "flexepin-cashier-proxy", version, subcommand_negates_reqs = true)]
pub struct Args {
    /// What to do instead of serving
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Where to listen
    #[arg(long, env = "CASHIER_LISTEN", value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8082")]
    pub listen: SocketAddr,
    /// Mozarto's base URL, such as <https://backend.stg-app.mozarto.io>; http only to this machine
    #[arg(long, env = "CASHIER_MOZARTO_URL", value_name = "URL")]
    pub mozarto_url: Option<String>,
    /// The ledger: a file, such as <sqlite://cashier.db>, made when missing, or <postgres://user:password@host/database>
    /// [default: <sqlite://cashier.db>]
    #[arg(long, env = "CASHIER_DATABASE_URL", hide_env_values = true, value_name = "URL", global = true)]
    pub database_url: Option<String>,
    /// A file, kept outside the database, by which it is noticed when the ledger was restored from a copy [default: the
    /// ledger's file with `.mark` behind it, or `cashier.mark`]
    #[arg(long, env = "CASHIER_MARK_FILE", value_name = "PATH")]
    pub mark_file: Option<PathBuf>,
    /// Take userId and email from the request body, without checking who sends it: for trying out only
    #[arg(long)]
    pub insecure_no_sessions: bool,
    /// Who signs checkout sessions: their `iss`. Required with `CASHIER_SESSION_KEYS`
    #[arg(long, env = "CASHIER_SESSION_ISSUER", value_name = "NAME")]
    pub session_issuer: Option<String>,
    /// Whom checkout sessions are for: their `aud`
    #[arg(long, env = "CASHIER_SESSION_AUDIENCE", value_name = "NAME", default_value = "flexepin-cashier")]
    pub session_audience: String,
    /// How Mozarto learns who the customer is
    #[arg(long, env = "CASHIER_MOZARTO_USER", value_enum, default_value_t = MozartoUser::Token)]
    pub mozarto_user: MozartoUser,
    /// The certificate chain with which to serve TLS, in PEM; read again at SIGHUP
    #[arg(long, env = "CASHIER_TLS_CERT", value_name = "PATH")]
    pub tls_cert: Option<PathBuf>,
    /// The certificate's private key, in PEM; read again at SIGHUP
    #[arg(long, env = "CASHIER_TLS_KEY", value_name = "PATH")]
    pub tls_key: Option<PathBuf>,
    /// An origin of pages on other hosts that may call this proxy, such as <https://shop.example>; may be given several
    /// times (in the variable: separated by spaces)
    #[arg(long = "allow-origin", env = "CASHIER_ALLOW_ORIGINS", value_name = "ORIGIN", value_delimiter = ' ')]
    pub allow_origins: Vec<String>,
    /// How many tries may run at once; what comes beyond is not sent. 0 for no limit
    #[arg(long, env = "CASHIER_MAX_TRIES", value_name = "NUMBER", default_value_t = 1024)]
    pub max_tries: u32,
    /// After so many tries in a row without a complete answer nothing is sent for 5 s, doubling up to 60 s, and then
    /// one try asks. 0 for never
    #[arg(long, env = "CASHIER_BREAKER_FAILURES", value_name = "NUMBER", default_value_t = 10)]
    pub breaker_failures: u32,
    /// The merchant's own server that is told of each outcome, such as <https://shop.example/flexepin>; http only to
    /// this machine
    #[arg(long, env = "CASHIER_NOTIFY_URL", value_name = "URL", hide_env_values = true)]
    pub notify_url: Option<String>,
    /// Where /metrics, /healthz and /readyz are served, for this machine or an inner network; nowhere without it
    #[arg(long, env = "CASHIER_METRICS_LISTEN", value_name = "ADDRESS:PORT")]
    pub metrics_listen: Option<SocketAddr>,
    /// How the log is written
    #[arg(long, env = "CASHIER_LOG_FORMAT", value_enum, default_value_t, global = true)]
    pub log_format: LogFormat,
    /// Where spans are sent (OpenTelemetry, OTLP over HTTP), such as <http://127.0.0.1:4318/v1/traces>; nowhere without it
    #[arg(long, env = "CASHIER_OTLP_ENDPOINT", value_name = "URL")]
    pub otlp_endpoint: Option<String>,
    /// For tests only: how long Mozarto may take
    #[arg(long, hide = true, value_name = "MS", value_parser = clap::value_parser!(u64).range(1..=120_000))]
    pub test_upstream_deadline_ms: Option<u64>,
    /// For tests only: how long a POST may wait for its try
    #[arg(long, hide = true, value_name = "MS", value_parser = clap::value_parser!(u64).range(1..=120_000))]
    pub test_answer_within_ms: Option<u64>,
    /// For tests only: a file with the seconds by which the wall clock is off
    #[arg(long, hide = true, value_name = "PATH", global = true)]
    pub test_clock_offset_file: Option<PathBuf>,
    /// How much clients may ask for. Last: its heading holds for whatever follows.
    #[command(flatten)]
    pub limits: LimitArgs,
}

/// How Mozarto learns who the customer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum MozartoUser {
    /// By `x-user-token`, which the proxy makes.
    Token,
    /// By `x-user-authorization`, with the bearer that the browser sent.
    Session,
}

/// What the program does besides serving.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// For support staff: look attempts up and settle those that cannot be found out
    #[command(subcommand)]
    Attempts(AttemptsCommand),
}

/// What support staff do. All of it works while the proxy runs.
#[derive(Debug, Subcommand)]
pub enum AttemptsCommand {
    /// List attempts, newest first
    List {
        /// Only those in this state; may be given several times
        #[arg(long, value_parser = PossibleValuesParser::new(State::ALL.map(State::as_str)))]
        state: Vec<String>,
        /// Only this customer's
        #[arg(long, value_name = "USER_ID")]
        owner: Option<String>,
        /// Only those recorded at or after this time, such as 2026-06-09 or 2026-06-09T12:00:00Z
        #[arg(long, value_name = "TIME")]
        since: Option<String>,
        /// At most so many
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
        limit: u32,
    },
    /// Show all that is kept of one attempt
    Show {
        /// Its key
        key: Uuid,
    },
    /// Settle a recorded, open or unconfirmed attempt, once Mozarto or Flexepin have said what became of its voucher
    Settle {
        /// Its key
        key: Uuid,
        /// What became of the voucher
        settled: SettleAs,
        /// Who settles it
        #[arg(long, value_name = "NAME")]
        by: String,
        /// Why, and who said so
        #[arg(long, value_name = "TEXT")]
        reason: String,
        /// Mozarto's transaction, for `redeemed`
        #[arg(long, value_name = "ID")]
        transaction: Option<String>,
        /// The voucher's value in major units, such as 25.00, required for `redeemed`: it is what the merchant credits
        #[arg(long, value_name = "AMOUNT")]
        value: Option<String>,
    },
    /// Say that the ledger was restored from a copy: what came after the copy is then no longer taken for untouched
    Restored {
        /// When the copy was made, such as 2026-06-09T12:00:00Z
        #[arg(long, value_name = "TIME")]
        since: String,
        /// Who says so
        #[arg(long, value_name = "NAME")]
        by: String,
    },
    /// Tell the merchant's server again of outcomes that it was told, such as after its books were restored
    Notify {
        /// Of that attempt's outcome
        #[arg(long, value_name = "KEY", required_unless_present = "after", conflicts_with = "after")]
        attempt: Option<Uuid>,
        /// Of all outcomes after that sequence number; 0 for all
        #[arg(long, value_name = "SEQUENCE", value_parser = clap::value_parser!(i64).range(0..))]
        after: Option<i64>,
    },
}

/// What became of a voucher.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SettleAs {
    /// Taken for this customer.
    Redeemed,
    /// Still good.
    Untouched,
}
