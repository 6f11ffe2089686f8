//! Load runs against the real server (`target/release/tokenfall`), beside a baseline that does the least that could be done
//! with the same bytes. Figures are printed, never asserted.
//!
//! ```text
//! cargo run --release -p tokenfall-benches -- ingest [--events N]
//! cargo run --release -p tokenfall-benches -- query  [--events N]
//! cargo run --release -p tokenfall-benches -- all    [--events N]
//! cargo run --release -p tokenfall-benches -- correlate [--events N]
//! ```
#![expect(clippy::print_stdout, reason = "the figures are the result")]

mod baseline;
mod correlate;
mod ingest;
mod payload;
mod query;
mod server;

use anyhow::{Context as _, Result, bail};

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let what = arguments.next().unwrap_or_else(|| "all".into());
    let mut events = if what == "correlate" { 1_000_000_u64 } else { 200_000 };
    while let Some(flag) = arguments.next() {
        match flag.as_str() {
            "--events" => events = arguments.next().context("--events needs a number")?.parse().context("--events")?,
            _ => bail!("unknown flag {flag}"),
        }
    }
    match what.as_str() {
        "ingest" => ingest::run(events).map(drop),
        "query" => query::run(&ingest::fill(events)?),
        "correlate" => correlate::run(events),
        "all" => query::run(&ingest::run(events)?),
        _ => bail!("usage: tokenfall-benches ingest|query|correlate|all [--events N]"),
    }
}
