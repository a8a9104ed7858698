//! TLS by rustls, where the proxy is given a certificate: reads it, and reads it again when told to.

use crate::live::Live;
use crate::settings::SettingsError;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A certificate, and the files it comes from.
#[derive(Clone, Debug)]
pub struct Tls {
    cert: PathBuf,
    key: PathBuf,
    pub(crate) config: Live<ServerConfig>,
}

impl Tls {
    /// Reads both files. `None` where neither is given.
    pub(crate) fn new(cert: Option<PathBuf>, key: Option<PathBuf>) -> Result<Option<Self>, SettingsError> {
        let given = |path: Option<PathBuf>| path.filter(|path| !path.as_os_str().is_empty());
        match (given(cert), given(key)) {
            (Some(cert), Some(key)) => {
                let config = Live::new(config(&cert, &key)?);
                Ok(Some(Self { cert, key, config }))
            }
            (None, None) => Ok(None),
            _ => Err(SettingsError(
                "--tls-cert and --tls-key (or CASHIER_TLS_CERT and CASHIER_TLS_KEY) go together: give both, or neither"
                    .to_owned(),
            )),
        }
    }

    /// Reads both files again. What is wrong with them changes nothing.
    pub(crate) fn reload(&self) -> Result<(), SettingsError> {
        self.config.replace(config(&self.cert, &self.key)?);
        Ok(())
    }
}

fn config(cert: &Path, key: &Path) -> Result<ServerConfig, SettingsError> {
    let wrong = |flag: &str, variable: &str, path: &Path, why: &dyn Display| {
        SettingsError(format!("{flag} (or {variable}): {}: {why}", path.display()))
    };
    let chain = CertificateDer::pem_file_iter(cert)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| wrong("--tls-cert", "CASHIER_TLS_CERT", cert, &error))?;
    if chain.is_empty() {
        return Err(wrong("--tls-cert", "CASHIER_TLS_CERT", cert, &"there is no certificate in it"));
    }
    let key_der =
        PrivateKeyDer::from_pem_file(key).map_err(|error| wrong("--tls-key", "CASHIER_TLS_KEY", key, &error))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key_der))
        .map_err(|error| wrong("--tls-key", "CASHIER_TLS_KEY", key, &error))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}
