//! Bodies that nobody should send: a clear answer, and the good lines kept.

use crate::harness::{EVENTS, NDJSON, Running, accepted, messages, metadata, transaction, wait_until};

/// A bad line between good ones gives this status and message, and the good ones are stored.
fn check(server: &Running, name: &str, bad: &[u8], message: &str) {
    let (first, last) = (transaction(&format!("{name}1"), name), transaction(&format!("{name}2"), name));
    let body = [metadata().as_bytes(), first.as_bytes(), bad, b"\n", last.as_bytes()].concat();
    let answer = server.post(&[], &body);
    assert_eq!((answer.status, accepted(&answer)), (400, Some(2)), "{name}: {:.300}", answer.text());
    let messages = messages(&answer);
    assert_eq!(messages.len(), 1, "{name}");
    assert!(messages[0].contains(message), "{name}: {}", messages[0]);
    wait_until(name, || server.visible(name) == 2);
}

#[test]
fn good_lines_survive_their_neighbours() {
    let server = Running::start();
    check(&server, "not-json", b"nonsense", "did not recognize object type");
    check(&server, "half-json", b"{\"transaction\":{\"id\":\"1\"", "decode error: ");
    check(&server, "unknown-kind", b"{\"tarnsaction\":{}}", "did not recognize object type: \"tarnsaction\"");
    check(&server, "second-metadata", b"{\"metadata\":{}}", "did not recognize object type: \"metadata\"");
    check(&server, "utf-8", b"{\"transaction\":{\"id\":\"\xff\xfe\"}}", "decode error: ");
    let long = format!("{{\"transaction\":{{\"id\":\"{}\"}}}}", "x".repeat(400_000));
    check(&server, "long-line", long.as_bytes(), "event exceeded the permitted size");
    let negative = transaction("n", "negative").replace("12.5", "-1");
    check(&server, "negative", negative.trim_end().as_bytes(), "validation error: transaction: 'duration'");
    let labels: Vec<_> = (0..10_000).map(|i| format!("\"l{i}\":{i}")).collect();
    let labels = transaction("l", "labels")
        .replace("\"type\"", &format!("\"context\":{{\"tags\":{{{}}}}},\"type\"", labels.join(",")));
    check(&server, "labels", labels.trim_end().as_bytes(), "10000 labels");
    assert_eq!(server.metric("tokenfall_limit_reached_total{limit=\"event_bytes\"}"), 1);
    assert_eq!(server.metric("tokenfall_panics_total"), 0);
}

#[test]
fn deep_nesting_does_not_end_the_process() {
    let server = Running::start();
    let deep = "[".repeat(120_000) + &"]".repeat(120_000);
    for (name, place) in [("ignored", "unknown"), ("custom", "custom")] {
        let line = transaction(name, name).replace("\"type\"", &format!("\"context\":{{\"{place}\":{deep}}},\"type\""));
        let good = transaction("g", name);
        let answer = server.post(&[], (metadata() + &line + &good).as_bytes());
        assert!(matches!(answer.status, 202 | 400), "{name}: {:.300}", answer.text());
        assert!(accepted(&answer) >= Some(1), "{name}: {:.300}", answer.text());
        wait_until(name, || server.visible(name) >= 1);
    }
    assert_eq!(server.metric("tokenfall_panics_total"), 0);
}

#[test]
fn far_times_are_kept() {
    let server = Running::start();
    for (name, us) in [("past", "1"), ("future", "4102444800000000"), ("far", "9007199254740991000")] {
        let line = transaction(name, name).replace("\"type\"", &format!("\"timestamp\":{us},\"type\""));
        let answer = server.post(&[], (metadata() + &line).as_bytes());
        assert!(matches!(answer.status, 202 | 400), "{name}: {}", answer.text());
        if answer.status == 202 {
            wait_until(name, || server.visible(name) == 1);
        }
    }
}

#[test]
fn a_wrong_first_line_ends_the_request() {
    let server = Running::start();
    let answer = server.post(&[], (transaction("1", "t") + &metadata()).as_bytes());
    assert_eq!((answer.status, accepted(&answer)), (400, Some(0)));
    assert_eq!(messages(&answer), ["\"metadata\" or \"m\" required"]);
    // Nobody reads the rest, but the client gets its answer all the same.
    let answer = server.post(&[], &b"nonsense\n".repeat(300_000));
    assert_eq!(answer.status, 400);
    let garbage: Vec<u8> = (0..100_000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    assert_eq!(server.post(&[], &garbage).status, 400);
}

#[test]
fn only_five_errors_are_listed() {
    let server = Running::start();
    let answer = server.post(&[], (metadata() + &"{\"what\":{}}\n".repeat(50) + &transaction("1", "t")).as_bytes());
    assert_eq!((answer.status, accepted(&answer), messages(&answer).len()), (400, Some(1), 5));
}

#[test]
fn what_is_received_is_accepted_or_rejected() {
    let server = Running::start();
    let line = transaction("1", "t");
    server.post(&[], (metadata() + &line.repeat(7) + &"{\"what\":{}}\n".repeat(3)).as_bytes());
    server.post(&[], (metadata() + &line.repeat(1200)).as_bytes());
    server.post(&[], b"nonsense");
    server.ask("GET", EVENTS, &NDJSON);
    let of = |name: &str| server.metric(&format!("tokenfall_intake_events_{name}"));
    assert_eq!(of("received_total"), 7 + 3 + 1200 + 1);
    assert_eq!(of("accepted_total"), 1207);
    assert_eq!(of("rejected_total{reason=\"invalid\"}"), 4);
    assert_eq!(server.store.stats().events.transaction, 1207);
    let requests = |result: &str| server.metric(&format!("tokenfall_intake_requests_total{{result=\"{result}\"}}"));
    assert_eq!((requests("accepted"), requests("invalid")), (1, 3));
}
