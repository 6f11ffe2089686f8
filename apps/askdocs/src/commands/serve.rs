//! `askdocs serve`

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use tokio::sync::oneshot;

use crate::ask::Application;
use crate::index::{Origin, UpdateOptions, update};
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
    /// Bring the index up to date with the folder that it was made of, while nobody waits for an answer.
    #[arg(long)]
    update: bool,
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
    let index = &arguments.application.search.index;
    let updating = if arguments.update { Some(Updating::start(&application, index)?) } else { None };
    let site = Site {
        application,
        tokenfall_url: Some(arguments.application.agent.tokenfall_url.clone()),
        documents: documents(index),
        examples,
        about: arguments.about,
    };
    serve(listener, site, asked_to_end()).await?;
    if let Some(updating) = updating {
        updating.stop();
    }
    tokio::task::spawn_blocking(move || agent.shutdown(Duration::from_secs(3))).await?;
    Ok(())
}

/// The folder that was indexed last, if it is still there.
fn documents(index: &Path) -> Option<PathBuf> {
    Origin::read(index).map(|origin| origin.path).filter(|path| path.is_dir())
}

/// An update of the index beside the answers.
struct Updating {
    thread: JoinHandle<()>,
    /// Stops it when it is dropped.
    stop: oneshot::Sender<()>,
}

impl Updating {
    /// Begins it, in a thread of its own: documents are read without a pause.
    fn start(application: &Arc<Application>, index: &Path) -> Result<Self> {
        let origin = Origin::read(index).with_context(|| {
            format!("{} does not say what it was made of: run `askdocs index PATH` first", index.display())
        })?;
        let (application, index) = (Arc::clone(application), index.to_owned());
        let (stop, stopped) = oneshot::channel::<()>();
        let runtime = tokio::runtime::Handle::current();
        let thread = std::thread::Builder::new().name("update".to_owned()).spawn(move || {
            let options = UpdateOptions {
                link_prefix: origin.link_prefix,
                stand_back: Some(application.idle.clone()),
                ..UpdateOptions::default()
            };
            let embedder = application.retriever.embedder.as_deref();
            let mut progress = |_, _, _| {};
            let updated = update(&index, &origin.path, embedder, &options, &mut progress);
            runtime.block_on(async {
                tokio::select! {
                    result = updated => match result {
                        Ok(summary) => {
                            for error in summary.errors {
                                tracing::warn!("{}: {}", error.path.display(), error.reason);
                            }
                            tracing::info!("{} passages embedded, {} in all", summary.embedded, summary.passages);
                        }
                        Err(error) => tracing::error!("the index could not be updated: {error}"),
                    },
                    _ = stopped => {}
                }
            });
        });
        Ok(Self { thread: thread.context("no thread for the update")?, stop })
    }

    /// Ends it after the passages that are being embedded.
    fn stop(self) {
        drop(self.stop);
        // It has logged what went wrong.
        drop(self.thread.join());
    }
}
