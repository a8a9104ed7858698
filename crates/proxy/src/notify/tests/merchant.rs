//! The merchant's server, as a test plays it.

use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};

/// What it does with a request.
#[derive(Clone)]
pub(super) enum Play {
    Status(u16),
    /// 200, and that JSON.
    Json(&'static str),
    Redirect(String),
    /// Closes without a byte.
    Cut,
    /// Never answers.
    Silence,
    /// 204, once the test says so.
    Held,
}

#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) head: String,
    pub(super) body: String,
}

impl Request {
    pub(super) fn header(&self, name: &str) -> String {
        let values = self.head.lines().filter_map(|line| line.split_once(": "));
        let mut values = values.filter(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value);
        let value = values.next().unwrap_or_else(|| panic!("{name}: {}", self.head)).to_owned();
        assert_eq!(values.next(), None, "{name} is there once");
        value
    }
}

pub(super) struct Merchant {
    pub(super) url: String,
    seen: watch::Receiver<Vec<Request>>,
    released: Arc<Semaphore>,
}

impl Merchant {
    /// Answers the first request by the first play, and so on; the last goes on for ever.
    pub(super) async fn start(plays: Vec<Play>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let (note, seen) = watch::channel(Vec::new());
        let (note, released) = (Arc::new(Mutex::new(note)), Arc::new(Semaphore::new(0)));
        let held = Arc::clone(&released);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(converse(stream, plays.clone(), Arc::clone(&note), Arc::clone(&held)));
            }
        });
        Self { url, seen, released }
    }

    pub(super) fn requests(&self) -> Vec<Request> {
        self.seen.borrow().clone()
    }

    pub(super) async fn until(&self, are_they: impl Fn(&[Request]) -> bool) {
        self.seen.clone().wait_for(|requests| are_they(requests)).await.expect("it listens");
    }

    /// Lets go of all that is held, and of all that comes.
    pub(super) fn release(&self) {
        self.released.add_permits(1);
    }
}

async fn converse(
    mut stream: TcpStream,
    plays: Vec<Play>,
    note: Arc<Mutex<watch::Sender<Vec<Request>>>>,
    held: Arc<Semaphore>,
) {
    while let Some(request) = read(&mut stream).await {
        let number = {
            let note = note.lock().expect("not poisoned");
            note.send_modify(|requests| requests.push(request));
            note.borrow().len()
        };
        let answer = match &plays[number.min(plays.len()) - 1] {
            Play::Status(204) => "HTTP/1.1 204 X\r\n\r\n".to_owned(),
            Play::Status(status) => format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n"),
            Play::Json(body) => {
                let length = body.len();
                format!("HTTP/1.1 200 X\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}")
            }
            Play::Redirect(to) => format!("HTTP/1.1 307 X\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n"),
            Play::Cut => return,
            Play::Silence => std::future::pending().await,
            Play::Held => {
                // Given back at once: it is for all.
                drop(held.acquire().await.expect("not closed"));
                "HTTP/1.1 204 X\r\n\r\n".to_owned()
            }
        };
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

async fn read(stream: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length =
                head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
            if body.len() >= length.unwrap_or(0) {
                return Some(Request { head: head.to_owned() + "\r\n", body: body.to_owned() });
            }
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}
