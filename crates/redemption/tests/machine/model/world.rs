//! The whole: a browser, a network, a proxy of one of two kinds, and Mozarto. Each of its methods is something that can
//! happen by itself; `steps` chooses what does.

use super::browser::Browser;
use super::ledger::{Ledger, Posted, Standing, Try};
use super::mozarto::{Fate, Mozarto, Origin, Upstream, Voucher};
use super::network::{Message, Network, Up, What};
use super::truth::Truth;
use crate::support::{coded, html, running};
use mozarto::Answer;
use redemption::{AttemptKey, Keeping, Options};

pub(super) struct World {
    pub(super) browser: Browser,
    pub(super) network: Network,
    pub(super) proxy: Proxy,
    pub(super) mozarto: Mozarto,
    pub(super) truth: Truth,
    /// What a page is loaded with.
    pub(super) options: Options,
    pub(super) keys: u32,
    /// What happened, where somebody wants to read it.
    pub(super) log: Option<Vec<String>>,
}

pub(super) enum Proxy {
    /// Passes every POST on and keeps nothing.
    PassThrough,
    Keeping(Ledger),
}

impl Proxy {
    pub(super) fn keeps(&self) -> bool {
        matches!(self, Self::Keeping(_))
    }
}

/// What a proxy does with a request that has arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arrival {
    /// Its work.
    Served,
    /// 401: a fresh session is wanted.
    Session,
    /// 503: it does not send now.
    NotSent,
    /// 429, for new attempts.
    TooMany,
    /// Something before the proxy answers with a page of its own.
    Page,
    /// The proxy takes it, and has no connection to Mozarto.
    NoConnection,
}

impl World {
    pub(super) fn new(vouchers: Vec<Voucher>, keeps: bool, locks: bool, options: Options, log: bool) -> Self {
        Self {
            browser: Browser::new(locks),
            network: Network::default(),
            proxy: if keeps { Proxy::Keeping(Ledger::default()) } else { Proxy::PassThrough },
            mozarto: Mozarto::new(vouchers),
            truth: Truth::default(),
            options,
            keys: 0,
            log: log.then(Vec::new),
        }
    }

    pub(super) fn note(&mut self, text: impl FnOnce() -> String) {
        if let Some(log) = &mut self.log {
            log.push(text());
        }
    }

    /// A message arrives.
    pub(super) fn deliver(&mut self, at: usize, arrival: Arrival) {
        match self.network.messages.remove(at) {
            Message::Down(down) => {
                if let Some(fetch) = self.network.finish(down.connection) {
                    self.hear(fetch, *down.answer, down.keeping);
                }
            }
            Message::Up(up) => {
                self.note(|| format!("proxy {arrival:?} {:?} {:?}", up.what, up.key));
                self.arrive(&up, arrival);
            }
        }
    }

    fn arrive(&mut self, up: &Up, arrival: Arrival) {
        let keeping = if self.proxy.keeps() { Keeping::Kept } else { Keeping::No };
        let known = match &self.proxy {
            Proxy::PassThrough => false,
            Proxy::Keeping(ledger) => ledger.knows(&up.key),
        };
        let posts = matches!(up.what, What::Post { .. });
        // What `may_have_been_done` says of Mozarto's rows holds for a proxy's own as well; and no session runs out
        // between two copies of one request.
        let copied = self.mozarto.may_have_been_done(up.fetch) && arrival != Arrival::Page;
        let arrival =
            if copied && (!self.proxy.keeps() || arrival == Arrival::Session) { Arrival::Served } else { arrival };
        let refusal = match arrival {
            Arrival::Session => Some(coded("SESSION_EXPIRED")),
            Arrival::NotSent if posts => Some(self.not_sent(&up.key)),
            Arrival::TooMany if posts && !known => Some(coded("TOO_MANY_TRIES")),
            Arrival::Page => return self.network.answer(up.connection, html(), Keeping::No),
            _ => None,
        };
        if let Some(answer) = refusal {
            return self.network.answer(up.connection, answer, keeping);
        }
        match up.what {
            What::Post { .. } => self.post(up, arrival == Arrival::NoConnection),
            What::Get | What::Delete => {
                let answer = match (&mut self.proxy, up.what) {
                    (Proxy::Keeping(ledger), What::Delete) => ledger.delete(&up.key),
                    (Proxy::Keeping(ledger), _) => ledger.get(&up.key),
                    (Proxy::PassThrough, What::Get) => html(),
                    (Proxy::PassThrough, _) => Answer { status: 405, ..Answer::none() },
                };
                self.network.answer(up.connection, answer, keeping);
            }
        }
    }

