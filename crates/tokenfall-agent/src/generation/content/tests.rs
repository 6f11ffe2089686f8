use std::borrow::Cow;

use serde_json::{Value, json};

use super::*;

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).expect("valid JSON")
}

fn hide(text: &str) -> Cow<'_, str> {
    if text.contains("4111") { Cow::Owned(text.replace("4111", "****")) } else { Cow::Borrowed(text) }
}

#[test]
fn an_answer_with_everything() {
    let mut content = Content::new(1000);
    content.push(0, Piece::Reasoning("Let me "));
    content.push(1, Piece::Text("Other"));
    content.push(0, Piece::Reasoning("see."));
    content.push(0, Piece::Text("Card 41"));
    content.push(0, Piece::Text("11"));
    content.push(0, Piece::ToolCall { call: 0, id: Some("call_1"), name: Some("search"), arguments: "" });
    content.push(0, Piece::ToolCall { call: 0, id: None, name: None, arguments: "{\"q\":" });
    content.push(0, Piece::ToolCall { call: 0, id: None, name: None, arguments: "1}" });
    let text = content.messages(Some(hide), |choice| (choice == 0).then(|| "tool_calls".to_owned()));
    let expect = json!([
        {
            "role": "assistant",
            "parts": [
                { "type": "reasoning", "content": "Let me see." },
                { "type": "text", "content": "Card ****" },
                { "type": "tool_call", "id": "call_1", "name": "search", "arguments": "{\"q\":1}" },
            ],
            "finish_reason": "tool_call",
        },
        { "role": "assistant", "parts": [{ "type": "text", "content": "Other" }] },
    ]);
    assert_eq!(text.as_deref().map(parsed), Some(expect));
}

#[test]
fn nothing_was_said() {
    assert_eq!(Content::new(10).messages(None, |_| None), None);
}

#[test]
fn a_long_answer_is_cut_visibly() {
    let mut content = Content::new(200);
    for _ in 0..1000 {
        content.push(0, Piece::Text("äö\n"));
    }
    let text = content.messages(None, |_| None).expect("something was said");
    assert!(text.chars().count() <= 200, "{text}");
    let said = parsed(&text)[0]["parts"][0]["content"].as_str().expect("text").to_owned();
    let (kept, mark) = said.split_once("… [").expect("a mark");
    let left_out: usize = mark.strip_suffix(" characters left out]").expect("a mark").parse().expect("a number");
    assert_eq!(kept.chars().count() + left_out, 3000);
}

#[test]
fn questions_of_openai_become_messages() {
    let input = json!([
        { "role": "system", "content": "You are a helpful assistant." },
        { "role": "user", "content": [
            { "type": "text", "text": "What is 4111?" },
            { "type": "image_url", "image_url": { "url": "https://host/a.png" } },
        ] },
        { "role": "assistant", "content": null, "tool_calls": [
            { "id": "call_1", "type": "function", "function": { "name": "search", "arguments": "{}" } },
        ] },
        { "role": "tool", "tool_call_id": "call_1", "content": "found" },
    ]);
    let expect = json!([
        { "role": "system", "parts": [{ "type": "text", "content": "You are a helpful assistant." }] },
        { "role": "user", "parts": [
            { "type": "text", "content": "What is ****?" },
            { "type": "uri", "modality": "image", "uri": "https://host/a.png" },
        ] },
        { "role": "assistant", "parts": [
            { "type": "tool_call", "id": "call_1", "name": "search", "arguments": "{}" },
        ] },
        { "role": "tool", "parts": [{ "type": "tool_call_response", "id": "call_1", "response": "found" }] },
    ]);
    assert_eq!(messages(&input, 10_000, Some(hide)).as_deref().map(parsed), Some(expect));
    let mut all = Vec::new();
    texts(&input, &mut |text| all.push(text.to_owned()));
    assert_eq!(all, ["You are a helpful assistant.", "What is 4111?", "{}", "found"]);
}

#[test]
fn questions_of_anthropic_and_opentelemetry_become_messages() {
    let input = json!([{ "role": "user", "content": [
        { "type": "tool_result", "tool_use_id": "t", "content": "7" },
        { "type": "thinking", "thinking": "hm" },
    ] }]);
    let expect = json!([{ "role": "user", "parts": [
        { "type": "tool_call_response", "id": "t", "response": "7" },
        { "type": "reasoning", "content": "hm" },
    ] }]);
    assert_eq!(messages(&input, 1000, None).as_deref().map(parsed), Some(expect.clone()));
    assert_eq!(messages(&expect, 1000, None).as_deref().map(parsed), Some(expect));
    let text = json!([{ "role": "user", "parts": [{ "type": "text", "content": "hi" }] }]);
    assert_eq!(messages(&"hi".into(), 1000, None).as_deref().map(parsed), Some(text));
    assert_eq!(messages(&7.into(), 1000, None), None);
}

#[test]
fn long_questions_stay_valid_json() {
    let long = "x\"".repeat(5000);
    for n in [1, 2, 10, 100, 1000] {
        let input: Vec<Value> = (0..n).map(|i| json!({ "role": "user", "content": format!("{i} {long}") })).collect();
        for max in [40, 100, 1000, 10_000] {
            let text = messages(&Value::Array(input.clone()), max, None).expect("messages");
            assert!(text.chars().count() <= max.max(120), "{n} {max}: {}", text.chars().count());
            assert!(parsed(&text).as_array().is_some_and(|messages| !messages.is_empty()));
            assert!(text.contains("left out]"), "{text}");
        }
    }
}

#[test]
fn nesting_is_bounded() {
    let mut deep = json!(1);
    for _ in 0..200 {
        deep = json!([deep]);
    }
    let input = json!([{ "role": "user", "parts": [{ "type": "tool_call", "name": "f", "arguments": deep }] }]);
    let text = messages(&input, 10_000, None).expect("messages");
    assert!(text.contains("null"), "{text}");
}
