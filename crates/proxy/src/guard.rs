//! What a request must pass before anything is done about it: its page's origin, its session, and how much its client
//! has asked for already. Left to others: what the body says (`pay_in`), and guesses at PINs, which the ledger counts
//! across nodes.

pub(crate) mod address;
pub(crate) mod headers;
mod limit;
pub(crate) mod origin;
pub(crate) mod screen;

use crate::args::MozartoUser;
use crate::clock::Clock;
use crate::ledger::{Kept, Ledger};
use crate::metrics::Refused;
use crate::own::Own;
use crate::session::{self, Session, Sessions};
use crate::settings::{Limits, Settings};
use address::{ClientNetwork, Peer};
use axum::http::{HeaderMap, HeaderValue};
use ipnet::IpNet;
use limit::Limit;
use secrecy::SecretString;
use std::sync::Arc;
use std::time::Duration;
use tracing::{error, info};
use uuid::Uuid;

/// The rules, and what was counted so far.
pub(crate) struct Guard {
    sessions: Option<Sessions>,
    /// Whether Mozarto learns the customer by the browser's own bearer.
    wants_bearer: bool,
    pub(crate) allow_origins: Vec<HeaderValue>,
    trusted_proxies: Vec<IpNet>,
    of_address: Option<Limit<ClientNetwork>>,
    of_session: Option<Limit<String>>,
    of_customer: Option<Limit<String>>,
    pub(crate) limits: Limits,
    pub(crate) serves_tls: bool,
}

/// Who asks.
pub(crate) struct Caller {
    /// `None` where there are no sessions.
    pub(crate) session: Option<Session>,
    /// What goes to Mozarto in mode `session`.
    pub(crate) bearer: Option<SecretString>,
    network: ClientNetwork,
}

impl Caller {
    /// The customer whose attempts these may be. `None`: whoever has the key may ask.
    pub(crate) fn subject(&self) -> Option<&str> {
        self.session.as_ref().map(|session| session.subject.as_str())
    }

    /// Whether that is another customer's attempt. One that was closed before it was ever posted is nobody's.
    pub(crate) fn is_foreign(&self, kept: &Kept) -> bool {
        self.subject().zip(kept.owner.as_deref()).is_some_and(|(subject, owner)| subject != owner)
    }

    fn may_begin(&self) -> bool {
        self.session.as_ref().is_none_or(|session| session.is_live)
    }
}

impl Guard {
    pub(crate) fn new(settings: &Settings, clock: &Arc<Clock>) -> Self {
        let limits = settings.limits;
        Self {
            sessions: settings.sessions.as_ref().map(|sessions| Sessions {
                keys: sessions.keys.clone(),
                issuer: sessions.issuer.clone(),
                audience: sessions.audience.clone(),
                clock: Arc::clone(clock),
            }),
            wants_bearer: settings.mozarto_user == MozartoUser::Session,
            allow_origins: settings.allow_origins.clone(),
            trusted_proxies: settings.trusted_proxies.clone(),
            of_address: Limit::a_minute(limits.address),
            of_session: Limit::a_minute(limits.session),
            of_customer: Limit::a_minute(limits.customer),
            limits,
            serves_tls: settings.tls.is_some(),
        }
    }

    /// Who sends a request with these headers over a connection from `peer`.
    pub(crate) fn caller(&self, headers: &HeaderMap, peer: Peer) -> Result<Caller, Own> {
        let refused = |refused: session::Refused| {
            if let session::Refused::Broken(why) = refused {
                info!(why, "a session is not believed");
            }
            match refused {
                session::Refused::Twice => Own::Invalid("Authorization must be there once".to_owned()),
                session::Refused::Expired => Own::SessionExpired,
                session::Refused::None | session::Refused::Broken(_) => Own::SessionRequired,
            }
        };
        let network = address::of(peer, headers, &self.trusted_proxies);
        let Some(sessions) = &self.sessions else {
            let bearer = if self.wants_bearer { Some(session::bearer(headers).map_err(refused)?) } else { None };
            return Ok(Caller { session: None, bearer, network });
        };
        let bearer = session::bearer(headers).map_err(refused)?;
        let session = sessions.of(&bearer).map_err(refused)?;
        Ok(Caller { session: Some(session), bearer: self.wants_bearer.then_some(bearer), network })
    }

    /// Whether a POST may go on: one of a known key always, if it is its customer's; a new key under a session that
    /// lives, and within the limits.
    pub(crate) async fn may_post(
        &self,
        ledger: &dyn Ledger,
        key: Uuid,
        caller: &Caller,
        customer: &str,
    ) -> Result<(), Own> {
        // Mozarto would refuse the bearer, which must be fresh; the widget gets another for the same attempt.
        if self.wants_bearer && !caller.may_begin() {
            return Err(Own::SessionExpired);
        }
        // Counted first, for the usual new key is then not looked up.
        let within_limits = self.within_limits(caller, Some(customer));
        if caller.may_begin() && within_limits.is_ok() {
            return Ok(());
        }
        match ledger.attempt(key).await {
            Ok(Some(kept)) if caller.is_foreign(&kept) => Err(Own::Foreign),
            Ok(Some(_)) => Ok(()),
            Ok(None) if !caller.may_begin() => Err(Own::SessionExpired),
            Ok(None) => within_limits,
            Err(unavailable) => {
                error!(attempt = %key, %unavailable, "the ledger cannot be read");
                Err(Own::LedgerUnreadable)
            }
        }
    }

    /// Whether a DELETE may go on: one of a known key, which the ledger closes for its customer alone; of a new key
    /// within the limits, for it leaves a row behind for good.
    pub(crate) async fn may_close(&self, ledger: &dyn Ledger, key: Uuid, caller: &Caller) -> Result<(), Own> {
        if !self.has_limits() {
            return Ok(());
        }
        match ledger.attempt(key).await {
            Ok(Some(_)) => Ok(()),
            Ok(None) => self.within_limits(caller, caller.subject()),
            Err(unavailable) => {
                error!(attempt = %key, %unavailable, "the ledger cannot be read");
                Err(Own::LedgerUnreadable)
            }
        }
    }

    fn has_limits(&self) -> bool {
        self.of_address.is_some() || self.of_session.is_some() || self.of_customer.is_some()
    }

    fn within_limits(&self, caller: &Caller, customer: Option<&str>) -> Result<(), Own> {
        fn check<K: Clone + Eq + std::hash::Hash>(
            limit: Option<&Limit<K>>,
            key: Option<K>,
            of: Refused,
        ) -> Result<(), Own> {
            let Some(wait) = limit.zip(key).and_then(|(limit, key)| limit.wait(&key)) else { return Ok(()) };
            info!(?of, "over the limit of new attempts");
            Err(too_many(wait, of))
        }
        let session = caller.session.as_ref().map(|session| session.id.clone());
        check(self.of_address.as_ref(), Some(caller.network), Refused::Address)?;
        check(self.of_session.as_ref(), session, Refused::Session)?;
        check(self.of_customer.as_ref(), customer.map(str::to_owned), Refused::Customer)
    }
}

/// Whole seconds, and none too few.
pub(crate) fn too_many(wait: Duration, why: Refused) -> Own {
    Own::TooManyTries(wait.as_secs() + u64::from(wait.subsec_nanos() > 0), why)
}
