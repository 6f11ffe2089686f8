//! `tokenfall simulate`: traffic to look at, sent through the real intake.

mod article;
mod events;
mod exception;
mod log;
mod random;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{BufWriter, IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use article::{Article, Search, Service};

/// Searches that are sent in one request.
const BATCH: usize = 50;
/// How often a request is tried while the server is busy, and how long is waited before the second time.
const TRIES_MAX: u32 = 8;
const FIRST_WAIT: Duration = Duration::from_millis(200);
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);

pub(crate) fn command() -> Command {
    let value = |name: &'static str, unit: &'static str, default: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(unit).default_value(default).help(help)
    };
    Command::new("simulate")
        .about("Send made-up traffic to a running server, to see what the screens show")
        .subcommand_required(true)
        .subcommand(
            Command::new("article")
                .about(
                    "A search page that answers with language models: what it waits for, what it costs, what fails. \
                     Two services, sessions, popular questions; one question is slow, two fail more often",
                )
                .arg(value("server", "URL", "http://127.0.0.1:8200", "Server"))
                .arg(value("days", "NUMBER", "30", "Days until now").value_parser(value_parser!(u32).range(1..=366)))
                .arg(
                    value("searches", "NUMBER", "3000", "Searches in all")
                        .value_parser(value_parser!(u32).range(1..=1_000_000)),
                )
                .arg(
                    value("seed", "NUMBER", "1", "The same number gives the same traffic")
                        .value_parser(value_parser!(u64)),
                )
                .arg(
                    Arg::new("until")
                        .long("until")
                        .value_name("TIME")
                        .help("End of the traffic (RFC 3339) [default: now]"),
                )
                .arg(
                    Arg::new("log")
                        .long("log")
                        .value_name("FILE")
                        .value_parser(value_parser!(PathBuf))
                        .help("Write what was made up, a JSON object for each search"),
                )
                .arg(Arg::new("quiet").long("quiet").action(ArgAction::SetTrue).help("Print nothing"))
                .after_help("A server with a secret: set TOKENFALL_SECRET_TOKEN."),
        )
}

pub(crate) fn run(matches: &ArgMatches) -> anyhow::Result<()> {
    let number = |name: &str| matches.get_one::<u32>(name).copied().unwrap_or(1);
    let until = match matches.get_one::<String>("until") {
        Some(text) => text.parse::<jiff::Timestamp>().with_context(|| format!("--until {text} is no time"))?,
        None => jiff::Timestamp::now(),
    };
    let article = Article {
        days: number("days"),
        searches: number("searches"),
        seed: matches.get_one::<u64>("seed").copied().unwrap_or(1),
        until_us: until.as_microsecond(),
    };
    let searches = article.searches();
    if let Some(path) = matches.get_one::<PathBuf>("log") {
        write_log(path, &searches)?;
    }
    let server = matches.get_one::<String>("server").map_or("", |url| url.trim_end_matches('/'));
    let quiet = matches.get_flag("quiet");
    let sent = send(server, &searches, quiet)?;
    if !quiet {
        let mut out = std::io::stdout();
        writeln!(out, "{} searches of {} days, {sent} events. Look at:", searches.len(), article.days)?;
        for (path, what) in [
            ("/dependencies", "what it waits for"),
            ("/llm", "why: tokens and time"),
            ("/llm/cost", "what it costs"),
            ("/errors", "what fails"),
            ("/correlations", "what goes along with slowness and failure"),
            ("/sessions", "what people went through"),
        ] {
            writeln!(out, "  {server}{path}?from=now-{}d  {what}", article.days)?;
        }
    }
    Ok(())
}

fn write_log(path: &PathBuf, searches: &[Search]) -> anyhow::Result<()> {
    let file = File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
    let mut file = BufWriter::new(file);
    for search in searches {
        serde_json::to_writer(&mut file, &log::line(search))?;
        file.write_all(b"\n")?;
    }
    Ok(file.flush()?)
}

/// Sends the searches, oldest first, and gives the number of events that the server took.
fn send(server: &str, searches: &[Search], quiet: bool) -> anyhow::Result<u64> {
    let agent: ureq::Agent =
        ureq::Agent::config_builder().timeout_global(Some(ANSWER_TIMEOUT)).http_status_as_error(false).build().into();
    let token = std::env::var("TOKENFALL_SECRET_TOKEN").ok().filter(|token| !token.is_empty());
    let shows = !quiet && std::io::stderr().is_terminal();
    let mut sent = 0;
    for (i, batch) in searches.chunks(BATCH).enumerate() {
        for service in [Service::Page, Service::Assistant] {
            let of_service: Vec<&Search> = batch.iter().filter(|search| search.service == service).collect();
            if of_service.is_empty() {
                continue;
            }
            let (body, events) = events::body(service, &of_service)?;
            post(&agent, server, token.as_deref(), &body)?;
            sent += events;
        }
        if shows {
            let done = ((i + 1) * BATCH).min(searches.len());
            write!(std::io::stderr(), "\r{done} of {} searches", searches.len())?;
        }
    }
    if shows {
        writeln!(std::io::stderr())?;
    }
    Ok(sent)
}

/// Sends one body. A server that is busy is asked again.
fn post(agent: &ureq::Agent, server: &str, token: Option<&str>, body: &[u8]) -> anyhow::Result<()> {
    let mut wait = FIRST_WAIT;
    for attempt in 1..=TRIES_MAX {
        let mut request =
            agent.post(format!("{server}/intake/v2/events")).header("content-type", "application/x-ndjson");
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let answer = request.send(body).with_context(|| {
            format!("no server answers at {server}; start one with `tokenfall serve`, or name it with --server")
        });
        let mut answer = answer?;
        match answer.status().as_u16() {
            200..=299 => return Ok(()),
            429 | 503 if attempt < TRIES_MAX => {
                std::thread::sleep(wait);
                wait *= 2;
            }
            401 | 403 => bail!("{server} asks for a secret: set TOKENFALL_SECRET_TOKEN"),
            status => bail!("{server} answers {status}: {}", answer.body_mut().read_to_string().unwrap_or_default()),
        }
    }
    bail!("{server} is busy; try again later")
}
