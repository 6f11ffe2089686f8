//! Searches as intake v2 events: of the page as Elastic's Python agent sends them, of the assistant as an agent with attributes of
//! OpenTelemetry does.

use serde_json::{Map, Value, json};

use super::article::{Answered, Attempt, Error, QUESTIONS, Search, Service};
use super::exception;
use super::log::{page_tokens, page_usd, service_name};

/// Chunks of a stream of OpenAI's without text: role and end.
const PROTOCOL_CHUNKS: u64 = 2;
/// Ticks of a timeline, at most, and microseconds of a unit.
const TICKS_MAX: usize = 480;
const UNIT_US: u64 = 100;
/// Words that answers are made of.
const WORDS: [&str; 24] = [
    "the", "index", "is", "written", "to", "a", "shard", "and", "each", "node", "keeps", "its", "own", "copy", "of",
    "what", "was", "asked", "so", "that", "searches", "stay", "fast", "here",
];

/// A request body, and the number of events in it.
pub(super) fn body(service: Service, searches: &[&Search]) -> anyhow::Result<(Vec<u8>, u64)> {
    let mut body = Vec::new();
    let mut write = |event: &Value| -> anyhow::Result<()> {
        serde_json::to_writer(&mut body, event)?;
        body.push(b'\n');
        Ok(())
    };
    write(&metadata(service))?;
    let mut count = 0;
    for search in searches {
        for event in events(search) {
            write(&event)?;
            count += 1;
        }
    }
    Ok((body, count))
}

fn metadata(service: Service) -> Value {
    let name = service_name(service);
    let (agent, language, runtime) = match service {
        Service::Page => (
            json!({"name": "python", "version": "6.26.2"}),
            json!({"name": "python", "version": "3.11.7"}),
            json!({"name": "CPython", "version": "3.11.7"}),
        ),
        Service::Assistant => (
            json!({"name": "rust", "version": "0.1.0"}),
            json!({"name": "rust", "version": "1.95.0"}),
            json!({"name": "rustc", "version": "1.95.0"}),
        ),
    };
    json!({"metadata": {
        "service": {"name": name, "environment": "production", "version": "1.4.0", "agent": agent, "language": language, "runtime": runtime},
        "process": {"pid": 4711, "ppid": 1, "title": null},
        "system": {"detected_hostname": "answers-1", "architecture": "x86_64", "platform": "linux"},
    }})
}

/// Children before parents, as agents report them.
fn events(search: &Search) -> Vec<Value> {
    let mut events = vec![engine(search)];
    for attempt in &search.attempts {
        match search.service {
            Service::Page => page_attempt(search, attempt, &mut events),
            Service::Assistant => events.push(assistant_attempt(search, attempt)),
        }
        if let Some(error) = attempt.error {
            events.push(exception::event(search, attempt, error));
        }
    }
    if search.service == Service::Page {
        let begin_us = search.at_us + search.engine_us as i64 + 3_000;
        let duration_us = search.duration_us - (begin_us - search.at_us) as u64 - 1_000;
        let group = span(search, &search.group_id, &search.transaction_id, "individual-results", "openai", begin_us);
        events.push(finished(group, duration_us, search.failed, json!({})));
    }
    let spans = events.iter().filter(|event| event.get("span").is_some()).count();
    events.push(transaction(search, spans));
    events
}

/// A span without its end.
fn span(search: &Search, id: &str, parent: &str, name: &str, kind: &str, at_us: i64) -> Map<String, Value> {
    let value = json!({
        "id": id,
        "transaction_id": search.transaction_id,
        "trace_id": search.trace_id,
        "parent_id": parent,
        "name": name,
        "type": kind,
        "timestamp": at_us,
        "sample_rate": 1.0,
    });
    value.as_object().cloned().unwrap_or_default()
}

fn finished(mut span: Map<String, Value>, duration_us: u64, failed: bool, more: Value) -> Value {
    span.insert("duration".into(), milliseconds(duration_us));
    span.insert("outcome".into(), if failed { "failure".into() } else { "success".into() });
    if let Value::Object(more) = more {
        span.extend(more);
    }
    json!({ "span": span })
}

fn milliseconds(us: u64) -> Value {
    json!(us as f64 / 1e3)
}

fn exit_to(kind: &str, resource: &str) -> Value {
    json!({
        "destination": {"service": {"resource": resource, "name": "", "type": ""}},
        "service": {"target": {"type": kind, "name": resource}},
    })
}

/// The search engine.
fn engine(search: &Search) -> Value {
    let name = "Elasticsearch: POST /search-elastic-docs/_search";
    let span = span(search, &search.engine_id, &search.transaction_id, name, "db", search.at_us + 1_000);
    let context = json!({
        "destination": {"address": "search.internal", "port": 9200, "service": {"resource": "elasticsearch", "name": "", "type": ""}},
        "service": {"target": {"type": "elasticsearch"}},
        "http": {"status_code": 200},
    });
    finished(span, search.engine_us, false, json!({"subtype": "elasticsearch", "action": "query", "context": context}))
}

