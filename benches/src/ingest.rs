//! Durable events a second, and CPU seconds for a million events.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, ensure};

use crate::baseline;
use crate::payload::Template;
use crate::server::Server;

/// Traces in one request, about 340 KB: what an agent flushes at most.
const COPIES: u64 = 17;
/// Connections that send at the same time.
const CLIENTS: u64 = 4;

/// A server that holds the events that were sent.
pub(crate) struct Filled {
    pub(crate) server: Server,
    pub(crate) events: u64,
    /// Begin of the first and end of the last event, microseconds since the epoch.
    pub(crate) range_us: (i64, i64),
    _data: tempfile::TempDir,
}

/// Fills a server without printing.
pub(crate) fn fill(events: u64) -> Result<Filled> {
    Ok(load(&Template::captured()?, events)?.0)
}

struct Cost {
    wall: f64,
    cpu: f64,
    searchable: f64,
    sent_bytes: u64,
}

fn load(template: &Template, events: u64) -> Result<(Filled, Cost)> {
    let data = tempfile::tempdir()?;
    let server = Server::start(data.path())?;
    let requests = events.div_ceil(template.events * COPIES);
    // One request holds some 10 s of traffic; all of them together end now.
    let step_us = 10_000_000_i64;
    let now_us = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_micros())?;
    let first_us = now_us - requests as i64 * step_us;
    let next = AtomicU64::new(0);
    let sent_bytes = AtomicU64::new(0);
    let begin = Instant::now();
    let cpu_before = server.cpu_seconds()?;
    let url = format!("{}/intake/v2/events", server.base);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..CLIENTS)
            .map(|_| {
                scope.spawn(|| -> Result<()> {
                    let agent = ureq::agent();
                    let mut body = Vec::new();
                    loop {
                        let request = next.fetch_add(1, Ordering::Relaxed);
                        if request >= requests {
                            return Ok(());
                        }
                        template.write(request, COPIES, first_us + request as i64 * step_us, &mut body);
                        sent_bytes.fetch_add(body.len() as u64, Ordering::Relaxed);
                        let mut wait_ms = 10;
                        // Refused for a full queue: come again, as an agent that holds its events would.
                        while let Err(error) = agent.post(&url).content_type("application/x-ndjson").send(&body[..]) {
                            ensure!(
                                matches!(error, ureq::Error::StatusCode(503)) && wait_ms < 10_000,
                                "intake: {error}"
                            );
                            std::thread::sleep(std::time::Duration::from_millis(wait_ms));
                            wait_ms *= 2;
                        }
                    }
                })
            })
            .collect();
        workers.into_iter().try_for_each(|worker| worker.join().ok().context("a client panicked")?)
    })?;
    let wall = begin.elapsed().as_secs_f64();
    server.wait_until_searchable(requests * COPIES * template.transactions)?;
    let searchable = begin.elapsed().as_secs_f64();
    let cost = Cost { wall, cpu: server.cpu_seconds()? - cpu_before, searchable, sent_bytes: sent_bytes.into_inner() };
    let filled = Filled {
        server,
        events: requests * COPIES * template.events,
        range_us: (first_us, now_us + step_us),
        _data: data,
    };
    Ok((filled, cost))
}

/// Sends `events` events and prints what it cost.
pub(crate) fn run(events: u64) -> Result<Filled> {
    let template = Template::captured()?;
    let (filled, cost) = load(&template, events)?;
    let n = filled.events as f64;
    let (base_cpu, base_wall) = baseline::run(&template, 60, COPIES, filled.range_us.0)?;
    let base_events = (60 * COPIES * template.events) as f64;
    let (per_million, base_per_million) = (cost.cpu / n * 1e6, base_cpu / base_events * 1e6);
    println!("ingest: {n} events of a captured body (streamed completions, Python agent), {CLIENTS} connections,");
    println!(
        "        {} events and {:.0} KB a request, identity encoding",
        COPIES * template.events,
        cost.sent_bytes as f64 / 1000.0 / (n / (COPIES * template.events) as f64)
    );
    println!("                                     tokenfall   parse + append + sync   ratio");
    println!(
        "  CPU seconds per million events   {per_million:>11.1} {base_per_million:>23.1} {:>7.1}",
        per_million / base_per_million
    );
    println!(
        "  durable events per second        {:>11.0} {:>23.0} {:>7.2}",
        n / cost.wall,
        base_events / base_wall,
        (n / cost.wall) / (base_events / base_wall)
    );
    println!("  events per second until searchable {:>9.0}", n / cost.searchable);
    println!(
        "  disk bytes per event             {:>11.0}   (sent: {:.0})",
        filled.server.disk_bytes()? as f64 / n,
        cost.sent_bytes as f64 / n
    );
    println!("  peak memory, MiB                 {:>11.0}", filled.server.peak_memory_mib()?);
    Ok(filled)
}
