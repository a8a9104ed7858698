//! Secrets and certificates that are read again while the program runs, at SIGHUP. Each by itself: what is missing or
//! wrong keeps the value before, and says so in the log.

use crate::ledger::Ledger;
use crate::live::Live;
use crate::notify::{SigningSecrets, signing_secrets};
use crate::pin_key::PinKeys;
use crate::session::SessionKeys;
use crate::settings::{
    COMPANY_TOKEN, NOTIFY_SECRET, OUTCOMES_TOKEN, PIN_KEY, SESSION_KEYS, Settings, SettingsError, company_token,
    outcomes_token, pin_keys, read, session_keys,
};
use crate::tls::Tls;
use crate::user_token;
use secrecy::{ExposeSecret, SecretString};
use std::sync::Arc;
use tracing::{error, info};

/// What can be read again.
#[derive(Clone)]
pub struct Reloader {
    company_token: Live<SecretString>,
    outcomes_token: Option<Live<SecretString>>,
    session_keys: Option<Live<SessionKeys>>,
    notify_secrets: Option<Live<SigningSecrets>>,
    pin_keys: Live<PinKeys>,
    ledger: Arc<dyn Ledger>,
    tls: Option<Tls>,
}

impl Reloader {
    pub(crate) fn new(settings: &Settings, ledger: Arc<dyn Ledger>) -> Self {
        Self {
            company_token: settings.company_token.clone(),
            outcomes_token: settings.outcomes_token.clone(),
            session_keys: settings.sessions.as_ref().map(|sessions| sessions.keys.clone()),
            notify_secrets: settings.receiver.as_ref().map(|receiver| receiver.secrets.clone()),
            pin_keys: settings.pin_keys.clone(),
            ledger,
            tls: settings.tls.clone(),
        }
    }

    /// Reads all of it again. The environment of a process does not change, but the files that it names do.
    pub async fn reload(&self) {
        renew(COMPANY_TOKEN, &self.company_token, || {
            let token = company_token(read(COMPANY_TOKEN)?)?;
            user_token::check(token.expose_secret()).map_err(|why| SettingsError(why.to_owned()))?;
            Ok(token)
        });
        if let Some(live) = &self.outcomes_token {
            renew(OUTCOMES_TOKEN, live, || given(OUTCOMES_TOKEN, outcomes_token(read(OUTCOMES_TOKEN)?)?));
        }
        if let Some(live) = &self.session_keys {
            renew(SESSION_KEYS, live, || session_keys(&given(SESSION_KEYS, read(SESSION_KEYS)?)?));
        }
        if let Some(live) = &self.notify_secrets {
            renew(NOTIFY_SECRET, live, || {
                signing_secrets(&given(NOTIFY_SECRET, read(NOTIFY_SECRET)?)?).map_err(SettingsError)
            });
        }
        if let Some(tls) = &self.tls {
            told("the certificate", tls.reload());
        }
        told(PIN_KEY, self.reload_pin_keys().await);
    }

    /// The ledger knows which keys are in use.
    async fn reload_pin_keys(&self) -> Result<(), SettingsError> {
        let keys = pin_keys(read(PIN_KEY)?)?;
        let accepted = self.ledger.accept_pin_keys(&keys).await;
        accepted.map_err(|unavailable| SettingsError(unavailable.to_string()))?.map_err(SettingsError)?;
        self.pin_keys.replace(keys);
        Ok(())
    }
}

/// Replaces a value by the one that is read now, if that is one.
fn renew<T>(name: &str, live: &Live<T>, read: impl FnOnce() -> Result<T, SettingsError>) {
    told(name, read().map(|value| live.replace(value)));
}

fn told(name: &str, read: Result<(), SettingsError>) {
    match read {
        Ok(()) => info!("{name} was read again"),
        Err(wrong) => error!(%wrong, "{name} was not read again; the one before stays in force"),
    }
}

/// What there was at the start cannot be switched off by an empty file.
fn given(name: &str, value: Option<SecretString>) -> Result<SecretString, SettingsError> {
    value.ok_or_else(|| SettingsError(format!("{name} is missing or empty")))
}