    /// A proxy sends nothing now. One that keeps attempts says what it knows of this one, if that is more.
    fn not_sent(&mut self, key: &AttemptKey) -> Answer {
        match &mut self.proxy {
            Proxy::Keeping(ledger) => ledger.unsent(key),
            Proxy::PassThrough => coded("NOT_SENT"),
        }
    }

    fn post(&mut self, up: &Up, no_connection: bool) {
        let What::Post { voucher, amount } = up.what else { return };
        let origin = match &mut self.proxy {
            Proxy::PassThrough if no_connection => {
                return self.network.answer(up.connection, coded("NOT_SENT"), Keeping::No);
            }
            Proxy::PassThrough => Origin::Connection(up.connection),
            Proxy::Keeping(ledger) => match ledger.post(&up.key, voucher, amount, up.connection) {
                Posted::Answer(answer, replayed) => {
                    let keeping = if replayed { Keeping::Replayed } else { Keeping::Kept };
                    return self.network.answer(up.connection, *answer, keeping);
                }
                Posted::Begun(place) if no_connection => {
                    return self.end_try(&up.key, place, coded("NOT_SENT"));
                }
                Posted::Begun(place) => Origin::Try(place),
            },
        };
        self.check_upstream(up, voucher);
        let (key, fetch, sent_at) = (up.key.clone(), up.fetch, up.sent_at);
        self.mozarto.pending.push(Upstream { key, voucher, amount, fetch, sent_at, origin });
    }

    /// What a proxy that keeps attempts lets through, whatever pages do.
    fn check_upstream(&mut self, up: &Up, voucher: usize) {
        if !self.proxy.keeps() {
            return;
        }
        let busy = self.mozarto.pending.iter().chain(&self.mozarto.lingering);
        let takes = |other: &&Upstream| {
            let voucher = &self.mozarto.vouchers[voucher];
            voucher.taken.is_none() && voucher.value == Some(other.amount.minor())
        };
        let other = busy.filter(|other| other.voucher == voucher && other.key != up.key).filter(takes).count();
        self.truth
            .must(other == 0, || format!("{:?} is sent upstream while another key may take the same voucher", up.key));
        let redeemed = self.truth.find(&up.key).is_some_and(|told| told.redeemed);
        self.truth.must(!redeemed, || format!("{:?} is sent upstream after its end", up.key));
    }

    /// Mozarto does a request that has arrived.
    pub(super) fn process(&mut self, at: usize, fate: Fate) {
        let request = self.mozarto.pending.remove(at);
        let (answer, taken) = self.mozarto.process(&request, fate);
        self.note(|| {
            format!("mozarto {:?} voucher {} taken {taken}: {}", request.key, request.voucher, answer.meaning().signal)
        });
        if taken {
            self.truth.taken(&request.key, request.sent_at);
        }
        match request.origin {
            Origin::Connection(connection) => self.network.answer(connection, answer, Keeping::No),
            Origin::Try(place) => self.end_try(&request.key, place, answer),
            Origin::Nobody => {}
        }
    }

    /// What was left open at Mozarto ends.
    pub(super) fn end_lingering(&mut self, at: usize) {
        let request = self.mozarto.lingering.remove(at);
        if self.mozarto.end_lingering(&request) {
            self.note(|| format!("mozarto {:?} takes voucher {} late", request.key, request.voucher));
            self.truth.taken(&request.key, request.sent_at);
        }
    }

