//! A body that is whole, or ends in the middle with an error: hyper then closes the connection.

use hyper::body::{Body, Bytes, Frame, SizeHint};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Sleep, sleep};

/// How long the first half has to reach the proxy.
const BETWEEN: Duration = Duration::from_millis(30);

/// The body of an answer.
pub(super) struct Played {
    left: Option<Bytes>,
    length: u64,
    breaks: Option<Pin<Box<Sleep>>>,
}

impl Played {
    pub(super) fn whole(text: String) -> Self {
        let length = text.len() as u64;
        Self { left: Some(Bytes::from(text)), length, breaks: None }
    }

    /// Promises the whole length, and breaks after half of it.
    pub(super) fn cut_in_half(&mut self) {
        if let Some(left) = &mut self.left {
            left.truncate(left.len() / 2);
        }
        self.breaks = Some(Box::pin(sleep(BETWEEN)));
    }
}

impl Body for Played {
    type Data = Bytes;
    type Error = super::Cut;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, super::Cut>>> {
        if let Some(bytes) = self.left.take().filter(|bytes| !bytes.is_empty()) {
            return Poll::Ready(Some(Ok(Frame::data(bytes))));
        }
        match &mut self.breaks {
            None => Poll::Ready(None),
            Some(time) => time.as_mut().poll(cx).map(|()| Some(Err(super::Cut))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.breaks.is_none() && self.left.as_ref().is_none_or(Bytes::is_empty)
    }

    fn size_hint(&self) -> SizeHint {
        if self.left.is_some() { SizeHint::with_exact(self.length) } else { SizeHint::with_exact(0) }
    }
}
