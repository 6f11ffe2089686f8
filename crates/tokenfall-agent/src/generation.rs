//! Model calls: one span for each, from the question to the last token, and what a person wants to know of it.
//!
//! ```text
//! user-query                ████████████████████████████████
//!   chat gpt-4o-mini         ██████████████████████████████   tokens, cost, finish reason, time to first token, timeline …
//!     token                          ▌▌▌▌▌▌▌▌▌▌▌▌▌▌▌▌▌▌▌▌▌▌   63 merged spans: what the program did with each token
//! ```
//!
//! # Streams
//!
//! ```
//! # #[cfg(feature = "stream")]
//! # async fn example(agent: tokenfall_agent::Agent, transaction: &tokenfall_agent::Transaction) {
//! use futures_util::StreamExt;
//! use serde_json::json;
//! use tokenfall_agent::generation::GenerationError;
//!
//! # let answer = futures_util::stream::iter([Ok::<_, GenerationError>(json!({}))]);
//! let generation = transaction
//!     .capture_generation("openaiChatCompletion")
//!     .provider("openai")
//!     .model("gpt-4o-mini")
//!     .start();
//! // `answer` is a stream of chunks: of `serde_json::Value`s here, of `async-openai`'s chunks with that feature, …
//! let mut answer = generation.wrap(answer);
//! while let Some(chunk) = answer.next().await {
//!     // Show it.
//! #   drop(chunk);
//! }
//! // The article's labels: what a request took over all of its model calls is the program's to add up.
//! if let Some(summary) = answer.summary() {
//!     if let Some(tokens) = summary.total_tokens() {
//!         transaction.label("openai_tokens", tokens);
//!     }
//!     if let Some(cost) = summary.cost {
//!         transaction.label("openai_cost", cost.as_f64());
//!     }
//! }
//! # }
//! ```
//!
//! A stream that is dropped before its end ends its span with outcome `unknown`, and with the tokens that came until then.
//! Bytes of an HTTP body are wrapped by [`Generation::wrap_sse`], which passes them on as they are. Without a `Stream`, tell
//! [`Generation::chunk`], or wrap an iterator ([`Generation::wrap_iter`]).
//!
//! # Tokens
//!
//! Numbers come from the provider's usage report (`reported`; OpenAI sends one at the end of a stream if it is asked for it
//! with `stream_options: {"include_usage": true}`), else from a [counter](GenerationBuilder::count_tokens) (`counted`), else the
//! chunks with content stand for the tokens of a stream (`derived`), else, if wished, from a quarter of the characters
//! ([`estimated`](GenerationBuilder::estimate_tokens)). What is not known is not told.
//!
//! # Content
//!
//! Questions and answers stay in the program unless `capture_content` is on. Then [`GenerationBuilder::redact_content`] hides
//! what must not leave it, and long texts are cut.

mod answer;
mod builder;
mod content;
mod failure;
mod iter;
mod meter;
#[cfg(feature = "async-openai")]
mod openai;
mod price;
mod provider;
mod rate_limit;
mod sse;
#[cfg(feature = "stream")]
mod stream;
mod timeline;
mod tokens;

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub use answer::{Answer, CompletionChunk, TokenUsage};
pub use builder::GenerationBuilder;
pub use content::Redact;
pub use failure::{GenerationError, GenerationErrorKind};
pub use iter::GenerationIter;
pub use price::{PriceError, Prices, TokenPrice, Usd};
pub use provider::ProviderChunk;
pub use sse::EventReader;
#[cfg(feature = "stream")]
pub use stream::{GenerationByteStream, GenerationStream};

use crate::agent::Agent;
use crate::clock::wall_us;
use crate::context::{Active, Context, ContextGuard};
use crate::event::{AttributeValue, LabelValue, Outcome, Text};
use crate::propagation::TraceContext;
use crate::semconv;
use crate::span::Span;
use crate::trace::Node;
use crate::transaction::Transaction;
use content::Redact as RedactFn;
use meter::{Arrived, Meter};
use tokens::TokenSpans;