    pub(super) fn end_try(&mut self, key: &AttemptKey, place: usize, answer: Answer) {
        let Proxy::Keeping(ledger) = &mut self.proxy else { return };
        if let Some((connection, answer)) = ledger.end(key, place, answer) {
            self.network.answer(connection, answer, Keeping::Kept);
        }
    }

    /// A request takes long. A proxy that keeps attempts lets the browser go first, and gives the try up later; another
    /// gives up at once. Mozarto goes on.
    pub(super) fn take_long(&mut self, at: usize) {
        let request = &mut self.mozarto.pending[at];
        let (key, origin) = (request.key.clone(), request.origin);
        match (&mut self.proxy, origin) {
            (_, Origin::Connection(connection)) => {
                request.origin = Origin::Nobody;
                self.network.answer(connection, Answer { status: 504, ..Answer::none() }, Keeping::No);
            }
            (Proxy::Keeping(ledger), Origin::Try(place)) => {
                if let Some(connection) = ledger.stop_waiting(&key, place) {
                    self.network.answer(connection, running(), Keeping::Kept);
                } else {
                    request.origin = Origin::Nobody;
                    self.end_try(&key, place, Answer::none());
                }
            }
            _ => {}
        }
    }

    /// The proxy is killed and started again: whoever waits on a connection to it loses it, and what Mozarto answers to
    /// the tries that ran is lost.
    pub(super) fn crash_proxy(&mut self) {
        self.note(|| "the proxy crashes".into());
        let mut cut = Vec::new();
        for request in &mut self.mozarto.pending {
            match (&mut self.proxy, request.origin) {
                (Proxy::Keeping(ledger), Origin::Try(place)) => cut.extend(ledger.stop_waiting(&request.key, place)),
                (_, Origin::Connection(connection)) => cut.push(connection),
                _ => {}
            }
            request.origin = Origin::Nobody;
        }
        for connection in cut {
            self.network.answer(connection, Answer::none(), Keeping::No);
        }
    }

    /// A try whose answer was lost in a crash is given up: the upstream deadline has passed.
    pub(super) fn give_up(&mut self, which: usize) {
        let Proxy::Keeping(ledger) = &self.proxy else { return };
        let mut lost = Vec::new();
        for entry in &ledger.entries {
            for (place, one) in entry.tries.iter().enumerate() {
                let origin = Origin::Try(place);
                let awaited = self.mozarto.pending.iter().any(|on| on.key == entry.key && on.origin == origin);
                if matches!(one, Try::Running(_)) && !awaited {
                    lost.push((entry.key.clone(), place));
                }
            }
        }
        if !lost.is_empty() {
            let (key, place) = lost[which % lost.len()].clone();
            self.note(|| format!("the proxy gives up try {place} of {key:?}"));
            self.end_try(&key, place, Answer::none());
        }
    }

    /// Staff find out what became of an attempt that nothing is under way for, and say so.
    pub(super) fn settle(&mut self, which: usize) {
        let Proxy::Keeping(ledger) = &mut self.proxy else { return };
        let open = |standing| matches!(standing, Standing::Open(_) | Standing::Unconfirmed(_));
        let idle = ledger.entries.iter().filter(|one| open(one.standing()) && !self.mozarto.is_busy_with(&one.key));
        let keys: Vec<_> = idle.map(|entry| entry.key.clone()).collect();
        if !keys.is_empty() {
            self.settle_one(&keys[which % keys.len()]);
        }
    }

    pub(super) fn settle_one(&mut self, key: &AttemptKey) {
        let Proxy::Keeping(ledger) = &mut self.proxy else { return };
        let redeemed = self.mozarto.taken_by(key);
        ledger.settle(key, redeemed);
        self.note(|| format!("staff settle {key:?}: redeemed {redeemed}"));
    }
}
