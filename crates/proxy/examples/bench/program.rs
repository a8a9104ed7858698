//! The programs that are measured, each ended with this one: the sandbox, proxies, and nginx.

use anyhow::{Context, ensure};
use std::net::TcpListener;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStdout, Command};

/// Mozarto's company token.
pub(crate) const COMPANY_TOKEN: &str = "sandbox-company";
/// How long a program may take until it listens.
const START: Duration = Duration::from_secs(20);

/// A program that listens.
pub(crate) struct Program {
    pub(crate) url: String,
    /// From before it was started until it listened.
    pub(crate) ready_after: Duration,
    child: Child,
    /// It would fail to write to a pipe that is closed.
    _stdout: Option<BufReader<ChildStdout>>,
}

impl Program {
    /// The stand-in for Mozarto.
    pub(crate) async fn sandbox(programs: &Path) -> anyhow::Result<Self> {
        Self::start(Command::new(programs.join("mozarto-sandbox")).args(["--listen", "127.0.0.1:0"])).await
    }

    /// A proxy with its ledger in `database`, and what else it keeps in the folder `home`.
    pub(crate) async fn proxy(programs: &Path, mozarto: &str, database: &str, home: &Path) -> anyhow::Result<Self> {
        let mut proxy = Command::new(programs.join("flexepin-cashier-proxy"));
        proxy.args(["--listen", "127.0.0.1:0", "--insecure-no-sessions"]);
        proxy.args(["--mozarto-url", mozarto, "--database-url", database]);
        proxy.env("CASHIER_COMPANY_TOKEN", COMPANY_TOKEN).env("CASHIER_PIN_KEY", "the key of the benchmark, 32 bytes");
        // All the load has one address.
        proxy.env("CASHIER_MARK_FILE", home.join("mark")).env("CASHIER_LIMIT_ADDRESS", "0");
        Self::start(&mut proxy).await
    }

    /// Its process.
    pub(crate) fn id(&self) -> Option<u32> {
        self.child.id()
    }

    async fn start(command: &mut Command) -> anyhow::Result<Self> {
        let name = Path::new(command.as_std().get_program()).display().to_string();
        let began = Instant::now();
        let spawned = command.env("RUST_LOG", "warn").stdout(Stdio::piped()).kill_on_drop(true).spawn();
        let mut child = spawned.with_context(|| format!("{name}: build it first"))?;
        let mut stdout = BufReader::new(child.stdout.take().context("piped")?);
        let mut line = String::new();
        tokio::time::timeout(START, stdout.read_line(&mut line))
            .await
            .with_context(|| format!("{name} does not start"))??;
        ensure!(line.contains(" listens on "), "{name} does not start; its reason stands above");
        let url = line.trim().rsplit(' ').next().unwrap_or_default().to_owned();
        Ok(Self { url, ready_after: began.elapsed(), child, _stdout: Some(stdout) })
    }
}

/// A plain nginx before the sandbox: one process, nothing set but what it must have.
pub(crate) async fn nginx(folder: &Path, sandbox: &str) -> anyhow::Result<Program> {
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let place = folder.join("nginx");
    std::fs::create_dir(&place)?;
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|name| format!("  {name}_temp_path {}/{name};\n", place.display()))
        .concat();
    let settings = format!(
        "daemon off;\nmaster_process off;\npid {0}/pid;\nerror_log {0}/log;\nevents {{}}\nhttp {{\n{temporary}  access_log off;\n  \
         server {{\n    listen 127.0.0.1:{port};\n    location / {{ proxy_pass {sandbox}; }}\n  }}\n}}\n",
        place.display()
    );
    let file = place.join("nginx.conf");
    std::fs::write(&file, settings)?;
    // Not every user's PATH has it.
    let name = if Path::new("/usr/sbin/nginx").is_file() { "/usr/sbin/nginx" } else { "nginx" };
    let began = Instant::now();
    let mut command = Command::new(name);
    command.arg("-c").arg(file).arg("-e").arg(place.join("log"));
    let child = command.stdin(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true).spawn();
    let child = child.context("nginx is not installed here")?;
    while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
        ensure!(began.elapsed() < START, "nginx does not start");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(Program { url: format!("http://127.0.0.1:{port}"), ready_after: began.elapsed(), child, _stdout: None })
}
