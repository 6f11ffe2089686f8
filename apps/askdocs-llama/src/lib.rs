//! llama.cpp runs the models: SmolLM2 and others in the GGUF format, and BERT-like embedding models.
//!
//! Everything is behind the feature `llama`, which compiles C++.

#[cfg(feature = "llama")]
mod chat;
#[cfg(feature = "llama")]
mod embedding;

#[cfg(feature = "llama")]
pub use chat::LlamaChat;
#[cfg(feature = "llama")]
pub use embedding::LlamaEmbedding;

/// The library, which is set up once a process.
#[cfg(feature = "llama")]
fn backend() -> Result<&'static llama_cpp_2::llama_backend::LlamaBackend, askdocs_model::chat::EngineError> {
    use std::sync::OnceLock;

    use llama_cpp_2::llama_backend::LlamaBackend;
    use llama_cpp_2::{LogOptions, send_logs_to_tracing};

    static BACKEND: OnceLock<Result<LlamaBackend, String>> = OnceLock::new();
    let backend = BACKEND.get_or_init(|| {
        // It writes hundreds of lines to standard error otherwise.
        send_logs_to_tracing(LogOptions::default().with_logs_enabled(false));
        LlamaBackend::init().map_err(|error| error.to_string())
    });
    backend.as_ref().map_err(|error| askdocs_model::chat::EngineError(format!("llama.cpp does not start: {error}")))
}

/// Reads a model's file.
#[cfg(feature = "llama")]
fn load(path: &std::path::Path) -> Result<llama_cpp_2::model::LlamaModel, askdocs_model::chat::EngineError> {
    use llama_cpp_2::model::LlamaModel;
    use llama_cpp_2::model::params::LlamaModelParams;

    let failed = |reason: String| askdocs_model::chat::EngineError(format!("{}: {reason}", path.display()));
    if !path.is_file() {
        return Err(failed("there is no such file".to_owned()));
    }
    LlamaModel::load_from_file(backend()?, path, &LlamaModelParams::default())
        .map_err(|error| failed(error.to_string()))
}

/// One thread for each core.
#[cfg(feature = "llama")]
fn threads() -> i32 {
    std::thread::available_parallelism().map_or(1, |n| n.get() as i32)
}
