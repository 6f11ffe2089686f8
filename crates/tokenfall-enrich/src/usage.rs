//! How many tokens a model call took, and how that is known: reported, counted, derived from the chunks, or estimated.

use serde_json::Value;
use tokenfall_model::document::{GenAiMessages, GenAiUsage, TokenfallFields, TokenfallUsage, UsageSource};
use tokenfall_model::{Document, Outcome};

use crate::labels::{LabelMap, Meaning};
use crate::stream;

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
    let (tokens, usage) = tokens_of(document, labels).unzip();
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
fn tokens_of(document: &Document, labels: &LabelMap) -> Option<(GenAiUsage, TokenfallUsage)> {
    let fields = document.tokenfall.as_deref();
    let said = document.gen_ai.as_ref().and_then(|gen_ai| gen_ai.usage).unwrap_or_default();
    let said_total = fields.and_then(|f| f.usage).and_then(|usage| usage.total_tokens);
    let label = |meaning| labels.tokens(document, meaning);
    let mut usage = GenAiUsage {
        input_tokens: said.input_tokens.or_else(|| label(Meaning::InputTokens)),
        output_tokens: said.output_tokens.or_else(|| label(Meaning::OutputTokens)),
        ..said
    };
    let mut total = said_total.or_else(|| label(Meaning::TotalTokens));
    let mut source = fields.and_then(|f| f.usage).map_or(UsageSource::Reported, |usage| usage.source);
    let is_known = usage.input_tokens.is_some() || usage.output_tokens.is_some() || total.is_some();
    // A call that failed wrote less than what came of it looks like, or nothing.
    if document.outcome() != Some(Outcome::Failure) {
        if usage.output_tokens.is_none()
            && let Some((tokens, how)) = output_of(document)
        {
            usage.output_tokens = Some(tokens);
            source = if is_known { source.max(how) } else { how };
        }
        if usage.input_tokens.is_none()
            && usage.output_tokens.is_some()
            && let Some(tokens) = document.gen_ai.as_ref().and_then(|g| g.input.as_ref()).and_then(estimate)
        {
            usage.input_tokens = Some(tokens);
            source = source.max(UsageSource::Estimated);
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

/// Tokens of the answer from its chunks, else from its text.
fn output_of(document: &Document) -> Option<(u64, UsageSource)> {
    let stream = document.tokenfall.as_ref().and_then(|fields| fields.stream.as_ref());
    let derived = stream.and_then(|stream| {
        // Our agent counts chunks with content alone, and measures the gaps between them; token spans are all chunks.
        let is_measured = stream.timeline.is_some() || stream.inter_token_p50_us.is_some();
        if is_measured { Some(stream.chunks) } else { stream.chunks.checked_sub(PROTOCOL_CHUNKS) }
    });
    let derived = derived.filter(|tokens| *tokens > 0).map(|tokens| (tokens, UsageSource::Derived));
    let text = || document.gen_ai.as_ref().and_then(|gen_ai| gen_ai.output.as_ref());
    derived.or_else(|| text().and_then(estimate).map(|tokens| (tokens, UsageSource::Estimated)))
}

fn estimate(messages: &GenAiMessages) -> Option<u64> {
    if messages.messages.len() > MESSAGES_BYTES_MAX {
        return None;
    }
    let chars = serde_json::from_str(&messages.messages)
        .map_or_else(|_| messages.messages.chars().count() as u64, |value| chars_of(&value, DEPTH_MAX));
    (chars > 0).then(|| chars.div_ceil(CHARS_PER_TOKEN))
}

/// Characters of what was said: the texts under `content`, wherever they are.
fn chars_of(value: &Value, depth: usize) -> u64 {
    if depth == 0 {
        return 0;
    }
    match value {
        Value::Array(values) => values.iter().map(|value| chars_of(value, depth - 1)).sum(),
        Value::Object(fields) => fields
            .iter()
            .map(|(key, value)| match value {
                Value::String(text) if key == "content" || key == "text" => text.chars().count() as u64,
                Value::Array(_) | Value::Object(_) => chars_of(value, depth - 1),
                _ => 0,
            })
            .sum(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests;
