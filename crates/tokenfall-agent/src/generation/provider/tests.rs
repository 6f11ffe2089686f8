use super::*;
use crate::generation::content::Content;
use crate::generation::sse::EventReader;

/// Reads a body as a stream and says what was understood: an answer and the number of chunks with content.
fn read(body: &str) -> (Answer, u64) {
    let mut answer = Answer { content: Some(Content::new(10_000)), ..Answer::default() };
    let mut chunks = 0;
    let mut reader = EventReader::new();
    let mut event = |data: &[u8]| {
        let pieces = answer.pieces;
        if let Some(chunk) = ProviderChunk::parse(data) {
            chunk.tell(&mut answer);
        }
        chunks += u64::from(answer.pieces != pieces);
    };
    reader.read(body.as_bytes(), &mut event);
    reader.finish(&mut event);
    (answer, chunks)
}

fn said(answer: &mut Answer) -> Value {
    let messages = answer.content.take().and_then(|content| content.messages(None, |_| None));
    messages.map_or(Value::Null, |text| serde_json::from_str(&text).expect("valid JSON"))
}

fn sse(events: &[(&str, &str)]) -> String {
    let mut body = String::new();
    for (name, data) in events {
        if !name.is_empty() {
            body.extend(["event: ", name, "\n"]);
        }
        body.extend(["data: ", data, "\n\n"]);
    }
    body
}

fn reasons(answer: &Answer) -> Vec<String> {
    answer.finish_reasons().into_iter().map(|reason| reason.into_owned()).collect()
}

#[test]
fn openai_with_two_choices() {
    let body = sse(&[
        (
            "",
            r#"{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"gpt-4o-2024-08-06","choices":[{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null}],"usage":null,"obfuscation":"x"}"#,
        ),
        (
            "",
            r#"{"id":"chatcmpl-1","model":"gpt-4o-2024-08-06","choices":[{"index":1,"delta":{"role":"assistant","content":""},"finish_reason":null}]}"#,
        ),
        (
            "",
            r#"{"id":"chatcmpl-1","model":"gpt-4o-2024-08-06","choices":[{"index":0,"delta":{"content":"A"},"finish_reason":null}]}"#,
        ),
        (
            "",
            r#"{"id":"chatcmpl-1","model":"gpt-4o-2024-08-06","choices":[{"index":1,"delta":{"content":"B"},"finish_reason":null}]}"#,
        ),
        (
            "",
            r#"{"id":"chatcmpl-1","model":"gpt-4o-2024-08-06","choices":[{"index":1,"delta":{},"finish_reason":"length"}]}"#,
        ),
        (
            "",
            r#"{"id":"chatcmpl-1","model":"gpt-4o-2024-08-06","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#,
        ),
        (
            "",
            r#"{"id":"chatcmpl-1","model":"gpt-4o-2024-08-06","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":2,"total_tokens":11}}"#,
        ),
        ("", "[DONE]"),
    ]);
    let (mut answer, chunks) = read(&body);
    assert_eq!(chunks, 2);
    assert_eq!((answer.model.as_deref(), answer.id.as_deref()), (Some("gpt-4o-2024-08-06"), Some("chatcmpl-1")));
    assert_eq!(answer.usage, TokenUsage { input: Some(9), output: Some(2), ..TokenUsage::default() });
    assert_eq!(reasons(&answer), ["stop", "length"]);
    let expect = serde_json::json!([
        { "role": "assistant", "parts": [{ "type": "text", "content": "A" }] },
        { "role": "assistant", "parts": [{ "type": "text", "content": "B" }] },
    ]);
    assert_eq!(said(&mut answer), expect);
}

