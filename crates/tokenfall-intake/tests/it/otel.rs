//! Attributes from the OpenTelemetry bridges of agents.

use serde_json::{Value, json};
use tokenfall_model::Outcome;

use crate::intake;
use crate::shape::{Flat, ours};

const METADATA: &str = r#"{"metadata":{"service":{"name":"shop","agent":{"name":"rust","version":"1"}}}}"#;

fn document(line: &Value) -> Flat {
    let outcome = intake(format!("{METADATA}\n{line}").as_bytes());
    assert_eq!(outcome.messages(), [""; 0]);
    ours(&outcome.documents[0])
}

fn span(kind: Option<&str>, attributes: &Value) -> Flat {
    document(&json!({"span": {
        "id": "s", "trace_id": "t", "parent_id": "p", "name": "n", "type": "custom.sub.act", "duration": 1, "timestamp": 7,
        "otel": {"span_kind": kind, "attributes": attributes},
    }}))
}

fn transaction(attributes: &Value) -> Flat {
    document(&json!({"transaction": {
        "id": "x", "trace_id": "t", "name": "n", "type": "", "duration": 1, "timestamp": 7,
        "span_count": {"started": 0}, "otel": {"attributes": attributes},
    }}))
}

/// Checks fields; a null stands for absence.
fn check(flat: &Flat, expected: &Value) {
    for (field, value) in expected.as_object().unwrap() {
        assert_eq!(flat.get(field).unwrap_or(&Value::Null), value, "{field} in {flat:#?}");
    }
}

#[test]
fn model_calls() {
    let attributes = json!({
        "gen_ai.system": "openai", "gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o",
        "gen_ai.response.model": "gpt-4o-2024", "gen_ai.usage.input_tokens": 12, "gen_ai.request.stream": true,
        "gen_ai.response.finish_reasons": ["stop"],
    });
    check(
        &span(Some("CLIENT"), &attributes),
        &json!({
            "gen_ai.provider.name": "openai", "gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o",
            "gen_ai.response.model": "gpt-4o-2024", "gen_ai.request.stream": true, "gen_ai.response.finish_reasons.0": "stop",
            "gen_ai.usage.input_tokens": 12, "labels.gen_ai_request_model": null, "labels.gen_ai_system": null,
            "numeric_labels.gen_ai_usage_input_tokens": null, "span.type": "genai", "span.subtype": "openai",
            "span.kind": "CLIENT", "service.target.type": "genai", "span.destination.service.resource": null,
        }),
    );
    let renamed = json!({"gen_ai.provider.name": "anthropic", "peer.service": "claude"});
    check(
        &span(None, &renamed),
        &json!({
            "span.type": "genai", "span.subtype": "anthropic", "service.target.name": "claude",
            "span.destination.service.resource": "claude",
        }),
    );
    // HTTP attributes decide before the model does, as in Elastic's server.
    let over_http = json!({"gen_ai.system": "openai", "url.full": "https://api.openai.com/v1/chat/completions"});
    check(
        &span(Some("CLIENT"), &over_http),
        &json!({
            "span.type": "external", "span.subtype": "http", "gen_ai.provider.name": "openai",
            "service.target.name": "api.openai.com:443", "span.destination.service.resource": "api.openai.com:443",
            "span.destination.service.name": "https://api.openai.com", "span.destination.service.type": "external",
            "destination.address": "api.openai.com", "destination.port": 443,
            "url.original": "https://api.openai.com/v1/chat/completions",
        }),
    );
    check(&transaction(&json!({"gen_ai.provider.name": "openai"})), &json!({"gen_ai.provider.name": "openai"}));
}

