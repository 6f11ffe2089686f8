//! Tokenfall: the command line.

mod doctor;
mod options;
mod prices;
mod query;
mod serve;
mod settings;
mod simulate;
mod table;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use tokenfall_store::embedded;

use crate::options::OPTIONS;
use crate::settings::Resolved;

fn main() -> ExitCode {
    match run(&command().get_matches()) {
        Ok(code) => code,
        Err(error) => {
            // Nobody is left to tell when standard error is closed.
            drop(writeln!(std::io::stderr(), "tokenfall: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(matches: &ArgMatches) -> anyhow::Result<ExitCode> {
    match matches.subcommand() {
        Some(("serve", matches)) => serve::run(&resolve(matches)?.settings()?)?,
        Some(("doctor", matches)) => return doctor::run(&resolve(matches)?),
        Some(("store", matches)) => {
            if let Some(("stats", matches)) = matches.subcommand() {
                store_stats(matches)?;
            }
        }
        Some(("config", matches)) => match matches.subcommand() {
            Some(("reference", _)) => print(options::reference().trim_end())?,
            Some((_, matches)) => {
                let resolved = resolve(matches)?;
                print(&resolved.lines().join("\n"))?;
                resolved.settings()?;
            }
            None => {}
        },
        Some(("prices", matches)) => match matches.subcommand() {
            Some(("list", matches)) => print(&prices::list(&resolve(matches)?.settings()?, matches)?)?,
            Some(("import", matches)) => print(&prices::import(&resolve(matches)?.settings()?, matches)?)?,
            _ => {}
        },
        Some(("query", matches)) => print(&query::run(matches)?)?,
        Some(("simulate", matches)) => {
            if let Some(("article", matches)) = matches.subcommand() {
                simulate::run(matches)?;
            }
        }
        Some(("openapi", _)) => print(tokenfall_server::openapi().trim_end())?,
        _ => {}
    }
    Ok(ExitCode::SUCCESS)
}

/// `tokenfall store stats`: what is stored, while no server runs.
fn store_stats(matches: &ArgMatches) -> anyhow::Result<()> {
    let settings = resolve(matches)?.settings()?;
    let stats = embedded::stats_of_closed(&settings.data)?;
    if matches.get_flag("json") {
        return print(&serde_json::to_string(&stats)?);
    }
    let counts = stats.events;
    print(&format!(
        "transactions  {:>12}\nspans         {:>12}\nerrors        {:>12}\nmetricsets    {:>12}\nlogs          {:>12}\n\
         bytes on disk {:>12}",
        counts.transaction, counts.span, counts.error, counts.metricset, counts.log, stats.disk_bytes
    ))
}

/// Writes a text and a newline to standard output.
fn print(text: &str) -> anyhow::Result<()> {
    match writeln!(std::io::stdout(), "{text}") {
        // Whoever reads has seen enough (`tokenfall config print | head`).
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        result => Ok(result?),
    }
}

fn resolve(matches: &ArgMatches) -> anyhow::Result<Resolved> {
    let file = matches.get_one::<PathBuf>("config").map(PathBuf::as_path);
    let flag = |name: &str| matches.try_get_one::<String>(name).ok().flatten().cloned();
    // An empty variable is as good as none: compose files pass on variables that nobody has set.
    let env = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    settings::resolve(file, flag, env)
}

fn command() -> Command {
    Command::new("tokenfall")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Application performance monitoring for applications that call large language models")
        .after_help(
            "Start with `tokenfall serve`, then point an Elastic APM agent at it: ELASTIC_APM_SERVER_URL=http://127.0.0.1:8200",
        )
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(with_options(
            Command::new("serve").about("Take events, keep them, and show them in the browser"),
            |_| true,
        ))
        .subcommand(with_options(
            Command::new("doctor").about("Check that the server can run as configured, and say what to do if not"),
            |_| true,
        ))
        .subcommand(
            Command::new("store").about("Look at the data directory").subcommand_required(true).subcommand(
                with_options(
                    Command::new("stats")
                        .about("Count what is stored; stop the server first, or ask it: GET /api/v1/store/stats")
                        .arg(Arg::new("json").long("json").action(ArgAction::SetTrue).help("Print JSON")),
                    |name| name == "data",
                ),
            ),
        )
        .subcommand(
            Command::new("config")
                .about("Look at the configuration")
                .subcommand_required(true)
                .subcommand(with_options(
                    Command::new("print").about("Show the value of each option and where it came from"),
                    |_| true,
                ))
                .subcommand(Command::new("reference").about("Print the page that describes all options (Markdown)")),
        )
        .subcommand(prices::command(|command| with_options(command, |name| matches!(name, "data" | "prices"))))
        .subcommand(query::command())
        .subcommand(simulate::command())
        .subcommand(Command::new("openapi").about("Print the OpenAPI document of the API"))
}

/// Adds the flags of the options that a command uses.
fn with_options(command: Command, is_used: impl Fn(&str) -> bool) -> Command {
    let file = Arg::new("config")
        .long("config")
        .value_name("FILE")
        .value_parser(value_parser!(PathBuf))
        .help("Configuration file [env: TOKENFALL_CONFIG] [default: ./tokenfall.toml if it is there]");
    OPTIONS.iter().filter(|option| !option.secret && is_used(option.name)).fold(
        command.arg(file).args_override_self(true),
        |command, option| {
            let default = if option.default.is_empty() { "none" } else { option.default };
            command.arg(Arg::new(option.flag()).long(option.flag()).value_name(option.unit).help(format!(
                "{} [env: {}] [default: {default}]",
                option.doc,
                option.env()
            )))
        },
    )
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_command_line_is_sound() {
        super::command().debug_assert();
    }
}
