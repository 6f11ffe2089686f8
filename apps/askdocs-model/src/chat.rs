//! What a language model must be able to do.

use serde::{Deserialize, Serialize};

/// Who says something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Sets the tone. Newer clients of OpenAI say `developer`.
    #[serde(alias = "developer")]
    System,
    /// Asks.
    User,
    /// Answers.
    Assistant,
}

impl Role {
    /// The word in OpenAI's interface and in `ChatML`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::User => "user",
            Self::Assistant => "assistant",
        }
    }
}

/// One message of a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Who says it.
    pub role: Role,
    /// What is said.
    pub content: String,
}

impl Message {
    /// A message.
    pub fn new(role: Role, content: impl Into<String>) -> Self {
        Self { role, content: content.into() }
    }
}

/// How the next token is chosen, and when to stop.
#[derive(Clone, Debug, PartialEq)]
pub struct Sampling {
    /// Most tokens of the answer.
    pub max_tokens: usize,
    /// 0 takes the most probable token every time; 1 follows the model's probabilities.
    pub temperature: f32,
    /// Probability mass from which tokens are taken, above 0 and at most 1.
    pub top_p: f32,
    /// Makes tokens of the *answer* less likely to come again; 1 switches it off. Small models loop without it, and invent
    /// words if the question's tokens are included.
    pub repeat_penalty: f32,
    /// Seed of the random numbers.
    pub seed: u32,
    /// The answer ends before any of these texts.
    pub stop: Vec<String>,
}

impl Default for Sampling {
    fn default() -> Self {
        Self { max_tokens: 256, temperature: 0.0, top_p: 1.0, repeat_penalty: 1.1, seed: 0, stop: Vec::new() }
    }
}

/// What one knows of a model without asking it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelInfo {
    /// The name by which clients ask for it, such as `smollm2-135m-instruct`.
    pub id: String,
    /// Most tokens of question and answer together.
    pub context_tokens: usize,
}

/// Why a model does not work.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct EngineError(pub String);

/// A token of a model's vocabulary.
pub type Token = u32;

/// A language model in memory. It is asked through a [`Batch`], of which there is one at a time.
pub trait ChatModel: Send + Sync {
    /// Name and size.
    fn info(&self) -> &ModelInfo;

    /// Number of tokens of a text.
    fn count_tokens(&self, text: &str) -> usize;

    /// The tokens of a conversation, in the form in which the model was trained, up to where its answer begins.
    fn prompt(&self, messages: &[Message]) -> Vec<Token>;

    /// Calls `work` with a batch of `slots` sequences, on the thread of the caller, until it returns.
    ///
    /// # Errors
    /// If there is not enough memory.
    fn with_batch(&self, slots: usize, work: &mut dyn FnMut(&mut dyn Batch)) -> Result<(), EngineError>;
}

/// Sequences that are decoded together: one step costs little more for three than for one.
pub trait Batch {
    /// Puts a prompt into a free slot. What happens next happens in [`step`](Self::step).
    ///
    /// # Errors
    /// If the prompt does not fit or the model refuses.
    fn begin(&mut self, slot: usize, prompt: Vec<Token>, sampling: &Sampling) -> Result<(), EngineError>;

    /// Reads a part of a prompt, and gives every sequence that has read its own one more token.
    ///
    /// # Errors
    /// If the model fails: then all sequences are lost.
    fn step(&mut self, on_token: &mut dyn FnMut(usize, Generated)) -> Result<(), EngineError>;

    /// Frees a slot.
    fn end(&mut self, slot: usize);
}

/// One token of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Generated {
    /// Its text, which may end or begin within a character.
    Piece(Vec<u8>),
    /// The model is done.
    End,
}

/// The `ChatML` form of a conversation, as SmolLM2 and many others were trained: each message between `<|im_start|>` and
/// `<|im_end|>`, a system message of the model's own if there is none.
pub fn chat_ml(messages: &[Message], default_system: &str) -> String {
    let mut prompt = String::new();
    let mut say = |role: Role, content: &str| {
        prompt.push_str("<|im_start|>");
        prompt.push_str(role.as_str());
        prompt.push('\n');
        prompt.push_str(content);
        prompt.push_str("<|im_end|>\n");
    };
    if messages.first().is_none_or(|first| first.role != Role::System) {
        say(Role::System, default_system);
    }
    for message in messages {
        say(message.role, &message.content);
    }
    prompt.push_str("<|im_start|>assistant\n");
    prompt
}

/// The system message with which SmolLM2 was trained (its chat template).
pub const SMOLLM2_SYSTEM: &str = "You are a helpful AI assistant named SmolLM, trained by Hugging Face";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conversations_are_written_as_the_model_was_trained() {
        let question = Message::new(Role::User, "What is VACUUM?");
        assert_eq!(
            chat_ml(std::slice::from_ref(&question), "Be kind."),
            "<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\nWhat is VACUUM?<|im_end|>\n<|im_start|>assistant\n"
        );
        let own = [Message::new(Role::System, "Be brief."), question];
        assert!(chat_ml(&own, "Be kind.").starts_with("<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user"));
        assert!(!chat_ml(&own, "Be kind.").contains("Be kind"));
    }
}
