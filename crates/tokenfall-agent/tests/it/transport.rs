//! Requests: what is in them, when they end, what happens if they fail.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use serde_json::json;
use tokenfall_agent::{Agent, Stats};

use crate::logged;
use crate::server::{Answer, EVENTS, PATIENCE, Request, Server};

/// Long enough for a thread to do what it should not do.
const SHORT: Duration = Duration::from_millis(300);
/// What counts as a second where a test waits for the next try.
const SECOND: Duration = Duration::from_millis(5);

fn report(agent: &Agent, n: usize) {
    for i in 0..n {
        agent.begin_transaction(format!("transaction {i}"), "request").end();
    }
}

fn n_transactions(request: &Request) -> usize {
    request.lines().iter().filter(|line| line.get("transaction").is_some()).count()
}

/// An address where nobody listens.
fn dead_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    format!("http://{}", listener.local_addr().expect("an address"))
}

fn wait_for_stats(agent: &Agent, what: &str, fits: impl Fn(Stats) -> bool) -> Stats {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let stats = agent.stats();
        if fits(stats) {
            return stats;
        }
        assert!(Instant::now() < deadline, "waited in vain for {what}: {stats:?}");
        std::thread::yield_now();
    }
}

#[test]
fn the_first_line_is_the_metadata() {
    let server = Server::start();
    let agent = server.agent().service_version("1.2").environment("ci").label("zone", 7).start();
    report(&agent, 1);
    assert!(agent.flush(PATIENCE));

    let requests = server.wait_for_requests(EVENTS, 1);
    let service = &requests[0].lines()[0]["metadata"]["service"];
    assert_eq!(service["name"], "test");
    assert_eq!(service["version"], "1.2");
    assert_eq!(service["environment"], "ci");
    assert_eq!(service["agent"]["name"], "rust");
    assert_eq!(requests[0].lines()[0]["metadata"]["labels"]["zone"], 7.0);
    assert_eq!(requests[0].header("content-type"), "application/x-ndjson");
    assert_eq!(requests[0].header("authorization"), "");
    assert_eq!(requests[0].header("content-encoding"), "", "nothing is compressed for this machine");
    let stats = agent.stats();
    assert_eq!((stats.total, stats.sent, stats.dropped, stats.requests), (1, 1, 0, 1));
    assert!(agent.shutdown(PATIENCE));
    assert!(agent.shutdown(PATIENCE), "a second time is no mistake");
}

#[test]
fn events_arrive_while_the_request_is_open() {
    let server = Server::start();
    let agent = server.agent().start();
    // The first request only finds out whether the server takes events.
    report(&agent, 1);
    server.wait_for_requests(EVENTS, 1);

    report(&agent, 1);
    server.wait_for_events("transaction", 2);
    report(&agent, 1);
    server.wait_for_events("transaction", 3);
    let requests = server.requests(EVENTS);
    assert_eq!(requests.len(), 2);
    assert!(!requests[1].complete, "it stays open for `api_request_time`");
    assert_eq!(requests[1].header("transfer-encoding"), "chunked");

    assert!(agent.flush(PATIENCE), "a flush ends it");
    assert!(server.requests(EVENTS)[1].complete);
    assert_eq!(agent.stats().sent, 3);
    assert_eq!(server.n_connections(), 1, "one connection serves all requests");
}

#[test]
fn a_request_ends_after_its_time() {
    let server = Server::start();
    let agent = server.agent().option("api_request_time", "200ms").start();
    report(&agent, 1);
    server.wait_for_requests(EVENTS, 1);
    report(&agent, 1);
    let requests = server.wait_for_requests(EVENTS, 2);
    let [_, second] = requests.as_slice() else { panic!("two requests are expected: {requests:?}") };
    let took = second.ended.expect("it is complete").duration_since(second.began.expect("it began"));
    assert!(took >= Duration::from_millis(150), "it was to stay open for 200 ms ± 10 %: {took:?}");
}

#[test]
fn a_request_ends_at_its_size() {
    let server = Server::start();
    let agent = server.agent().option("api_request_size", "512b").start();
    report(&agent, 100);
    assert!(agent.flush(PATIENCE));
    let requests = server.requests(EVENTS);
    assert!(requests.len() > 3, "100 transactions are more than 4 KiB, which is 8 times the size for this machine");
    for request in &requests {
        assert!(request.n_wire_bytes < 6 << 10, "a request of {} bytes", request.n_wire_bytes);
        assert!(request.lines()[0].get("metadata").is_some());
    }
    assert_eq!(requests.iter().map(n_transactions).sum::<usize>(), 100);
}

