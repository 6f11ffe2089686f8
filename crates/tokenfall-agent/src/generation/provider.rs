//! The wire formats of the providers: chunks of streams and whole answers.
//!
//! One lenient shape for all of them, read in one pass and borrowed from the bytes; a field of another type than expected is
//! passed over.
//!
//! | format | known by |
//! | --- | --- |
//! | OpenAI chat completions, Azure and everything compatible | `choices` |
//! | OpenAI Responses | `type` begins with `response.`; a whole answer has `output` |
//! | Anthropic Messages | `type` is `message_start`, `content_block_delta` …; a whole answer has `content` |
//! | Google Gemini | `candidates` |
//! | Ollama | `done` |

mod text_or;

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::Value;

use super::answer::{Answer, CompletionChunk, TokenUsage};
use super::failure::{ErrorParts, GenerationError};
use text_or::Lenient;
pub(super) use text_or::{Str, TextOr};

/// A chunk of a stream, or a whole answer, of a provider: OpenAI (chat completions and responses) and what is compatible with
/// it, Anthropic, Google, Ollama.
///
/// ```
/// use tokenfall_agent::generation::ProviderChunk;
///
/// let data = br#"{"id":"chatcmpl-1","model":"gpt-4o","choices":[{"index":0,"delta":{"content":"Hello"}}]}"#;
/// assert!(ProviderChunk::parse(data).is_some());
/// assert!(ProviderChunk::parse(b"[DONE]").is_none());
/// ```
#[derive(Debug)]
pub struct ProviderChunk<'a> {
    raw: Raw<'a>,
}

impl<'a> ProviderChunk<'a> {
    /// Reads the data of one server-sent event, one line of newline-delimited JSON, or the body of an answer. `None` if it is
    /// not a JSON object.
    pub fn parse(data: &'a [u8]) -> Option<Self> {
        serde_json::from_slice(data).ok().map(|raw| Self { raw })
    }

    fn of_value(value: &'a Value) -> Option<Self> {
        Raw::deserialize(value).ok().map(|raw| Self { raw })
    }
}

impl CompletionChunk for ProviderChunk<'_> {
    fn tell(&self, answer: &mut Answer) {
        self.raw.tell(answer);
    }
}

/// Read as [`ProviderChunk`] reads it.
impl CompletionChunk for Value {
    fn tell(&self, answer: &mut Answer) {
        if let Some(chunk) = ProviderChunk::of_value(self) {
            chunk.tell(answer);
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), default)]
struct Raw<'a> {
    #[serde(rename = "type")]
    kind: Str<'a>,
    id: Str<'a>,
    model: Str<'a>,
    error: TextOr<'a, ErrorParts<'a>>,
    /// OpenAI, Anthropic.
    usage: Lenient<Usage>,
    /// OpenAI chat completions.
    choices: Lenient<Vec<Choice<'a>>>,
    /// OpenAI Responses: text; Anthropic: an object.
    delta: TextOr<'a, Delta<'a>>,
    /// OpenAI Responses: the answer so far; Ollama: text of `/api/generate`.
    response: TextOr<'a, Response<'a>>,
    /// OpenAI Responses: something that the answer is made of.
    item: Lenient<Item<'a>>,
    output_index: Option<u32>,
    /// OpenAI Responses, whole.
    output: Lenient<Vec<Item<'a>>>,
    status: Str<'a>,
    incomplete_details: Lenient<Incomplete<'a>>,
    code: Str<'a>,
    /// Anthropic and Ollama: an object; errors: text.
    message: TextOr<'a, Message<'a>>,
    /// Anthropic.
    index: Option<u32>,
    content_block: Lenient<Part<'a>>,
    content: Lenient<Vec<Part<'a>>>,
    stop_reason: Str<'a>,
    /// Ollama.
    done: Option<bool>,
    done_reason: Str<'a>,
    thinking: Str<'a>,
    prompt_eval_count: Option<u64>,
    eval_count: Option<u64>,
    /// Google.
    candidates: Lenient<Vec<Candidate<'a>>>,
    #[serde(rename = "usageMetadata")]
    usage_metadata: Lenient<GoogleUsage>,
    #[serde(rename = "modelVersion")]
    model_version: Str<'a>,
    #[serde(rename = "responseId")]
    response_id: Str<'a>,
}

