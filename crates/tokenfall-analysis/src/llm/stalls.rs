//! Answers that stood still, and what stood before.

use serde_json::Value;
use tokenfall_api::llm::{Stall, StalledAnswer};
use tokenfall_model::{Document, TokenTimeline};

use super::calls::row;

/// Characters of the answer that are shown before a stall.
const TEXT_CHARS: usize = 80;

/// An answer with its stalls; `None` if it belongs to no trace or has none.
pub(super) fn stalled(document: &Document) -> Option<StalledAnswer> {
    let stream = document.tokenfall.as_ref()?.stream.as_ref()?;
    let timeline = TokenTimeline::parse(stream.timeline.as_deref()?).ok()?;
    let answer = answer_text(document);
    let stalls: Vec<Stall> = timeline
        .stalls()
        .into_iter()
        .map(|stall| Stall {
            offset_us: stall.offset_us,
            gap_us: stall.gap_us,
            after_chunks: stall.after_chunks,
            text_before: answer.as_ref().map(|text| before(text, stall.after_chunks, stream.chunks)),
        })
        .collect();
    (!stalls.is_empty()).then_some(StalledAnswer { call: row(document)?, stalls })
}

/// The end of what had come after some of the chunks, as if all were of equal length.
fn before(text: &str, after_chunks: u64, chunks: u64) -> String {
    let chars: Vec<char> = text.chars().collect();
    let share = after_chunks.min(chunks) as f64 / chunks.max(1) as f64;
    let end = (chars.len() as f64 * share).round() as usize;
    let from = end.saturating_sub(TEXT_CHARS);
    chars.get(from..end).unwrap_or_default().iter().collect()
}

/// Text of the first answer, if it was captured.
pub(crate) fn answer_text(document: &Document) -> Option<String> {
    let messages = &document.gen_ai.as_ref()?.output.as_ref()?.messages;
    let value: Value = serde_json::from_str(messages).ok()?;
    let first = value.as_array().and_then(|messages| messages.first()).unwrap_or(&value);
    let text = text_of(first);
    (!text.is_empty()).then_some(text)
}

/// Text of a message: `content` itself, or its parts.
fn text_of(message: &Value) -> String {
    let parts = ["parts", "content"].iter().find_map(|key| message.get(*key));
    match parts {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(parts)) => {
            let text = |part: &Value| {
                let text = part.get("content").or_else(|| part.get("text")).or(Some(part))?;
                text.as_str().map(ToOwned::to_owned)
            };
            parts.iter().filter_map(text).collect()
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_messages() {
        for (json, expected) in [
            (r#"{"role":"assistant","content":"abc"}"#, "abc"),
            (r#"{"parts":[{"type":"text","content":"a"},{"type":"text","content":"b"}]}"#, "ab"),
            (r#"{"content":[{"type":"text","text":"x"}]}"#, "x"),
            (r#"{"parts":[{"type":"tool_call","name":"f"}]}"#, ""),
            ("3", ""),
        ] {
            assert_eq!(text_of(&serde_json::from_str(json).unwrap()), expected, "{json}");
        }
    }

    #[test]
    fn what_stood_before() {
        assert_eq!(before("abcdefghij", 5, 10), "abcde");
        assert_eq!(before("abc", 99, 3), "abc");
        assert_eq!(before("", 1, 0), "");
        assert_eq!(before(&"é".repeat(200), 1, 1).chars().count(), TEXT_CHARS);
    }
}