#[test]
fn what_leaves_the_machine_is_compressed_and_goes_through_the_proxy() {
    let proxy = Server::start();
    let agent = proxy
        .agent()
        .environment_variables([("HTTP_PROXY", proxy.url())])
        .server_url("http://apm.invalid:8200/path/")
        .start();
    proxy.answer("/path/intake/v2/events", [Answer::status(202)]);
    report(&agent, 50);
    assert!(agent.flush(PATIENCE));
    assert_eq!(proxy.requests("apm.invalid:8200")[0].method, "CONNECT");
    let requests = proxy.requests("/path/intake/v2/events");
    assert_eq!(requests[0].header("host"), "apm.invalid:8200");
    assert_eq!(requests[0].header("content-encoding"), "gzip");
    assert!(requests[0].n_wire_bytes * 3 < requests[0].body.len(), "50 similar events are worth compressing");
    assert_eq!(requests.iter().map(n_transactions).sum::<usize>(), 50);

    // A flush of the compressor brings out what was written, while the request stays open.
    report(&agent, 1);
    proxy.wait_until("an event of an open request", |proxy| {
        proxy
            .requests("/path/intake/v2/events")
            .iter()
            .find(|request| !request.complete && n_transactions(request) == 1)
            .cloned()
    });
}

#[test]
fn an_api_key_wins_over_a_secret_token_and_neither_is_shown() {
    let server = Server::start();
    let builder = server.agent().secret_token("hush");
    assert!(!format!("{builder:?}").contains("hush"));
    let agent = builder.clone().start();
    assert!(!format!("{agent:?}").contains("hush"));
    report(&agent, 1);
    assert!(agent.flush(PATIENCE));
    let agent = builder.api_key("a2V5").start();
    report(&agent, 1);
    assert!(agent.flush(PATIENCE));
    let sent: Vec<_> =
        server.requests(EVENTS).iter().map(|request| request.header("authorization").to_owned()).collect();
    assert_eq!(sent, ["Bearer hush", "ApiKey a2V5"]);
}

#[test]
fn a_dead_server_costs_a_counter_and_one_line() {
    logged::collect();
    let address = dead_address();
    let server = Server::start();
    let agent = server.agent().server_url(&address).option("max_queue_size", "100").second(SECOND).start();
    let start = Instant::now();
    report(&agent, 500);
    assert!(start.elapsed() < Duration::from_secs(2), "the program does not wait");
    let stats = wait_for_stats(&agent, "several tries", |stats| stats.failed_requests >= 4);
    assert_eq!((stats.total, stats.waiting, stats.dropped, stats.sent), (500, 100, 400, 0));
    let lines = logged::lines(&address);
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].starts_with("ERROR"), "{lines:?}");
    assert!(!agent.flush(PATIENCE), "it has not arrived");
    assert!(!agent.shutdown(PATIENCE));
    let stats = agent.stats();
    assert_eq!((stats.total, stats.dropped, stats.waiting), (500, 500, 0), "all are counted in the end");
}

#[test]
fn what_waited_arrives_when_the_server_is_back() {
    logged::collect();
    let first = Server::start();
    let (address, url) = (first.address(), first.url());
    let agent = first.agent().second(SECOND).start();
    drop(first);
    report(&agent, 10);
    wait_for_stats(&agent, "a failure", |stats| stats.failed_requests >= 2);
    let server = Server::listen(address);
    server.wait_for_events("transaction", 10);
    assert!(agent.flush(PATIENCE));
    let stats = agent.stats();
    assert_eq!((stats.sent, stats.dropped), (10, 0), "without a connection nothing is taken from the queue");
    let lines = logged::lines(&url);
    assert!(lines[0].contains("does not answer"), "{lines:?}");
    assert!(lines[1].contains("takes events again"), "{lines:?}");
}

#[test]
fn answers_other_than_202_are_failures_with_a_reason() {
    logged::collect();
    for (status, body, expected) in [
        (401, json!({"error": "authentication failed"}), "authentication failed"),
        (429, json!({"accepted": 0, "errors": [{"message": "rate limit exceeded"}]}), "rate limit exceeded"),
        (503, json!({"accepted": 0, "errors": [{"message": "queue is full"}]}), "queue is full"),
        (500, json!("?"), "does not say why"),
    ] {
        let server = Server::start();
        server.answer(EVENTS, [Answer::json(status, body)]);
        let agent = server.agent().second(SECOND).start();
        report(&agent, 1);
        wait_for_stats(&agent, "the failure", |stats| stats.dropped == 1);
        // It tries again with what comes next, and does not repeat itself.
        report(&agent, 1);
        wait_for_stats(&agent, "the second failure", |stats| stats.dropped == 2);
        let lines = logged::lines(&server.url());
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].contains(expected) && lines[0].contains(&status.to_string()), "{lines:?}");

        server.answer(EVENTS, [Answer::status(202)]);
        report(&agent, 1);
        assert!(agent.flush(PATIENCE));
        let stats = agent.stats();
        assert_eq!((stats.total, stats.sent, stats.dropped, stats.failed_requests), (3, 1, 2, 2));
        assert!(logged::lines(&server.url()).iter().any(|line| line.contains("takes events again")));
    }
}