#[test]
fn azure_begins_with_a_chunk_of_filter_results() {
    let body = sse(&[
        (
            "",
            r#"{"choices":[],"created":0,"id":"","model":"","object":"","prompt_filter_results":[{"prompt_index":0,"content_filter_results":{"hate":{"filtered":false,"severity":"safe"}}}]}"#,
        ),
        (
            "",
            r#"{"choices":[{"content_filter_results":{},"delta":{"content":"","refusal":null,"role":"assistant"},"finish_reason":null,"index":0,"logprobs":null}],"created":1,"id":"chatcmpl-2","model":"gpt-4o-mini-2024-07-18","object":"chat.completion.chunk"}"#,
        ),
        (
            "",
            r#"{"choices":[{"content_filter_results":{"hate":{"filtered":false}},"delta":{"content":"Hello there"},"finish_reason":null,"index":0}],"created":1,"id":"chatcmpl-2","model":"gpt-4o-mini-2024-07-18"}"#,
        ),
        (
            "",
            r#"{"choices":[{"content_filter_results":{},"delta":{},"finish_reason":"stop","index":0}],"created":1,"id":"chatcmpl-2","model":"gpt-4o-mini-2024-07-18"}"#,
        ),
        ("", "[DONE]"),
    ]);
    let (answer, chunks) = read(&body);
    assert_eq!(
        (chunks, answer.model.as_deref(), answer.id.as_deref()),
        (1, Some("gpt-4o-mini-2024-07-18"), Some("chatcmpl-2"))
    );
    assert_eq!((reasons(&answer), answer.usage), (vec!["stop".to_owned()], TokenUsage::default()));
}

#[test]
fn openai_calls_tools() {
    let body = sse(&[
        (
            "",
            r#"{"choices":[{"index":0,"delta":{"role":"assistant","content":null,"tool_calls":[{"index":0,"id":"call_1","type":"function","function":{"name":"search","arguments":""}}]},"finish_reason":null}]}"#,
        ),
        (
            "",
            r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"q\":"}}]},"finish_reason":null}]}"#,
        ),
        (
            "",
            r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"\"a\"}"}}]},"finish_reason":null}]}"#,
        ),
        ("", r#"{"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}"#),
    ]);
    let (mut answer, chunks) = read(&body);
    assert_eq!((chunks, reasons(&answer)), (3, vec!["tool_calls".to_owned()]));
    let expect = serde_json::json!([{ "role": "assistant", "parts": [
        { "type": "tool_call", "id": "call_1", "name": "search", "arguments": "{\"q\":\"a\"}" },
    ] }]);
    assert_eq!(said(&mut answer), expect);
}

#[test]
fn openai_responses() {
    let body = sse(&[
        (
            "response.created",
            r#"{"type":"response.created","sequence_number":0,"response":{"id":"resp_1","object":"response","status":"in_progress","error":null,"incomplete_details":null,"model":"gpt-5-2025-08-07","output":[],"usage":null}}"#,
        ),
        (
            "response.in_progress",
            r#"{"type":"response.in_progress","sequence_number":1,"response":{"id":"resp_1","status":"in_progress","model":"gpt-5-2025-08-07","output":[],"usage":null}}"#,
        ),
        (
            "response.output_item.added",
            r#"{"type":"response.output_item.added","sequence_number":2,"output_index":0,"item":{"id":"rs_1","type":"reasoning","summary":[]}}"#,
        ),
        (
            "response.reasoning_summary_text.delta",
            r#"{"type":"response.reasoning_summary_text.delta","sequence_number":3,"item_id":"rs_1","output_index":0,"summary_index":0,"delta":"Thinking"}"#,
        ),
        (
            "response.output_item.added",
            r#"{"type":"response.output_item.added","sequence_number":4,"output_index":1,"item":{"id":"msg_1","type":"message","status":"in_progress","content":[],"role":"assistant"}}"#,
        ),
        (
            "response.content_part.added",
            r#"{"type":"response.content_part.added","sequence_number":5,"item_id":"msg_1","output_index":1,"content_index":0,"part":{"type":"output_text","annotations":[],"text":""}}"#,
        ),
        (
            "response.output_text.delta",
            r#"{"type":"response.output_text.delta","sequence_number":6,"item_id":"msg_1","output_index":1,"content_index":0,"delta":"Hi","logprobs":[]}"#,
        ),
        (
            "response.output_text.done",
            r#"{"type":"response.output_text.done","sequence_number":7,"item_id":"msg_1","output_index":1,"content_index":0,"text":"Hi"}"#,
        ),
        (
            "response.output_item.added",
            r#"{"type":"response.output_item.added","sequence_number":8,"output_index":2,"item":{"id":"fc_1","type":"function_call","call_id":"call_9","name":"search","arguments":""}}"#,
        ),
        (
            "response.function_call_arguments.delta",
            r#"{"type":"response.function_call_arguments.delta","sequence_number":9,"item_id":"fc_1","output_index":2,"delta":"{}"}"#,
        ),
        (
            "response.completed",
            r#"{"type":"response.completed","sequence_number":10,"response":{"id":"resp_1","status":"completed","error":null,"incomplete_details":null,"model":"gpt-5-2025-08-07","output":[{"type":"message","content":[{"type":"output_text","text":"Hi"}]},{"type":"function_call","call_id":"call_9","name":"search","arguments":"{}"}],"usage":{"input_tokens":20,"input_tokens_details":{"cached_tokens":8},"output_tokens":30,"output_tokens_details":{"reasoning_tokens":16},"total_tokens":50}}}"#,
        ),
    ]);
    let (mut answer, chunks) = read(&body);
    assert_eq!(chunks, 4);
    assert_eq!((answer.model.as_deref(), answer.id.as_deref()), (Some("gpt-5-2025-08-07"), Some("resp_1")));
    let usage = TokenUsage {
        input: Some(20),
        output: Some(30),
        cache_read: Some(8),
        cache_creation: None,
        reasoning: Some(16),
    };
    assert_eq!((answer.usage, reasons(&answer)), (usage, vec!["tool_calls".to_owned()]));
    let expect = serde_json::json!([{ "role": "assistant", "parts": [
        { "type": "reasoning", "content": "Thinking" },
        { "type": "text", "content": "Hi" },
        { "type": "tool_call", "id": "call_9", "name": "search", "arguments": "{}" },
    ] }]);
    assert_eq!(said(&mut answer), expect);
}

