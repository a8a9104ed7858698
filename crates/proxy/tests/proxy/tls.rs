//! TLS with a certificate of the merchant's: its versions, and its renewal without a restart.

use crate::process::{complete, ended, output, running_of, terminate};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, ProtocolVersion, RootCertStore, SupportedProtocolVersion};
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
    connected_by(host, rustls::ALL_VERSIONS).await
}

/// The same of a client that speaks these versions alone.
async fn connected_by(host: &str, versions: &[&'static SupportedProtocolVersion]) -> TlsStream<TcpStream> {
    let mut roots = RootCertStore::empty();
    for name in ["first-cert.pem", "second-cert.pem"] {
        roots.add(certificate(name)).expect("a certificate");
    }
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_protocol_versions(versions)
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

/// A number of two bytes, as all of TLS has them.
fn two(number: usize) -> [u8; 2] {
    u16::try_from(number).expect("a short field").to_be_bytes()
}

/// The first record of a client whose newest version is this one, by hand (RFC 4346, 7.4.1.2; RFC 8422 for the curves):
/// no TLS library that is still kept speaks what came before 1.2. With `listed` it names them as RFC 8446, 4.2.1 says.
fn client_hello(version: [u8; 2], listed: &[[u8; 2]]) -> Vec<u8> {
    // ECDHE-ECDSA and ECDHE-RSA, each with AES-GCM and with the CBC that 1.1 had.
    const SUITES: [[u8; 2]; 4] = [[0xc0, 0x2b], [0xc0, 0x2f], [0xc0, 0x09], [0xc0, 0x13]];
    let extension = |kind: u8, body: &[u8]| [&[0, kind][..], &two(body.len()), body].concat();
    let mut extensions = [
        // X25519 and P-256; uncompressed points; ECDSA and RSA, each with SHA-256.
        extension(10, &[0, 4, 0, 0x1d, 0, 0x17]),
        extension(11, &[1, 0]),
        extension(13, &[0, 4, 4, 3, 4, 1]),
    ]
    .concat();
    if !listed.is_empty() {
        let bytes = listed.concat();
        let length = u8::try_from(bytes.len()).expect("some versions");
        extensions.extend(extension(43, &[&[length][..], &bytes].concat()));
    }
    let suites = SUITES.concat();
    // Version, random, no session, suites, no compression, extensions.
    let hello =
        [&version[..], &[7; 32], &[0], &two(suites.len()), &suites, &[1, 0], &two(extensions.len()), &extensions]
            .concat();
    let handshake = [&[1, 0][..], &two(hello.len()), &hello].concat();
    [&[22, 3, 1][..], &two(handshake.len()), &handshake].concat()
}

#[tokio::test]
async fn tls_before_1_2_is_refused_and_1_2_and_1_3_are_served() {
    const SERVER_HELLO: (u8, u8) = (22, 2);
    const FATAL_PROTOCOL_VERSION: [u8; 4] = [0, 2, 2, 70];
    let folder = tempfile::tempdir().expect("a folder");
    put(folder.path(), "first-cert.pem", "first-key.pem");
    let (child, endpoint) = running_of(&mut with_tls(folder.path())).await;
    let host = endpoint.strip_prefix("https://").and_then(|rest| rest.split_once('/')).expect("it says https").0;
    for (what, version, listed) in [
        ("SSL 3.0", [3, 0], &[][..]),
        ("TLS 1.0", [3, 1], &[]),
        ("TLS 1.1", [3, 2], &[]),
        ("TLS 1.1 in a list", [3, 3], &[[3, 2], [3, 1]]),
    ] {
        let mut old = TcpStream::connect(host).await.expect("a connection");
        old.write_all(&client_hello(version, listed)).await.expect("written");
        let mut said = Vec::new();
        let closed = tokio::time::timeout(Duration::from_secs(30), old.read_to_end(&mut said)).await;
        closed.expect("it is closed").expect("readable");
        assert!(said.len() == 7 && said[0] == 21 && said[3..] == FATAL_PROTOCOL_VERSION, "{what}: {said:?}");

        for (served, expected) in [(&TLS12, ProtocolVersion::TLSv1_2), (&TLS13, ProtocolVersion::TLSv1_3)] {
            let mut next = connected_by(host, &[served]).await;
            assert_eq!(next.get_ref().1.protocol_version(), Some(expected), "after {what}");
            assert!(healthy(&mut next).await.starts_with("HTTP/1.1 200 "), "after {what}");
        }
    }
    // Of the same hello, but for its version, nothing else is wrong.
    for (version, listed) in [([3, 3], &[][..]), ([3, 3], &[[3, 3], [3, 2]])] {
        let mut newer = TcpStream::connect(host).await.expect("a connection");
        newer.write_all(&client_hello(version, listed)).await.expect("written");
        let mut said = [0; 6];
        newer.read_exact(&mut said).await.expect("an answer");
        assert_eq!((said[0], said[5]), SERVER_HELLO, "{said:?}");
    }
    terminate(&child).await;
    ended(child).await;
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
