//! What attributes say about a model call: `gen_ai.*` of OpenTelemetry, and `tokenfall.*` of our own agent for what the
//! conventions have no name for (`docs/formats/token-timeline.md`, `docs/dependencies.md`).

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tokenfall_model::Usd;
use tokenfall_model::document::{
    Document, GenAi, GenAiMessages, GenAiRequest, GenAiResponse, GenAiUsage, Id, Name, TokenStream, TokenfallCost,
    TokenfallFields, TokenfallUsage, UsageSource,
};

use super::super::{some, url};
use super::attributes::Attributes;

// Names of one fact, the one of OpenTelemetry's conventions first, then its older names, those of OpenLLMetry and OpenInference.
const PROVIDER: &[&str] = &["gen_ai.provider.name", "gen_ai.system", "llm.provider", "llm.system"];
const REQUEST_MODEL: &[&str] = &["gen_ai.request.model", "llm.request.model", "llm.model_name", "embedding.model_name"];
const RESPONSE_MODEL: &[&str] = &["gen_ai.response.model", "llm.response.model"];
const INPUT_TOKENS: &[&str] =
    &["gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens", "llm.usage.prompt_tokens", "llm.token_count.prompt"];
const OUTPUT_TOKENS: &[&str] = &[
    "gen_ai.usage.output_tokens",
    "gen_ai.usage.completion_tokens",
    "llm.usage.completion_tokens",
    "llm.token_count.completion",
];
const TOTAL_TOKENS: &[&str] = &["gen_ai.usage.total_tokens", "llm.usage.total_tokens", "llm.token_count.total"];
const CACHE_READ_TOKENS: &[&str] = &[
    "gen_ai.usage.cache_read.input_tokens",
    "gen_ai.usage.cache_read_input_tokens",
    "llm.token_count.prompt_details.cache_read",
];
const CACHE_CREATION_TOKENS: &[&str] = &[
    "gen_ai.usage.cache_creation.input_tokens",
    "gen_ai.usage.cache_creation_input_tokens",
    "llm.token_count.prompt_details.cache_write",
];
const REASONING_TOKENS: &[&str] = &[
    "gen_ai.usage.reasoning.output_tokens",
    "gen_ai.usage.reasoning_tokens",
    "llm.token_count.completion_details.reasoning",
];
const COST_USD: &[&str] = &["tokenfall.cost.usd", "gen_ai.usage.cost", "llm.cost.total"];

/// Beginnings of numbered messages, and what stands between the number and `role` or `content`.
const INPUT_MESSAGES: &[(&str, &str)] = &[("llm.input_messages.", "message."), ("gen_ai.prompt.", "")];
const OUTPUT_MESSAGES: &[(&str, &str)] = &[("llm.output_messages.", "message."), ("gen_ai.completion.", "")];
/// Most numbered messages.
const MESSAGES_MAX: usize = 1_000;

/// Prefix of what the provider says about limits.
const RATELIMIT: &str = "tokenfall.ratelimit.";
/// Most facts about limits that are kept.
const RATELIMITS_MAX: usize = 32;

impl Attributes {
    /// Takes what is said about a model call.
    pub(super) fn gen_ai(&mut self, document: &mut Document) {
        let gen_ai = GenAi {
            provider: self.text(PROVIDER).map(|name| Name { name }),
            operation: self.text(&["gen_ai.operation.name"]).map(|name| Name { name }),
            request: some(GenAiRequest {
                model: self.text(REQUEST_MODEL),
                max_tokens: self.int(&["gen_ai.request.max_tokens"]),
                temperature: self.float("gen_ai.request.temperature"),
                top_p: self.float("gen_ai.request.top_p"),
                stream: self.take(&["gen_ai.request.stream", "gen_ai.is_streaming"], Value::as_bool),
            }),
            response: some(GenAiResponse {
                model: self.text(RESPONSE_MODEL),
                id: self.text(&["gen_ai.response.id"]),
                finish_reasons: self.take(&["gen_ai.response.finish_reasons"], texts).unwrap_or_default(),
                time_to_first_chunk: self.float("gen_ai.response.time_to_first_chunk"),
            }),
            usage: some(GenAiUsage {
                input_tokens: self.count(INPUT_TOKENS),
                output_tokens: self.count(OUTPUT_TOKENS),
                cache_read_input_tokens: self.count(CACHE_READ_TOKENS),
                cache_creation_input_tokens: self.count(CACHE_CREATION_TOKENS),
                reasoning_output_tokens: self.count(REASONING_TOKENS),
            }),
            input: self.messages("gen_ai.input.messages", INPUT_MESSAGES),
            output: self.messages("gen_ai.output.messages", OUTPUT_MESSAGES),
            conversation: self.text(&["gen_ai.conversation.id"]).map(|id| Id { id }),
        };
        let first = gen_ai.response.as_ref().and_then(|response| response.time_to_first_chunk);
        let fields = TokenfallFields {
            stream: self.stream(first),
            usage: self.usage(),
            cost: self.take(COST_USD, amount).map(TokenfallCost::reported),
            attempts: self.count(&["tokenfall.attempts"]),
            backoff_us: self.micros("tokenfall.backoff"),
            ratelimit: self.ratelimit(),
            ..TokenfallFields::default()
        };
        document.gen_ai = some(gen_ai).map(Box::new);
        document.tokenfall = some(fields).map(Box::new);
    }

