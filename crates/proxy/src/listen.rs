//! Connections: accepts them, gives each its time limits, and lets them end gracefully. What `axum::serve` does, and
//! besides limits for clients that send their request byte by byte or open ever more connections, a look at what each
//! sends (`guard::screen`), and TLS.

use crate::guard::address::Peer;
use crate::guard::screen::Screened;
use crate::settings::Limits;
use crate::tls::Tls;
use axum::Router;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::{Notify, Semaphore};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, error};

/// The pause after an error that the next connection would meet, too, such as too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);
/// How long a handshake may take where there is no limit for heads.
const LONGEST_HANDSHAKE: Duration = Duration::from_mins(1);

/// How long the first request of a connection may take that was accepted just before the end: it is on its way, and
/// whoever sent it would be left without an answer.
const FIRST_REQUEST: Duration = Duration::from_millis(500);

/// What each connection gets.
pub(crate) struct Terms {
    pub(crate) head_within: Option<Duration>,
    pub(crate) limits: Limits,
    pub(crate) tls: Option<Tls>,
}

/// The connections that are there at the end.
pub(crate) struct Connections(TaskTracker);

impl Connections {
    /// Done when each has had its answer and is closed. They were told to end when `accept` was.
    pub(crate) async fn shutdown(self) {
        self.0.close();
        self.0.wait().await;
    }
}

/// Accepts until `ending`; gives the connections that are then still there.
pub(crate) async fn accept(
    listener: TcpListener,
    router: Router,
    terms: Terms,
    ending: &CancellationToken,
) -> Connections {
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(terms.head_within);
    server.max_buf_size(if terms.limits.head_bytes == 0 { usize::MAX } else { terms.limits.head_bytes });
    let most = if terms.limits.connections == 0 { Semaphore::MAX_PERMITS } else { terms.limits.connections };
    let room = Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS)));
    let connections = TaskTracker::new();
    loop {
        // What comes beyond waits in the system's queue, where it costs no memory of ours.
        let next = async { (Arc::clone(&room).acquire_owned().await, listener.accept().await) };
        let (place, accepted) = tokio::select! {
            biased;
            () = ending.cancelled() => return Connections(connections),
            next = next => next,
        };
        let (stream, address) = match accepted {
            Ok(accepted) => accepted,
            Err(error) if is_the_clients(&error) => continue,
            Err(error) => {
                error!(%error, "no connection can be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        // Small answers leave at once.
        let _ = stream.set_nodelay(true);
        let (server, router, ending) = (server.clone(), router.clone(), ending.clone());
        let tls = terms.tls.as_ref().map(|tls| TlsAcceptor::from(tls.config.now()));
        let handshake_within = terms.head_within.unwrap_or(LONGEST_HANDSHAKE);
        connections.spawn(async move {
            let _place = place;
            let Some(tls) = tls else { return serve(&server, stream, address, router, ending).await };
            match timeout(handshake_within, tls.accept(stream)).await {
                Ok(Ok(stream)) => serve(&server, stream, address, router, ending).await,
                Ok(Err(error)) => debug!(%error, "a connection made no TLS"),
                Err(_) => debug!("a connection made no TLS in time"),
            }
        });
    }
}

async fn serve<S: AsyncRead + AsyncWrite + Send + Unpin + 'static>(
    server: &http1::Builder,
    stream: S,
    address: SocketAddr,
    router: Router,
    ending: CancellationToken,
) {
    let router = TowerToHyperService::new(router);
    let begun = Arc::new(Notify::new());
    let first = Arc::clone(&begun);
    let service = service_fn(move |mut request: Request<Incoming>| {
        first.notify_one();
        request.extensions_mut().insert(Peer(address.ip()));
        router.call(request)
    });
    let mut connection = pin!(server.serve_connection(TokioIo::new(Screened::new(stream)), service));
    // Told to end before its first request, hyper would close it unanswered.
    let may_end = async {
        ending.cancelled().await;
        let _ = timeout(FIRST_REQUEST, begun.notified()).await;
    };
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = may_end => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        // Slow, gone, or no HTTP.
        debug!(%error, "a connection ended early");
    }
}

fn is_the_clients(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
