//! What an embedding model must be able to do.

use crate::chat::EngineError;

/// Turns texts into vectors of length 1: the more alike the texts, the larger the dot product.
pub trait EmbeddingModel: Send + Sync {
    /// The name by which clients ask for it, such as `all-minilm-l6-v2`.
    fn id(&self) -> &str;

    /// Numbers in a vector.
    fn dimensions(&self) -> usize;

    /// Tokens of a text, including those that are cut off at the model's limit.
    fn count_tokens(&self, text: &str) -> usize;

    /// One vector for each text. Blocks for milliseconds to seconds; what is too long for the model is cut.
    ///
    /// # Errors
    /// If the model fails.
    fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, EngineError>;
}

/// Scales a vector to length 1. The zero vector stays.
pub fn normalize(vector: &mut [f32]) {
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    if length > 0.0 {
        for x in vector {
            *x /= length;
        }
    }
}