/// The HTTP request, the tokens, and the span around them.
fn page_attempt(search: &Search, attempt: &Attempt, events: &mut Vec<Value>) {
    let [request_id, tokens_id, _] = &attempt.inner_ids;
    let status = match attempt.error {
        None => json!(200),
        Some(Error::RateLimit) => json!(429),
        Some(Error::Connection) => Value::Null,
    };
    let mut context = exit_to("http", "acme.openai.azure.com:443");
    let url = format!(
        "https://acme.openai.azure.com/openai/deployments/{}/chat/completions?api-version=2023-05-15",
        attempt.model
    );
    context["http"] = json!({"url": url, "status_code": status});
    // A streamed request ends with the headers.
    let first_us = attempt.answered.as_ref().and_then(|a| a.arrivals_us.first()).copied();
    let request_us = first_us.map_or(attempt.duration_us.saturating_sub(2_000), |first| first / 2);
    let request =
        span(search, request_id, &attempt.id, "POST acme.openai.azure.com", "external", attempt.at_us + 1_000);
    let more = json!({"subtype": "http", "sync": false, "context": context});
    events.push(finished(request, request_us.max(1), attempt.error.is_some(), more));
    if let Some(Answered { output_tokens, arrivals_us, .. }) = &attempt.answered {
        let (first, last) = (arrivals_us.first().copied().unwrap_or(0), arrivals_us.last().copied().unwrap_or(0));
        let count = output_tokens + PROTOCOL_CHUNKS;
        let tokens = span(search, tokens_id, &attempt.id, "token", "http", attempt.at_us + first as i64);
        let more = json!({
            "context": {"destination": {"service": {"resource": "http", "name": "", "type": ""}}, "service": {"target": {"type": "http"}}},
            "composite": {"compression_strategy": "exact_match", "count": count, "sum": count as f64 * 0.1},
        });
        events.push(finished(tokens, last - first, false, more));
    }
    let call = span(search, &attempt.id, &search.group_id, "openaiChatCompletion", "openai", attempt.at_us);
    events.push(finished(call, attempt.duration_us, attempt.error.is_some(), json!({"sync": false})));
}

/// One span with attributes.
fn assistant_attempt(search: &Search, attempt: &Attempt) -> Value {
    let mut attributes = json!({
        "gen_ai.provider.name": "openai",
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": attempt.model,
        "gen_ai.request.stream": true,
    });
    if let Some(answered) = &attempt.answered {
        attributes["gen_ai.response.model"] = attempt.model.into();
        attributes["gen_ai.response.finish_reasons"] = json!(["stop"]);
        attributes["gen_ai.usage.input_tokens"] = attempt.input_tokens.into();
        attributes["gen_ai.usage.output_tokens"] = answered.output_tokens.into();
        attributes["gen_ai.usage.cache_read.input_tokens"] = attempt.cached_tokens.into();
        stream(&mut attributes, answered);
        if answered.is_captured {
            let part = |text: &str| json!([{"type": "text", "content": text}]);
            let input = json!([{"role": "user", "parts": part(QUESTIONS[search.question])}]);
            let output =
                json!([{"role": "assistant", "parts": part(&text(answered.output_tokens)), "finish_reason": "stop"}]);
            attributes["gen_ai.input.messages"] = input.to_string().into();
            attributes["gen_ai.output.messages"] = output.to_string().into();
        }
    }
    let name = format!("chat {}", attempt.model);
    let call = span(search, &attempt.id, &search.transaction_id, &name, "genai", attempt.at_us);
    let more = json!({
        "subtype": "openai",
        "context": exit_to("openai", "openai"),
        "otel": {"span_kind": "CLIENT", "attributes": attributes},
    });
    finished(call, attempt.duration_us, attempt.error.is_some(), more)
}

/// What the agent measures of a stream.
fn stream(attributes: &mut Value, answered: &Answered) {
    let arrivals = &answered.arrivals_us;
    let (Some(first), Some(last)) = (arrivals.first(), arrivals.last()) else { return };
    let mut gaps: Vec<u64> = arrivals.windows(2).map(|pair| pair[1] - pair[0]).collect();
    gaps.sort_unstable();
    let seconds = |us: u64| json!(us as f64 / 1e6);
    attributes["gen_ai.response.time_to_first_chunk"] = seconds(*first);
    attributes["tokenfall.stream.chunks"] = arrivals.len().into();
    attributes["tokenfall.stream.time_to_last_chunk"] = seconds(*last);
    attributes["tokenfall.stream.timeline"] = timeline(arrivals).into();
    for (name, share) in [("p50", 0.5), ("p95", 0.95), ("max", 1.0)] {
        let place = (share * gaps.len().saturating_sub(1) as f64).round() as usize;
        if let Some(gap) = gaps.get(place) {
            attributes[format!("tokenfall.stream.inter_token.{name}")] = seconds(*gap);
        }
    }
}

