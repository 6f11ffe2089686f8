//! What a model answers, as far as it was told: the facts of all chunks put together.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

use super::content::{Content, Piece};
use super::failure::{Failure, GenerationError};
use crate::event::Text;

/// Most choices of which the finish reason is kept.
const MAX_CHOICES: usize = 128;
/// Longest model name, id or finish reason that is kept, in bytes.
const MAX_NAME_BYTES: usize = 1024;

/// Something that tells of an answer: a chunk of a stream, or a whole answer.
///
/// Implemented for [`serde_json::Value`] and [`ProviderChunk`](super::ProviderChunk) (the formats of OpenAI, Anthropic, Google
/// and Ollama), for `Result`s of chunks, and with the feature `async-openai` for that crate's types. For others:
///
/// ```
/// use tokenfall_agent::generation::{Answer, CompletionChunk};
///
/// struct Piece {
///     text: String,
///     is_last: bool,
/// }
///
/// impl CompletionChunk for Piece {
///     fn tell(&self, answer: &mut Answer) {
///         answer.text(0, &self.text);
///         if self.is_last {
///             answer.finish_reason(0, "stop");
///         }
///     }
/// }
/// ```
pub trait CompletionChunk {
    /// Tells `answer` what is in here. It is called when the chunk arrives, so it should be quick.
    fn tell(&self, answer: &mut Answer);

    /// Is it an error instead? Errors are reported even if the call is not recorded.
    fn is_error(&self) -> bool {
        false
    }
}

impl<C: CompletionChunk + ?Sized> CompletionChunk for &C {
    fn tell(&self, answer: &mut Answer) {
        C::tell(self, answer);
    }

    fn is_error(&self) -> bool {
        C::is_error(self)
    }
}

/// An error in the stream fails the generation.
impl<C: CompletionChunk, E: Error + 'static> CompletionChunk for Result<C, E> {
    fn tell(&self, answer: &mut Answer) {
        match self {
            Ok(chunk) => chunk.tell(answer),
            Err(error) => answer.error(error),
        }
    }

    fn is_error(&self) -> bool {
        self.is_err()
    }
}

/// Tokens of a call, in OpenTelemetry's sense: the details are parts of the totals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TokenUsage {
    /// Tokens of the question, cached ones included.
    pub input: Option<u64>,
    /// Tokens of the answer, reasoning included.
    pub output: Option<u64>,
    /// Tokens of the question that the provider had in its cache.
    pub cache_read: Option<u64>,
    /// Tokens of the question that the provider put into its cache.
    pub cache_creation: Option<u64>,
    /// Tokens of the answer that the model thought and did not say.
    pub reasoning: Option<u64>,
}

impl TokenUsage {
    /// What is known here, else what is known there: providers report in parts, and the last report counts.
    fn or(self, earlier: Self) -> Self {
        Self {
            input: self.input.or(earlier.input),
            output: self.output.or(earlier.output),
            cache_read: self.cache_read.or(earlier.cache_read),
            cache_creation: self.cache_creation.or(earlier.cache_creation),
            reasoning: self.reasoning.or(earlier.reasoning),
        }
    }
}

/// Counts the tokens of a text.
pub(super) type Counter = Box<dyn Fn(&str) -> u64 + Send + Sync>;

/// An answer so far. Chunks tell it what they hold ([`CompletionChunk`]).
#[derive(Default)]
pub struct Answer {
    pub(super) model: Option<String>,
    pub(super) id: Option<String>,
    pub(super) finish_reasons: Vec<(u32, Text)>,
    pub(super) usage: TokenUsage,
    pub(super) failure: Option<Failure>,
    /// Pieces of content so far.
    pub(super) pieces: u64,
    pub(super) counter: Option<Counter>,
    /// Sum of the counter's results.
    pub(super) counted: u64,
    /// Characters of content so far, if somebody wants to know.
    pub(super) chars: Option<u64>,
    pub(super) content: Option<Content>,
    /// Was something read in which a finish reason must be at the end?
    pub(super) must_finish: bool,
}

impl fmt::Debug for Answer {
    /// Tells nothing of the content.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { model, id, finish_reasons, usage, pieces, .. } = self;
        f.debug_struct("Answer")
            .field("model", model)
            .field("id", id)
            .field("finish_reasons", finish_reasons)
            .field("usage", usage)
            .field("pieces", pieces)
            .finish_non_exhaustive()
    }
}

impl Answer {
    /// The model that answers. The first one that is not empty counts.
    pub fn model(&mut self, model: &str) {
        keep_first(&mut self.model, model);
    }

