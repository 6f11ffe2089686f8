//! Metric sets as they arrive.

use serde_json::{Value, json};

use crate::server::{PATIENCE, Server};

#[test]
fn the_process_is_measured_again_and_again() {
    let server = Server::start();
    let _agent = server.agent().option("metrics_interval", "20ms").option("disable_metrics", "system.memory.*").start();
    let sets = server.wait_for_events("metricset", 3);
    for set in &sets {
        assert!(set["timestamp"].as_u64().is_some_and(|timestamp| timestamp > 1_600_000_000_000_000), "{set}");
        assert_eq!(set["samples"]["agent.events.total"]["value"], 0.0);
        assert_eq!(set["samples"].get("system.memory.total"), None, "it was disabled");
        if cfg!(target_os = "linux") {
            let resident = set["samples"]["system.process.memory.rss.bytes"]["value"].as_f64();
            assert!(resident.is_some_and(|bytes| bytes > 100_000.0), "{set}");
        }
    }
    if cfg!(target_os = "linux") {
        let shares = sets.iter().filter_map(|set| set["samples"]["system.cpu.total.norm.pct"]["value"].as_f64());
        assert!(shares.clone().all(|share| (0.0..=1.0).contains(&share)));
        assert!(shares.count() > 0, "20 ms are 2 ticks");
    }
}

#[test]
fn time_is_broken_down_by_span_type() {
    let server = Server::start();
    let agent = server.agent().option("breakdown_metrics", "true").start();
    for _ in 0..3 {
        let transaction = agent.begin_transaction("GET /", "request");
        transaction.capture_span("SELECT").span_type("db").subtype("mysql").start().end();
        transaction.end();
    }
    assert!(agent.shutdown(PATIENCE));
    let mut sets = server.events("metricset");
    sets.sort_by_key(|set| set["span"]["type"].to_string());
    let of = |set: &Value| {
        (set["transaction"].clone(), set["span"].clone(), set["samples"]["span.self_time.count"]["value"].clone())
    };
    let transaction = json!({"name": "GET /", "type": "request"});
    assert_eq!(sets.len(), 2, "{sets:?}");
    assert_eq!(of(&sets[0]), (transaction.clone(), json!({"type": "app"}), json!(3)));
    assert_eq!(of(&sets[1]), (transaction, json!({"type": "db", "subtype": "mysql"}), json!(3)));
    assert!(sets.iter().all(|set| set["samples"]["span.self_time.sum.us"]["value"].is_u64()));
    assert_eq!(agent.stats().dropped, 0);
}
