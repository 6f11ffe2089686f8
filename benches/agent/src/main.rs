//! What the agent costs the program. Figures are printed, never asserted.
//!
//! ```text
//! cargo run --release -p tokenfall-agent-benches --features comparison -- time
//! cargo run --release -p tokenfall-agent-benches --features comparison -- instructions   (needs valgrind)
//! cargo run --release -p tokenfall-agent-benches -- load [--rate SPANS_PER_SECOND] [--seconds N]
//! ```
#![expect(clippy::print_stdout, reason = "the figures are the result")]

mod instructions;
mod load;
mod time;

use agent_overhead::Operation;
use anyhow::{Context as _, Result, bail};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["time"] => time::run(),
        ["instructions"] => instructions::run()?,
        ["loop", path, name, n] => instructions::repeat(path, name, n.parse().context("number of operations")?)?,
        ["load", options @ ..] => load::run(options)?,
        _ => bail!("usage: tokenfall-agent-benches time|instructions|load"),
    }
    Ok(())
}

/// Makes the operations of one path.
type Make = Box<dyn Fn(&str) -> Option<Box<dyn Operation>> + Sync>;

/// Tokenfall, and OpenTelemetry if it was compiled in.
fn paths() -> Vec<(&'static str, Make)> {
    let agents = agent_overhead::tokenfall::Agents::start();
    let ours: Make = Box::new(move |name| agent_overhead::tokenfall::operation(name, &agents));
    let paths = std::iter::once(("tokenfall", ours));
    #[cfg(feature = "comparison")]
    let paths = paths.chain({
        let subscribers = agent_overhead::opentelemetry::Subscribers::start();
        let theirs: Make = Box::new(move |name| agent_overhead::opentelemetry::operation(name, &subscribers));
        [("opentelemetry", theirs)]
    });
    paths.collect()
}