#[test]
fn openai_responses_that_do_not_complete() {
    let incomplete = r#"{"type":"response.incomplete","response":{"id":"r","status":"incomplete","error":null,"incomplete_details":{"reason":"max_output_tokens"},"usage":{"input_tokens":1,"output_tokens":2}}}"#;
    let (answer, _) = read(&sse(&[("response.incomplete", incomplete)]));
    assert_eq!((reasons(&answer), answer.failure.is_none()), (vec!["max_output_tokens".to_owned()], true));
    let failed = r#"{"type":"response.failed","response":{"id":"r","status":"failed","error":{"code":"server_error","message":"it broke"},"usage":null}}"#;
    let (answer, _) = read(&sse(&[("response.failed", failed)]));
    let failure = answer.failure.expect("an error");
    assert_eq!((failure.kind().as_ref(), failure.exception.message.as_ref()), ("InternalServerError", "it broke"));
}

#[test]
fn a_whole_answer_of_responses() {
    let body = r#"{"id":"resp_2","object":"response","status":"completed","model":"gpt-5","output":[{"type":"reasoning","summary":[{"type":"summary_text","text":"Hm"}]},{"type":"message","role":"assistant","content":[{"type":"output_text","text":"Hi","annotations":[]}]}],"usage":{"input_tokens":3,"output_tokens":4},"error":null}"#;
    let (mut answer, _) = read(body);
    assert_eq!((answer.id.as_deref(), reasons(&answer)), (Some("resp_2"), vec!["stop".to_owned()]));
    let expect = serde_json::json!([{ "role": "assistant", "parts": [
        { "type": "reasoning", "content": "Hm" }, { "type": "text", "content": "Hi" },
    ] }]);
    assert_eq!(said(&mut answer), expect);
}

