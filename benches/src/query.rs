//! How long each screen's question takes, through the API.

use std::time::Instant;

use anyhow::{Context as _, Result};

use crate::ingest::Filled;

const SERVICE: &str = "elasticdocs-gpt-v2-streaming";
const RUNS: usize = 15;

/// Asks each question a few times and prints the times beside that of an answer without a search.
pub(crate) fn run(filled: &Filled) -> Result<()> {
    let range = format!("from={}&to={}", filled.range_us.0 / 1000, filled.range_us.1 / 1000);
    let newest = filled.server.get(&format!("traces?size=1&{range}"))?;
    let trace_id = newest["traces"][0]["trace_id"].as_str().context("no trace is stored")?.to_owned();
    let questions = [
        ("answer without a search", "openapi.json".to_owned()),
        ("services", format!("services?{range}")),
        ("service", format!("services/{SERVICE}?{range}")),
        ("transaction groups", format!("services/{SERVICE}/transactions?{range}")),
        ("transaction", format!("services/{SERVICE}/transaction?name=user-query&{range}")),
        ("trace samples", format!("services/{SERVICE}/transaction/samples?name=user-query&{range}")),
        ("dependencies", format!("dependencies?{range}")),
        ("errors", format!("errors?{range}")),
        ("newest traces", format!("traces?size=50&{range}")),
        ("one trace", format!("traces/{trace_id}/skeleton")),
    ];
    println!("query: {} events, one client, {RUNS} runs each", filled.events);
    println!("  question                      median ms     max ms   CPU ms a run   times the first row");
    let mut base = None;
    for (name, path) in &questions {
        let cpu_before = filled.server.cpu_seconds()?;
        let mut times = Vec::with_capacity(RUNS);
        for _ in 0..RUNS {
            let begin = Instant::now();
            filled.server.get(path)?;
            times.push(begin.elapsed().as_secs_f64() * 1000.0);
        }
        times.sort_by(f64::total_cmp);
        let median = times[RUNS / 2];
        let cpu = (filled.server.cpu_seconds()? - cpu_before) * 1000.0 / RUNS as f64;
        let base = *base.get_or_insert(median);
        println!("  {name:<28} {median:>10.1} {:>10.1} {cpu:>14.1} {:>21.1}", times[RUNS - 1], median / base);
    }
    Ok(())
}