/// Usage of OpenAI (both APIs) and Anthropic.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
struct Usage {
    prompt_tokens: Option<u64>,
    completion_tokens: Option<u64>,
    prompt_tokens_details: Option<InputDetails>,
    completion_tokens_details: Option<OutputDetails>,
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    input_tokens_details: Option<InputDetails>,
    output_tokens_details: Option<OutputDetails>,
    cache_read_input_tokens: Option<u64>,
    cache_creation_input_tokens: Option<u64>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
struct InputDetails {
    cached_tokens: Option<u64>,
    cache_write_tokens: Option<u64>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
struct OutputDetails {
    reasoning_tokens: Option<u64>,
}

impl Usage {
    fn tokens(self) -> TokenUsage {
        let input_details = self.prompt_tokens_details.or(self.input_tokens_details).unwrap_or_default();
        let output_details = self.completion_tokens_details.or(self.output_tokens_details).unwrap_or_default();
        // Anthropic counts cached tokens beside the others.
        let beside =
            self.cache_read_input_tokens.unwrap_or(0).saturating_add(self.cache_creation_input_tokens.unwrap_or(0));
        TokenUsage {
            input: self.prompt_tokens.or(self.input_tokens.map(|input| input.saturating_add(beside))),
            output: self.completion_tokens.or(self.output_tokens),
            cache_read: input_details.cached_tokens.or(self.cache_read_input_tokens),
            cache_creation: input_details.cache_write_tokens.or(self.cache_creation_input_tokens),
            reasoning: output_details.reasoning_tokens,
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), default)]
struct Choice<'a> {
    index: Option<u32>,
    /// Of a stream.
    delta: Lenient<Message<'a>>,
    /// Of a whole answer.
    message: Lenient<Message<'a>>,
    /// Of the old completions.
    text: Str<'a>,
    finish_reason: Str<'a>,
}

/// A message or a piece of one: OpenAI's delta and message, Anthropic's and Ollama's message.
#[derive(Debug, Default, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), default)]
struct Message<'a> {
    id: Str<'a>,
    model: Str<'a>,
    usage: Lenient<Usage>,
    content: Str<'a>,
    refusal: Str<'a>,
    reasoning: Str<'a>,
    reasoning_content: Str<'a>,
    thinking: Str<'a>,
    tool_calls: Lenient<Vec<ToolCall<'a>>>,
    function_call: Lenient<Function<'a>>,
    audio: TextOr<'a, Audio<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), default)]
struct ToolCall<'a> {
    index: Option<u32>,
    id: Str<'a>,
    function: Lenient<Function<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), default)]
struct Function<'a> {
    name: Str<'a>,
    /// Text, or an object from Ollama.
    arguments: TextOr<'a, Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), default)]
struct Audio<'a> {
    data: Str<'a>,
    transcript: Str<'a>,
}

/// Anthropic's `delta`.
#[derive(Debug, Default, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), default)]
struct Delta<'a> {
    text: Str<'a>,
    thinking: Str<'a>,
    partial_json: Str<'a>,
    stop_reason: Str<'a>,
}

/// A part of a message of Anthropic or Google.
#[derive(Debug, Default, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), default)]
struct Part<'a> {
    #[serde(rename = "type")]
    kind: Str<'a>,
    id: Str<'a>,
    name: Str<'a>,
    text: Str<'a>,
    thinking: Str<'a>,
    input: Lenient<Value>,
    /// Google: is the text a thought?
    thought: Option<bool>,
    #[serde(rename = "functionCall")]
    function_call: Lenient<GoogleCall<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), default)]
struct GoogleCall<'a> {
    name: Str<'a>,
    args: Lenient<Value>,
}