#[test]
fn other_conventions_say_the_same() {
    let open_llmetry = json!({
        "gen_ai.system": "openai", "llm.request.model": "gpt-4o", "llm.response.model": "gpt-4o-2024-08-06",
        "gen_ai.usage.prompt_tokens": 12, "gen_ai.usage.completion_tokens": 34, "llm.usage.total_tokens": 46,
        "gen_ai.usage.cache_read_input_tokens": 8, "gen_ai.prompt.0.role": "user", "gen_ai.prompt.0.content": "hi",
        "gen_ai.completion.0.role": "assistant", "gen_ai.completion.0.content": "hello", "gen_ai.completion.0.finish_reason": "stop",
    });
    let open_inference = json!({
        "llm.provider": "openai", "llm.model_name": "gpt-4o", "gen_ai.response.model": "gpt-4o-2024-08-06",
        "llm.token_count.prompt": 12, "llm.token_count.completion": 34, "llm.token_count.total": 46,
        "llm.token_count.prompt_details.cache_read": 8, "llm.cost.total": 0.00042,
        "llm.input_messages.0.message.role": "user", "llm.input_messages.0.message.content": "hi",
        "llm.output_messages.0.message.content": "hello", "llm.output_messages.0.message.role": "assistant",
    });
    for attributes in [&open_llmetry, &open_inference] {
        check(
            &span(Some("CLIENT"), attributes),
            &json!({
                "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o",
                "gen_ai.response.model": "gpt-4o-2024-08-06", "gen_ai.usage.input_tokens": 12,
                "gen_ai.usage.output_tokens": 34, "gen_ai.usage.cache_read.input_tokens": 8,
                "tokenfall.usage.source": "reported", "tokenfall.usage.total_tokens": 46,
                "numeric_labels.llm_usage_total_tokens": null, "numeric_labels.llm_token_count_prompt": null,
                "gen_ai.input.messages": r#"[{"parts":[{"content":"hi","type":"text"}],"role":"user"}]"#,
                "gen_ai.output.messages": r#"[{"parts":[{"content":"hello","type":"text"}],"role":"assistant"}]"#,
                "labels.gen_ai_prompt_0_content": null, "labels.llm_output_messages_0_message_content": null,
            }),
        );
    }
    check(&span(None, &open_inference), &json!({"tokenfall.cost.usd": "0.00042"}));
}

#[test]
fn what_the_agent_measured() {
    let attributes = json!({
        "gen_ai.provider.name": "openai", "gen_ai.system": "openai", "gen_ai.usage.input_tokens": 1000.0,
        "gen_ai.usage.output_tokens": "many", "gen_ai.usage.reasoning.output_tokens": 7,
        "gen_ai.response.time_to_first_chunk": 0.341, "gen_ai.input.messages": "x".repeat(5000),
        "gen_ai.output.messages": [{"role": "assistant"}], "gen_ai.request.seed": 7,
        "tokenfall.usage.source": "reported", "tokenfall.cost.usd": "0.002875", "tokenfall.attempts": 3,
        "tokenfall.backoff": 1.5, "tokenfall.ratelimit.remaining.tokens": 149_984, "tokenfall.stream.chunks": 3,
        "tokenfall.stream.time_to_last_chunk": 0.383, "tokenfall.stream.inter_token.p50": 0.021,
        "tokenfall.stream.timeline": "1;1;1;A",
    });
    check(
        &span(Some("CLIENT"), &attributes),
        &json!({
            "gen_ai.provider.name": "openai", "gen_ai.response.time_to_first_chunk": 0.341,
            "gen_ai.input.messages": "x".repeat(5000), "gen_ai.output.messages": "[{\"role\":\"assistant\"}]",
            "labels.gen_ai_usage_output_tokens": "many", "labels.gen_ai_system": null,
            "numeric_labels.gen_ai_request_seed": 7.0, "numeric_labels.tokenfall_attempts": null,
        }),
    );
    check(
        &span(Some("CLIENT"), &attributes),
        &json!({
            "gen_ai.usage.input_tokens": 1000, "gen_ai.usage.output_tokens": null, "gen_ai.usage.reasoning.output_tokens": 7,
            "tokenfall.stream.chunks": 3, "tokenfall.stream.time_to_first_chunk.us": 341_000,
            "tokenfall.stream.time_to_last_chunk.us": 383_000, "tokenfall.stream.inter_token.p50.us": 21_000,
            "tokenfall.stream.inter_token.p95.us": null, "tokenfall.stream.timeline": "1;1;1;A",
            "tokenfall.usage.source": "reported", "tokenfall.cost.usd": "0.002875", "tokenfall.attempts": 3,
            "tokenfall.backoff.us": 1_500_000, "tokenfall.ratelimit.remaining.tokens": 149_984.0,
        }),
    );
    // What is not as it should be stays a label.
    let odd = json!({"tokenfall.cost.usd": "1e3", "tokenfall.usage.source": "guessed", "tokenfall.stream.chunks": 3});
    check(
        &span(None, &odd),
        &json!({
            "labels.tokenfall_cost_usd": "1e3", "labels.tokenfall_usage_source": "guessed",
            "numeric_labels.tokenfall_stream_chunks": 3.0, "tokenfall.stream.chunks": null,
            "tokenfall.cost.usd": null,
        }),
    );
}