/// `docs/formats/token-timeline.md`.
fn timeline(arrivals_us: &[u64]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut chunks_per_tick = 1;
    while arrivals_us.len().div_ceil(chunks_per_tick) > TICKS_MAX {
        chunks_per_tick *= 2;
    }
    let mut text = format!("1;{UNIT_US};{chunks_per_tick};");
    let mut before = 0;
    for at in arrivals_us.iter().step_by(chunks_per_tick) {
        let tick = (at + UNIT_US / 2) / UNIT_US;
        let mut distance = tick - before;
        before = tick;
        loop {
            let (digit, rest) = (distance % 32, distance / 32);
            let goes_on = if rest > 0 { 32 } else { 0 };
            text.push(char::from(DIGITS[(digit + goes_on) as usize]));
            distance = rest;
            if rest == 0 {
                break;
            }
        }
    }
    text
}

fn text(tokens: u64) -> String {
    let words: Vec<&str> = WORDS.iter().cycle().take(tokens as usize).copied().collect();
    words.join(" ")
}

pub(super) const fn kind_of(service: Service) -> &'static str {
    match service {
        Service::Page => "user-query",
        Service::Assistant => "request",
    }
}

fn transaction(search: &Search, spans: usize) -> Value {
    let mut tags = json!({
        "query": QUESTIONS[search.question],
        "session_id": search.session,
        "team": search.team,
        "region": search.region,
        "experiment": search.experiment,
        "prompt_version": search.prompt_version,
    });
    let mut context = json!({});
    let (name, result) = match search.service {
        Service::Page => {
            tags["user_id"] = search.user.clone().into();
            if let (Some(tokens), Some(usd)) = (page_tokens(search), page_usd(search)) {
                tags["openai_tokens"] = tokens.into();
                tags["openai_cost"] = json!(usd);
            }
            ("user-query", "")
        }
        Service::Assistant => {
            context["user"] = json!({"id": search.user});
            context["request"] =
                json!({"method": "POST", "url": {"full": "https://docs.example/ask", "pathname": "/ask"}});
            context["response"] = json!({"status_code": if search.failed { 502 } else { 200 }});
            ("POST /ask", if search.failed { "HTTP 5xx" } else { "HTTP 2xx" })
        }
    };
    context["tags"] = tags;
    json!({"transaction": {
        "id": search.transaction_id,
        "trace_id": search.trace_id,
        "name": name,
        "type": kind_of(search.service),
        "result": result,
        "duration": milliseconds(search.duration_us),
        "timestamp": search.at_us,
        "outcome": if search.failed { "failure" } else { "success" },
        "sampled": true,
        "sample_rate": 1.0,
        "span_count": {"started": spans, "dropped": 0},
        "context": context,
    }})
}

#[cfg(test)]
mod tests {
    use tokenfall_model::TokenTimeline;

    use super::*;
    use crate::simulate::article::Article;

    #[test]
    fn timelines_are_read_as_they_were_written() {
        let arrivals = vec![420_000, 450_100, 450_100, 481_000, 5_000_000];
        let read = TokenTimeline::parse(&timeline(&arrivals)).unwrap();
        assert_eq!((read.offsets_us, read.chunks_per_tick), (arrivals, 1));
        let long: Vec<u64> = (0..2_000).map(|i| i * 40_000).collect();
        let read = TokenTimeline::parse(&timeline(&long)).unwrap();
        assert_eq!((read.offsets_us.len(), read.chunks_per_tick), (250, 8));
    }

    #[test]
    fn each_event_is_a_line_with_one_kind() {
        let searches = Article { days: 2, searches: 40, seed: 3, until_us: 1_795_000_000_000_000 }.searches();
        for service in [Service::Page, Service::Assistant] {
            let of_service: Vec<&Search> = searches.iter().filter(|s| s.service == service).collect();
            let (body, count) = body(service, &of_service).unwrap();
            let lines: Vec<Value> = body
                .split(|b| *b == b'\n')
                .filter(|l| !l.is_empty())
                .map(|l| serde_json::from_slice(l).unwrap())
                .collect();
            assert_eq!(lines.len() as u64, count + 1);
            assert!(lines[0].get("metadata").is_some());
            let of_kind = |kind: &str| lines.iter().filter(|line| line.get(kind).is_some()).count();
            assert_eq!(of_kind("transaction"), of_service.len());
            assert_eq!(of_kind("span") + of_kind("error") + of_kind("transaction"), count as usize);
        }
    }
}
