//! The models of this process: llama.cpp, with the feature `llama`.

use std::path::PathBuf;
use std::sync::Arc;

use askdocs_model::chat::{ChatModel, EngineError};
use askdocs_model::embedding::EmbeddingModel;
use askdocs_model::weights::{Weights, WeightsError};

/// Context of the language model in tokens: what the default limits ask for.
#[cfg(feature = "llama")]
const CONTEXT_TOKENS: usize = 4_096;

/// Why there is no local model.
#[derive(Debug, thiserror::Error)]
pub enum LocalError {
    /// No weights.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// The engine.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// Not compiled in.
    #[error(
        "this askdocs was built without an engine for local models: build it with `cargo build -p askdocs --features llama` (needs \
         cmake, a C++ compiler and libclang), or name a provider with --base-url or OPENAI_API_KEY"
    )]
    NotBuilt,
}

/// The folder of weights: `ASKDOCS_CACHE`, else below the user's cache folder.
pub fn weights() -> Weights {
    let named = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let folder = named("ASKDOCS_CACHE")
        .or_else(|| named("XDG_CACHE_HOME").map(|cache| cache.join("askdocs")))
        .or_else(|| named("HOME").map(|home| home.join(".cache/askdocs")))
        .unwrap_or_else(|| PathBuf::from(".askdocs"));
    Weights::at(folder)
}

/// Loads the language model.
///
/// # Errors
/// If its weights are missing or it was not built in.
#[cfg(feature = "llama")]
pub fn chat_model(weights: &Weights) -> Result<Arc<dyn ChatModel>, LocalError> {
    use askdocs_model::weights::CHAT_MODEL;
    Ok(Arc::new(askdocs_llama::LlamaChat::load(&weights.chat()?, CHAT_MODEL, CONTEXT_TOKENS)?))
}

/// Loads the embedding model.
///
/// # Errors
/// If its weights are missing or it was not built in.
#[cfg(feature = "llama")]
pub fn embedding_model(weights: &Weights) -> Result<Arc<dyn EmbeddingModel>, LocalError> {
    use askdocs_model::weights::EMBEDDING_MODEL;
    Ok(Arc::new(askdocs_llama::LlamaEmbedding::load(&weights.embedding()?, EMBEDDING_MODEL)?))
}

/// Loads the language model.
///
/// # Errors
/// If its weights are missing or it was not built in.
#[cfg(not(feature = "llama"))]
pub fn chat_model(_weights: &Weights) -> Result<Arc<dyn ChatModel>, LocalError> {
    Err(LocalError::NotBuilt)
}

/// Loads the embedding model.
///
/// # Errors
/// If its weights are missing or it was not built in.
#[cfg(not(feature = "llama"))]
pub fn embedding_model(_weights: &Weights) -> Result<Arc<dyn EmbeddingModel>, LocalError> {
    Err(LocalError::NotBuilt)
}
