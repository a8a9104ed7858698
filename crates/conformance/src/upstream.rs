//! The Mozarto that the kit plays: it says to each voucher's tries what a check wants, and notes what reached it.
//!
//! Starts with [`Upstream::bind`] and ends when dropped. Requests belong to vouchers by the digits in their bodies, so
//! that checks can run side by side. Every connection is closed after one answer: a proxy that keeps connections then
//! has none that dies under it. What an answer looks like is in `says.rs`.

mod broken_body;
mod notes;
mod says;

use broken_body::Played;
use hyper::body::Incoming;
use hyper::header::{CONNECTION, CONTENT_TYPE, HeaderValue, LOCATION, RETRY_AFTER};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use mozarto::Amount;
use notes::Running;
pub(crate) use notes::{Notes, Received};
pub(crate) use says::{HTML, Says, sandbox_prefix};
use std::collections::HashMap;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::sleep;

/// How many of a PIN's digits tell one voucher of a run from the others.
pub(crate) const MARK: usize = 12;

/// How long a proxy may take to see that a connection has been closed.
const UNTIL_NOTICED: Duration = Duration::from_millis(100);

/// The kit's Mozarto.
pub struct Upstream {
    address: SocketAddr,
    played: Arc<Mutex<Vouchers>>,
    door: Mutex<Option<JoinHandle<()>>>,
    shut: watch::Sender<bool>,
}

#[derive(Default)]
struct Vouchers {
    by_mark: HashMap<String, Arc<Notes>>,
    strays: Vec<Received>,
}

/// The connection ends here, without an answer.
#[derive(Debug)]
struct Cut;

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cut")
    }
}

impl std::error::Error for Cut {}

impl Upstream {
    /// Listens at an address; port 0 takes a free one.
    pub async fn bind(address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let upstream = Self { address, played: Arc::default(), door: Mutex::default(), shut: watch::Sender::default() };
        upstream.answer(listener);
        Ok(upstream)
    }

    /// What the proxy under test must have as Mozarto's base URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Has one voucher's tries answered: the first by the first word, and so on; the last goes on for ever.
    pub(crate) fn play(&self, pin: &str, amount: Amount, script: &[Says]) -> Arc<Notes> {
        let notes = Arc::new(Notes::new(pin, amount, script));
        lock(&self.played).by_mark.insert(pin[..MARK].to_owned(), Arc::clone(&notes));
        notes
    }

    /// All that reached Mozarto so far.
    pub(crate) fn received(&self) -> Vec<Received> {
        let played = lock(&self.played);
        played.by_mark.values().flat_map(|notes| notes.requests()).chain(played.strays.clone()).collect()
    }

    /// From now on connections are refused, and those on which nothing was asked are closed: a proxy may have one in
    /// store. The others stay.
    pub(crate) async fn close(&self) {
        let door = lock(&self.door).take();
        if let Some(door) = door {
            door.abort();
            // It ends by being aborted, and then the listener is gone.
            let _ = door.await;
        }
        self.shut.send_replace(true);
        sleep(UNTIL_NOTICED).await;
    }

    /// Listens again where it did.
    pub(crate) async fn open(&self) -> io::Result<()> {
        let listener = TcpListener::bind(self.address).await?;
        self.shut.send_replace(false);
        self.answer(listener);
        Ok(())
    }

    fn answer(&self, listener: TcpListener) {
        let (played, shut) = (Arc::clone(&self.played), self.shut.clone());
        *lock(&self.door) = Some(tokio::spawn(async move {
            loop {
                match listener.accept().await {
                    Ok((stream, _)) => drop(tokio::spawn(converse(stream, Arc::clone(&played), shut.subscribe()))),
                    // One connection has already gone, or there are too many for now.
                    Err(_) => sleep(UNTIL_NOTICED).await,
                }
            }
        }));
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        if let Some(door) = lock(&self.door).take() {
            door.abort();
        }
    }
}

async fn converse(stream: TcpStream, played: Arc<Mutex<Vouchers>>, mut shut: watch::Receiver<bool>) {
    let service = service_fn(move |request| {
        let played = Arc::clone(&played);
        async move { answered(request, &played).await }
    });
    let mut connection = pin!(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    tokio::select! {
        // An error is a cut: the kit's own, or the proxy's, which `Notes` has seen.
        _ = connection.as_mut() => return,
        _ = shut.wait_for(|shut| *shut) => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}

async fn answered(request: Request<Incoming>, played: &Mutex<Vouchers>) -> Result<Response<Played>, Cut> {
    let received = Received::read(request).await.ok_or(Cut)?;
    let Some((notes, says, _running)) = noted(received, played) else {
        return Ok(response(StatusCode::NOT_FOUND, r#"{"isSuccess":false,"message":"Not found"}"#.to_owned()));
    };
    match says {
        Says::Cut => return Err(Cut),
        Says::Silence => std::future::pending().await,
        Says::Held => notes.released().await,
        _ => {}
    }
    let (status, text) = notes.text(says);
    let mut response = response(StatusCode::from_u16(status).map_err(|_| Cut)?, text);
    match says {
        Says::CutWithin => response.body_mut().cut_in_half(),
        Says::RateLimited => {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static(says::RETRY_AFTER));
        }
        Says::Elsewhere => {
            response.headers_mut().insert(LOCATION, HeaderValue::from_static("/elsewhere"));
        }
        _ => {}
    }
    Ok(response)
}

/// Writes a request down, and finds what its voucher's try is told. A request that names no voucher is a stray.
fn noted(received: Received, played: &Mutex<Vouchers>) -> Option<(Arc<Notes>, Says, Running)> {
    let mut played = lock(played);
    let digits: String = received.body.chars().filter(char::is_ascii_digit).collect();
    let notes = played.by_mark.iter().find(|(mark, _)| digits.contains(*mark)).map(|(_, notes)| Arc::clone(notes));
    let Some(notes) = notes else {
        played.strays.push(received);
        return None;
    };
    let (says, running) = notes.add(received);
    Some((notes, says, running))
}

fn response(status: StatusCode, text: String) -> Response<Played> {
    let mut response = Response::new(Played::whole(text));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

/// What is locked is never left half changed.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
