//! A program under load with a real server: two threads that make spans at a fixed rate. Nothing may be dropped.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use tokenfall_agent::Agent;

const THREADS: u32 = 2;
/// Spans of a transaction; the limit is 500.
const SPANS: u32 = 100;

pub(crate) fn run(options: &[&str]) -> Result<()> {
    let (mut rate, mut seconds) = (50_000_u32, 10_u32);
    for option in options.chunks(2) {
        match option {
            ["--rate", value] => rate = value.parse().context("--rate")?,
            ["--seconds", value] => seconds = value.parse().context("--seconds")?,
            _ => bail!("usage: load [--rate SPANS_PER_SECOND] [--seconds N]"),
        }
    }
    let data = tempfile::tempdir()?;
    let server = Server::start(&data.path().join("data"))?;
    let agent = Agent::builder()
        .environment_variables::<String, String>([])
        .service_name("load")
        .server_url(&server.url)
        .option("central_config", "false")
        .start();
    let start = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| make_spans(&agent, rate / THREADS, seconds));
        }
    });
    let made_in = start.elapsed();
    let flushed = agent.flush(Duration::from_secs(30));
    let stats = agent.stats();
    println!(
        "{} events in {:.1} s ({} spans/s wanted, {THREADS} threads): {} sent, {} dropped, {} waiting, {} requests ({} failed), \
         {:.1} MB compressed; last one {} after {:.1} s",
        stats.total,
        made_in.as_secs_f64(),
        rate,
        stats.sent,
        stats.dropped,
        stats.waiting,
        stats.requests,
        stats.failed_requests,
        stats.bytes as f64 / 1e6,
        if flushed { "acknowledged" } else { "NOT acknowledged" },
        start.elapsed().as_secs_f64(),
    );
    Ok(())
}

/// Makes spans in transactions of [`SPANS`], with a pause after each so that the rate is kept.
fn make_spans(agent: &Agent, rate: u32, seconds: u32) {
    let start = Instant::now();
    let transactions = rate * seconds / SPANS;
    for done in 1..=transactions {
        let transaction = agent.begin_transaction("user-query", "request");
        for i in 0..SPANS {
            let mut span = transaction.capture_span("step").span_type("app").start();
            span.label("index", i);
            span.end();
        }
        transaction.end();
        let due = Duration::from_secs_f64(f64::from(done * SPANS) / f64::from(rate));
        if let Some(pause) = due.checked_sub(start.elapsed()) {
            std::thread::sleep(pause);
        }
    }
}

/// A server process, killed when dropped.
struct Server {
    process: Child,
    url: String,
}

impl Server {
    fn start(data: &std::path::Path) -> Result<Self> {
        let binary = std::env::var_os("TOKENFALL_BIN").map_or_else(
            || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/release/tokenfall")),
            PathBuf::from,
        );
        ensure!(binary.exists(), "{} is not there; run `make build` first", binary.display());
        let listen = format!("127.0.0.1:{}", TcpListener::bind("127.0.0.1:0")?.local_addr()?.port());
        let process = Command::new(&binary)
            .args(["serve", "--listen", &listen, "--data"])
            .arg(data)
            .stderr(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .with_context(|| binary.display().to_string())?;
        let server = Self { process, url: format!("http://{listen}") };
        let deadline = Instant::now() + Duration::from_secs(30);
        while ureq::get(format!("{}/readyz", server.url)).call().is_err() {
            ensure!(Instant::now() < deadline, "the server did not become ready");
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}