macro_rules! entry_points {
    ($($type:ty: |$this:ident| $parent:expr;)+) => {$(
        impl $type {
            /// Describes a model call of this name, such as `openaiChatCompletion`.
            pub fn capture_generation<'a>(&self, name: impl Into<Text>) -> GenerationBuilder<'a> {
                self.generation().name(name)
            }

            /// Describes a model call that is named after operation and model: `chat gpt-4o`.
            pub fn generation<'a>(&self) -> GenerationBuilder<'a> {
                let $this = self;
                GenerationBuilder::new($parent.active)
            }
        }
    )+};
}

entry_points! {
    Agent: |_this| Context::current();
    Context: |this| this.clone();
    Transaction: |this| this.context();
    Span: |this| this.context();
}

/// Describes a model call of this name under what is current on this thread or task.
pub fn capture_generation<'a>(name: impl Into<Text>) -> GenerationBuilder<'a> {
    Context::current().capture_generation(name)
}

/// The time. Tests set it.
fn now() -> Instant {
    #[cfg(test)]
    if let Some(now) = tests::NOW.get() {
        return now;
    }
    Instant::now()
}

/// Where token counts come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UsageSource {
    /// The provider said so.
    Reported,
    /// A [counter](GenerationBuilder::count_tokens) counted them.
    Counted,
    /// As many as there were chunks with content.
    Derived,
    /// A quarter of the characters.
    Estimated,
}

impl UsageSource {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reported => "reported",
            Self::Counted => "counted",
            Self::Derived => "derived",
            Self::Estimated => "estimated",
        }
    }
}

/// What a call was like. Empty if the call was not recorded.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct GenerationSummary {
    /// Tokens, as far as they are known.
    pub usage: TokenUsage,
    /// Where they come from; if from several places, the least certain one. `None` if none are known.
    pub usage_source: Option<UsageSource>,
    /// Cost, if prices were given and the tokens are known.
    pub cost: Option<Usd>,
    /// Chunks with content.
    pub chunks: u64,
    /// From the start of the call to its first chunk with content.
    pub time_to_first_chunk: Option<Duration>,
    /// From the start of the call to its last chunk with content.
    pub time_to_last_chunk: Option<Duration>,
    /// Why each choice ended, in the provider's words.
    pub finish_reasons: Vec<Text>,
}

impl GenerationSummary {
    /// Tokens of question and answer; of one of them if the other is not known.
    pub fn total_tokens(&self) -> Option<u64> {
        match (self.usage.input, self.usage.output) {
            (None, None) => None,
            (input, output) => Some(input.unwrap_or(0).saturating_add(output.unwrap_or(0))),
        }
    }
}

/// A running model call. It is an exit span: what the HTTP client inside of it does is part of it and is no span of its own.
///
/// Ends with [`finish`](Self::finish), with its stream or iterator if it wraps one, or when it is dropped. Dropped before its end, its
/// outcome is `unknown`.
#[must_use = "the call ends when this is dropped"]
pub struct Generation {
    span: Span,
    recording: Option<Box<Recording>>,
}

impl fmt::Debug for Generation {
    /// Tells nothing of the content.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Generation").field("is_recorded", &self.is_recorded()).finish_non_exhaustive()
    }
}

/// What is known of a call that is recorded.
struct Recording {
    node: Arc<Node>,
    answer: Answer,
    meter: Meter,
    tokens: TokenSpans,
    prices: Option<Prices>,
    redact: Option<RedactFn>,
    counted_input: Option<u64>,
    retries: u32,
    backoff: Duration,
    failure_sent: bool,
}

/// How a call comes to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    /// The program says so.
    Finished,
    /// The stream has no more chunks.
    StreamEnded,
    /// Nobody wants the rest.
    Dropped,
}

impl Recording {
    fn new(node: Arc<Node>, start: Instant, kind: Text, subtype: Option<Text>, answer: Answer) -> Self {
        Self {
            tokens: TokenSpans::new(Arc::clone(&node), kind, subtype),
            node,
            answer,
            meter: Meter::new(start),
            prices: None,
            redact: None,
            counted_input: None,
            retries: 0,
            backoff: Duration::ZERO,
            failure_sent: false,
        }
    }

    fn context(&self) -> Context {
        Context { active: Some(Active::Node(Arc::clone(&self.node))) }
    }