/// `response` of the Responses API.
#[derive(Debug, Default, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), default)]
struct Response<'a> {
    id: Str<'a>,
    model: Str<'a>,
    status: Str<'a>,
    usage: Lenient<Usage>,
    incomplete_details: Lenient<Incomplete<'a>>,
    error: TextOr<'a, ErrorParts<'a>>,
    output: Lenient<Vec<Item<'a>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), default)]
struct Incomplete<'a> {
    reason: Str<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), default)]
struct Item<'a> {
    #[serde(rename = "type")]
    kind: Str<'a>,
    call_id: Str<'a>,
    name: Str<'a>,
    arguments: Str<'a>,
    content: Lenient<Vec<Part<'a>>>,
    summary: Lenient<Vec<Part<'a>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), default)]
struct Candidate<'a> {
    index: Option<u32>,
    content: Lenient<CandidateContent<'a>>,
    #[serde(rename = "finishReason")]
    finish_reason: Str<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), default)]
struct CandidateContent<'a> {
    parts: Lenient<Vec<Part<'a>>>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[expect(clippy::struct_field_names, reason = "they are called so")]
struct GoogleUsage {
    prompt_token_count: Option<u64>,
    candidates_token_count: Option<u64>,
    thoughts_token_count: Option<u64>,
    cached_content_token_count: Option<u64>,
}

impl GoogleUsage {
    fn tokens(self) -> TokenUsage {
        // Google counts thoughts beside the answer.
        let output = self.candidates_token_count.map(|n| n.saturating_add(self.thoughts_token_count.unwrap_or(0)));
        TokenUsage {
            input: self.prompt_token_count,
            output,
            cache_read: self.cached_content_token_count,
            cache_creation: None,
            reasoning: self.thoughts_token_count,
        }
    }
}

fn list<T>(items: &Lenient<Vec<T>>) -> impl Iterator<Item = &T> {
    items.0.iter().flatten()
}

fn number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

