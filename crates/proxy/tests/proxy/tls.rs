//! TLS with a certificate of the merchant's, and its renewal without a restart.

use crate::process::{complete, ended, output, running_of, terminate};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tls").join(name)
}

fn certificate(name: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_file(fixture(name)).expect("a certificate")
}

/// The files that a program serves with, in `folder`.
fn put(folder: &Path, cert: &str, key: &str) {
    std::fs::copy(fixture(cert), folder.join("cert.pem")).expect("copied");
    std::fs::copy(fixture(key), folder.join("key.pem")).expect("copied");
}

fn with_tls(folder: &Path) -> Command {
    let mut command = complete("http://127.0.0.1:1", folder, &[]);
    command.env("CASHIER_TLS_CERT", folder.join("cert.pem")).env("CASHIER_TLS_KEY", folder.join("key.pem"));
    command
}

async fn hang_up(child: &Child) {
    let id = child.id().expect("it runs").to_string();
    assert!(Command::new("kill").args(["-HUP", &id]).status().await.expect("a signal").success());
}

/// A connection of a client that trusts both certificates.
async fn connected(host: &str) -> TlsStream<TcpStream> {
    let mut roots = RootCertStore::empty();
    for name in ["first-cert.pem", "second-cert.pem"] {
        roots.add(certificate(name)).expect("a certificate");
    }
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("protocols")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(host).await.expect("a connection");
    let name = ServerName::try_from("localhost").expect("a name");
    TlsConnector::from(Arc::new(config)).connect(name, stream).await.expect("a handshake")
}

/// The answer to one request, on a connection that stays open.
async fn healthy(stream: &mut TlsStream<TcpStream>) -> String {
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").await.expect("written");
    let mut said = Vec::new();
    while !said.ends_with(b"ok\n") {
        assert!(stream.read_buf(&mut said).await.expect("an answer") > 0, "it was closed");
    }
    String::from_utf8_lossy(&said).into_owned()
}

fn served_with(stream: &TlsStream<TcpStream>) -> CertificateDer<'static> {
    stream.get_ref().1.peer_certificates().expect("certificates")[0].clone().into_owned()
}

#[tokio::test]
async fn with_a_certificate_it_speaks_tls_alone_and_a_hang_up_renews_it() {
    let folder = tempfile::tempdir().expect("a folder");
    put(folder.path(), "first-cert.pem", "first-key.pem");
    let (child, endpoint) = running_of(&mut with_tls(folder.path())).await;
    let host = endpoint.strip_prefix("https://").and_then(|rest| rest.split_once('/')).expect("it says https").0;
    let mut old = connected(host).await;
    assert_eq!(served_with(&old), certificate("first-cert.pem"));
    let said = healthy(&mut old).await;
    assert!(said.contains("strict-transport-security: max-age=31536000\r\n"), "{said}");

    let mut plain = TcpStream::connect(host).await.expect("a connection");
    plain.write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n").await.expect("written");
    let mut said = Vec::new();
    let _ = plain.read_to_end(&mut said).await;
    assert!(!String::from_utf8_lossy(&said).contains("HTTP"), "{said:?}");

    put(folder.path(), "second-cert.pem", "second-key.pem");
    hang_up(&child).await;
    let renewed = async {
        while served_with(&connected(host).await) != certificate("second-cert.pem") {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), renewed).await.expect("it is renewed");
    healthy(&mut old).await;

    put(folder.path(), "first-cert.pem", "second-key.pem");
    hang_up(&child).await;
    std::fs::remove_file(folder.path().join("key.pem")).expect("removed");
    hang_up(&child).await;
    let mut after = connected(host).await;
    assert_eq!(served_with(&after), certificate("second-cert.pem"), "what is wrong changes nothing");
    healthy(&mut after).await;
    drop((old, after));
    terminate(&child).await;
    let log = ended(child).await;
    assert!(log.contains("the certificate was not read again"), "{log}");
    assert!(!log.contains("PRIVATE KEY"), "{log}");
}

#[tokio::test]
async fn a_certificate_that_is_missing_or_not_its_keys_is_named_and_nothing_starts() {
    let cert = |name: &str| fixture(name).display().to_string();
    for (flags, says) in [
        (vec![format!("--tls-cert={}", cert("first-cert.pem"))], "go together"),
        (vec![format!("--tls-key={}", cert("first-key.pem"))], "go together"),
        (both("/nowhere/cert.pem", &cert("first-key.pem")), "--tls-cert (or CASHIER_TLS_CERT): /nowhere/cert.pem"),
        (both(&cert("first-cert.pem"), "/nowhere/key.pem"), "--tls-key (or CASHIER_TLS_KEY): /nowhere/key.pem"),
        (both(&cert("first-key.pem"), &cert("first-key.pem")), "no certificate"),
        (both(&cert("first-cert.pem"), &cert("first-cert.pem")), "--tls-key"),
        (both(&cert("first-cert.pem"), &cert("second-key.pem")), "--tls-key"),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        let (code, line, said) = output(&mut complete("http://127.0.0.1:1", folder.path(), &flags)).await;
        assert_eq!((code, line.as_str()), (Some(2), ""), "{said}");
        assert!(said.contains(says) && said.lines().count() == 1, "{says}: {said}");
    }
}

fn both(cert: &str, key: &str) -> Vec<String> {
    vec![format!("--tls-cert={cert}"), format!("--tls-key={key}")]
}
