//! Load runs against the real server (`target/release/tokenfall`), beside a baseline that does the least that could be done
//! with the same bytes. Figures are printed, never asserted.
//!
//! ```text
//! cargo run --release -p tokenfall-benches -- ingest [--events N]
//! cargo run --release -p tokenfall-benches -- query  [--events N]
//! cargo run --release -p tokenfall-benches -- all    [--events N]
//! cargo run --release -p tokenfall-benches -- correlate [--events N]
//! cargo run --release -p tokenfall-benches -- discover [--events N] [--seed S]
//! ```
#![expect(clippy::print_stdout, reason = "the figures are the result")]

mod baseline;
mod correlate;
mod discover;
mod ingest;
mod payload;
mod query;
mod server;

use anyhow::{Context as _, Result, bail};

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let what = arguments.next().unwrap_or_else(|| "all".into());
    let mut events = if matches!(what.as_str(), "correlate" | "discover") { 1_000_000_u64 } else { 200_000 };
    let mut seed = 1_u64;
    while let Some(flag) = arguments.next() {
        match flag.as_str() {
            "--events" => events = arguments.next().context("--events needs a number")?.parse().context("--events")?,
            "--seed" => seed = arguments.next().context("--seed needs a number")?.parse().context("--seed")?,
            _ => bail!("unknown flag {flag}"),
        }
    }
    match what.as_str() {
        "ingest" => ingest::run(events).map(drop),
        "query" => query::run(&ingest::fill(events)?),
        "correlate" => correlate::run(events),
        "discover" => discover::run(events, seed),
        "all" => query::run(&ingest::run(events)?),
        _ => bail!("usage: tokenfall-benches ingest|query|correlate|discover|all [--events N] [--seed S]"),
    }
}
