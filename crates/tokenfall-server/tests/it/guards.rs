//! Who may come in.

use std::net::SocketAddr;
use std::sync::Arc;

use base64::Engine as _;
use tokenfall_server::{Config, Secret, Secrets, Server, StartError};
use tokenfall_store::embedded::{EmbeddedStore, Options};
use tokenfall_testkit::http::request;

use crate::harness::{Running, metadata, transaction};

fn locked() -> Running {
    let secrets = Secrets {
        token: Some(Secret::new("0123456789abcdef")),
        api_keys: vec![Secret::new("one:key"), Secret::new("two:key")],
    };
    Running::with(Config { secrets, ..Config::default() })
}

#[test]
fn secrets_open_what_is_locked() {
    let server = locked();
    let key = |text: &str| format!("ApiKey {}", base64::prelude::BASE64_STANDARD.encode(text));
    let good = ["Bearer 0123456789abcdef".to_owned(), key("one:key"), key("two:key")];
    let bad = [
        "Bearer 0123456789abcdeF".to_owned(),
        "Bearer ".to_owned(),
        key("one:kez"),
        key("three:key"),
        "Basic eA==".to_owned(),
    ];
    let body = metadata() + &transaction("1", "t");
    let status = |method: &str, path: &str, authorization: Option<&str>, body: &str| {
        let headers: Vec<_> = authorization.map(|value| ("Authorization", value)).into_iter().collect();
        request(server.address, method, path, &headers, body.as_bytes()).unwrap().status
    };
    for (method, path, body, open) in [
        ("POST", "/intake/v2/events", body.as_str(), 202),
        ("GET", "/config/v1/agents?service.name=s", "", 200),
        ("GET", "/api/v1/status", "", 200),
        ("GET", "/api/v1/services", "", 200),
        ("GET", "/api/v1/openapi.json", "", 200),
        ("GET", "/api/nothing", "", 404),
        ("GET", "/metrics", "", 200),
    ] {
        assert_eq!(status(method, path, None, body), 401, "{path}");
        for authorization in &bad {
            assert_eq!(status(method, path, Some(authorization), body), 401, "{path} {authorization}");
        }
        for authorization in &good {
            assert_eq!(status(method, path, Some(authorization), body), open, "{path} {authorization}");
        }
    }
    for free in ["/healthz", "/readyz", "/"] {
        assert_eq!(status("GET", free, None, ""), 200, "{free}");
    }
    let problem = server.get("/api/v1/status");
    assert_eq!(problem.json()["code"], "unauthorized");
    assert_eq!(problem.header("www-authenticate"), "Bearer");
    let totals = request(server.address, "GET", "/api/v1/status", &[("Authorization", &good[0])], b"").unwrap();
    assert_eq!(totals.json()["intake"]["unauthorized"], 12, "{}", totals.text());
    assert_eq!(totals.json()["auth_required"], true);
}

#[test]
fn strangers_are_not_told_the_version() {
    let server = locked();
    let stranger = server.get("/");
    assert_eq!((stranger.status, stranger.text()), (200, String::new()));
    let known = server.ask("GET", "/", &[("Authorization", "Bearer 0123456789abcdef")]);
    assert_eq!(known.json()["version"], "8.15.0");
}

#[tokio::test]
async fn without_a_secret_only_loopback() {
    let data = tempfile::tempdir().unwrap();
    let store = Arc::new(EmbeddedStore::open(data.path(), Options::default()).unwrap());
    let config = Config { listen: SocketAddr::from(([0, 0, 0, 0], 0)), ..Config::default() };
    let refused = Server::bind(config.clone(), Arc::clone(&store) as _).await.err().unwrap();
    assert!(matches!(refused, StartError::Config(_)), "{refused}");
    assert!(refused.to_string().contains("TOKENFALL_SECRET_TOKEN"), "{refused}");
    let secrets = Secrets { token: Some(Secret::new("s")), ..Secrets::default() };
    assert!(Server::bind(Config { secrets, ..config }, store).await.is_ok());
}

#[test]
fn web_pages_cannot_reach_the_loopback_interface() {
    let server = Running::start();
    let rebound = server.ask("GET", "/api/v1/status", &[("Host", "evil.example:8200")]);
    assert_eq!(rebound.status, 403, "{}", rebound.text());
    assert_eq!(server.ask("GET", "/api/v1/status", &[("Host", "localhost:8200")]).status, 200);

    let body = metadata() + &transaction("1", "t");
    let from = |origin: &str| {
        let headers = [("Host", "localhost:8200"), ("Origin", origin)];
        request(server.address, "POST", "/intake/v2/events", &headers, body.as_bytes()).unwrap()
    };
    assert_eq!(from("http://evil.example").status, 403);
    assert_eq!(from("http://localhost:8200").status, 202);
    assert_eq!(server.store.stats().events.transaction, 1);

    let named = Running::with(Config { hosts: vec!["apm.example".into()], ..Config::default() });
    assert_eq!(named.ask("GET", "/api/v1/status", &[("Host", "apm.example")]).status, 200);
}

#[test]
fn no_other_site_may_read_answers() {
    let server = Running::start();
    for path in ["/", "/api/v1/status", "/intake/v2/events"] {
        for method in ["GET", "OPTIONS"] {
            let answer = server.ask(method, path, &[("Host", "localhost"), ("Origin", "http://localhost")]);
            assert_eq!(answer.header("access-control-allow-origin"), "", "{method} {path}");
        }
    }
}