#[test]
fn events_that_the_server_took_are_not_counted_as_lost() {
    logged::collect();
    let server = Server::start();
    let refusal = json!({"accepted": 2, "errors": [{"message": "'name' required", "document": "{}"}]});
    server.answer(EVENTS, [Answer::json(400, refusal), Answer::status(202)]);
    let agent = server.agent().start();
    report(&agent, 3);
    assert!(!agent.flush(PATIENCE));
    let stats = agent.stats();
    assert_eq!((stats.sent, stats.dropped), (2, 1));
    let lines = logged::lines(&server.url());
    assert!(lines.iter().any(|line| line.contains("'name' required")), "{lines:?}");
}

#[test]
fn a_broken_connection_costs_what_was_on_its_way() {
    let server = Server::start();
    server.answer(EVENTS, [Answer::Close, Answer::status(202)]);
    let agent = server.agent().second(SECOND).start();
    report(&agent, 2);
    wait_for_stats(&agent, "the failure", |stats| stats.failed_requests == 1);
    report(&agent, 3);
    assert!(agent.flush(PATIENCE));
    let stats = agent.stats();
    assert_eq!((stats.total, stats.sent, stats.dropped), (5, 3, 2));
}

#[test]
fn the_next_server_is_taken_when_one_fails() {
    let server = Server::start();
    let urls = format!("{}, {}/", dead_address(), server.url());
    let agent = server.agent().server_url(urls).start();
    report(&agent, 3);
    server.wait_for_events("transaction", 3);
    assert!(agent.flush(PATIENCE));
    assert_eq!(agent.stats().dropped, 0);
}

#[test]
fn a_server_that_hangs_does_not_hold_up_the_end() {
    let server = Server::start();
    server.answer(EVENTS, [Answer::Hang]);
    let agent = server.agent().start();
    report(&agent, 1);
    server.wait_until("the request", |server| (!server.requests(EVENTS).is_empty()).then_some(()));
    let start = Instant::now();
    assert!(!agent.flush(SHORT));
    assert!(!agent.shutdown(SHORT));
    assert!(start.elapsed() < Duration::from_secs(5), "the default of `server_timeout` is 30 seconds");
    let stats = wait_for_stats(&agent, "the end of the thread", |stats| stats.dropped == 1);
    assert_eq!((stats.total, stats.sent), (1, 0));
    report(&agent, 1);
    assert_eq!(agent.stats().total, 1, "nothing is recorded after the end");
}

#[test]
fn the_last_handle_sends_what_waits() {
    let server = Server::start();
    let agent = server.agent().start();
    let clone = agent.clone();
    report(&agent, 5);
    drop(agent);
    report(&clone, 5);
    drop(clone);
    assert_eq!(server.events("transaction").len(), 10);
    assert!(server.requests(EVENTS).iter().all(|request| request.complete));
}

#[test]
fn the_global_agent_does_not_keep_the_thread_alive() {
    let server = Server::start();
    let agent = server.agent().start();
    Agent::set_global(&agent);
    report(&Agent::global(), 1);
    drop(agent);
    assert_eq!(server.events("transaction").len(), 1);
    assert!(!Agent::global().is_recording());
    Agent::set_global(&Agent::disabled());
}

#[test]
fn nothing_is_sent_if_nothing_is_to_be_sent() {
    let server = Server::start();
    for (option, value) in [("enabled", "false"), ("disable_send", "true"), ("recording", "false")] {
        let agent = server.agent().option("central_config", "true").option(option, value).start();
        report(&agent, 10);
        assert!(agent.flush(PATIENCE));
        let stats = agent.stats();
        assert_eq!(stats.total, stats.dropped, "{option}");
        agent.shutdown(PATIENCE);
    }
    assert_eq!(server.requests(EVENTS).len(), 0);
}

#[test]
fn many_threads_lose_nothing() {
    let server = Server::start();
    let agent = server.agent().option("max_queue_size", "100000").start();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| report(&agent, 2_000));
        }
    });
    assert!(agent.shutdown(PATIENCE));
    let stats = agent.stats();
    assert_eq!((stats.total, stats.sent, stats.dropped), (8_000, 8_000, 0));
    assert_eq!(server.events("transaction").len(), 8_000);
}
