//! What is on its way between the browser and the proxy, and what the browser still waits for. Loses, delays and
//! repeats nothing by itself: the steps do.

use mozarto::{Amount, Answer};
use redemption::{AttemptKey, Keeping};

#[derive(Default)]
pub(super) struct Network {
    /// What pages wait for, also pages that are gone.
    pub(super) fetches: Vec<Fetch>,
    pub(super) messages: Vec<Message>,
    connections: u32,
    ids: u32,
}

/// One `fetch` of a page's.
#[derive(Clone, Debug)]
pub(super) struct Fetch {
    pub(super) id: u32,
    /// `None`: the page is gone, and nobody waits.
    pub(super) page: Option<u32>,
    pub(super) key: AttemptKey,
    pub(super) from: From,
    /// It holds the attempt's lock.
    pub(super) lock: bool,
    /// The last connection it was sent on. An answer on another reaches nobody.
    pub(super) connection: u32,
    pub(super) what: What,
    pub(super) sent_at: u32,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum From {
    Try(u32),
    Ask(u32),
}

#[derive(Clone, Debug)]
pub(super) enum Message {
    Up(Up),
    Down(Down),
}

/// A request on its way to the proxy.
#[derive(Clone, Debug)]
pub(super) struct Up {
    pub(super) fetch: u32,
    pub(super) connection: u32,
    pub(super) key: AttemptKey,
    pub(super) what: What,
    pub(super) sent_at: u32,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum What {
    Post { voucher: usize, amount: Amount },
    Get,
    Delete,
}

/// An answer on its way to the browser.
#[derive(Clone, Debug)]
pub(super) struct Down {
    pub(super) connection: u32,
    pub(super) answer: Box<Answer>,
    pub(super) keeping: Keeping,
}

impl Network {
    /// A page's request leaves; its id and connection are given here.
    pub(super) fn send(&mut self, fetch: Fetch) {
        self.ids += 1;
        self.fetches.push(Fetch { id: self.ids, ..fetch });
        self.resend(self.fetches.len() - 1);
    }

    /// The request leaves on a connection of its own. Chromium does so once more by itself, when the first connection
    /// dies before an answer: whatever has left on that one goes on.
    pub(super) fn resend(&mut self, at: usize) {
        self.connections += 1;
        let fetch = &mut self.fetches[at];
        fetch.connection = self.connections;
        let (id, connection, key) = (fetch.id, fetch.connection, fetch.key.clone());
        let (what, sent_at) = (fetch.what, fetch.sent_at);
        self.messages.push(Message::Up(Up { fetch: id, connection, key, what, sent_at }));
    }

    pub(super) fn answer(&mut self, connection: u32, answer: Answer, keeping: Keeping) {
        let answer = Box::new(answer);
        self.messages.push(Message::Down(Down { connection, answer, keeping }));
    }

    /// Whoever waits on this connection waits no longer.
    pub(super) fn finish(&mut self, connection: u32) -> Option<Fetch> {
        let at = self.fetches.iter().position(|fetch| fetch.connection == connection)?;
        Some(self.fetches.remove(at))
    }

    /// Whether a page other than this is sending for the attempt.
    pub(super) fn is_locked(&self, key: &AttemptKey, by: u32) -> bool {
        let others = |fetch: &Fetch| fetch.lock && fetch.page.is_some_and(|page| page != by);
        self.fetches.iter().any(|fetch| fetch.key == *key && others(fetch))
    }

    pub(super) fn forget_page(&mut self, page: u32) {
        for fetch in self.fetches.iter_mut().filter(|fetch| fetch.page == Some(page)) {
            fetch.page = None;
        }
    }
}
