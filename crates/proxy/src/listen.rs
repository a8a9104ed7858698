//! Connections: accepts them, gives each its time limits, and lets them end gracefully. What `axum::serve` does, and a
//! limit for clients that send their request byte by byte.

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use std::io;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tracing::{debug, error};

/// The pause after an error that the next connection would meet, too, such as too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);
/// Room for the head of a request; a widget's has under 2 KB.
const HEAD_BYTES: usize = 32 * 1024;

/// Accepts until `ending`; gives the connections that are then still there.
pub(crate) async fn accept(
    listener: TcpListener,
    router: Router,
    head_within: Duration,
    ending: &CancellationToken,
) -> GracefulShutdown {
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(head_within).max_buf_size(HEAD_BYTES);
    let connections = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            biased;
            () = ending.cancelled() => return connections,
            accepted = listener.accept() => accepted,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) if is_the_clients(&error) => continue,
            Err(error) => {
                error!(%error, "no connection can be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        // Small answers leave at once.
        let _ = stream.set_nodelay(true);
        let service = TowerToHyperService::new(router.clone());
        let connection = connections.watch(server.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                // Slow, gone, or no HTTP.
                debug!(%error, "a connection ended early");
            }
        });
    }
}

fn is_the_clients(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
