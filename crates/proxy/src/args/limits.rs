//! The flags that limit what clients may ask for.

/// Limits: 0 switches one off.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Limits (0 is off)")]
pub struct LimitArgs {
    /// New attempts a minute of one address (of IPv6: of one /64)
    #[arg(long, env = "CASHIER_LIMIT_ADDRESS", value_name = "A MINUTE", default_value_t = 60)]
    pub limit_address: u32,
    /// New attempts a minute under one checkout session
    #[arg(long, env = "CASHIER_LIMIT_SESSION", value_name = "A MINUTE", default_value_t = 20)]
    pub limit_session: u32,
    /// New attempts a minute of one customer
    #[arg(long, env = "CASHIER_LIMIT_CUSTOMER", value_name = "A MINUTE", default_value_t = 30)]
    pub limit_customer: u32,
    /// Invalid PINs in a row until a customer waits, longer each time
    #[arg(long, env = "CASHIER_GUESSES", value_name = "PINS", default_value_t = 5)]
    pub guesses: u32,
    /// The longest body of a request
    #[arg(long, env = "CASHIER_MAX_BODY_BYTES", value_name = "BYTES", default_value_t = 16 * 1024)]
    pub max_body_bytes: usize,
    /// The longest head of a request; 8192 at least
    #[arg(long, env = "CASHIER_MAX_HEAD_BYTES", value_name = "BYTES", default_value_t = 32 * 1024)]
    pub max_head_bytes: usize,
    /// How long a client may take for the head of a request
    #[arg(long, env = "CASHIER_HEAD_SECONDS", value_name = "SECONDS", default_value_t = 20)]
    pub head_seconds: u64,
    /// How long a client may take for the body of a request
    #[arg(long, env = "CASHIER_BODY_SECONDS", value_name = "SECONDS", default_value_t = 10)]
    pub body_seconds: u64,
    /// Connections at once; more wait until one ends
    #[arg(long, env = "CASHIER_MAX_CONNECTIONS", value_name = "CONNECTIONS", default_value_t = 4096)]
    pub max_connections: usize,
    /// A proxy in front of this one whose X-Forwarded-For is believed, such as 10.0.0.0/8; may be given several times
    /// (in the variable: separated by spaces)
    #[arg(long = "trusted-proxy", env = "CASHIER_TRUSTED_PROXIES", value_name = "CIDR", value_delimiter = ' ')]
    pub trusted_proxies: Vec<String>,
}
