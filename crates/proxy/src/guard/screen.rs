//! Request smuggling: heads that a proxy on the way and this server could read as different requests. The parser under
//! hyper is lenient where RFC 9112 lets it be (a bare LF ends a line, of two lengths that are equal one is dropped, a
//! chunked body wins over a length), so the bytes are looked at before it sees them.
//!
//! Refused: a bare LF or CR, NUL, a line folded into the next, two `Content-Length`s, one that is no number, and one
//! beside `Transfer-Encoding`. What comes in the wrong byte's place is a NUL, which no head may have: hyper answers 400
//! and closes. After a chunked body nothing more is read: `headers` closes that connection.

use std::io;
use std::mem::take;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// As much of a line as its name and a length need.
const KEPT_BYTES: usize = 128;

/// A connection whose requests are looked at.
pub(crate) struct Screened<S> {
    stream: S,
    screen: Screen,
}

impl<S> Screened<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self { stream, screen: Screen::default() }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Screened<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, into))?;
        if let Some(at) = self.screen.wrong(&into.filled()[before..]) {
            into.filled_mut()[before + at] = 0;
            into.set_filled(before + at + 1);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Screened<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

/// Where in a connection's requests we are.
#[derive(Default)]
struct Screen {
    part: Part,
    /// How many lines of the head have ended.
    lines: usize,
    /// The beginning of the line that has not, in lower case.
    line: Vec<u8>,
    after_cr: bool,
    length: Option<u64>,
    is_chunked: bool,
}

#[derive(Default)]
enum Part {
    #[default]
    Head,
    /// So many bytes of it are to come.
    Body(u64),
    /// Nothing more is looked at: nothing more is read as a request.
    Rest,
}

/// The head is none that everybody reads alike.
struct Wrong;

impl Screen {
    /// The place of the first byte that makes a head one to refuse.
    fn wrong(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut at = 0;
        while at < bytes.len() {
            match &mut self.part {
                Part::Rest => return None,
                Part::Body(left) => {
                    let here = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len() - at);
                    at += here;
                    *left -= here as u64;
                    if *left == 0 {
                        self.part = Part::Head;
                    }
                }
                Part::Head => {
                    if self.byte(bytes[at]).is_err() {
                        self.part = Part::Rest;
                        return Some(at);
                    }
                    at += 1;
                }
            }
        }
        None
    }

    fn byte(&mut self, byte: u8) -> Result<(), Wrong> {
        let after_cr = std::mem::replace(&mut self.after_cr, byte == b'\r');
        match byte {
            b'\n' if after_cr => self.line_ended(),
            b'\n' | 0 => Err(Wrong),
            _ if after_cr => Err(Wrong),
            b'\r' => Ok(()),
            b' ' | b'\t' if self.line.is_empty() => Err(Wrong),
            _ => {
                if self.line.len() < KEPT_BYTES {
                    self.line.push(byte.to_ascii_lowercase());
                }
                Ok(())
            }
        }
    }

    fn line_ended(&mut self) -> Result<(), Wrong> {
        let line = take(&mut self.line);
        if line.is_empty() {
            // An empty line before a request is nothing, to hyper as to RFC 9112.
            if self.lines > 0 {
                self.part = match self.length {
                    _ if self.is_chunked => Part::Rest,
                    Some(length) if length > 0 => Part::Body(length),
                    _ => Part::Head,
                };
                (self.lines, self.length, self.is_chunked) = (0, None, false);
            }
            return Ok(());
        }
        self.lines += 1;
        if self.lines == 1 {
            return Ok(());
        }
        let colon = line.iter().position(|byte| *byte == b':').unwrap_or(line.len());
        match line[..colon].trim_ascii() {
            // Of a line that long the end was not kept, and with it some digits.
            b"content-length" if line.len() == KEPT_BYTES => return Err(Wrong),
            b"content-length" => {
                let digits = line.get(colon + 1..).unwrap_or_default().trim_ascii();
                let is_number = (1..=18).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit);
                let length = is_number.then(|| digits.iter().fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0')));
                if self.length.is_some() || length.is_none() {
                    return Err(Wrong);
                }
                self.length = length;
            }
            b"transfer-encoding" => self.is_chunked = true,
            _ => {}
        }
        if self.is_chunked && self.length.is_some() { Err(Wrong) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where it is refused, given in one piece and byte by byte.
    fn refused_at(text: &str) -> Option<usize> {
        let whole = Screen::default().wrong(text.as_bytes());
        let mut screen = Screen::default();
        let single = text.bytes().position(|byte| screen.wrong(&[byte]).is_some());
        assert_eq!(whole, single, "{text:?}");
        whole
    }

    #[test]
    fn heads_that_everybody_reads_alike_are_let_through_and_bodies_are_not_looked_at() {
        let get = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";
        let post = |body: &str| format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        let chunked = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\n\0\r\n \r\n";
        for text in [
            get.to_owned(),
            format!("{get}{get}\r\n{get}"),
            format!("{}{get}", post("a\nb\r\n\r\n c\0")),
            format!("{}{}", post(""), post("{\n}")),
            chunked.to_owned(),
            format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "content-length: 1, ".repeat(100)),
            "GET / HTTP/1.1\r\nX-Content-Length: a\r\nEmpty:\r\n\r\n".to_owned(),
        ] {
            assert_eq!(refused_at(&text), None, "{text:?}");
        }
    }

    #[test]
    fn heads_that_two_servers_may_read_differently_are_refused() {
        for text in [
            "GET / HTTP/1.1\n",
            "GET / HTTP/1.1\r\nHost: a\n",
            "GET / HTTP/1.1\r\nHost: a\rX",
            "GET / HTTP/1.1\r\nHost: a\r\r",
            "GET / HTTP/1.1\r\nHost: a\0",
            "GET / HTTP/1.1\r\nHost: a\r\n ",
            "GET / HTTP/1.1\r\nHost: a\r\n\t",
            "GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n",
            "GET / HTTP/1.1\r\nContent-Length: 1\r\ncontent-length: 2\r\n",
            "GET / HTTP/1.1\r\nContent-Length: 1, 1\r\n",
            "GET / HTTP/1.1\r\nContent-Length: +1\r\n",
            "GET / HTTP/1.1\r\nContent-Length: 0x1\r\n",
            "GET / HTTP/1.1\r\nContent-Length:\r\n",
            "GET / HTTP/1.1\r\nContent-Length: 1234567890123456789\r\n",
            "GET / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n",
            "GET / HTTP/1.1\r\ntransfer-encoding: x\r\nContent-Length: 1\r\n",
            "GET / HTTP/1.1\r\nContent-Length : 1\r\nContent-Length: 1\r\n",
            // Two thirds of its digits are beyond what is kept of a line.
            &format!("GET / HTTP/1.1\r\nContent-Length:{}123\r\n", " ".repeat(KEPT_BYTES - 16)),
            "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\n",
        ] {
            assert_eq!(refused_at(text), Some(text.len() - 1), "{text:?}");
        }
    }
}
