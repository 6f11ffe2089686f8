//! Questions and answers themselves, for programs that want them recorded (`capture_content`).
//!
//! Written as the JSON of OpenTelemetry's `gen_ai.input.messages` and `gen_ai.output.messages`. Long texts are cut, visibly, so
//! that the whole stays valid JSON of at most `long_field_max_length` characters.

mod input;

use std::borrow::Cow;

use serde_json::{Map, Value, json};

pub(super) use input::{messages, texts};

/// Hides what must not leave the program. Gets each text of question and answer, gives what may be sent.
pub type Redact = fn(&str) -> Cow<'_, str>;

/// Most choices of which the text is kept.
const MAX_CHOICES: usize = 128;
/// Most calls of tools in a choice that are kept.
const MAX_TOOL_CALLS: usize = 128;
/// Characters that are kept beyond the limit, so that what is redacted is not cut in half before.
const SLACK_CHARS: usize = 256;
/// Shortest text that is left when texts are cut.
const MIN_TEXT_CHARS: usize = 32;

/// A piece of an answer.
#[derive(Clone, Copy, Debug)]
pub(super) enum Piece<'a> {
    Text(&'a str),
    Reasoning(&'a str),
    ToolCall { call: u32, id: Option<&'a str>, name: Option<&'a str>, arguments: &'a str },
}

/// The texts of an answer so far.
#[derive(Debug)]
pub(super) struct Content {
    max_chars: usize,
    choices: Vec<Choice>,
}

#[derive(Debug)]
struct Choice {
    index: u32,
    text: Clipped,
    reasoning: Clipped,
    tool_calls: Vec<ToolCall>,
}

#[derive(Debug)]
struct ToolCall {
    call: u32,
    id: Option<String>,
    name: Option<String>,
    arguments: Clipped,
}

/// The beginning of a text, and how much more there was.
#[derive(Debug, Default)]
struct Clipped {
    text: String,
    n_chars: usize,
    n_left_out: usize,
}

impl Clipped {
    fn push(&mut self, piece: &str, max_chars: usize) {
        let room = (max_chars + SLACK_CHARS).saturating_sub(self.n_chars);
        let end = piece.char_indices().nth(room).map_or(piece.len(), |(end, _)| end);
        let (kept, left_out) = piece.split_at(end);
        self.text.push_str(kept);
        self.n_chars += kept.chars().count();
        self.n_left_out += left_out.chars().count();
    }

    fn finish(&self, max_chars: usize, redact: Option<Redact>) -> String {
        let text = redacted(&self.text, redact);
        cut(&text, max_chars, self.n_left_out).unwrap_or_else(|| text.into_owned())
    }
}

impl Content {
    /// For an answer of which each text has at most `max_chars` characters.
    pub(super) fn new(max_chars: usize) -> Self {
        Self { max_chars, choices: Vec::new() }
    }

    pub(super) fn cleared(self) -> Self {
        Self::new(self.max_chars)
    }

    pub(super) fn push(&mut self, index: u32, piece: Piece<'_>) {
        let max_chars = self.max_chars;
        let known = self.choices.iter().position(|choice| choice.index == index);
        let at = known.unwrap_or_else(|| {
            if self.choices.len() < MAX_CHOICES {
                let (text, reasoning) = (Clipped::default(), Clipped::default());
                self.choices.push(Choice { index, text, reasoning, tool_calls: Vec::new() });
            }
            self.choices.len() - 1
        });
        let Some(choice) = self.choices.get_mut(at).filter(|choice| choice.index == index) else { return };
        match piece {
            Piece::Text(text) => choice.text.push(text, max_chars),
            Piece::Reasoning(text) => choice.reasoning.push(text, max_chars),
            Piece::ToolCall { call, id, name, arguments } => choice.tool_call(call, id, name, arguments, max_chars),
        }
    }

    /// `gen_ai.output.messages`; `None` if nothing was said. `finish_reason` knows how each choice ended.
    pub(super) fn messages(
        mut self,
        redact: Option<Redact>,
        finish_reason: impl Fn(u32) -> Option<String>,
    ) -> Option<String> {
        self.choices.sort_by_key(|choice| choice.index);
        let messages: Vec<Value> = self
            .choices
            .iter()
            .map(|choice| {
                let mut message = json!({ "role": "assistant", "parts": choice.parts(self.max_chars, redact) });
                if let (Some(reason), Some(message)) = (finish_reason(choice.index), message.as_object_mut()) {
                    message.insert("finish_reason".to_owned(), folded(&reason).into());
                }
                message
            })
            .collect();
        (!messages.is_empty()).then(|| fit(messages, self.max_chars))
    }
}

impl Choice {
    fn tool_call(&mut self, call: u32, id: Option<&str>, name: Option<&str>, arguments: &str, max_chars: usize) {
        let known = self.tool_calls.iter().position(|known| known.call == call);
        let at = match known {
            Some(at) => at,
            None if self.tool_calls.len() < MAX_TOOL_CALLS => {
                self.tool_calls.push(ToolCall { call, id: None, name: None, arguments: Clipped::default() });
                self.tool_calls.len() - 1
            }
            None => return,
        };
        let Some(known) = self.tool_calls.get_mut(at) else { return };
        known.id = known.id.take().or_else(|| id.map(ToOwned::to_owned));
        known.name = known.name.take().or_else(|| name.map(ToOwned::to_owned));
        known.arguments.push(arguments, max_chars);
    }

    fn parts(&self, max_chars: usize, redact: Option<Redact>) -> Vec<Value> {
        let of = |kind: &str, clipped: &Clipped| {
            (clipped.n_chars > 0).then(|| json!({ "type": kind, "content": clipped.finish(max_chars, redact) }))
        };
        let mut parts: Vec<Value> =
            [of("reasoning", &self.reasoning), of("text", &self.text)].into_iter().flatten().collect();
        for call in &self.tool_calls {
            let mut part = Map::new();
            part.insert("type".to_owned(), "tool_call".into());
            if let Some(id) = &call.id {
                part.insert("id".to_owned(), id.as_str().into());
            }
            part.insert("name".to_owned(), call.name.as_deref().unwrap_or_default().into());
            part.insert("arguments".to_owned(), call.arguments.finish(max_chars, redact).into());
            parts.push(part.into());
        }
        parts
    }
}

/// OpenTelemetry's word for a finish reason.
fn folded(reason: &str) -> &str {
    match reason {
        "end_turn" | "stop_sequence" | "STOP" => "stop",
        "max_tokens" | "max_output_tokens" | "MAX_TOKENS" => "length",
        "tool_calls" | "tool_use" | "function_call" => "tool_call",
        "refusal" | "SAFETY" => "content_filter",
        other => other,
    }
}

fn redacted(text: &str, redact: Option<Redact>) -> Cow<'_, str> {
    redact.map_or(Cow::Borrowed(text), |redact| redact(text))
}

/// The text with at most `max_chars` characters and a mark; `None` if nothing has to be cut. `n_more` characters of it were
/// left out before.
fn cut(text: &str, max_chars: usize, n_more: usize) -> Option<String> {
    let n_chars = if text.len() > max_chars { text.chars().count() } else { 0 };
    if n_chars <= max_chars && n_more == 0 {
        return None;
    }
    let kept: String = text.chars().take(max_chars).collect();
    let left_out = n_chars.saturating_sub(max_chars) + n_more;
    Some(format!("{kept}… [{left_out} characters left out]"))
}

/// Messages as JSON of at most `max_chars` characters: texts are cut ever shorter, and if that is not enough, messages in the
/// middle are left out.
fn fit(mut messages: Vec<Value>, max_chars: usize) -> String {
    let mut text_chars = max_chars;
    loop {
        let text = Value::Array(messages.clone()).to_string();
        if text.len() <= max_chars || text.chars().count() <= max_chars {
            return text;
        }
        if text_chars > MIN_TEXT_CHARS {
            text_chars = (text_chars / 2).max(MIN_TEXT_CHARS);
            for message in &mut messages {
                shorten(message, text_chars);
            }
        } else {
            return without_middle(messages, max_chars);
        }
    }
}

/// The first message, which sets the task, and as many of the last ones as fit.
fn without_middle(messages: Vec<Value>, max_chars: usize) -> String {
    let n = messages.len();
    let mut messages = messages.into_iter();
    let first = messages.next().unwrap_or_default();
    let mark = |left_out: usize| {
        let content = format!("… [{left_out} messages left out]");
        json!({ "role": "system", "parts": [{ "type": "text", "content": content }] })
    };
    // Room for the mark and the brackets.
    let chars = |value: &Value| value.to_string().chars().count() + 1;
    let mut room = max_chars.saturating_sub(chars(&first) + chars(&mark(n)) + 2);
    let mut last = Vec::new();
    while let Some(message) = messages.next_back() {
        let Some(left) = room.checked_sub(chars(&message)) else { break };
        room = left;
        last.push(message);
    }
    let left_out = n.saturating_sub(last.len() + 1);
    let kept = [first, mark(left_out)].into_iter().chain(last.into_iter().rev());
    let text = Value::Array(kept.collect()).to_string();
    if text.chars().count() <= max_chars { text } else { Value::Array(vec![mark(n)]).to_string() }
}

/// Cuts every text in a message.
fn shorten(value: &mut Value, max_chars: usize) {
    match value {
        Value::String(text) => {
            // What was cut before has its mark; it is cut again and gets a new one.
            let (whole, n_more) = without_mark(text);
            if let Some(short) = cut(whole, max_chars, n_more) {
                *text = short;
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| shorten(value, max_chars)),
        Value::Object(map) => map.values_mut().for_each(|value| shorten(value, max_chars)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The text before the mark of [`cut`], and how many characters the mark says are missing.
fn without_mark(text: &str) -> (&str, usize) {
    let marked = text.strip_suffix(" characters left out]").and_then(|rest| rest.rsplit_once("… ["));
    marked.and_then(|(kept, number)| Some((kept, number.parse().ok()?))).unwrap_or((text, 0))
}

#[cfg(test)]
mod tests;