impl Raw<'_> {
    fn tell(&self, answer: &mut Answer) {
        let kind = self.kind.text();
        match &self.error {
            TextOr::Object(parts) => answer.provider_error(&GenerationError::in_stream(parts.parts())),
            TextOr::Text(message) if !message.is_empty() => {
                answer.provider_error(&GenerationError::in_stream((None, Some(message.to_string()), None)));
            }
            TextOr::Text(_) | TextOr::Other => {}
        }
        if kind == "error" && matches!(self.error, TextOr::Other) {
            let parts = (None, self.message.owned(), self.code.owned());
            answer.provider_error(&GenerationError::in_stream(parts));
        } else if let Some(event) = kind.strip_prefix("response.") {
            self.tell_responses(event, answer);
        } else if let Some(choices) = &self.choices.0 {
            self.tell_chat(choices, answer);
        } else if self.candidates.0.is_some() || self.usage_metadata.0.is_some() {
            self.tell_google(answer);
        } else if self.done.is_some() {
            self.tell_ollama(answer);
        } else if let Some(items) = &self.output.0 {
            self.tell_response(items, answer);
        } else if let (Some(usage), true) = (self.usage.0, kind.is_empty()) {
            // Embeddings.
            answer.model(self.model.text());
            answer.usage(usage.tokens());
        } else {
            self.tell_anthropic(kind, answer);
        }
    }

    fn tell_chat(&self, choices: &[Choice<'_>], answer: &mut Answer) {
        answer.must_finish = true;
        answer.model(self.model.text());
        answer.id(self.id.text());
        for choice in choices {
            let index = choice.index.unwrap_or(0);
            if let Some(message) = choice.delta.0.as_ref().or(choice.message.0.as_ref()) {
                message.tell(index, answer);
            }
            answer.text(index, choice.text.text());
            answer.finish_reason(index, choice.finish_reason.text());
        }
        if let Some(usage) = self.usage.0 {
            answer.usage(usage.tokens());
        }
    }

    fn tell_responses(&self, event: &str, answer: &mut Answer) {
        answer.must_finish = true;
        let call = self.output_index.unwrap_or(0);
        match event {
            "output_text.delta" | "refusal.delta" => answer.text(0, self.delta.text()),
            "reasoning_text.delta" | "reasoning_summary_text.delta" => answer.reasoning(0, self.delta.text()),
            "function_call_arguments.delta" | "custom_tool_call_input.delta" => {
                answer.tool_call(0, call, None, None, self.delta.text());
            }
            "audio.delta" if !self.delta.text().is_empty() => answer.other_content(),
            "output_item.added" => {
                if let Some(item) = &self.item.0 {
                    answer.tool_call(0, call, item.call_id.some(), item.name.some(), "");
                }
            }
            _ => {}
        }
        if let TextOr::Object(response) = &self.response {
            answer.id(response.id.text());
            answer.model(response.model.text());
            if let Some(usage) = response.usage.0 {
                answer.usage(usage.tokens());
            }
            if matches!(event, "completed" | "incomplete" | "failed") {
                if let TextOr::Object(parts) = &response.error {
                    answer.provider_error(&GenerationError::in_stream(parts.parts()));
                }
                let calls_tool = list(&response.output).any(Item::is_call);
                let reason = finish_of(response.status.text(), &response.incomplete_details, calls_tool);
                answer.finish_reason(0, reason);
            }
        }
    }

    /// A whole answer of the Responses API.
    fn tell_response(&self, items: &[Item<'_>], answer: &mut Answer) {
        answer.must_finish = true;
        answer.id(self.id.text());
        answer.model(self.model.text());
        for (call, item) in items.iter().enumerate() {
            if item.is_call() {
                answer.tool_call(0, number(call), item.call_id.some(), item.name.some(), item.arguments.text());
            }
            for part in list(&item.content) {
                answer.text(0, part.text.text());
            }
            for part in list(&item.summary) {
                answer.reasoning(0, part.text.text());
            }
        }
        if let Some(usage) = self.usage.0 {
            answer.usage(usage.tokens());
        }
        let calls_tool = items.iter().any(Item::is_call);
        answer.finish_reason(0, finish_of(self.status.text(), &self.incomplete_details, calls_tool));
    }

    fn tell_anthropic(&self, kind: &str, answer: &mut Answer) {
        let index = self.index.unwrap_or(0);
        match kind {
            "message_start" => {
                answer.must_finish = true;
                if let TextOr::Object(message) = &self.message {
                    answer.id(message.id.text());
                    answer.model(message.model.text());
                    // The tokens of the answer so far are not the number of those that it will have.
                    let usage = message.usage.0.map(Usage::tokens).unwrap_or_default();
                    answer.usage(TokenUsage { output: None, ..usage });
                }
            }
            "content_block_start" => {
                if let Some(block) = &self.content_block.0 {
                    block.tell(index, answer);
                }
            }
            "content_block_delta" => {
                if let TextOr::Object(delta) = &self.delta {
                    answer.text(0, delta.text.text());
                    answer.reasoning(0, delta.thinking.text());
                    answer.tool_call(0, index, None, None, delta.partial_json.text());
                }
            }
            "message_delta" => {
                if let TextOr::Object(delta) = &self.delta {
                    answer.finish_reason(0, delta.stop_reason.text());
                }
                if let Some(usage) = self.usage.0 {
                    answer.usage(usage.tokens());
                }
            }
            // A whole answer.
            "message" => {
                answer.must_finish = true;
                answer.id(self.id.text());
                answer.model(self.model.text());
                for (index, part) in list(&self.content).enumerate() {
                    part.tell(number(index), answer);
                }
                answer.finish_reason(0, self.stop_reason.text());
                if let Some(usage) = self.usage.0 {
                    answer.usage(usage.tokens());
                }
            }
            _ => {}
        }
    }

    fn tell_google(&self, answer: &mut Answer) {
        answer.must_finish = true;
        answer.model(self.model_version.text());
        answer.id(self.response_id.text());
        for candidate in list(&self.candidates) {
            let choice = candidate.index.unwrap_or(0);
            for (call, part) in candidate.content.0.iter().flat_map(|content| list(&content.parts)).enumerate() {
                if part.thought == Some(true) {
                    answer.reasoning(choice, part.text.text());
                } else {
                    answer.text(choice, part.text.text());
                }
                if let Some(function) = &part.function_call.0 {
                    let args = function.args.0.as_ref().map(Value::to_string).unwrap_or_default();
                    answer.tool_call(choice, number(call), None, function.name.some(), &args);
                }
            }
            answer.finish_reason(choice, candidate.finish_reason.text());
        }
        if let Some(usage) = self.usage_metadata.0 {
            answer.usage(usage.tokens());
        }
    }

    fn tell_ollama(&self, answer: &mut Answer) {
        answer.must_finish = true;
        answer.model(self.model.text());
        answer.reasoning(0, self.thinking.text());
        answer.text(0, self.response.text());
        if let TextOr::Object(message) = &self.message {
            message.tell(0, answer);
        }
        if self.done == Some(true) {
            answer.finish_reason(0, self.done_reason.some().unwrap_or("stop"));
            let (input, output) = (self.prompt_eval_count, self.eval_count);
            answer.usage(TokenUsage { input, output, ..TokenUsage::default() });
        }
    }
}

impl Message<'_> {
    fn tell(&self, choice: u32, answer: &mut Answer) {
        for thought in [&self.reasoning_content, &self.reasoning, &self.thinking] {
            answer.reasoning(choice, thought.text());
        }
        answer.text(choice, self.content.text());
        answer.text(choice, self.refusal.text());
        for (position, call) in list(&self.tool_calls).enumerate() {
            let function = call.function.0.as_ref();
            let arguments = function.map(|function| function.arguments()).unwrap_or_default();
            let name = function.and_then(|function| function.name.some());
            answer.tool_call(choice, call.index.unwrap_or(number(position)), call.id.some(), name, &arguments);
        }
        if let Some(function) = &self.function_call.0 {
            answer.tool_call(choice, 0, None, function.name.some(), &function.arguments());
        }
        if let TextOr::Object(audio) = &self.audio {
            if audio.transcript.text().is_empty() && !audio.data.text().is_empty() {
                answer.other_content();
            }
            answer.text(choice, audio.transcript.text());
        }
    }
}

