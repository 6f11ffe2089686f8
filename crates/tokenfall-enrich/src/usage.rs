//! How many tokens a model call took, and how that is known: reported, counted, derived from the chunks, or estimated.

use serde_json::Value;
use tokenfall_model::document::{GenAiMessages, GenAiUsage, TokenfallFields, TokenfallUsage, UsageSource};
use tokenfall_model::{Document, Outcome};

use crate::labels::{LabelMap, Meaning};
use crate::{stream, tokenizer};

/// Chunks of a stream of OpenAI's that carry no token: the one with the role and the one with the reason for the end. With
/// `stream_options.include_usage` there is a third, but a program that asks for the usage reports it.
const PROTOCOL_CHUNKS: u64 = 2;
/// Characters of a token in English text, on average: the last resort, far off for code and for other languages.
const CHARS_PER_TOKEN: u64 = 4;
/// Longest captured text that is measured, in bytes.
const MESSAGES_BYTES_MAX: usize = 4 << 20;
/// Levels of messages that are looked into.
const DEPTH_MAX: usize = 8;

/// Completes model, numbers of tokens with their source, and what of the stream depends on them.
pub(crate) fn complete(document: &mut Document, labels: &LabelMap) {
    let model = model_of(document).or_else(|| labels.text(document, Meaning::Model));
    let (tokens, usage) = tokens_of(document, model.as_deref(), labels).unzip();
    if let Some(tokens) = tokens {
        document.gen_ai.get_or_insert_default().usage = Some(tokens);
    }
    let fields = document.tokenfall.get_or_insert_with(|| Box::new(TokenfallFields::default()));
    fields.model = model;
    fields.usage = usage;
    if let Some(stream) = &mut fields.stream {
        stream::complete(stream, tokens.and_then(|tokens| tokens.output_tokens));
    }
}

/// The model that answered, else the one that was asked.
fn model_of(document: &Document) -> Option<String> {
    let gen_ai = document.gen_ai.as_deref()?;
    let answered = gen_ai.response.as_ref().and_then(|response| response.model.as_ref());
    let asked = gen_ai.request.as_ref().and_then(|request| request.model.as_ref());
    answered.or(asked).filter(|model| !model.is_empty()).cloned()
}

/// The best numbers that there are. Of two numbers of different origin the worse one names the source of both.
fn tokens_of(document: &Document, model: Option<&str>, labels: &LabelMap) -> Option<(GenAiUsage, TokenfallUsage)> {
    let fields = document.tokenfall.as_deref();
    let sent = document.gen_ai.as_ref().and_then(|gen_ai| gen_ai.usage).unwrap_or_default();
    let sent_total = fields.and_then(|f| f.usage).and_then(|usage| usage.total_tokens);
    let label = |meaning| labels.tokens(document, meaning);
    let mut usage = GenAiUsage {
        input_tokens: sent.input_tokens.or_else(|| label(Meaning::InputTokens)),
        output_tokens: sent.output_tokens.or_else(|| label(Meaning::OutputTokens)),
        ..sent
    };
    let mut total = sent_total.or_else(|| label(Meaning::TotalTokens));
    let mut source = fields.and_then(|f| f.usage).map_or(UsageSource::Reported, |usage| usage.source);
    let is_known = usage.input_tokens.is_some() || usage.output_tokens.is_some() || total.is_some();
    // A call that failed wrote less than what came of it looks like, or nothing.
    if document.outcome() != Some(Outcome::Failure) {
        if usage.output_tokens.is_none()
            && let Some((tokens, how)) = output_of(document, model)
        {
            usage.output_tokens = Some(tokens);
            source = if is_known { source.max(how) } else { how };
        }
        if usage.input_tokens.is_none()
            && usage.output_tokens.is_some()
            && let Some((tokens, how)) =
                document.gen_ai.as_ref().and_then(|g| g.input.as_ref()).and_then(|m| said(m, model))
        {
            usage.input_tokens = Some(tokens.question());
            source = source.max(how);
        }
    }
    total = total.or_else(|| match (usage.input_tokens, usage.output_tokens) {
        (Some(input), Some(output)) => Some(input.saturating_add(output)),
        // Nothing is written by an embedding.
        (Some(input), None) if is_embedding(document) => Some(input),
        _ => None,
    });
    (usage != GenAiUsage::default() || total.is_some())
        .then_some((usage, TokenfallUsage { source, total_tokens: total }))
}

