//! `askdocs model`

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use askdocs_model::scheduler::Scheduler;
use askdocs_model::server::{Models, router, serve};
use clap::{Args, Subcommand};

use crate::local;
use crate::options::{FaultOptions, LOCAL_SLOTS};
use crate::server::asked_to_end;

/// What can be done with local models.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Serve them through OpenAI's HTTP interface: /v1/chat/completions, /v1/embeddings, /v1/models.
    Serve(ServeArguments),
}

/// Arguments.
#[derive(Args, Debug)]
pub struct ServeArguments {
    /// Address to listen on.
    #[arg(long, default_value = "127.0.0.1:8301")]
    listen: SocketAddr,
    /// Who asks must send this as a bearer token. Needed for addresses that others can reach.
    #[arg(long, env = "ASKDOCS_MODEL_API_KEY", hide_env_values = true)]
    api_key: Option<String>,
    /// Answers at a time.
    #[arg(long, default_value_t = LOCAL_SLOTS)]
    slots: usize,
    #[command(flatten)]
    faults: FaultOptions,
}

/// Runs a command.
///
/// # Errors
/// If the models do not load or the address is in use.
#[expect(clippy::print_stdout, reason = "the address is the result of the command")]
pub async fn run(command: Command) -> Result<()> {
    let Command::Serve(arguments) = command;
    if !arguments.listen.ip().is_loopback() && arguments.api_key.as_deref().is_none_or(str::is_empty) {
        bail!("{} can be reached by others: set --api-key", arguments.listen);
    }
    let faults = arguments.faults.parse()?;
    let listener = tokio::net::TcpListener::bind(arguments.listen).await;
    let listener =
        listener.with_context(|| format!("cannot listen on {}: choose another --listen", arguments.listen))?;
    let weights = local::weights();
    let chat = Scheduler::start(local::chat_model(&weights)?, arguments.slots.clamp(1, 64))?;
    let embedding = local::embedding_model(&weights)?;
    let address = listener.local_addr()?;
    println!("{} and {} at http://{address}/v1", chat.model().info().id, embedding.id());
    let models = Models { chat: Some(chat), embedding: Some(embedding), faults, api_key: arguments.api_key };
    serve(listener, router(models), asked_to_end(), Duration::from_secs(3)).await?;
    Ok(())
}
