//! Messages of a request → OpenTelemetry's messages.

use serde_json::{Map, Value, json};

use super::{MIN_TEXT_CHARS, Redact, cut, fit, redacted};

/// Deepest nesting that is kept; deeper values become `null`.
const MAX_DEPTH: usize = 32;

/// `gen_ai.input.messages`, from messages as they are sent to OpenAI or Anthropic (`role`, `content`), as OpenTelemetry has
/// them (`role`, `parts`), or from a text. `None` for anything else.
pub(in crate::generation) fn messages(input: &Value, max_chars: usize, redact: Option<Redact>) -> Option<String> {
    let mut messages: Vec<Value> = match input {
        Value::String(text) => vec![json!({ "role": "user", "parts": [{ "type": "text", "content": text }] })],
        Value::Array(messages) => messages.iter().filter_map(message).collect(),
        Value::Object(_) => message(input).into_iter().collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    };
    if messages.is_empty() {
        return None;
    }
    let max_chars = max_chars.max(MIN_TEXT_CHARS);
    for message in &mut messages {
        clean(message, max_chars, redact, 0);
    }
    Some(fit(messages, max_chars))
}

/// Calls `each` with every text of the question, for counting.
pub(in crate::generation) fn texts(input: &Value, each: &mut impl FnMut(&str)) {
    match input {
        Value::String(text) => each(text),
        Value::Array(messages) => messages.iter().for_each(|message| match message {
            Value::String(text) => each(text),
            Value::Object(message) => {
                for part in parts(message) {
                    for key in ["content", "response", "arguments"] {
                        match part.get(key) {
                            Some(Value::String(text)) => each(text),
                            Some(value @ (Value::Object(_) | Value::Array(_))) => each(&value.to_string()),
                            _ => {}
                        }
                    }
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => {}
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => {}
    }
}

fn message(from: &Value) -> Option<Value> {
    if let Value::String(text) = from {
        return Some(json!({ "role": "user", "parts": [{ "type": "text", "content": text }] }));
    }
    let from = from.as_object()?;
    let mut message = Map::new();
    message.insert("role".to_owned(), from.get("role").cloned().unwrap_or_else(|| "user".into()));
    message.insert("parts".to_owned(), Value::Array(parts(from)));
    if let Some(name) = from.get("name").filter(|name| name.is_string()) {
        message.insert("name".to_owned(), name.clone());
    }
    Some(Value::Object(message))
}

fn parts(message: &Map<String, Value>) -> Vec<Value> {
    if let Some(Value::Array(parts)) = message.get("parts") {
        return parts.clone();
    }
    if let Some(id) = message.get("tool_call_id") {
        let response = message.get("content").cloned().unwrap_or_default();
        return vec![json!({ "type": "tool_call_response", "id": id, "response": response })];
    }
    let mut parts = match message.get("content") {
        Some(Value::String(text)) => vec![json!({ "type": "text", "content": text })],
        Some(Value::Array(parts)) => parts.iter().map(part).collect(),
        _ => Vec::new(),
    };
    let calls = message.get("tool_calls").and_then(Value::as_array);
    parts.extend(calls.into_iter().flatten().map(|call| {
        let function = call.get("function").unwrap_or(call);
        let of = |value: Option<&Value>| value.cloned().unwrap_or_default();
        json!({
            "type": "tool_call",
            "id": of(call.get("id")),
            "name": of(function.get("name")),
            "arguments": of(function.get("arguments")),
        })
    }));
    parts
}

/// A part of a content: OpenAI's and Anthropic's texts, images and tools; anything else stays as it is.
fn part(from: &Value) -> Value {
    let text = |key: &str| from.get(key).cloned().unwrap_or_default();
    match from.get("type").and_then(Value::as_str) {
        Some("text" | "input_text" | "output_text") => json!({ "type": "text", "content": text("text") }),
        Some("refusal") => json!({ "type": "text", "content": text("refusal") }),
        Some("thinking") => json!({ "type": "reasoning", "content": text("thinking") }),
        Some("image_url") => {
            let uri = from.pointer("/image_url/url").cloned().unwrap_or_default();
            json!({ "type": "uri", "modality": "image", "uri": uri })
        }
        Some("tool_use") => {
            json!({ "type": "tool_call", "id": text("id"), "name": text("name"), "arguments": text("input") })
        }
        Some("tool_result") => {
            json!({ "type": "tool_call_response", "id": text("tool_use_id"), "response": text("content") })
        }
        _ => from.clone(),
    }
}

/// Redacts and cuts every text, and bounds the nesting.
fn clean(value: &mut Value, max_chars: usize, redact: Option<Redact>, depth: usize) {
    if depth > MAX_DEPTH {
        *value = Value::Null;
        return;
    }
    match value {
        Value::String(text) => {
            let clean = redacted(text, redact);
            let clean = cut(&clean, max_chars, 0).unwrap_or_else(|| clean.into_owned());
            *text = clean;
        }
        Value::Array(values) => values.iter_mut().for_each(|value| clean(value, max_chars, redact, depth + 1)),
        Value::Object(map) => {
            for (key, value) in map.iter_mut() {
                // These are words of the format, not of the user.
                let is_content = !(matches!(key.as_str(), "role" | "type") && value.is_string());
                if is_content {
                    clean(value, max_chars, redact, depth + 1);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
