//! What is sent, what the log says, and what the intake makes of it are the same.

use std::collections::BTreeMap;

use serde_json::Value;
use tokenfall_intake::{IntakeStream, StreamOptions};

use super::article::{Article, Search, Service};
use super::{events, log};

fn searches() -> Vec<Search> {
    Article { days: 10, searches: 400, seed: 2, until_us: 1_795_000_000_000_000 }.searches()
}

fn of_service(searches: &[Search], service: Service) -> Vec<&Search> {
    searches.iter().filter(|search| search.service == service).collect()
}

/// The events of one kind, by the id of their transaction.
fn sent(body: &[u8], kind: &str, id: &str) -> BTreeMap<String, Vec<Value>> {
    let mut events: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for line in body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let mut line: Value = serde_json::from_slice(line).unwrap();
        let event = line[kind].take();
        if let Some(id) = event[id].as_str() {
            events.entry(id.to_owned()).or_default().push(event);
        }
    }
    events
}

#[test]
fn the_intake_takes_every_event() {
    let searches = searches();
    for service in [Service::Page, Service::Assistant] {
        let (body, count) = events::body(service, &of_service(&searches, service)).unwrap();
        let mut stream = IntakeStream::new(StreamOptions::default());
        let mut documents = Vec::new();
        stream.feed(&body, &mut documents);
        stream.finish(&mut documents);
        assert_eq!(stream.errors(), []);
        assert_eq!((stream.accepted(), documents.len() as u64), (count, count));
    }
}

#[test]
fn the_log_says_what_is_sent() {
    let searches = searches();
    for service in [Service::Page, Service::Assistant] {
        let (body, _) = events::body(service, &of_service(&searches, service)).unwrap();
        let (transactions, spans) = (sent(&body, "transaction", "id"), sent(&body, "span", "transaction_id"));
        let errors = sent(&body, "error", "transaction_id");
        for search in of_service(&searches, service) {
            let line = log::line(search);
            let transaction = &transactions[&search.transaction_id][0];
            let spans = &spans[&search.transaction_id];
            let attempts = line["attempts"].as_array().unwrap();
            let tags = &transaction["context"]["tags"];
            assert_eq!(transaction["timestamp"], line["timestamp_us"]);
            assert_eq!(transaction["outcome"], line["outcome"]);
            assert_eq!(transaction["span_count"]["started"], spans.len());
            assert_eq!((&tags["query"], &tags["session_id"]), (&line["question"], &line["session"]));
            assert_eq!(tags["prompt_version"], line["labels"]["prompt_version"]);
            let micros = transaction["duration"].as_f64().unwrap() * 1e3;
            assert_eq!(micros.round() as u64, line["duration_us"].as_u64().unwrap());

            let failed = attempts.iter().filter(|attempt| !attempt["error"].is_null()).count();
            assert_eq!(errors.get(&search.transaction_id).map_or(0, Vec::len), failed);
            let answered: Vec<&Value> = attempts.iter().filter(|attempt| attempt["error"].is_null()).collect();
            let tokens = |name: &str| answered.iter().map(|attempt| attempt[name].as_u64().unwrap()).sum::<u64>();
            let (input, output) = (tokens("input_tokens"), tokens("output_tokens"));
            if service == Service::Page {
                let chunks: u64 = spans.iter().filter_map(|span| span["composite"]["count"].as_u64()).sum();
                assert_eq!(chunks, output + 2 * answered.len() as u64, "role and end are chunks, too");
                let labels = (tags["openai_tokens"].as_u64(), tags["openai_cost"].as_f64());
                let known = !answered.is_empty();
                let usd: f64 = line["usd"].as_str().unwrap().parse().unwrap();
                assert_eq!(labels, (known.then_some(input + output), known.then_some(usd)));
            } else {
                let attributes = spans.iter().map(|span| &span["otel"]["attributes"]);
                let sent: u64 = attributes.filter_map(|a| a["gen_ai.usage.output_tokens"].as_u64()).sum();
                assert_eq!(sent, output);
            }
        }
    }
}

#[test]
fn stalls_are_longer_than_any_other_gap() {
    let searches = searches();
    let answers = searches.iter().flat_map(|search| &search.attempts).filter_map(|attempt| attempt.answered.as_ref());
    let mut stalls = 0;
    for answer in answers {
        let longest = answer.arrivals_us.windows(2).map(|pair| pair[1] - pair[0]).max();
        if let Some(stall) = answer.stall_us() {
            stalls += 1;
            assert_eq!(Some(stall), longest);
            assert!(stall > 800_000, "{stall}");
        } else {
            assert!(longest < Some(250_000), "{longest:?}");
        }
    }
    assert!(stalls > 0);
}
