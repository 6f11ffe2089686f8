//! Model calls, by the OpenTelemetry conventions for generative AI.

use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use super::{Id, Name};

/// `gen_ai.*` (OpenTelemetry semantic conventions for generative AI).
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GenAi {
    /// Provider, such as `openai`.
    pub provider: Option<Name>,
    /// Operation, such as `chat`.
    pub operation: Option<Name>,
    /// What was asked for.
    pub request: Option<GenAiRequest>,
    /// What answered.
    pub response: Option<GenAiResponse>,
    /// Tokens.
    pub usage: Option<GenAiUsage>,
    /// The question, if the sender captured it.
    pub input: Option<GenAiMessages>,
    /// The answer, if the sender captured it.
    pub output: Option<GenAiMessages>,
    /// Conversation that the call is part of.
    pub conversation: Option<Id<String>>,
}

/// `gen_ai.request.*`
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GenAiRequest {
    /// Model.
    pub model: Option<String>,
    /// Most tokens that may be answered.
    pub max_tokens: Option<i64>,
    /// Temperature.
    pub temperature: Option<f64>,
    /// Probability mass from which tokens are taken.
    pub top_p: Option<f64>,
    /// Is the answer streamed?
    pub stream: Option<bool>,
}

/// `gen_ai.response.*`
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GenAiResponse {
    /// Model.
    pub model: Option<String>,
    /// The provider's id of the answer.
    pub id: Option<String>,
    /// Why each choice ended, in the provider's words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub finish_reasons: Vec<String>,
    /// From the request to the first chunk with content, in seconds (as the convention has it).
    pub time_to_first_chunk: Option<f64>,
}

/// `gen_ai.usage.*`: tokens; the details are parts of the totals.
#[skip_serializing_none]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GenAiUsage {
    /// Tokens of the question, cached ones included.
    pub input_tokens: Option<u64>,
    /// Tokens of the answer, reasoning included.
    pub output_tokens: Option<u64>,
    /// Tokens of the question that the provider had in its cache.
    #[serde(rename = "cache_read.input_tokens")]
    pub cache_read_input_tokens: Option<u64>,
    /// Tokens of the question that the provider put into its cache.
    #[serde(rename = "cache_creation.input_tokens")]
    pub cache_creation_input_tokens: Option<u64>,
    /// Tokens of the answer that the model thought and did not say.
    #[serde(rename = "reasoning.output_tokens")]
    pub reasoning_output_tokens: Option<u64>,
}

/// `gen_ai.input.*`, `gen_ai.output.*`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GenAiMessages {
    /// Messages as JSON text, as sent.
    pub messages: String,
}
