//! Texts → vectors, by a model of this machine or of an endpoint that speaks OpenAI's protocol.

use std::sync::Arc;

use askdocs_model::embedding::{EmbeddingModel, normalize};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::OnceCell;

use crate::endpoint::{Endpoint, RequestError};

/// Texts in one request to an endpoint.
const TEXTS_AT_ONCE: usize = 64;

/// What embeds.
pub enum Embedder {
    /// A model of this machine.
    Local(Arc<dyn EmbeddingModel>),
    /// An endpoint, with the number of dimensions once it is known.
    Endpoint(Endpoint, OnceCell<usize>),
}

/// Why nothing was embedded.
#[derive(Debug, thiserror::Error)]
pub enum EmbedError {
    /// The local model.
    #[error("the embedding model failed: {0}")]
    Local(String),
    /// The endpoint.
    #[error("the embedding endpoint failed: {0}")]
    Endpoint(#[from] RequestError),
    /// It answered something else.
    #[error("the embedding endpoint answered something unexpected: {0}")]
    Answer(String),
}

#[derive(Deserialize)]
struct Answer {
    data: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    index: usize,
    embedding: Vec<f32>,
}

impl Embedder {
    /// Embeds with an endpoint.
    pub fn endpoint(endpoint: Endpoint) -> Self {
        Self::Endpoint(endpoint, OnceCell::new())
    }

    /// The model.
    pub fn model(&self) -> &str {
        match self {
            Self::Local(model) => model.id(),
            Self::Endpoint(endpoint, _) => endpoint.model(),
        }
    }

    /// Numbers in a vector. Asks an endpoint once.
    ///
    /// # Errors
    /// If the endpoint fails.
    pub async fn dimensions(&self) -> Result<usize, EmbedError> {
        match self {
            Self::Local(model) => Ok(model.dimensions()),
            Self::Endpoint(endpoint, known) => {
                let ask = || async { Ok(ask(endpoint, &["dimensions".to_owned()]).await?.first().map_or(0, Vec::len)) };
                known.get_or_try_init(ask).await.copied()
            }
        }
    }

    /// One vector of length 1 for each text.
    ///
    /// # Errors
    /// If the model fails.
    pub async fn embed(&self, texts: Vec<String>) -> Result<Vec<Vec<f32>>, EmbedError> {
        match self {
            Self::Local(model) => {
                let model = Arc::clone(model);
                let embedded = tokio::task::spawn_blocking(move || {
                    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
                    model.embed(&texts)
                });
                let vectors = embedded.await.map_err(|error| EmbedError::Local(error.to_string()))?;
                vectors.map_err(|error| EmbedError::Local(error.to_string()))
            }
            Self::Endpoint(endpoint, _) => {
                let mut vectors = Vec::with_capacity(texts.len());
                for some in texts.chunks(TEXTS_AT_ONCE) {
                    vectors.extend(ask(endpoint, some).await?);
                }
                Ok(vectors)
            }
        }
    }
}

async fn ask(endpoint: &Endpoint, texts: &[String]) -> Result<Vec<Vec<f32>>, EmbedError> {
    let body = json!({ "model": endpoint.model(), "input": texts, "encoding_format": "float" });
    let bytes = endpoint.post_json("embeddings", &body).await?;
    let answer: Answer = serde_json::from_slice(&bytes).map_err(|error| EmbedError::Answer(error.to_string()))?;
    let mut vectors = vec![Vec::new(); texts.len()];
    for item in answer.data {
        let mut vector = item.embedding;
        normalize(&mut vector);
        if let Some(place) = vectors.get_mut(item.index) {
            *place = vector;
        }
    }
    if vectors.iter().any(Vec::is_empty) {
        return Err(EmbedError::Answer("a vector is missing".to_owned()));
    }
    Ok(vectors)
}
