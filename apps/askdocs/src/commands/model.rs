//! `askdocs model`

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use askdocs_model::chat::ChatModel;
use askdocs_model::embedding::EmbeddingModel;
use askdocs_model::scheduler::Scheduler;
use askdocs_model::scripted::{ScriptedEmbedding, ScriptedModel};
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
    /// Without weights: the text of this file is every answer, and texts are alike that have words in common.
    #[arg(long, value_name = "FILE")]
    scripted: Option<PathBuf>,
    /// Milliseconds for each word of a scripted answer.
    #[arg(long, value_name = "MS", default_value_t = 0, requires = "scripted")]
    token_time: u64,
    #[command(flatten)]
    faults: FaultOptions,
}

impl ServeArguments {
    fn models(&self) -> Result<(Arc<dyn ChatModel>, Arc<dyn EmbeddingModel>)> {
        if let Some(file) = &self.scripted {
            let model = scripted(file)?.step_time(Duration::from_millis(self.token_time));
            return Ok((Arc::new(model), Arc::new(ScriptedEmbedding)));
        }
        let weights = local::weights();
        Ok((local::chat_model(&weights)?, local::embedding_model(&weights)?))
    }
}

fn scripted(file: &Path) -> Result<ScriptedModel> {
    let answer = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    Ok(ScriptedModel::new(answer.trim()))
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
    let (chat, embedding) = arguments.models()?;
    let chat = Scheduler::start(chat, arguments.slots.clamp(1, 64))?;
    let address = listener.local_addr()?;
    println!("{} and {} at http://{address}/v1", chat.model().info().id, embedding.id());
    let models = Models { chat: Some(chat), embedding: Some(embedding), faults, api_key: arguments.api_key };
    serve(listener, router(models), asked_to_end(), Duration::from_secs(3)).await?;
    Ok(())
}