    /// Messages as one attribute, else as one attribute for each part of each message.
    fn messages(&mut self, key: &str, numbered: &[(&str, &str)]) -> Option<GenAiMessages> {
        let whole = self.take(&[key], json_text);
        let messages = whole.or_else(|| numbered.iter().find_map(|(prefix, part)| self.numbered(prefix, part)))?;
        Some(GenAiMessages { messages })
    }

    /// `prefix.0.role`, `prefix.0.content`, `prefix.1.role` … as the JSON of OpenTelemetry's messages.
    fn numbered(&mut self, prefix: &str, part: &str) -> Option<String> {
        let mut messages: BTreeMap<usize, (String, String)> = BTreeMap::new();
        let place = |key: &str| {
            let (number, rest) = key.strip_prefix(prefix)?.split_once('.')?;
            let number: usize = number.parse().ok().filter(|number| *number < MESSAGES_MAX)?;
            let field = rest.strip_prefix(part)?;
            matches!(field, "role" | "content").then(|| (number, field == "role"))
        };
        let found =
            self.0.iter().filter_map(|(key, value)| Some((key.clone(), place(key)?, value.as_str()?.to_owned())));
        let found: Vec<_> = found.collect();
        for (key, (number, is_role), text) in found {
            self.0.remove(&key);
            let (role, content) = messages.entry(number).or_default();
            *(if is_role { role } else { content }) = text;
        }
        let message =
            |(role, content): (String, String)| json!({"role": role, "parts": [{"type": "text", "content": content}]});
        let messages: Vec<Value> = messages.into_values().map(message).collect();
        (!messages.is_empty()).then(|| Value::Array(messages).to_string())
    }

    /// Where the tokens come from, and their sum if somebody says it. A sender that says a sum reports it.
    fn usage(&mut self) -> Option<TokenfallUsage> {
        let source = self.take(&["tokenfall.usage.source"], |value| value.as_str().and_then(UsageSource::from_word));
        let total_tokens = self.count(TOTAL_TOKENS);
        let source = source.or(total_tokens.map(|_| UsageSource::Reported))?;
        Some(TokenfallUsage { source, total_tokens })
    }

    /// The stream as our agent measured it. Without the number of chunks and both times there is none.
    fn stream(&mut self, first: Option<f64>) -> Option<TokenStream> {
        let time_to_first_chunk_us = micros(first?)?;
        let has_all = ["tokenfall.stream.chunks", "tokenfall.stream.time_to_last_chunk"];
        if !has_all.iter().all(|key| self.0.get(*key).is_some_and(Value::is_number)) {
            return None;
        }
        Some(TokenStream {
            chunks: self.count(&["tokenfall.stream.chunks"])?,
            time_to_first_chunk_us,
            time_to_last_chunk_us: self.micros("tokenfall.stream.time_to_last_chunk")?,
            inter_token_p50_us: self.micros("tokenfall.stream.inter_token.p50"),
            inter_token_p95_us: self.micros("tokenfall.stream.inter_token.p95"),
            inter_token_max_us: self.micros("tokenfall.stream.inter_token.max"),
            timeline: self.text(&["tokenfall.stream.timeline"]),
            ..TokenStream::default()
        })
    }

    fn ratelimit(&mut self) -> BTreeMap<String, f64> {
        let known = self.0.iter().filter_map(|(key, value)| {
            let fact = key.strip_prefix(RATELIMIT).filter(|fact| !fact.is_empty())?;
            Some((url::cut(fact).to_owned(), value.as_f64()?))
        });
        let facts: BTreeMap<String, f64> = known.take(RATELIMITS_MAX).collect();
        for fact in facts.keys() {
            self.0.remove(&format!("{RATELIMIT}{fact}"));
        }
        facts
    }

    fn float(&mut self, key: &str) -> Option<f64> {
        self.take(&[key], |value| value.as_f64().filter(|number| number.is_finite()))
    }

    /// A number that is not negative. Senders whose numbers are all floating point send `12.0`.
    fn count(&mut self, keys: &[&str]) -> Option<u64> {
        let whole = |number: f64| (number >= 0.0 && number.fract() == 0.0 && number < 1e15).then_some(number as u64);
        self.take(keys, |value| value.as_u64().or_else(|| whole(value.as_f64()?)))
    }

    /// Seconds as microseconds.
    fn micros(&mut self, key: &str) -> Option<u64> {
        self.take(&[key], |value| micros(value.as_f64()?))
    }
}

fn micros(seconds: f64) -> Option<u64> {
    let us = (seconds * 1e6).round();
    (0.0..1e18).contains(&us).then_some(us as u64)
}

/// A list of texts, or one text.
fn texts(value: &Value) -> Option<Vec<String>> {
    let cut = |text: &str| url::cut(text).to_owned();
    match value {
        Value::String(text) => Some(vec![cut(text)]),
        Value::Array(values) => Some(values.iter().filter_map(Value::as_str).map(cut).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => None,
    }
}

/// JSON, as text or as it is. It is not cut.
fn json_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Array(_) | Value::Object(_) => Some(value.to_string()),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

/// An amount of money: a decimal number as text, or a number.
fn amount(value: &Value) -> Option<Usd> {
    match value {
        Value::String(text) => text.parse().ok().filter(|usd| *usd >= Usd::ZERO),
        _ => Usd::from_f64(value.as_f64()?),
    }
}