#[test]
fn anthropic() {
    let body = sse(&[
        (
            "message_start",
            r#"{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"claude-sonnet-4","content":[],"stop_reason":null,"usage":{"input_tokens":25,"cache_creation_input_tokens":10,"cache_read_input_tokens":100,"output_tokens":1}}}"#,
        ),
        (
            "content_block_start",
            r#"{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}"#,
        ),
        (
            "content_block_delta",
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"Hm"}}"#,
        ),
        (
            "content_block_delta",
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"Eq"}}"#,
        ),
        ("content_block_stop", r#"{"type":"content_block_stop","index":0}"#),
        ("ping", r#"{"type":"ping"}"#),
        (
            "content_block_start",
            r#"{"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}}"#,
        ),
        (
            "content_block_delta",
            r#"{"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"Hello"}}"#,
        ),
        (
            "content_block_start",
            r#"{"type":"content_block_start","index":2,"content_block":{"type":"tool_use","id":"toolu_1","name":"search","input":{}}}"#,
        ),
        (
            "content_block_delta",
            r#"{"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"{\"q\":1}"}}"#,
        ),
        (
            "message_delta",
            r#"{"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"output_tokens":15}}"#,
        ),
        ("message_stop", r#"{"type":"message_stop"}"#),
    ]);
    let (mut answer, chunks) = read(&body);
    assert_eq!(chunks, 4);
    assert_eq!((answer.model.as_deref(), answer.id.as_deref()), (Some("claude-sonnet-4"), Some("msg_1")));
    let usage = TokenUsage {
        input: Some(135),
        output: Some(15),
        cache_read: Some(100),
        cache_creation: Some(10),
        reasoning: None,
    };
    assert_eq!((answer.usage, reasons(&answer)), (usage, vec!["tool_use".to_owned()]));
    let expect = serde_json::json!([{ "role": "assistant", "parts": [
        { "type": "reasoning", "content": "Hm" },
        { "type": "text", "content": "Hello" },
        { "type": "tool_call", "id": "toolu_1", "name": "search", "arguments": "{\"q\":1}" },
    ] }]);
    assert_eq!(said(&mut answer), expect);
}

