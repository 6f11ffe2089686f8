//! `askdocs serve`

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::Args;

use crate::options::ApplicationOptions;
use crate::server::{Site, asked_to_end, serve};

/// Questions that the page offers for the PostgreSQL manual.
const EXAMPLES: [&str; 4] = [
    "What is the difference between VACUUM and VACUUM FULL?",
    "How do I create a partial index?",
    "How can I see the query plan and run time of a slow query?",
    "How do I back up a single database and restore it?",
];

/// Arguments.
#[derive(Args, Debug)]
pub struct Arguments {
    /// Address to listen on.
    #[arg(long, env = "ASKDOCS_LISTEN", default_value = "127.0.0.1:8300")]
    listen: SocketAddr,
    /// Listen on an address that others can reach, though everybody who can reach it can ask (and make you pay).
    #[arg(long)]
    allow_remote: bool,
    /// A question that the page offers; may be given several times.
    #[arg(long = "example")]
    examples: Vec<String>,
    /// What the page says about the documents, such as their licence.
    #[arg(long)]
    about: Option<String>,
    #[command(flatten)]
    application: ApplicationOptions,
}

/// Serves the page until the process is asked to end.
///
/// # Errors
/// If something is missing, or the address is in use.
#[expect(clippy::print_stdout, reason = "the address is the result of the command")]
pub async fn run(arguments: Arguments) -> Result<()> {
    if !arguments.listen.ip().is_loopback() && !arguments.allow_remote {
        bail!("{} can be reached by others: say --allow-remote if you mean that", arguments.listen);
    }
    let listener = tokio::net::TcpListener::bind(arguments.listen).await;
    let listener =
        listener.with_context(|| format!("cannot listen on {}: choose another --listen", arguments.listen))?;
    let application = arguments.application.application().await?;
    let agent = application.agent.clone();
    let examples =
        if arguments.examples.is_empty() { EXAMPLES.map(str::to_owned).to_vec() } else { arguments.examples };
    println!("askdocs listens on http://{}/", listener.local_addr()?);
    let site = Site {
        application,
        tokenfall_url: Some(arguments.application.agent.tokenfall_url.clone()),
        documents: documents(&arguments.application.search.index),
        examples,
        about: arguments.about,
    };
    serve(listener, site, asked_to_end()).await?;
    tokio::task::spawn_blocking(move || agent.shutdown(Duration::from_secs(3))).await?;
    Ok(())
}

/// The folder that was indexed last, if it is still there.
fn documents(index: &Path) -> Option<PathBuf> {
    let source = std::fs::read_to_string(index.join("source")).ok()?;
    let folder = PathBuf::from(source);
    folder.is_dir().then_some(folder)
}
