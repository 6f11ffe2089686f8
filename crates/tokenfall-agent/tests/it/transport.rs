//! Requests: what is in them, when they end, what happens if they fail.

use std::time::Duration;

use crate::server::{EVENTS, PATIENCE, Server};

#[test]
fn the_first_line_is_the_metadata() {
    let server = Server::start();
    let agent = server.agent().service_version("1.2").environment("ci").label("zone", 7).start();
    agent.begin_transaction("GET /", "request").end();
    assert!(agent.flush(PATIENCE));

    let requests = server.wait_for_requests(EVENTS, 1);
    let service = &requests[0].lines()[0]["metadata"]["service"];
    assert_eq!(service["name"], "test");
    assert_eq!(service["version"], "1.2");
    assert_eq!(service["environment"], "ci");
    assert_eq!(service["agent"]["name"], "rust");
    assert_eq!(requests[0].lines()[0]["metadata"]["labels"]["zone"], 7.0);
    assert_eq!(requests[0].header("content-type"), "application/x-ndjson");
    let stats = agent.stats();
    assert_eq!((stats.total, stats.sent, stats.dropped, stats.requests), (1, 1, 0, 1));
    assert!(agent.shutdown(Duration::from_secs(3)));
}
