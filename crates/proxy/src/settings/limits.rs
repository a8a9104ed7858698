//! Limits and hops: how much of what one client may ask for, and whose word about a client's address is taken.

use super::SettingsError;
use crate::args::LimitArgs;
use ipnet::IpNet;
use std::net::IpAddr;
use std::time::Duration;

/// What hyper wants at least for the head of a request.
pub(super) const SMALLEST_HEAD_BYTES: usize = 8192;

/// How much a client may ask for. 0 is no limit.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// New attempts a minute of one address: 60.
    pub address: u32,
    /// New attempts a minute under one session: 20.
    pub session: u32,
    /// New attempts a minute of one customer: 30.
    pub customer: u32,
    /// Invalid PINs in a row until a customer waits: 5.
    pub guesses: u32,
    /// The body of a request: 16 KB. A Pay-In has under 1 KB.
    pub body_bytes: usize,
    /// The head of a request: 32 KB. A widget's has under 2 KB.
    pub head_bytes: usize,
    /// Connections at once: 4096. More wait until one ends.
    pub connections: usize,
}

impl Limits {
    pub(super) fn new(args: &LimitArgs) -> Result<Self, SettingsError> {
        if (1..SMALLEST_HEAD_BYTES).contains(&args.max_head_bytes) {
            return Err(SettingsError(format!(
                "--max-head-bytes (or CASHIER_MAX_HEAD_BYTES) must be 0 or at least {SMALLEST_HEAD_BYTES}"
            )));
        }
        Ok(Self {
            address: args.limit_address,
            session: args.limit_session,
            customer: args.limit_customer,
            guesses: args.guesses,
            body_bytes: args.max_body_bytes,
            head_bytes: args.max_head_bytes,
            connections: args.max_connections,
        })
    }
}

/// A time of the command line, where 0 is no limit.
pub(super) fn time_limit(seconds: u64) -> Option<Duration> {
    (seconds > 0).then(|| Duration::from_secs(seconds))
}

/// A network such as `10.0.0.0/8`, or one address.
pub(super) fn trusted_proxy(text: &str) -> Result<IpNet, SettingsError> {
    text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)).map_err(|_| {
        SettingsError(format!(
            "--trusted-proxy (or CASHIER_TRUSTED_PROXIES): {text:?} is no network: write it such as 10.0.0.0/8 or 10.1.2.3"
        ))
    })
}
