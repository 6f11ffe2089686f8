//! The API's manners, and the small endpoints of agents. What the answers say is tested where they are computed.

use serde_json::json;
use tokenfall_testkit::http::request;

use crate::harness::{Running, metadata, transaction, wait_until};

#[test]
fn the_openapi_document_is_committed() {
    let path = tokenfall_testkit::repository_root().join("ui/openapi.json");
    let committed = std::fs::read_to_string(&path).unwrap();
    let how = "run: cargo run -p tokenfall -- openapi > ui/openapi.json";
    assert!(committed == tokenfall_server::openapi(), "ui/openapi.json is old; {how}");
    assert_eq!(Running::start().get("/api/v1/openapi.json").text(), committed);
}

#[test]
fn every_route_answers_on_an_empty_store() {
    let server = Running::start();
    for path in [
        "status",
        "store/stats",
        "environments",
        "services",
        "services/shop",
        "services/shop/transactions",
        "services/shop/transaction?name=x",
        "services/shop/transaction/samples?name=x",
        "traces",
        "dependencies",
        "dependency?resource=x",
        "errors",
        "errors/x",
    ] {
        let answer = server.get(&format!("/api/v1/{path}"));
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        assert!(answer.json().is_object(), "{path}");
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
    }
    assert_eq!(server.get("/api/v1/traces/x/skeleton").status, 404);
    assert_eq!(server.get("/api/v1/traces/x/items/y").status, 404);
}

#[test]
fn what_is_sent_can_be_asked_for() {
    let server = Running::start();
    let span = "{\"span\":{\"id\":\"s1\",\"trace_id\":\"t1\",\"parent_id\":\"x1\",\"transaction_id\":\"x1\",\"name\":\"SELECT\",\
                \"type\":\"db\",\"subtype\":\"mysql\",\"duration\":3,\"start\":1}}\n";
    let error = "{\"error\":{\"id\":\"e1\",\"trace_id\":\"t1\",\"transaction_id\":\"x1\",\"parent_id\":\"s1\",\"exception\":{\"type\":\"Oops\",\"message\":\"no\"}}}\n";
    let body = metadata() + &transaction("x1", "t1") + span + error;
    assert_eq!(server.post(&[], body.as_bytes()).status, 202);
    wait_until("the trace", || server.visible("t1") == 2);
    let get = |path: &str| server.get(&format!("/api/v1/{path}")).json();
    let errors = || get("errors?from=now-1h&to=now%2B1h");
    wait_until("the error", || errors()["groups"][0].is_object());
    assert_eq!(get("services?from=now-1h&to=now%2B1h")["services"][0]["name"], "shop");
    assert_eq!(get("services?env=other&from=now-1h&to=now%2B1h")["services"], json!([]));
    assert_eq!(get("traces?from=now-1h&to=now%2B1h")["traces"][0]["trace_id"], "t1");
    assert_eq!(errors()["groups"][0]["exception_type"], "Oops");
    assert_eq!(get("traces/t1/items/s1")["document"]["span"]["name"], "SELECT");
    let status = get("status");
    assert_eq!(status["newest_service"]["name"], "shop");
    assert_eq!(status["intake"]["events_accepted"], 3);
    let stats = get("store/stats");
    assert_eq!(stats["events"], json!({"transaction": 1, "span": 1, "error": 1, "metricset": 0, "log": 0}));
    assert!(stats["disk_bytes"].as_u64() > Some(0));
    assert_eq!(stats.as_object().unwrap().len(), 2);
}

