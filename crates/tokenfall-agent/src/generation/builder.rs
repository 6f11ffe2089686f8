//! Describes a model call before it starts.

use serde::Serialize;
use serde_json::Value;

use super::answer::{Answer, Counter};
use super::content::{self, Content, Redact};
use super::price::Prices;
use super::{Generation, Recording, now};
use crate::context::Active;
use crate::event::{AttributeValue, LabelValue, Text};
use crate::otel::SpanKind;
use crate::semconv;
use crate::settings::Settings;
use crate::span::SpanBuilder;
use crate::target::host_and_port;

/// Type of model calls; the provider is the subtype. Elastic's server says the same of what OpenTelemetry reports.
const KIND: &str = "genai";

/// Describes a model call before it starts. Made by `capture_generation` and `generation` of an agent, a context, a transaction
/// or a span. Nothing of it is worked out if the call is not recorded.
#[must_use = "nothing starts before `start`"]
pub struct GenerationBuilder<'a> {
    parent: Option<Active>,
    name: Option<Text>,
    kind: Option<Text>,
    provider: Option<Text>,
    model: Option<Text>,
    operation: Text,
    server: Option<(Text, Option<u16>)>,
    attributes: Vec<(&'static str, AttributeValue)>,
    labels: Vec<(Text, LabelValue)>,
    /// Makes JSON of the question, if somebody wants to see it.
    input: Option<Box<dyn FnOnce() -> Option<Value> + 'a>>,
    prices: Option<Prices>,
    counter: Option<Counter>,
    estimates: bool,
    redact: Option<Redact>,
}

impl<'a> GenerationBuilder<'a> {
    pub(super) fn new(parent: Option<Active>) -> Self {
        Self {
            parent,
            name: None,
            kind: None,
            provider: None,
            model: None,
            operation: Text::Borrowed("chat"),
            server: None,
            attributes: Vec::new(),
            labels: Vec::new(),
            input: None,
            prices: None,
            counter: None,
            estimates: false,
            redact: None,
        }
    }

    /// Will it be recorded? If not, what it would be told need not be worked out.
    pub fn is_recorded(&self) -> bool {
        self.settings().is_some()
    }

    /// Was a provider named?
    #[cfg(feature = "async-openai")]
    pub(super) fn names_provider(&self) -> bool {
        self.provider.is_some()
    }

    fn settings(&self) -> Option<&Settings> {
        match &self.parent {
            Some(Active::Node(node)) => Some(&node.trace.settings),
            Some(Active::Unsampled(_)) | None => None,
        }
    }

    fn attribute_of(mut self, key: &'static str, value: impl Into<AttributeValue>) -> Self {
        if self.is_recorded() {
            self.attributes.push((key, value.into()));
        }
        self
    }