    /// Reads a chunk that came `at` this moment.
    fn chunk_at(&mut self, chunk: &(impl CompletionChunk + ?Sized), at: Instant) {
        let pieces = self.answer.pieces;
        chunk.tell(&mut self.answer);
        if self.answer.pieces != pieces {
            self.meter.chunk(at);
            self.tokens.arrived(at);
        }
        if self.answer.failure.is_some() && !self.failure_sent {
            self.send_failure();
        }
    }

    #[cold]
    fn send_failure(&mut self) {
        if let Some(failure) = &self.answer.failure {
            self.failure_sent = true;
            failure.send(&self.context());
        }
    }

    /// Tokens by the best source that there is.
    fn usage(&self) -> (TokenUsage, Option<UsageSource>) {
        let answer = &self.answer;
        let reported = answer.usage;
        if reported.output.is_some() || (reported.input.is_some() && answer.pieces == 0) {
            return (reported, Some(UsageSource::Reported));
        }
        let (output, source) = if answer.counter.is_some() {
            (answer.counted, UsageSource::Counted)
        } else if self.meter.chunks() > 0 {
            (answer.pieces, UsageSource::Derived)
        } else if let Some(chars) = answer.chars {
            (chars.div_ceil(4), UsageSource::Estimated)
        } else {
            return (reported, None);
        };
        if answer.pieces == 0 && answer.failure.is_some() {
            // Nothing was answered, so nothing can be said of what it took.
            return (reported, None);
        }
        let input = if source == UsageSource::Derived { None } else { self.counted_input };
        let input = reported.input.or(input);
        (TokenUsage { input, output: Some(output), ..reported }, Some(source))
    }

    fn summary(&self, arrived: Option<&Arrived>) -> GenerationSummary {
        let (usage, usage_source) = self.usage();
        GenerationSummary {
            usage,
            usage_source,
            cost: self.prices.and_then(|prices| prices.cost(&usage)),
            chunks: arrived.map_or(0, |arrived| arrived.chunks),
            time_to_first_chunk: arrived.map(|arrived| arrived.time_to_first),
            time_to_last_chunk: arrived.map(|arrived| arrived.time_to_last),
            finish_reasons: self.answer.finish_reasons(),
        }
    }

    fn outcome(&self, ending: Ending) -> Outcome {
        let answer = &self.answer;
        match ending {
            _ if answer.failure.is_some() => Outcome::Failure,
            Ending::Dropped if std::thread::panicking() => Outcome::Failure,
            Ending::Dropped if answer.is_finished() => Outcome::Success,
            Ending::Dropped => Outcome::Unknown,
            // The connection was closed in the middle of the answer.
            Ending::StreamEnded if answer.must_finish && !answer.is_finished() => Outcome::Unknown,
            Ending::Finished | Ending::StreamEnded => Outcome::Success,
        }
    }
}

impl Generation {
    fn unrecorded(span: Span) -> Self {
        Self { span, recording: None }
    }

    fn recorded(span: Span, recording: Recording) -> Self {
        Self { span, recording: Some(Box::new(recording)) }
    }

    /// A call that is not recorded.
    pub const fn disabled() -> Self {
        Self { span: Span::disabled(), recording: None }
    }

    /// Is it recorded? If not, what it would be told need not be worked out.
    pub fn is_recorded(&self) -> bool {
        self.recording.is_some()
    }

    /// Its position. The request to the provider is best made in it (`InContextExt::in_context`), so that an instrumented HTTP
    /// client knows that it is part of this call.
    pub fn context(&self) -> Context {
        self.span.context()
    }

    /// Makes it the current span of this thread until the guard is dropped.
    pub fn activate(&self) -> ContextGuard {
        self.span.activate()
    }

    /// What to send along with the request.
    pub fn trace_context(&mut self) -> Option<TraceContext> {
        self.span.trace_context()
    }

    /// Sets a label of the span.
    pub fn label(&mut self, key: impl Into<Text>, value: impl Into<LabelValue>) {
        self.span.label(key, value);
    }

    /// Sets an OpenTelemetry attribute of the span.
    pub fn attribute(&mut self, key: impl Into<Text>, value: impl Into<AttributeValue>) {
        self.span.attribute(key, value);
    }

