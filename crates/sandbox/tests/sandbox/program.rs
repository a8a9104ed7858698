//! The program: its one line, its logs, its end.

use crate::world::{client, request};
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

/// The running program; killed if the test ends before it.
struct Program(Child);

impl Program {
    fn command() -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mozarto-sandbox"));
        command.env_remove("MOZARTO_SANDBOX_LISTEN").env("RUST_LOG", "trace");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Starts it on a free port and reads its line.
    fn start() -> (Self, String) {
        let mut child = Self::command().args(["--listen", "127.0.0.1:0"]).spawn().expect("it starts");
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().expect("piped")).read_line(&mut line).expect("its line");
        let address = line.trim_end().strip_prefix("mozarto-sandbox listens on ").expect("its line").to_owned();
        (Self(child), address)
    }

    /// Everything it wrote until its end: stdout after its line, stderr; and whether it ended well.
    fn end(mut self) -> (String, String, bool) {
        let (mut out, mut err) = (String::new(), String::new());
        self.0.stderr.take().expect("piped").read_to_string(&mut err).expect("text");
        self.0.stdout.take().expect("piped").read_to_string(&mut out).expect("text");
        (out, err, self.0.wait().expect("its end").success())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It has ended already where all went well.
        let _ = self.0.kill();
    }
}

#[cfg(unix)]
fn signal(program: &Program, name: &str) {
    let status = Command::new("kill").args(["-s", name, &program.0.id().to_string()]).status().expect("kill runs");
    assert!(status.success());
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn its_logs_hold_no_secret_and_a_signal_ends_it_though_a_client_waits() {
    for name in ["TERM", "INT"] {
        let (program, address) = Program::start();
        let post = |pin: &str, token: &'static str| {
            client()
                .post(format!("{address}/v1/api/mozarto/cashier"))
                .header("authorization", format!("Bearer {token}"))
                .header("x-user-authorization", "Bearer canary-session")
                .header("content-type", "application/json")
                .body(request(pin).to_string())
                .send()
        };
        for pin in ["9900000012341234", "9900077712341234", "5555000012341234", "55550000-1234-1234"] {
            assert!(post(pin, "sandbox-company").await.is_ok());
        }
        assert!(post("9900000012341234", "canary-company").await.is_ok());
        assert!(post("9900044412341234", "sandbox-company").await.is_err(), "cut");
        let waiting = tokio::spawn(post("9900050412341234", "sandbox-company"));
        // The ledger tells that the held request is in.
        let listed = || async { client().get(format!("{address}/sandbox/vouchers")).send().await?.text().await };
        while !listed().await.expect("the ledger").contains("9900050412341234") {}
        signal(&program, name);
        let (out, err, well) = tokio::task::spawn_blocking(|| program.end()).await.expect("no panic");
        assert!(waiting.await.expect("no panic").is_err(), "{name}: held, then gone");
        assert!(well, "{name}: {err}");
        assert_eq!(out, "", "stdout has one line");
        assert!(err.contains("voucher tried") && err.contains("ended"), "{err}");
        for secret in ["12341234", "1234-1234", "1234 1234", "player@example.com", "canary", "sandbox-company"] {
            assert!(!err.contains(secret), "{secret} in {err}");
        }
    }
}

#[test]
fn a_taken_address_is_named_with_what_to_do() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("bound").to_string();
    let output = Program::command().env("MOZARTO_SANDBOX_LISTEN", &address).output().expect("it runs");
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && output.stdout.is_empty());
    assert!(err.contains(&format!("cannot listen on {address}; name another address with --listen")), "{err}");
}

#[test]
fn its_help_names_its_settings() {
    let output = Program::command().arg("--help").output().expect("it runs");
    let help = String::from_utf8_lossy(&output.stdout);
    for word in ["--listen", "MOZARTO_SANDBOX_LISTEN", "127.0.0.1:8081"] {
        assert!(help.contains(word), "{help}");
    }
}