    /// Sets the name, such as `openaiChatCompletion`. Default: `chat gpt-4o`, operation and model.
    pub fn name(mut self, name: impl Into<Text>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets the span's type, such as `openai`. Default: `genai` with the provider as subtype.
    ///
    /// Servers that know `gen_ai.*` attributes (Tokenfall, Elastic) replace it by `genai` again when a provider is named.
    pub fn span_type(mut self, kind: impl Into<Text>) -> Self {
        self.kind = Some(kind.into());
        self
    }

    /// Names the provider: `openai`, `azure.ai.openai`, `anthropic`, `aws.bedrock`, `gcp.gemini`, `mistral_ai` … (OpenTelemetry's
    /// `gen_ai.provider.name`). The call counts as one to this dependency.
    pub fn provider(mut self, provider: impl Into<Text>) -> Self {
        self.provider = Some(provider.into());
        self
    }

    /// Names the model that is asked.
    pub fn model(mut self, model: impl Into<Text>) -> Self {
        self.model = Some(model.into());
        self
    }

    /// Sets the operation: `chat` (default), `text_completion`, `generate_content`, `embeddings`.
    pub fn operation(mut self, operation: impl Into<Text>) -> Self {
        self.operation = operation.into();
        self
    }

    /// Says where the model is asked: an address such as `https://api.openai.com/v1`.
    pub fn server(mut self, url: &str) -> Self {
        if self.is_recorded()
            && let Some(host) = host_and_port(url)
        {
            let (host, port) = host.rsplit_once(':').unwrap_or((&host, ""));
            let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
            self.server = Some((host.into(), port.parse().ok()));
        }
        self
    }

    /// Most tokens that may be answered.
    pub fn max_tokens(self, tokens: u64) -> Self {
        self.attribute_of(semconv::REQUEST_MAX_TOKENS, tokens)
    }

    /// Temperature.
    pub fn temperature(self, temperature: f64) -> Self {
        self.attribute_of(semconv::REQUEST_TEMPERATURE, temperature)
    }

    /// Probability mass from which tokens are taken.
    pub fn top_p(self, top_p: f64) -> Self {
        self.attribute_of(semconv::REQUEST_TOP_P, top_p)
    }

    /// Number of the most probable tokens from which one is taken.
    pub fn top_k(self, top_k: u64) -> Self {
        self.attribute_of(semconv::REQUEST_TOP_K, top_k)
    }

    /// Penalty of frequent tokens.
    pub fn frequency_penalty(self, penalty: f64) -> Self {
        self.attribute_of(semconv::REQUEST_FREQUENCY_PENALTY, penalty)
    }

    /// Penalty of tokens that occurred.
    pub fn presence_penalty(self, penalty: f64) -> Self {
        self.attribute_of(semconv::REQUEST_PRESENCE_PENALTY, penalty)
    }

    /// Seed.
    pub fn seed(self, seed: i64) -> Self {
        self.attribute_of(semconv::REQUEST_SEED, seed)
    }

    /// Number of answers asked for. 1 is not told, as it is the default.
    pub fn choice_count(self, n: u32) -> Self {
        if n == 1 { self } else { self.attribute_of(semconv::REQUEST_CHOICE_COUNT, n) }
    }

    /// Texts at which the answer ends.
    pub fn stop_sequences(self, stop: Vec<Text>) -> Self {
        self.attribute_of(semconv::REQUEST_STOP_SEQUENCES, stop)
    }

    /// How much the model shall think: `low`, `medium`, `high` …
    pub fn reasoning_level(self, level: impl Into<Text>) -> Self {
        self.attribute_of(semconv::REQUEST_REASONING_LEVEL, level.into())
    }

    /// Is the answer streamed? Need not be said of what is wrapped.
    pub fn stream(self, stream: bool) -> Self {
        if stream { self.attribute_of(semconv::REQUEST_STREAM, true) } else { self }
    }

    /// The conversation that the call is part of.
    pub fn conversation_id(self, id: impl Into<Text>) -> Self {
        self.attribute_of(semconv::CONVERSATION_ID, id.into())
    }

    /// Any other OpenTelemetry attribute.
    pub fn attribute(self, key: &'static str, value: impl Into<AttributeValue>) -> Self {
        self.attribute_of(key, value)
    }

    /// Sets a label.
    pub fn label(mut self, key: impl Into<Text>, value: impl Into<LabelValue>) -> Self {
        if self.is_recorded() {
            self.labels.push((key.into(), value.into()));
        }
        self
    }

    /// The question: messages as they are sent to the provider, OpenTelemetry's messages, or a text. Recorded only if content is
    /// captured (`capture_content`, off by default); otherwise it is used for counting tokens, or not looked at at all.
    pub fn input_messages(mut self, messages: &'a (impl Serialize + ?Sized)) -> Self {
        if self.is_recorded() {
            self.input = Some(Box::new(move || serde_json::to_value(messages).ok()));
        }
        self
    }

    /// Prices of the model: the call gets a cost, if its tokens are known.
    pub fn prices(mut self, prices: Prices) -> Self {
        self.prices = Some(prices);
        self
    }

    /// Counts the tokens with this function if the provider does not report them: of each piece of the answer when it comes, and of the texts of the question. Without it the number of content chunks stands for the tokens of a stream (`derived`).
    pub fn count_tokens(mut self, counter: impl Fn(&str) -> u64 + Send + Sync + 'static) -> Self {
        if self.is_recorded() {
            self.counter = Some(Box::new(counter));
        }
        self
    }

    /// Takes a quarter of the characters for the number of tokens if nothing else is known, and says that it is
    /// estimated. Good to a third for English text, worse for the rest.
    pub fn estimate_tokens(mut self) -> Self {
        self.estimates = true;
        self
    }

    /// Hides what must not leave the program, if content is captured.
    pub fn redact_content(mut self, redact: Redact) -> Self {
        self.redact = Some(redact);
        self
    }

    /// Starts the call.
    pub fn start(mut self) -> Generation {
        let settings = self.settings().map(|s| (s.capture_content, s.long_field_max_length));
        let Some((captures, max_chars)) = settings else {
            // Goes on with the trace, or does nothing.
            let span = SpanBuilder::new(self.parent, Text::Borrowed("chat")).exit().start();
            return Generation::unrecorded(span);
        };
        let start = now();
        let is_wanted = captures || self.counter.is_some() || self.estimates;
        let input = self.input.take().filter(|_| is_wanted).and_then(|input| input());
        let counted_input = input.as_ref().and_then(|input| self.counted(input));
        let name = self.name.take().unwrap_or_else(|| match &self.model {
            Some(model) => format!("{} {model}", self.operation).into(),
            None => self.operation.clone(),
        });
        let subtype = if self.kind.is_none() { self.provider.clone() } else { None };
        let kind = self.kind.unwrap_or(Text::Borrowed(KIND));
        let mut span = SpanBuilder::new(self.parent, name).span_type(kind.clone()).exit().started_at(start);
        if let Some(subtype) = subtype.clone() {
            span = span.subtype(subtype);
        }
        span = span.otel_kind(SpanKind::Client).attribute(semconv::OPERATION_NAME, self.operation);
        if let Some(provider) = self.provider {
            span = span
                .service_target(provider.clone(), None)
                .attribute(semconv::PROVIDER_NAME, provider.clone())
                .attribute(semconv::SYSTEM, provider);
        }
        if let Some(model) = self.model {
            span = span.attribute(semconv::REQUEST_MODEL, model);
        }
        for (key, value) in self.attributes {
            span = span.attribute(key, value);
        }
        if let Some((address, port)) = self.server {
            span = span.attribute(semconv::SERVER_ADDRESS, address.clone());
            if let Some(port) = port {
                span = span.attribute(semconv::SERVER_PORT, port);
            }
            span = span.destination(address, port);
        }
        for (key, value) in self.labels {
            span = span.label(key, value);
        }
        let input = input.filter(|_| captures);
        if let Some(messages) = input.and_then(|input| content::messages(&input, max_chars, self.redact)) {
            span = span.attribute(semconv::INPUT_MESSAGES, messages);
        }
        let mut span = span.start();
        if let Some(record) = span.record() {
            // Neither merged nor dropped, however short it is: its tokens and its cost would be lost.
            record.propagated = true;
        }
        let Some(node) = span.node().cloned() else { return Generation::unrecorded(span) };
        let answer = Answer {
            counter: self.counter,
            chars: self.estimates.then_some(0),
            content: captures.then(|| Content::new(max_chars)),
            ..Answer::default()
        };
        let mut recording = Recording::new(node, start, kind, subtype, answer);
        (recording.prices, recording.redact, recording.counted_input) = (self.prices, self.redact, counted_input);
        Generation::recorded(span, recording)
    }

    /// Tokens of the question by the counter, else by the estimate.
    fn counted(&self, input: &Value) -> Option<u64> {
        let mut sum = 0_u64;
        if let Some(counter) = &self.counter {
            content::texts(input, &mut |text| sum = sum.saturating_add(counter(text)));
            return Some(sum);
        }
        content::texts(input, &mut |text| sum += text.chars().count() as u64);
        self.estimates.then_some(sum.div_ceil(4))
    }
}

impl std::fmt::Debug for GenerationBuilder<'_> {
    /// Tells nothing of the content.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GenerationBuilder")
            .field("name", &self.name)
            .field("provider", &self.provider)
            .field("model", &self.model)
            .finish_non_exhaustive()
    }
}