    /// Sets the outcome, whatever happens.
    pub fn set_outcome(&mut self, outcome: Outcome) {
        self.span.set_outcome(outcome);
    }

    /// A chunk has come. If it has content it is a token: a token span begins, which lasts until
    /// [`token_done`](Self::token_done) and, if that is never called, no time.
    pub fn chunk(&mut self, chunk: &(impl CompletionChunk + ?Sized)) {
        if let Some(recording) = &mut self.recording {
            recording.chunk_at(chunk, now());
        } else if chunk.is_error() {
            let mut answer = Answer::default();
            chunk.tell(&mut answer);
            if let Some(failure) = answer.failure {
                failure.send(&self.span.context());
            }
        }
    }

    /// A token has come of which nothing else is known: as [`chunk`](Self::chunk).
    pub fn token(&mut self) {
        if let Some(recording) = &mut self.recording {
            let at = now();
            recording.answer.other_content();
            recording.meter.chunk(at);
            recording.tokens.arrived(at);
        }
    }

    /// The program is done with the token that came last and waits for the next one.
    pub fn token_done(&mut self) {
        if let Some(recording) = &mut self.recording
            && recording.tokens.is_open()
        {
            recording.tokens.consumed(now());
        }
    }

    /// The whole answer, of a call that does not stream.
    pub fn response(&mut self, answer: &(impl CompletionChunk + ?Sized)) {
        if let Some(recording) = &mut self.recording {
            answer.tell(&mut recording.answer);
            if recording.answer.failure.is_some() && !recording.failure_sent {
                recording.send_failure();
            }
        }
    }

