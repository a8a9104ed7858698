//! The command line: what an operator and support staff may give. What it means is decided elsewhere: `settings` for
//! serving, `support` for `attempts`.

mod limits;

use crate::ledger::State;
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
/// merchant's server signs checkout sessions) and, for `GET /outcomes`, `CASHIER_OUTCOMES_TOKEN`; or from files, which
/// the same names with `_FILE` at the end name, and which are read again at SIGHUP. Logs go to stderr; `RUST_LOG` sets their level.
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
    /// The ledger's file, made when missing [default: <sqlite://cashier.db>]
    #[arg(long, env = "CASHIER_DATABASE_URL", hide_env_values = true, value_name = "URL", global = true)]
    pub database_url: Option<String>,
    /// A file, kept outside the database, by which a ledger that was restored from a backup is noticed [default: the
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
    /// How much clients may ask for
    #[command(flatten)]
    pub limits: LimitArgs,
    /// An origin of pages on other hosts that may call this proxy, such as <https://shop.example>; may be given several
    /// times (in the variable: separated by spaces)
    #[arg(long = "allow-origin", env = "CASHIER_ALLOW_ORIGINS", value_name = "ORIGIN", value_delimiter = ' ')]
    pub allow_origins: Vec<String>,
    /// For tests only: how long Mozarto may take
    #[arg(long, hide = true, value_name = "MS", value_parser = clap::value_parser!(u64).range(1..=120_000))]
    pub test_upstream_deadline_ms: Option<u64>,
    /// For tests only: how long a POST may wait for its try
    #[arg(long, hide = true, value_name = "MS", value_parser = clap::value_parser!(u64).range(1..=120_000))]
    pub test_answer_within_ms: Option<u64>,
    /// For tests only: a file with the seconds by which the wall clock is off
    #[arg(long, hide = true, value_name = "PATH", global = true)]
    pub test_clock_offset_file: Option<PathBuf>,
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
}

/// What became of a voucher.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SettleAs {
    /// Taken for this customer.
    Redeemed,
    /// Still good.
    Untouched,
}
