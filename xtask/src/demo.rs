//! `cargo xtask demo`: the playground in a browser's reach, from one command.
//!
//! Builds the widget, starts sandbox and proxy, serves the page. Runs until ctrl-c, SIGTERM, or the end of a service.

use crate::page_server::{PageServer, Pages, Upstreams};
use crate::services::{self, Login, Ports, Services, listen_for_pages};
use crate::steps::target_dir;
use crate::tools::WasmBindgen;
use crate::widget::{self, Profile};
use anyhow::Result;

/// What `demo` can be told.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Port of the page on 127.0.0.1; 0 takes a free port for everything
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Build the widget as shipped: smaller and faster, and longer to build
    #[arg(long)]
    release: bool,
    /// Only sandbox (port 8081) and proxy (port 8082), for `trunk serve`, which serves the page
    #[arg(long)]
    services: bool,
}

/// Runs the demo; returns only with an error.
pub(crate) async fn run(options: &Options) -> Result<()> {
    let ports = if options.port == 0 { Ports::ANY } else { Ports::usual().await? };
    if options.services {
        services::build().await?;
        let mut services = Services::start(ports, options.port, None, Login::Nobodys).await?;
        println!("\n{}\n\n{PINS}\n\nctrl-c ends both.", addresses(&services));
        return Err(services.ended().await);
    }
    let listener = listen_for_pages(options.port).await?;
    let widget = target_dir()?.join("demo");
    let profile = if options.release { Profile::Release } else { Profile::Dev };
    widget::build(profile, &WasmBindgen::ready().await?, &widget).await?;
    services::build().await?;
    let mut services = Services::start(ports, listener.local_addr()?.port(), None, Login::Nobodys).await?;
    let server = PageServer::start(listener, &Pages::Playground { widget: &widget }, Upstreams::of(&services))?;
    println!("\n{}\n\n{PINS}\n\nOpen {} in a browser. ctrl-c ends the demo.", addresses(&services), server.url);
    Err(services.ended().await)
}

fn addresses(services: &Services) -> String {
    format!("sandbox (plays Mozarto)  {}\nproxy (the merchant's)   {}", services.sandbox.url, services.proxy.url)
}

/// The sandbox's scripts, which its README tells in full.
const PINS: &str = "\
PINs to try                     what happens
  1234 5678 9012 3456           a voucher of 25.00 EUR, once
  9900 0000 and any 8 digits    redeemed, for whatever is asked
  9900 4075 …                   rejected: invalid PIN
  9900 0410 …                   rejected: already redeemed
  9900 0411 …                   rejected: mismatched amount
  9900 0412 …                   rejected: mismatched currency
  9900 0403 …                   set-up: INVALID_PSP_CREDENTIALS
  9900 0408 …  9900 1408 …      PSP_TIMEOUT: voucher untouched; voucher taken
  9900 0500 …  9900 1500 …      500 without a code: untouched; taken
  9900 0444 …  9900 1444 …      the connection is cut: untouched; taken
  9900 0429 …                   PSP_RATE_LIMITED, Retry-After 2 s, then redeemed
  9900 0503 …                   PSP_UNAVAILABLE twice, then redeemed
  9900 0599 …                   UNKNOWN_PSP_ERROR
  9900 0504 …  9900 1504 …      no answer at all; taken, and an answer after 40 s
  9900 0502 …  9900 0201 …      an HTML page; a 200 that is not JSON
  9900 0202 …                   accepted, not final (PENDING)
  9900 0777 …                   an answer that repeats the PIN";