/// True if the call makes vectors, not text.
pub(crate) fn is_embedding(document: &Document) -> bool {
    let operation = document.gen_ai.as_ref().and_then(|gen_ai| gen_ai.operation.as_ref());
    operation.is_some_and(|operation| operation.name == "embeddings")
}

/// Tokens of the answer: counted, if its text was captured and the tokenizer is known; else from the chunks; else estimated.
fn output_of(document: &Document, model: Option<&str>) -> Option<(u64, UsageSource)> {
    let text = document.gen_ai.as_ref().and_then(|gen_ai| gen_ai.output.as_ref()).and_then(|m| said(m, model));
    let by_text = text.map(|(tokens, how)| (tokens.answer(), how)).filter(|(tokens, _)| *tokens > 0);
    let stream = document.tokenfall.as_ref().and_then(|fields| fields.stream.as_ref());
    let derived = stream.and_then(|stream| {
        // Our agent counts chunks with content alone, and measures the gaps between them; token spans are all chunks.
        let is_measured = stream.timeline.is_some() || stream.inter_token_p50_us.is_some();
        if is_measured { Some(stream.chunks) } else { stream.chunks.checked_sub(PROTOCOL_CHUNKS) }
    });
    let derived = derived.filter(|tokens| *tokens > 0).map(|tokens| (tokens, UsageSource::Derived));
    by_text.filter(|(_, how)| *how == UsageSource::Counted).or(derived).or(by_text)
}

/// Tokens of captured messages.
#[derive(Clone, Copy, Debug)]
struct Said {
    messages: u64,
    tokens: u64,
}

impl Said {
    /// As an answer: its text.
    fn answer(self) -> u64 {
        self.tokens
    }

    /// As a question: OpenAI adds three tokens to each message, and three that the answer begins with (its cookbook says so).
    fn question(self) -> u64 {
        self.tokens + 3 * self.messages + 3
    }
}

/// Tokens of messages, counted or estimated. `None` without any text.
fn said(messages: &GenAiMessages, model: Option<&str>) -> Option<(Said, UsageSource)> {
    if messages.messages.len() > MESSAGES_BYTES_MAX {
        return None;
    }
    let mut texts = Vec::new();
    let mut count = 1;
    match serde_json::from_str::<Value>(&messages.messages) {
        Ok(value) => {
            count = value.as_array().map_or(1, |messages| messages.len() as u64);
            collect(value, DEPTH_MAX, &mut texts);
        }
        Err(_) => texts.push(messages.messages.clone()),
    }
    let chars: u64 = texts.iter().map(|text| text.chars().count() as u64).sum();
    if chars == 0 {
        return None;
    }
    let counted = model.and_then(|model| tokenizer::count(model, &texts));
    Some(match counted {
        Some(tokens) => (Said { messages: count, tokens }, UsageSource::Counted),
        None => (Said { messages: count, tokens: chars.div_ceil(CHARS_PER_TOKEN) }, UsageSource::Estimated),
    })
}

/// What was said: the texts under `content` and `text`, wherever they are.
fn collect(value: Value, depth: usize, texts: &mut Vec<String>) {
    if depth == 0 {
        return;
    }
    match value {
        Value::Array(values) => values.into_iter().for_each(|value| collect(value, depth - 1, texts)),
        Value::Object(fields) => {
            for (key, value) in fields {
                match value {
                    Value::String(text) if key == "content" || key == "text" => texts.push(text),
                    Value::Array(_) | Value::Object(_) => collect(value, depth - 1, texts),
                    _ => {}
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests;
