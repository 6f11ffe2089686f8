//! `tokenfall doctor`: can the server run as configured?

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use tokenfall_store::embedded::{self, OpenError};

use crate::options::{OPTIONS, Settings};
use crate::settings::{FILE_ENV, Resolved};

/// How long a server may take to answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);

/// What a check found.
enum Finding {
    Good(String),
    Problem { what: String, remedy: String },
}

/// Checks everything, prints what was found, and fails if something is wrong.
pub(crate) fn run(resolved: &Resolved) -> anyhow::Result<ExitCode> {
    let settings = resolved.settings()?;
    let variables = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let mut findings = vec![configuration(resolved), exposure(&settings)];
    findings.extend(unknown_variables(variables));
    let (port, is_running) = port(settings.server.listen);
    findings.push(port);
    findings.push(data_directory(&settings.data, is_running));
    findings.push(free_space(&settings));
    findings.push(prices(&settings));

    let mut out = std::io::stdout();
    let mut problems = 0;
    for finding in findings {
        match finding {
            Finding::Good(what) => writeln!(out, "ok       {what}")?,
            Finding::Problem { what, remedy } => {
                problems += 1;
                writeln!(out, "problem  {what}\n         → {remedy}")?;
            }
        }
    }
    Ok(if problems == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn configuration(resolved: &Resolved) -> Finding {
    let origins = resolved.origins();
    Finding::Good(if origins.is_empty() {
        "configuration: defaults only".into()
    } else {
        format!("configuration: {}; the rest are defaults", origins.join(", "))
    })
}

/// Variables that look like an option and are none: a misspelt one would do nothing in silence.
fn unknown_variables(variables: impl Iterator<Item = String>) -> Option<Finding> {
    let is_known = |name: &str| name == FILE_ENV || OPTIONS.iter().any(|option| option.env() == name);
    let mut unknown: Vec<String> = variables.filter(|name| name.starts_with("TOKENFALL_") && !is_known(name)).collect();
    unknown.sort();
    (!unknown.is_empty()).then(|| Finding::Problem {
        what: format!("configuration: no option belongs to {}", unknown.join(", ")),
        remedy: "`tokenfall config reference` lists the options; correct or remove it".into(),
    })
}

/// Is the server safe from others?
fn exposure(settings: &Settings) -> Finding {
    if let Err(error) = settings.server.check() {
        return Finding::Problem {
            what: format!("access: {error}"),
            remedy: "set TOKENFALL_SECRET_TOKEN, or --listen 127.0.0.1:8200".into(),
        };
    }
    let short = settings.server.secrets.token.as_ref().is_some_and(|token| token.reveal().len() < 16);
    if short && !settings.server.listen.ip().is_loopback() {
        return Finding::Problem {
            what: "access: the secret token has fewer than 16 characters, and the server is reachable from outside"
                .into(),
            remedy: "choose a longer one, for example: openssl rand -hex 24".into(),
        };
    }
    Finding::Good(if settings.server.secrets.required() {
        "access: a secret is required".into()
    } else {
        "access: this machine only, no secret required".into()
    })
}

/// Is the port free, or a Tokenfall behind it?
fn port(address: SocketAddr) -> (Finding, bool) {
    let Err(error) = TcpListener::bind(address) else {
        return (Finding::Good(format!("port: {address} is free")), false);
    };
    if answers_as_tokenfall(address) {
        return (Finding::Good(format!("port: a Tokenfall server answers on {address}")), true);
    }
    let finding = Finding::Problem {
        what: format!("port: cannot listen on {address}: {error}"),
        remedy: "stop the other program, or choose another port with --listen".into(),
    };
    (finding, false)
}

/// Asks what agents ask, and looks for our name. A server that wants a secret answers nothing there, but is ready.
fn answers_as_tokenfall(address: SocketAddr) -> bool {
    let ask = |path: &str| -> std::io::Result<String> {
        let mut stream = TcpStream::connect_timeout(&address, ANSWER_TIMEOUT)?;
        stream.set_read_timeout(Some(ANSWER_TIMEOUT))?;
        let question = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        stream.write_all(question.as_bytes())?;
        let mut answer = Vec::new();
        stream.take(64 * 1024).read_to_end(&mut answer)?;
        Ok(String::from_utf8_lossy(&answer).into_owned())
    };
    ask("/").is_ok_and(|answer| answer.contains("\"tokenfall\":"))
        || ask("/metrics").is_ok_and(|answer| answer.contains("request_id"))
}

/// Can the data directory be opened?
fn data_directory(path: &Path, is_running: bool) -> Finding {
    let shown = path.display();
    if !path.exists() {
        let parent = path.ancestors().skip(1).find(|folder| folder.as_os_str().is_empty() || folder.exists());
        let parent = parent.filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
        return match writable(parent) {
            Ok(()) => Finding::Good(format!("data: {shown} will be made")),
            Err(error) => Finding::Problem {
                what: format!("data: {shown} cannot be made: {error}"),
                remedy: format!("give this user the right to write to {}, or choose another --data", parent.display()),
            },
        };
    }
    match embedded::stats_of_closed(path) {
        Ok(stats) => match writable(path) {
            Ok(()) => Finding::Good(format!("data: {shown} holds {} events", stats.events.total())),
            Err(error) => Finding::Problem {
                what: format!("data: {shown} cannot be written: {error}"),
                remedy: "give this user the right to write there, or choose another --data".into(),
            },
        },
        Err(OpenError::Locked(_)) if is_running => {
            Finding::Good(format!("data: {shown} is in use by the running server"))
        }
        Err(error @ OpenError::Locked(_)) => Finding::Problem {
            what: format!("data: {error}"),
            remedy: "a server runs with this directory but on another address; ask it with --listen".into(),
        },
        Err(error) => Finding::Problem {
            what: format!("data: {error}"),
            remedy: "choose another --data, or move what is there away; nothing was changed".into(),
        },
    }
}

/// Writes a file and removes it.
fn writable(folder: &Path) -> std::io::Result<()> {
    let probe = folder.join(format!(".tokenfall-doctor-{}", std::process::id()));
    std::fs::write(&probe, b"may I write here?")?;
    std::fs::remove_file(&probe)
}

/// Is there room on the disk?
fn prices(settings: &Settings) -> Finding {
    match crate::prices::price_list(settings) {
        Ok(list) => Finding::Good(format!("prices: {} rows", list.rows().count())),
        Err(error) => Finding::Problem {
            what: format!("prices: {error:#}"),
            remedy: "correct the file, or remove it to go by the list of the program".into(),
        },
    }
}

fn free_space(settings: &Settings) -> Finding {
    let folder = settings.data.ancestors().find(|folder| folder.exists()).unwrap_or_else(|| Path::new("."));
    let wanted = settings.store.min_free_bytes;
    match embedded::free_bytes(folder) {
        Ok(free) if free < wanted => Finding::Problem {
            what: format!("disk: {} free, events are refused below {}", mebibytes(free), mebibytes(wanted)),
            remedy: "free some space, shorten the retention, or choose another --data".into(),
        },
        Ok(free) => Finding::Good(format!("disk: {} free", mebibytes(free))),
        Err(error) => Finding::Problem {
            what: format!("disk: cannot ask for the free space of {}: {error}", folder.display()),
            remedy: "check that the disk is mounted".into(),
        },
    }
}

fn mebibytes(bytes: u64) -> String {
    format!("{} MiB", bytes >> 20)
}