impl Function<'_> {
    fn arguments(&self) -> Cow<'_, str> {
        match &self.arguments {
            TextOr::Text(text) => Cow::Borrowed(text),
            TextOr::Object(value) => Cow::Owned(value.to_string()),
            TextOr::Other => Cow::Borrowed(""),
        }
    }
}

impl Part<'_> {
    /// A block of Anthropic's content.
    fn tell(&self, index: u32, answer: &mut Answer) {
        answer.text(0, self.text.text());
        answer.reasoning(0, self.thinking.text());
        if matches!(self.kind.text(), "tool_use" | "server_tool_use") {
            let input = self.input.0.as_ref().filter(|input| input.as_object().is_none_or(|map| !map.is_empty()));
            let input = input.map(Value::to_string).unwrap_or_default();
            answer.tool_call(0, index, self.id.some(), self.name.some(), &input);
        }
    }
}

impl Item<'_> {
    fn is_call(&self) -> bool {
        matches!(self.kind.text(), "function_call" | "custom_tool_call")
    }
}

/// The Responses API has a status where others have a finish reason.
fn finish_of<'a>(status: &'a str, incomplete: &'a Lenient<Incomplete<'_>>, calls_tool: bool) -> &'a str {
    match status {
        "completed" if calls_tool => "tool_calls",
        "completed" => "stop",
        "incomplete" => incomplete.0.as_ref().and_then(|details| details.reason.some()).unwrap_or("incomplete"),
        "failed" => "error",
        other => other,
    }
}

#[cfg(test)]
mod tests;
