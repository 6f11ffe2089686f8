//! Errors on their way from the program to the server.

use std::fmt;

use serde_json::Value;
use tokenfall_agent::{Agent, capture_error};

use crate::server::{PATIENCE, Server};

#[derive(Debug)]
struct OutOfStock {
    item: u8,
}

impl fmt::Display for OutOfStock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no item {}", self.item)
    }
}

impl std::error::Error for OutOfStock {}

#[inline(never)]
fn take(agent: &Agent, item: u8) {
    agent.capture_error(&OutOfStock { item });
}

#[test]
fn an_error_arrives_with_the_stack_of_who_captured_it() {
    let server = Server::start();
    let agent = server.agent().start();
    let transaction = agent.begin_transaction("GET /cart", "request");
    let guard = transaction.activate();
    take(&agent, 7);
    drop(guard);
    transaction.end();
    assert!(agent.flush(PATIENCE));

    let errors = server.wait_for_events("error", 1);
    let exception = &errors[0]["exception"];
    assert_eq!(exception["message"], "no item 7");
    assert_eq!(exception["type"], "OutOfStock");
    assert_eq!(exception["module"], "it::error");
    assert_eq!(exception["handled"], true);
    assert!(errors[0]["culprit"].as_str().is_some_and(|culprit| culprit.contains("take")), "{}", errors[0]);
    let frames = exception["stacktrace"].as_array().expect("a stack trace");
    let functions: Vec<_> = frames.iter().map(|frame| &frame["function"]).take(2).collect();
    assert_eq!(functions, ["take", "an_error_arrives_with_the_stack_of_who_captured_it"]);
    assert!(frames[0]["filename"].as_str().is_some_and(|file| file.ends_with("tests/it/error.rs")), "{}", frames[0]);
    assert!(frames[0]["abs_path"].as_str().is_some_and(|file| file.starts_with('/')), "{}", frames[0]);
    assert!(frames[0]["lineno"].as_u64().is_some_and(|line| line > 20), "{}", frames[0]);
    assert_eq!(frames[0]["library_frame"], false);
    assert!(frames.len() <= 50);

    let transactions = server.wait_for_events("transaction", 1);
    assert_eq!(errors[0]["transaction_id"], transactions[0]["id"]);
    assert_eq!(errors[0]["parent_id"], transactions[0]["id"]);
    assert_eq!(errors[0]["transaction"], serde_json::json!({"sampled": true, "name": "GET /cart", "type": "request"}));
    assert_eq!(transactions[0]["outcome"], "failure");
}

#[test]
fn a_panic_arrives() {
    let server = Server::start();
    let agent = server.agent().start();
    agent.install_panic_hook();
    let transaction = agent.begin_transaction("job", "custom");
    let context = transaction.context();
    let thread = std::thread::spawn(move || {
        let _guard = context.attach();
        let cart: Option<u8> = std::hint::black_box(None);
        cart.expect("a cart that is not there")
    });
    thread.join().expect_err("a panic");
    transaction.end();

    let own = |error: &&Value| error["exception"]["message"] == "a cart that is not there";
    let error = server.wait_until("the panic", |server| server.events("error").iter().find(own).cloned());
    assert_eq!(error["exception"]["type"], "panic");
    assert_eq!(error["exception"]["handled"], false);
    assert_eq!(error["transaction"]["name"], "job");
    assert!(error["culprit"].as_str().is_some_and(|culprit| culprit.contains("tests/it/error.rs:")), "{error}");
    let innermost = &error["exception"]["stacktrace"][0];
    assert!(innermost["filename"].as_str().is_some_and(|file| file.ends_with("tests/it/error.rs")), "{innermost}");
}

#[test]
fn without_a_transaction_the_global_agent_takes_errors() {
    assert_eq!(capture_error(&OutOfStock { item: 1 }), None);
    let server = Server::start();
    let agent = server.agent().start();
    Agent::set_global(&agent);
    let id = capture_error(&OutOfStock { item: 2 }).expect("captured");
    Agent::set_global(&Agent::disabled());
    let errors = server.wait_for_events("error", 1);
    assert_eq!(errors[0]["id"], id.to_string());
    assert_eq!(errors[0].get("trace_id"), None);
}
