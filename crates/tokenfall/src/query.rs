//! `tokenfall query`: every answer that a screen shows, for scripts. Which answers there are, and what can be asked, comes from the
//! OpenAPI document, so that nothing here goes stale.

mod answers;
mod rows;

use std::io::IsTerminal as _;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::{Arg, ArgMatches, Command};

use answers::Answers;
use rows::Json;

const ANSWER_TIMEOUT: Duration = Duration::from_secs(120);

pub(crate) fn command() -> Command {
    Command::new("query")
        .about("Ask a running server what its screens show; without an answer's name, list what can be asked")
        .arg(Arg::new("answer").value_name("ANSWER").help("Such as spend, llm/tokens or sessions/ID"))
        .arg(Arg::new("parameters").value_name("NAME=VALUE").num_args(0..).help("Such as from=now-30d by=user"))
        .arg(
            Arg::new("format")
                .long("format")
                .value_parser(["table", "json", "csv"])
                .default_value("table")
                .help("table and csv show one list of the answer, json all of it"),
        )
        .arg(Arg::new("rows").long("rows").value_name("NAME").help("List that table and csv show [default: the first]"))
        .arg(
            Arg::new("server")
                .long("server")
                .value_name("URL")
                .default_value("http://127.0.0.1:8200")
                .help("Server; its secret is taken from TOKENFALL_SECRET_TOKEN"),
        )
        .after_help("docs/query.md has examples.")
}

/// The text to print.
pub(crate) fn run(matches: &ArgMatches) -> anyhow::Result<String> {
    let answers = Answers::of(&tokenfall_server::openapi())?;
    let Some(name) = matches.get_one::<String>("answer") else { return Ok(answers.list()) };
    let pairs: Vec<(String, String)> = matches
        .get_many::<String>("parameters")
        .into_iter()
        .flatten()
        .map(|pair| pair.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned())))
        .collect::<Option<_>>()
        .context("parameters are of the form name=value, such as from=now-30d")?;
    let path = answers.path(name, &pairs)?;
    let server = matches.get_one::<String>("server").map_or("", |url| url.trim_end_matches('/'));
    let body = ask(server, &path)?;
    let rows = matches.get_one::<String>("rows").map(String::as_str);
    match matches.get_one::<String>("format").map(String::as_str) {
        Some("json") => Ok(if std::io::stdout().is_terminal() {
            serde_json::to_string_pretty(&serde_json::from_str::<serde_json::Value>(&body)?)?
        } else {
            body
        }),
        Some("csv") => Ok(Json::parse(&body)?.table(rows)?.csv()),
        _ => Ok(Json::parse(&body)?.table(rows)?.aligned()),
    }
}

fn ask(server: &str, path: &str) -> anyhow::Result<String> {
    let agent: ureq::Agent =
        ureq::Agent::config_builder().timeout_global(Some(ANSWER_TIMEOUT)).http_status_as_error(false).build().into();
    let mut request = agent.get(format!("{server}{path}"));
    if let Some(token) = std::env::var("TOKENFALL_SECRET_TOKEN").ok().filter(|token| !token.is_empty()) {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let mut answer = request.call().with_context(|| {
        format!("no server answers at {server}; start one with `tokenfall serve`, or name it with --server")
    })?;
    let status = answer.status().as_u16();
    let body = answer.body_mut().with_config().limit(u64::MAX).read_to_string().context("the answer broke off")?;
    match status {
        200..=299 => Ok(body),
        401 | 403 => bail!("{server} asks for a secret: set TOKENFALL_SECRET_TOKEN"),
        _ => {
            let problem: serde_json::Value = serde_json::from_str(&body).unwrap_or_default();
            bail!("{}", problem.get("message").and_then(serde_json::Value::as_str).unwrap_or(&body));
        }
    }
}
