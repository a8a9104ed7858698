#![doc = include_str!("../README.md")]

mod back_office;
mod faults;
mod gateway;
mod line;
mod replies;
mod script;
mod validation;
mod vouchers;

use axum::Router;
use axum::routing::post;
use line::{CuttableListener, Line};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

pub use faults::{Fault, Faults};
pub use vouchers::{Ledger, Try, Voucher};

/// How long [`serve`] waits for open connections once it was told to end.
const GRACE: Duration = Duration::from_secs(1);

/// What one sandbox has: its vouchers and its settings. Clones share the ledger.
#[derive(Clone)]
pub struct Sandbox {
    /// The vouchers and what became of them.
    pub ledger: Arc<Ledger>,
    /// How long `9900 1504 …` keeps its answer back, 40 s unless set.
    pub late_answer: Duration,
    /// How long a try takes between checking a voucher and taking it, 5 ms unless set.
    pub gap: Duration,
}

impl Default for Sandbox {
    fn default() -> Self {
        Self { ledger: Arc::default(), late_answer: Duration::from_secs(40), gap: Duration::from_millis(5) }
    }
}

/// Every route. The two PINs that cut the connection need [`serve`]; under another server they answer 500 and say so,
/// and the voucher is as if cut.
pub fn router(sandbox: Sandbox) -> Router {
    Router::new()
        .route("/v1/api/mozarto/cashier", post(gateway::cashier))
        .merge(back_office::routes())
        .fallback(gateway::not_found)
        .method_not_allowed_fallback(gateway::method_not_allowed)
        .with_state(sandbox)
}

/// Serves the sandbox until `shutdown` is done, then lets answers under way end for at most a second.
pub async fn serve(
    listener: TcpListener,
    sandbox: Sandbox,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let (ending, ended) = oneshot::channel::<()>();
    let service = router(sandbox).into_make_service_with_connect_info::<Line>();
    let server = axum::serve(CuttableListener(listener), service).with_graceful_shutdown(async {
        shutdown.await;
        drop(ending);
    });
    tokio::select! {
        result = server.into_future() => result,
        // A PIN that never answers would hold a graceful end for ever.
        () = async { let _ = ended.await; tokio::time::sleep(GRACE).await } => Ok(()),
    }
}
