//! Labels and OpenTelemetry attributes.

use std::borrow::Cow;

use crate::event::{AttributeValue, LabelValue, Labels, OtelData, Text};
use crate::limits::{KEYWORD_CHARS, truncate};

use super::rules::Rules;
use super::writer::{Object, elements, json};

/// Label that names what was left out of a line.
const TRUNCATED: &str = "tokenfall_truncated";

/// Attributes that can be long: `long_field_max_length` holds for them, as for those of [`CONVERSATION`].
const LONG: &[&str] = &["db.query.text", "db.statement", "exception.message", "exception.stacktrace"];

/// Attributes that tell what was asked and answered, and those below them, such as `gen_ai.prompt.0.content`. They stay in the
/// program unless `capture_content` is on, whoever set them.
const CONVERSATION: &[&str] = &[
    "gen_ai.completion",
    "gen_ai.input.messages",
    "gen_ai.output.messages",
    "gen_ai.prompt",
    "gen_ai.retrieval.documents",
    "gen_ai.retrieval.query.text",
    "gen_ai.system_instructions",
    "gen_ai.tool.call.arguments",
    "gen_ai.tool.call.result",
    "gen_ai.tool.definitions",
];

/// Labels under `key`, and what was left out of the event beside `n_attributes` that go elsewhere.
pub(super) fn labels(o: &mut Object<'_>, key: &'static str, labels: &Labels, n_attributes: usize, rules: Rules<'_>) {
    let too_many = (labels.len() + n_attributes > rules.n_labels()).then_some("labels");
    let left_out = rules.size.left_out().or(too_many);
    if labels.is_empty() && left_out.is_none() {
        return;
    }
    o.object(key, |o| {
        for (key, value) in labels.iter().take(rules.n_labels()) {
            o.named(&label_key(key), |out| match value {
                LabelValue::Text(text) => json(out, truncate(text, KEYWORD_CHARS).as_ref()),
                LabelValue::Bool(value) => json(out, value),
                LabelValue::Number(value) => value.is_finite() && json(out, value),
            });
        }
        o.value(TRUNCATED, left_out);
    });
}

/// The key without `.`, `*` and `"`, which stand for something else in the store.
pub(super) fn label_key(key: &str) -> Cow<'_, str> {
    let key = truncate(key, KEYWORD_CHARS);
    if key.is_empty() {
        return Cow::Borrowed("_");
    }
    if key.contains(['.', '*', '"']) { Cow::Owned(key.replace(['.', '*', '"'], "_")) } else { key }
}

/// `otel`, of an event with `n_labels` labels.
pub(super) fn otel(o: &mut Object<'_>, otel: &OtelData, n_labels: usize, rules: Rules<'_>) {
    if otel.span_kind.is_none() && otel.attributes.is_empty() {
        return;
    }
    o.object("otel", |o| {
        o.value("span_kind", otel.span_kind.map(crate::otel::SpanKind::as_str));
        let n_attributes = rules.n_labels().saturating_sub(n_labels);
        let attributes = otel.attributes.iter().take(n_attributes);
        o.object("attributes", |o| attributes.for_each(|(key, value)| attribute(o, key, value, rules)));
    });
}

fn tells_conversation(key: &str) -> bool {
    let is_below = |name: &str| key.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    key.starts_with("gen_ai.") && CONVERSATION.iter().any(|name| is_below(name))
}

fn attribute(o: &mut Object<'_>, key: &Text, value: &AttributeValue, rules: Rules<'_>) {
    let is_conversation = tells_conversation(key);
    let is_content = is_conversation || LONG.contains(&key.as_ref());
    if key.is_empty() || (is_content && !rules.has_content()) || (is_conversation && !rules.settings.capture_content) {
        return;
    }
    let max = if is_content { rules.long_chars() } else { KEYWORD_CHARS };
    o.named(&truncate(key, KEYWORD_CHARS), |out| match value {
        AttributeValue::Text(text) => json(out, truncate(text, max).as_ref()),
        AttributeValue::Bool(value) => json(out, value),
        AttributeValue::Integer(value) => json(out, value),
        AttributeValue::Number(value) => value.is_finite() && json(out, value),
        AttributeValue::Texts(texts) => {
            let n_texts = rules.n_texts().min(texts.len());
            elements(out, texts.iter().take(n_texts), |out, text| json(out, truncate(text, max).as_ref()))
        }
    });
}