#[test]
fn calls() {
    let db = json!({"db.system": "postgresql", "db.name": "orders", "db.statement": "s".repeat(2000), "net.peer.name": "::1", "net.peer.port": 5432});
    check(
        &span(Some("CLIENT"), &db),
        &json!({
            "span.type": "db", "span.subtype": "postgresql", "span.db.statement": "s".repeat(2000), "span.db.instance": "orders",
            "service.target.type": "postgresql", "service.target.name": "orders",
            "span.destination.service.resource": "postgresql", "destination.address": "::1", "destination.ip": "::1",
            "destination.port": 5432, "event.outcome": "success",
        }),
    );
    let messaging = json!({"messaging.system": "kafka", "messaging.destination.name": "jobs"});
    check(
        &span(Some("PRODUCER"), &messaging),
        &json!({
            "span.type": "messaging", "span.subtype": "kafka", "span.action": "send", "span.message.queue.name": "jobs",
            "service.target.type": "kafka", "service.target.name": "jobs", "span.destination.service.resource": "kafka/jobs",
        }),
    );
    let rpc = json!({"rpc.system": "grpc", "rpc.service": "Search", "server.address": "search", "server.port": 50051});
    check(
        &span(Some("CLIENT"), &rpc),
        &json!({
            "span.type": "external", "span.subtype": "grpc", "service.target.type": "grpc", "service.target.name": "Search",
            "span.destination.service.resource": "search:50051",
        }),
    );
    let relative =
        json!({"http.target": "/a?b=1", "http.scheme": "https", "http.host": "shop:8443", "http.status_code": 404});
    check(
        &span(Some("CLIENT"), &relative),
        &json!({
            "url.original": "https://shop:8443/a?b=1", "http.response.status_code": 404, "event.outcome": "failure",
            "span.destination.service.resource": "shop:8443",
        }),
    );
    let own = span(Some("odd"), &json!({"peer.service": "redis", "answer": 42}));
    check(
        &own,
        &json!({
            "span.type": "custom", "span.subtype": "sub", "span.action": "act", "span.kind": "INTERNAL",
            "service.target.name": "redis", "service.target.type": "", "numeric_labels.answer": 42.0,
        }),
    );
}

#[test]
fn served_requests() {
    let http = json!({
        "http.request.method": "GET", "http.response.status_code": 503, "url.path": "/search", "url.query": "q=1",
        "url.scheme": "https", "server.address": "shop", "server.port": 8443, "client.address": "c", "user_agent.original": "ua",
        "net.sock.peer.addr": "10.0.0.1", "enduser": "e",
    });
    check(
        &transaction(&http),
        &json!({
            "transaction.type": "request", "transaction.result": "HTTP 5xx", "event.outcome": "failure", "span.kind": "SERVER",
            "http.request.method": "GET", "url.full": "https://shop:8443/search?q=1", "url.path": "/search", "url.port": 8443,
            "source.ip": "10.0.0.1", "client.domain": "c", "user_agent.original": "ua", "labels.enduser": "e",
        }),
    );
    let grpc = json!({"rpc.system": "grpc", "rpc.grpc.status_code": 5});
    check(
        &transaction(&grpc),
        &json!({"transaction.type": "request", "transaction.result": "NotFound", "event.outcome": "success"}),
    );
    let queue = json!({"messaging.system": "kafka", "messaging.destination": "jobs"});
    check(
        &transaction(&queue),
        &json!({
            "transaction.type": "messaging", "transaction.message.queue.name": "jobs", "span.kind": "CONSUMER",
            "transaction.result": "Success", "labels.messaging_system": "kafka",
        }),
    );
    check(
        &transaction(&json!({"a": 1})),
        &json!({"transaction.type": "unknown", "span.kind": "INTERNAL", "transaction.result": "Success"}),
    );
}

#[test]
fn what_the_context_knows_counts_first() {
    let line = json!({"span": {
        "id": "s", "trace_id": "t", "parent_id": "p", "name": "n", "type": "external", "duration": 1, "timestamp": 7,
        "context": {"http": {"status_code": 500}}, "otel": {"attributes": {"answer": 42}},
    }});
    check(&document(&line), &json!({"event.outcome": Outcome::Failure.as_str(), "http.response.status_code": 500}));
}

#[test]
fn work_that_was_given_up_stays_unknown() {
    let outcome_of = |told: Value| {
        let line = json!({"span": {
            "id": "s", "trace_id": "t", "parent_id": "p", "name": "chat", "type": "genai", "duration": 1, "timestamp": 7,
            "outcome": told, "otel": {"span_kind": "CLIENT", "attributes": {"gen_ai.system": "openai"}},
        }});
        document(&line).get("event.outcome").cloned()
    };
    assert_eq!(outcome_of(json!("unknown")), Some(json!("unknown")));
    assert_eq!(outcome_of(json!("failure")), Some(json!("failure")));
    assert_eq!(outcome_of(Value::Null), Some(json!("success")), "as Elastic's server has it where nothing is told");
}