#[test]
fn bad_questions_get_a_problem() {
    let server = Running::start();
    for (path, status, code) in [
        ("services?from=yesterday", 400, "invalid_parameter"),
        ("services?from=now&to=now-1h", 400, "invalid_parameter"),
        ("traces?size=0", 400, "invalid_parameter"),
        ("traces?size=many", 400, "invalid_parameter"),
        ("services/shop/transaction", 400, "invalid_parameter"),
        ("services/shop/transaction/samples?name=x&min_us=-1", 400, "invalid_parameter"),
        ("nothing", 404, "not_found"),
        ("traces/x/skeleton", 404, "not_found"),
    ] {
        let answer = server.get(&format!("/api/v1/{path}"));
        let problem = answer.json();
        assert_eq!((answer.status, &problem["code"]), (status, &json!(code)), "{path}: {}", answer.text());
        assert!(!problem["message"].as_str().unwrap().is_empty(), "{path}");
        assert_eq!(problem["request_id"], answer.header("x-request-id"), "{path}");
    }
    let answer = server.ask("DELETE", "/api/v1/services", &[]);
    assert_eq!((answer.status, &answer.json()["code"]), (405, &json!("method_not_allowed")));
}

#[test]
fn agents_ask_who_is_there() {
    let server = Running::start();
    let answer = server.ask("GET", "/", &[("Accept", "text/plain")]);
    assert_eq!((answer.status, &answer.json()["version"]), (200, &json!("8.15.0")));
    assert_eq!(answer.json()["publish_ready"], true);
    // What the Java agent sends: the default of its platform's HTTP client.
    let java = "text/html, image/gif, image/jpeg, */*; q=0.2";
    for agent in ["apm-agent-java/1.55.1 (shop)", "elasticapm-java/1.27.0"] {
        let answer = server.ask("GET", "/", &[("User-Agent", agent), ("Accept", java)]);
        assert_eq!(answer.json()["version"], "8.15.0", "{agent}");
    }
    let head = server.ask("HEAD", "/", &[]);
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(server.ask("POST", "/", &[]).status, 405);
}

#[test]
fn browsers_get_the_ui_under_every_view() {
    let server = Running::start();
    for path in ["/", "/services/shop", "/traces/abc?from=now-1h"] {
        let answer = server.ask("GET", path, &[("Accept", "text/html,*/*;q=0.8")]);
        assert_eq!(answer.status, 200, "{path}");
        assert!(answer.header("content-type").starts_with("text/html"), "{path}");
        assert!(answer.header("content-security-policy").contains("frame-ancestors 'none'"), "{path}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
    }
    for path in ["/assets/nothing.js", "/v1/traces", "/intake/v2/nothing", "/config/nothing", "/favicon.nothing"] {
        let answer = server.get(path);
        assert_eq!((answer.status, answer.json()), (404, json!({"error": "404 page not found"})), "{path}");
    }
}

#[test]
fn nothing_is_configured_for_agents() {
    let server = Running::start();
    let get = |path: &str, headers: &[(&str, &str)]| server.ask("GET", path, headers);
    let post = |body: &str| request(server.address, "POST", "/config/v1/agents", &[], body.as_bytes()).unwrap();
    let path = "/config/v1/agents?service.name=shop&service.environment=test";
    for answer in [get(path, &[]), post("{\"service\":{\"name\":\"shop\"}}")] {
        assert_eq!((answer.status, answer.text().as_str()), (200, "{}"));
        assert_eq!(answer.header("etag"), "\"-\"");
        assert_eq!(answer.header("cache-control"), "max-age=30, must-revalidate");
    }
    assert_eq!(get(path, &[("If-None-Match", "\"-\"")]).status, 304);
    assert_eq!(post("{\"service\":{\"name\":\"shop\"},\"etag\":\"-\"}").status, 304);
    for answer in [get("/config/v1/agents", &[]), post("{}"), post("nonsense")] {
        assert_eq!(answer.status, 400, "{}", answer.text());
    }
    assert_eq!(get("/config/v1/agents", &[]).json()["error"], "service.name is required");
    assert_eq!(server.ask("PUT", "/config/v1/agents", &[]).status, 405);
}

#[test]
fn probes() {
    let server = Running::start();
    assert_eq!(server.get("/healthz").status, 200);
    assert_eq!(server.get("/readyz").status, 200);
    let metrics = server.get("/metrics");
    assert_eq!(metrics.status, 200);
    assert!(metrics.text().ends_with("# EOF\n"), "{}", metrics.text());
}