#[test]
fn a_cut_stream_of_anthropic_has_no_output_tokens() {
    let body = sse(&[
        (
            "message_start",
            r#"{"type":"message_start","message":{"id":"msg_1","model":"claude","usage":{"input_tokens":25,"output_tokens":1}}}"#,
        ),
        (
            "content_block_delta",
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hello"}}"#,
        ),
        ("error", r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#),
    ]);
    let (answer, chunks) = read(&body);
    assert_eq!((chunks, answer.usage.input, answer.usage.output), (1, Some(25), None));
    let failure = answer.failure.expect("an error");
    assert_eq!((failure.kind().as_ref(), failure.exception.message.as_ref()), ("InternalServerError", "Overloaded"));
}

#[test]
fn a_whole_answer_of_anthropic() {
    let body = r#"{"id":"msg_2","type":"message","role":"assistant","model":"claude","content":[{"type":"text","text":"Hi"},{"type":"tool_use","id":"t","name":"f","input":{"a":1}}],"stop_reason":"end_turn","usage":{"input_tokens":1,"output_tokens":2}}"#;
    let (mut answer, _) = read(body);
    assert_eq!((answer.usage.output, reasons(&answer)), (Some(2), vec!["end_turn".to_owned()]));
    let expect = serde_json::json!([{ "role": "assistant", "parts": [
        { "type": "text", "content": "Hi" }, { "type": "tool_call", "id": "t", "name": "f", "arguments": "{\"a\":1}" },
    ] }]);
    assert_eq!(said(&mut answer), expect);
}

#[test]
fn google() {
    let body = sse(&[
        (
            "",
            r#"{"candidates":[{"content":{"parts":[{"text":"Let me see","thought":true}],"role":"model"},"index":0}],"usageMetadata":{"promptTokenCount":7,"totalTokenCount":7},"modelVersion":"gemini-2.5-pro","responseId":"r1"}"#,
        ),
        (
            "",
            r#"{"candidates":[{"content":{"parts":[{"text":"Hi"},{"functionCall":{"name":"f","args":{"a":1}}}],"role":"model"},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":7,"candidatesTokenCount":5,"thoughtsTokenCount":3,"cachedContentTokenCount":2},"modelVersion":"gemini-2.5-pro","responseId":"r1"}"#,
        ),
    ]);
    let (mut answer, chunks) = read(&body);
    assert_eq!(
        (chunks, answer.model.as_deref(), reasons(&answer)),
        (2, Some("gemini-2.5-pro"), vec!["STOP".to_owned()])
    );
    let usage =
        TokenUsage { input: Some(7), output: Some(8), cache_read: Some(2), cache_creation: None, reasoning: Some(3) };
    assert_eq!(answer.usage, usage);
    let expect = serde_json::json!([{ "role": "assistant", "parts": [
        { "type": "reasoning", "content": "Let me see" },
        { "type": "text", "content": "Hi" },
        { "type": "tool_call", "name": "f", "arguments": "{\"a\":1}" },
    ] }]);
    assert_eq!(said(&mut answer), expect);
}

#[test]
fn ollama() {
    let body = concat!(
        r#"{"model":"llama3.2","created_at":"2026-01-01T00:00:00Z","message":{"role":"assistant","content":"","thinking":"Hm"},"done":false}"#,
        "\n",
        r#"{"model":"llama3.2","created_at":"2026-01-01T00:00:00Z","message":{"role":"assistant","content":"Hi"},"done":false}"#,
        "\n",
        r#"{"model":"llama3.2","created_at":"2026-01-01T00:00:01Z","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop","total_duration":4883583458,"prompt_eval_count":26,"eval_count":282}"#,
        "\n",
    );
    let (answer, chunks) = read(body);
    assert_eq!((chunks, answer.model.as_deref(), reasons(&answer)), (2, Some("llama3.2"), vec!["stop".to_owned()]));
    assert_eq!((answer.usage.input, answer.usage.output), (Some(26), Some(282)));
    let (answer, chunks) = read("{\"model\":\"llama3.2\",\"response\":\"Hi\",\"done\":false}\n");
    assert_eq!((chunks, answer.model.as_deref()), (1, Some("llama3.2")));
}

#[test]
fn errors_in_a_stream() {
    for (data, kind, message) in [
        (
            r#"{"error":{"message":"slow down","type":"tokens","code":"rate_limit_exceeded"}}"#,
            "RateLimitError",
            "slow down",
        ),
        (
            r#"{"type":"error","code":"server_error","message":"it broke","param":null,"sequence_number":3}"#,
            "InternalServerError",
            "it broke",
        ),
        (r#"{"error":"model failed"}"#, "APIError", "model failed"),
        (r#"{"error":{"code":503,"message":"busy","status":"UNAVAILABLE"}}"#, "InternalServerError", "busy"),
        (r#"{"error":{}}"#, "APIError", "error in the stream"),
    ] {
        let (answer, _) = read(&sse(&[("", data)]));
        let failure = answer.failure.expect(data);
        assert_eq!((failure.kind().as_ref(), failure.exception.message.as_ref()), (kind, message), "{data}");
    }
    assert!(read(&sse(&[("", r#"{"error":null,"choices":[]}"#)])).0.failure.is_none());
}

#[test]
fn anything_else_is_passed_over() {
    for data in [
        "[DONE]",
        "",
        "x",
        "7",
        "[]",
        "null",
        "{}",
        r#"{"choices":7,"usage":"x","delta":[1],"message":3,"response":true}"#,
        r#"{"type":7,"content":"text","content_block":"x","error":false,"candidates":"x","usageMetadata":null}"#,
    ] {
        let (answer, chunks) = read(&sse(&[("", data)]));
        assert_eq!((chunks, answer.failure.is_none(), answer.usage), (0, true, TokenUsage::default()), "{data}");
    }
}

#[test]
fn a_value_is_read_as_its_text_is() {
    let text = r#"{"id":"c","model":"m","choices":[{"index":0,"delta":{"content":"a\"b"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":2}}"#;
    let value: Value = serde_json::from_str(text).expect("JSON");
    let mut answers = [Answer::default(), Answer::default()];
    value.tell(&mut answers[0]);
    ProviderChunk::parse(text.as_bytes()).expect("JSON").tell(&mut answers[1]);
    let [a, b] = answers.map(|answer| (answer.model.clone(), answer.usage, answer.pieces, reasons(&answer)));
    assert_eq!(a, b);
    assert_eq!(a.2, 1);
}