    /// The provider's id of the answer. The first one that is not empty counts.
    pub fn id(&mut self, id: &str) {
        keep_first(&mut self.id, id);
    }

    /// A piece of the text of choice number `choice`, from 0. Empty ones are no content.
    pub fn text(&mut self, choice: u32, text: &str) {
        self.piece(choice, Piece::Text(text), text);
    }

    /// A piece of what the model thinks.
    pub fn reasoning(&mut self, choice: u32, text: &str) {
        self.piece(choice, Piece::Reasoning(text), text);
    }

    /// A piece of a call of a tool: `call` is its number in the choice; id and name come once, the arguments in pieces.
    pub fn tool_call(&mut self, choice: u32, call: u32, id: Option<&str>, name: Option<&str>, arguments: &str) {
        let name = name.filter(|name| !name.is_empty());
        let spoken = if arguments.is_empty() { name.unwrap_or_default() } else { arguments };
        self.piece(choice, Piece::ToolCall { call, id, name, arguments }, spoken);
    }

    /// Content that is no text, such as sound.
    pub fn other_content(&mut self) {
        self.pieces += 1;
    }

    fn piece(&mut self, choice: u32, piece: Piece<'_>, spoken: &str) {
        if spoken.is_empty() {
            return;
        }
        self.pieces += 1;
        if let Some(counter) = &self.counter {
            self.counted = self.counted.saturating_add(counter(spoken));
        }
        if let Some(chars) = &mut self.chars {
            *chars += spoken.chars().count() as u64;
        }
        if let Some(content) = &mut self.content {
            content.push(choice, piece);
        }
    }

    /// Why choice number `choice` ended, in the provider's words. Empty ones do not count.
    pub fn finish_reason(&mut self, choice: u32, reason: &str) {
        if reason.is_empty() || reason.len() > MAX_NAME_BYTES {
            return;
        }
        let known = self.finish_reasons.iter().position(|(known, _)| *known == choice);
        if let Some((_, old)) = known.and_then(|at| self.finish_reasons.get_mut(at)) {
            *old = well_known(reason);
        } else if self.finish_reasons.len() < MAX_CHOICES {
            self.finish_reasons.push((choice, well_known(reason)));
        }
    }

    /// Tokens that the provider reports. What an earlier report knew and this one does not, stays.
    pub fn usage(&mut self, usage: TokenUsage) {
        self.usage = usage.or(self.usage);
    }

    /// The answer breaks off with an error. The first one counts.
    pub fn error<E: Error + 'static>(&mut self, error: &E) {
        self.failure.get_or_insert_with(|| Failure::of(error));
    }

    /// The provider reports an error in the answer. The first one counts.
    pub(super) fn provider_error(&mut self, error: &GenerationError) {
        self.error(error);
    }

    /// Reasons in the order of the choices.
    pub(super) fn finish_reasons(&self) -> Vec<Text> {
        let mut reasons: Vec<&(u32, Text)> = self.finish_reasons.iter().collect();
        reasons.sort_by_key(|(choice, _)| *choice);
        reasons.into_iter().map(|(_, reason)| reason.clone()).collect()
    }

    pub(super) fn finish_reason_of(&self, choice: u32) -> Option<&str> {
        self.finish_reasons.iter().find(|(known, _)| *known == choice).map(|(_, reason)| reason.as_ref())
    }

    /// Has every choice that was heard of come to its end?
    pub(super) fn is_finished(&self) -> bool {
        !self.finish_reasons.is_empty()
    }

    /// Forgets what was answered: the question is asked again.
    pub(super) fn clear(&mut self) {
        let content = self.content.take().map(Content::cleared);
        let (counter, chars) = (self.counter.take(), self.chars.map(|_| 0));
        *self = Self { counter, chars, content, ..Self::default() };
    }
}

fn keep_first(slot: &mut Option<String>, text: &str) {
    if slot.is_none() && !text.is_empty() && text.len() <= MAX_NAME_BYTES {
        *slot = Some(text.to_owned());
    }
}

fn well_known(reason: &str) -> Text {
    const WORDS: &[&str] = &[
        "stop",
        "length",
        "tool_calls",
        "content_filter",
        "end_turn",
        "max_tokens",
        "tool_use",
        "stop_sequence",
        "max_output_tokens",
        "function_call",
    ];
    WORDS
        .iter()
        .find(|word| **word == reason)
        .map_or_else(|| Cow::Owned(reason.to_owned()), |word| Cow::Borrowed(*word))
}
