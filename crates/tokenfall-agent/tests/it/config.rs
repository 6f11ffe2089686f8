//! Configuration: sources, and what the server changes while the program runs.

use std::time::Duration;

use tokenfall_agent::Agent;

use crate::logged;
use crate::server::{Answer, CONFIG, EVENTS, PATIENCE, Server};

/// What counts as a second between polls.
const SECOND: Duration = Duration::from_millis(2);

fn wait_until_sampled(server: &Server, agent: &Agent, sampled: bool) {
    server.wait_until(&format!("transactions with sampled={sampled}"), |_| {
        let transaction = agent.begin_transaction("probe", "custom");
        (transaction.is_sampled() == sampled).then_some(())
    });
}

#[test]
fn central_configuration_is_followed_while_the_program_runs() {
    logged::collect();
    let server = Server::start();
    let answer = |etag: &str, body: &str| {
        Answer::json(200, body).header("Etag", etag).header("Cache-Control", "max-age=1, must-revalidate")
    };
    server.answer(CONFIG, [answer("\"1\"", r#"{"transaction_sample_rate": "0"}"#)]);
    let agent = server.agent().environment("ci & more").option("central_config", "true").second(SECOND).start();
    wait_until_sampled(&server, &agent, false);
    let first = &server.requests(CONFIG)[0];
    assert_eq!(first.method, "GET");
    assert_eq!(first.query, "service.name=test&service.environment=ci%20%26%20more");
    assert_eq!(first.header("if-none-match"), "");

    // What is unchanged is not sent again.
    server.answer(CONFIG, [Answer::status(304).header("Cache-Control", "max-age=1")]);
    let n = server.requests(CONFIG).len();
    let requests = server.wait_for_requests(CONFIG, n + 2);
    assert_eq!(requests.last().expect("a request").header("if-none-match"), "\"1\"");
    wait_until_sampled(&server, &agent, false);

    // One value that is none does not spoil the others, and what cannot change does not.
    server.answer(
        CONFIG,
        [answer("\"2\"", r#"{"transaction_sample_rate": "0.5x", "recording": "false", "service_name": "x"}"#)],
    );
    server.wait_until("recording to end", |_| (!agent.is_recording()).then_some(()));
    assert!(logged::lines("0.5x")[0].contains("transaction_sample_rate"));

    // Nothing configured any more: the program's own configuration counts again.
    server.answer(CONFIG, [answer("\"-\"", "{}")]);
    wait_until_sampled(&server, &agent, true);
}

#[test]
fn central_configuration_survives_what_the_server_says() {
    for answer in
        [Answer::status(404), Answer::status(403), Answer::json(503, "{}"), Answer::json(200, "[]"), Answer::Close]
    {
        let server = Server::start();
        server.answer(CONFIG, [answer]);
        let agent = server.agent().option("central_config", "true").option("transaction_sample_rate", "1").start();
        server.wait_until("the question", |server| (!server.requests(CONFIG).is_empty()).then_some(()));
        agent.begin_transaction("works", "custom").end();
        assert!(agent.flush(PATIENCE));
        assert_eq!(server.events("transaction").len(), 1);
    }
}

#[test]
fn central_configuration_is_asked_for_anew_when_the_server_is_back() {
    let first = Server::start();
    let address = first.address();
    let agent = first.agent().option("central_config", "true").second(Duration::from_millis(20)).start();
    first.wait_for_requests(CONFIG, 1);
    drop(first);
    let transaction = agent.begin_transaction("waits", "custom");
    transaction.end();
    let deadline = std::time::Instant::now() + PATIENCE;
    while agent.stats().failed_requests < 2 {
        assert!(std::time::Instant::now() < deadline, "waited in vain for failures");
        std::thread::yield_now();
    }
    let server = Server::listen(address);
    server.answer(CONFIG, [Answer::json(200, r#"{"transaction_sample_rate": "0"}"#).header("Etag", "\"1\"")]);
    server.wait_for_requests(EVENTS, 1);
    wait_until_sampled(&server, &agent, false);
}

#[test]
fn the_environment_wins_over_the_program() {
    logged::collect();
    let server = Server::start();
    let agent = server
        .agent()
        .environment_variables([
            ("ELASTIC_APM_SERVICE_NAME", "from environment"),
            ("ELASTIC_APM_ENVIRONMENT", "production"),
            ("ELASTIC_APM_GLOBAL_LABELS", "zone=b, team = search"),
            ("ELASTIC_APM_TRANSACTION_MAX_SPANS", "a lot"),
        ])
        .service_name("from program")
        .option("transaction_max_spans", "2")
        .option("transaktion_max_spans", "3")
        .label("zone", "a")
        .label("racks", 4)
        .start();
    let transaction = agent.begin_transaction("t", "custom");
    for _ in 0..3 {
        transaction.capture_span("s").start().end();
    }
    transaction.end();
    assert!(agent.flush(PATIENCE));
    let metadata = server.requests(EVENTS)[0].lines()[0]["metadata"].clone();
    assert_eq!(metadata["service"]["name"], "from environment");
    assert_eq!(metadata["service"]["environment"], "production");
    assert_eq!(metadata["labels"], serde_json::json!({"zone": "b", "team": "search", "racks": 4.0}));
    assert_eq!(server.events("span").len(), 2, "the program's value counts if the environment's is none");
    assert_eq!(logged::lines("`a lot` from ELASTIC_APM_TRANSACTION_MAX_SPANS").len(), 1);
    assert_eq!(logged::lines("no option `transaktion_max_spans`").len(), 1);
}
