//! Secrets: each comes by a variable of the environment, or by a file that another variable names. Flags are in every
//! process list; a file can be changed while the program runs.

use super::SettingsError;
use secrecy::{ExposeSecret, SecretString};
use std::env::VarError;
use std::fmt::Display;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

pub(crate) const COMPANY_TOKEN: &str = "CASHIER_COMPANY_TOKEN";
pub(crate) const PIN_KEY: &str = "CASHIER_PIN_KEY";
pub(crate) const OUTCOMES_TOKEN: &str = "CASHIER_OUTCOMES_TOKEN";
pub(crate) const SESSION_KEYS: &str = "CASHIER_SESSION_KEYS";
pub(crate) const NOTIFY_SECRET: &str = "CASHIER_NOTIFY_SECRET";
pub(crate) const DATABASE_URL: &str = "CASHIER_DATABASE_URL";

/// What comes by environment or file only.
#[derive(Default)]
pub struct Secrets {
    /// `CASHIER_COMPANY_TOKEN`.
    pub company_token: Option<SecretString>,
    /// `CASHIER_PIN_KEY`.
    pub pin_key: Option<SecretString>,
    /// `CASHIER_OUTCOMES_TOKEN`.
    pub outcomes_token: Option<SecretString>,
    /// `CASHIER_SESSION_KEYS`.
    pub session_keys: Option<SecretString>,
    /// `CASHIER_NOTIFY_SECRET`.
    pub notify_secret: Option<SecretString>,
}

impl Secrets {
    /// Reads each from this process's environment, or from the file that `NAME_FILE` names.
    ///
    /// # Errors
    /// When both are given, a file cannot be read, or a value is no UTF-8: read as if it were missing it would switch
    /// something off in silence.
    pub fn from_env() -> Result<Self, SettingsError> {
        Ok(Self {
            company_token: read(COMPANY_TOKEN)?,
            pin_key: read(PIN_KEY)?,
            outcomes_token: read(OUTCOMES_TOKEN)?,
            session_keys: read(SESSION_KEYS)?,
            notify_secret: read(NOTIFY_SECRET)?,
        })
    }
}

/// The secret of that name, as the environment or its file has it now. Empty is as if it were not given.
pub(crate) fn read(name: &str) -> Result<Option<SecretString>, SettingsError> {
    let wrong = |name: &str, why: &dyn Display| SettingsError(format!("{name} {why}"));
    let by_file = format!("{name}_FILE");
    let value = |name: &str| match std::env::var(name) {
        Ok(value) => Ok(Some(Zeroizing::new(value)).filter(|value| !value.trim().is_empty())),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => Err(wrong(name, &"is no UTF-8")),
    };
    let (given, path) = (value(name)?, value(&by_file)?);
    let text = match (given, path) {
        (Some(_), Some(_)) => return Err(wrong(name, &format_args!("and {by_file} are both there: give one"))),
        (given, None) => given,
        (None, Some(path)) => {
            let bytes = std::fs::read(path.as_str())
                .map_err(|error| wrong(&by_file, &format_args!("cannot be read: {:?}: {error}", path.as_str())))?;
            let text = String::from_utf8(bytes).map_err(|_| wrong(&by_file, &"names a file that is no UTF-8"))?;
            Some(Zeroizing::new(text)).filter(|text| !text.trim().is_empty())
        }
    };
    // Whoever writes a file ends its last line.
    Ok(text.map(|text| SecretString::from(text.trim())))
}

/// The ledger's URL: the one that was given, or the one in the file that `CASHIER_DATABASE_URL_FILE` names, or the
/// default. A URL may hold a password.
///
/// # Errors
/// When both are given, or the file cannot be read or is empty.
pub fn database_url(given: Option<&str>) -> Result<SecretString, SettingsError> {
    let by_file = format!("{DATABASE_URL}_FILE");
    let is_by_file = std::env::var_os(&by_file).is_some_and(|path| !path.is_empty());
    match given.filter(|url| !url.is_empty()) {
        Some(_) if is_by_file => {
            Err(SettingsError(format!("--database-url (or {DATABASE_URL}) and {by_file} are both there: give one")))
        }
        Some(url) => Ok(SecretString::from(url)),
        None if is_by_file => read(DATABASE_URL)?
            .ok_or_else(|| SettingsError(format!("{by_file} names an empty file: write the ledger's URL into it"))),
        None => Ok(SecretString::from("sqlite://cashier.db")),
    }
}

/// A token as it can stand in a header. Empty is as if it were not given.
pub(crate) fn token(name: &str, given: Option<SecretString>) -> Result<Option<SecretString>, SettingsError> {
    let Some(given) = given.filter(|token| !token.expose_secret().trim().is_empty()) else { return Ok(None) };
    let token = given.expose_secret().trim();
    if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(SettingsError(format!(
            "{name} holds a character that no token has: give it alone, without \"Bearer \""
        )));
    }
    Ok(Some(SecretString::from(token)))
}

/// Mozarto's company token.
pub(crate) fn company_token(given: Option<SecretString>) -> Result<SecretString, SettingsError> {
    token(COMPANY_TOKEN, given)?.ok_or_else(|| {
        SettingsError(format!(
            "{COMPANY_TOKEN} is missing: the company token of Mozarto, in the environment or in the file of {COMPANY_TOKEN}_FILE"
        ))
    })
}

/// The merchant makes it, so it can be long enough not to be tried out.
pub(crate) fn outcomes_token(given: Option<SecretString>) -> Result<Option<SecretString>, SettingsError> {
    const SHORTEST: usize = 16;
    let token = token(OUTCOMES_TOKEN, given)?;
    if token.as_ref().is_some_and(|token| token.expose_secret().len() < SHORTEST) {
        return Err(SettingsError(format!(
            "{OUTCOMES_TOKEN} is too short: it has at least {SHORTEST} bytes; `openssl rand -hex 32` makes one"
        )));
    }
    Ok(token)
}

/// Whether that is the secret. Takes as long for a wrong one as for a nearly right one.
pub(crate) fn is_it(secret: &SecretString, given: &str) -> bool {
    secret.expose_secret().as_bytes().ct_eq(given.as_bytes()).into()
}