    /// Headers of the answer: what they say about rate limits is noted.
    pub fn response_headers<'h>(&mut self, headers: impl IntoIterator<Item = (&'h str, &'h str)>) {
        if self.recording.is_none() {
            return;
        }
        let now_us = wall_us();
        self.span.details(|details| {
            for (name, value) in headers {
                rate_limit::note(&mut details.otel.attributes, name, value, now_us);
            }
        });
    }

    /// An attempt has failed, and the question will be asked again after `wait`. The error is recorded, the call goes on, and what
    /// the failed attempt answered is forgotten. The span tells the number of attempts and the time waited.
    pub fn retry<E: Error + 'static>(&mut self, error: &E, wait: Duration) {
        failure::Failure::of(error).send(&self.span.context());
        let Some(recording) = &mut self.recording else { return };
        recording.retries = recording.retries.saturating_add(1);
        recording.backoff = recording.backoff.saturating_add(wait);
        recording.tokens.consumed(now());
        recording.answer.clear();
        recording.meter.clear();
        recording.failure_sent = false;
    }

    /// The call has failed. The error is recorded, and the outcome is failure. The first error counts.
    pub fn fail<E: Error + 'static>(&mut self, error: &E) {
        if let Some(recording) = &mut self.recording {
            recording.answer.error(error);
            if !recording.failure_sent {
                recording.send_failure();
            }
        } else {
            failure::Failure::of(error).send(&self.span.context());
        }
    }

    /// Ends the call now: as a success, unless it failed.
    pub fn finish(mut self) -> GenerationSummary {
        self.end(Ending::Finished)
    }

    /// Wraps a stream of chunks: each one is measured on its way. The call ends with the stream. Items are chunks or `Result`s
    /// of chunks, of which an error fails the call.
    ///
    /// While the stream is polled, this call is the current span.
    #[cfg(feature = "stream")]
    pub fn wrap<S>(self, stream: S) -> GenerationStream<S>
    where
        S: futures_core::Stream,
        S::Item: CompletionChunk,
    {
        GenerationStream::new(self, stream)
    }

    /// Wraps the body of a streamed HTTP response, in any of the formats that [`ProviderChunk`] reads, as server-sent events or
    /// newline-delimited JSON. The bytes are passed on as they are.
    #[cfg(feature = "stream")]
    pub fn wrap_sse<S, B, E>(self, bytes: S) -> GenerationByteStream<S>
    where
        S: futures_core::Stream<Item = Result<B, E>>,
        B: AsRef<[u8]>,
        E: Error + 'static,
    {
        GenerationByteStream::new(self, bytes)
    }

    /// Wraps an iterator over chunks, for programs that block: as `wrap` for streams.
    pub fn wrap_iter<I>(self, iter: I) -> GenerationIter<I::IntoIter>
    where
        I: IntoIterator,
        I::Item: CompletionChunk,
    {
        GenerationIter::new(self, iter.into_iter())
    }

    /// Ends the span. What a second call gives is empty.
    fn end(&mut self, ending: Ending) -> GenerationSummary {
        let Some(mut recording) = self.recording.take() else {
            // Not recorded: the span only goes on with the trace.
            self.span = Span::disabled();
            return GenerationSummary::default();
        };
        let end = now();
        recording.tokens.consumed(end);
        recording.tokens.flush();
        let arrived = recording.meter.arrived();
        let summary = recording.summary(arrived.as_ref());
        let outcome = recording.outcome(ending);
        self.describe(&mut recording, &summary, arrived);
        self.span.finish_as(end, outcome);
        summary
    }

    fn describe(&mut self, recording: &mut Recording, summary: &GenerationSummary, arrived: Option<Arrived>) {
        let redact = recording.redact;
        let answer = &mut recording.answer;
        let span = &mut self.span;
        let mut put = |key: &'static str, value: Option<AttributeValue>| {
            if let Some(value) = value {
                span.attribute(key, value);
            }
        };
        put(semconv::RESPONSE_MODEL, answer.model.take().map(Into::into));
        put(semconv::RESPONSE_ID, answer.id.take().map(Into::into));
        let reasons = &summary.finish_reasons;
        put(semconv::RESPONSE_FINISH_REASONS, (!reasons.is_empty()).then(|| reasons.clone().into()));
        let usage = &summary.usage;
        put(semconv::USAGE_INPUT_TOKENS, usage.input.map(Into::into));
        put(semconv::USAGE_OUTPUT_TOKENS, usage.output.map(Into::into));
        put(semconv::USAGE_CACHE_READ_INPUT_TOKENS, usage.cache_read.map(Into::into));
        put(semconv::USAGE_CACHE_CREATION_INPUT_TOKENS, usage.cache_creation.map(Into::into));
        put(semconv::USAGE_REASONING_OUTPUT_TOKENS, usage.reasoning.map(Into::into));
        put(semconv::USAGE_SOURCE, summary.usage_source.map(|source| source.as_str().into()));
        put(semconv::COST_USD, summary.cost.map(|cost| cost.to_string().into()));
        put(semconv::ERROR_TYPE, answer.failure.as_ref().map(|failure| failure.kind().into()));
        if recording.retries > 0 {
            put(semconv::ATTEMPTS, Some((u64::from(recording.retries) + 1).into()));
            put(semconv::BACKOFF, Some(recording.backoff.as_secs_f64().into()));
        }
        if let Some(arrived) = arrived {
            let seconds = |time: Duration| Some(time.as_secs_f64().into());
            put(semconv::REQUEST_STREAM, Some(true.into()));
            put(semconv::RESPONSE_TIME_TO_FIRST_CHUNK, seconds(arrived.time_to_first));
            put(semconv::STREAM_TIME_TO_LAST_CHUNK, seconds(arrived.time_to_last));
            put(semconv::STREAM_CHUNKS, Some(arrived.chunks.into()));
            put(semconv::STREAM_TIMELINE, arrived.timeline.map(Into::into));
            if let Some(gaps) = arrived.gaps {
                put(semconv::STREAM_INTER_TOKEN_P50, seconds(gaps.p50));
                put(semconv::STREAM_INTER_TOKEN_P95, seconds(gaps.p95));
                put(semconv::STREAM_INTER_TOKEN_MAX, seconds(gaps.max));
            }
        }
        let content = answer.content.take();
        let reason = |choice: u32| answer.finish_reason_of(choice).map(ToOwned::to_owned);
        put(semconv::OUTPUT_MESSAGES, content.and_then(|c| c.messages(redact, reason)).map(Into::into));
    }
}

impl Drop for Generation {
    fn drop(&mut self) {
        if self.recording.is_some() {
            self.end(Ending::Dropped);
        }
    }
}

#[cfg(test)]
mod tests;
