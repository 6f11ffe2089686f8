//! `otel_bridge.feature`: transactions and spans in OpenTelemetry's words.
//!
//! What the feature calls an OTel span is a transaction with a span kind where nothing is active, else a span with one.

use cucumber::gherkin::Step;
use cucumber::{given, then};
use serde_json::Value;
use tokenfall_agent::otel::{SpanKind, Status};
use tokenfall_agent::{Agent, Span, TraceContext, Transaction};

use crate::server::{PATIENCE, Server};

const NAME: &str = "otel";

#[derive(cucumber::World, Default)]
pub(crate) struct World {
    server: Option<Server>,
    agent: Agent,
    active: Option<Transaction>,
    active_id: String,
    remote: Option<TraceContext>,
    bridged: Option<Bridged>,
    attributes: Vec<(String, Value)>,
}

enum Bridged {
    Transaction(Transaction),
    Span(Span),
    /// `transaction` or `span`.
    Ended(&'static str),
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("World").field("attributes", &self.attributes).finish_non_exhaustive()
    }
}

impl World {
    fn begin(&mut self, kind: SpanKind) {
        self.bridged = Some(if let Some(active) = &self.active {
            Bridged::Span(active.capture_span(NAME).otel_kind(kind).start())
        } else {
            let builder = self.agent.transaction(NAME).parent(self.remote.clone());
            Bridged::Transaction(builder.otel_kind(kind).begin())
        });
    }

    fn begin_active(&mut self) {
        let active = self.agent.begin_transaction("active", "request");
        self.active_id = active.handle().map(|handle| handle.id().to_string()).expect("it is recorded");
        self.active = Some(active);
    }

    fn end(&mut self) -> &'static str {
        let kind = match self.bridged.take() {
            Some(Bridged::Transaction(transaction)) => {
                transaction.end();
                "transaction"
            }
            Some(Bridged::Span(span)) => {
                span.end();
                "span"
            }
            Some(Bridged::Ended(kind)) => kind,
            None => panic!("nothing was begun"),
        };
        drop(self.active.take());
        self.bridged = Some(Bridged::Ended(kind));
        kind
    }

    /// The event that reached the server.
    fn event(&mut self, kind: &str) -> Value {
        assert_eq!(self.end(), kind);
        assert!(self.agent.flush(PATIENCE), "the events were sent");
        let server = self.server.as_ref().expect("there is a server");
        server.wait_until(kind, |server| server.events(kind).into_iter().find(|event| event["name"] == NAME))
    }
}

/// A text of a table; the feature writes absent ones as empty.
fn same(found: &Value, expect: &str) {
    assert_eq!(found.as_str().unwrap_or_default(), expect);
}

#[given("an agent")]
fn agent(world: &mut World) {
    let server = Server::start();
    world.agent = server.agent().start();
    world.server = Some(server);
}

#[given("an active transaction")]
fn active_transaction(world: &mut World) {
    world.begin_active();
}

#[given("OTel span is created with remote context as parent")]
fn with_remote_parent(world: &mut World) {
    // A caller in another process; it is never ended, so nothing of it is sent.
    let caller = world.agent.begin_transaction("caller", "request");
    world.remote = caller.trace_context();
    std::mem::forget(caller);
    world.begin(SpanKind::Server);
}

#[given("OTel span is created without parent")]
fn without_parent(world: &mut World) {
    world.begin(SpanKind::Internal);
}

#[given("OTel span is created with local context as parent")]
fn with_local_parent(world: &mut World) {
    world.begin_active();
    world.begin(SpanKind::Internal);
}

#[given(regex = r#"^OTel span is created with kind ["'](\w+)["']$"#)]
fn with_kind(world: &mut World, kind: String) {
    world.begin(SpanKind::parse(&kind).expect("a kind"));
}

#[given(regex = r#"^OTel span status set to "(\w+)"$"#)]
fn with_status(world: &mut World, status: String) {
    let status = Status::parse(&status).expect("a status");
    match &mut world.bridged {
        Some(Bridged::Transaction(transaction)) => transaction.set_status(status),
        Some(Bridged::Span(span)) => span.set_status(status),
        _ => panic!("nothing runs"),
    }
}

#[given("OTel span has following attributes")]
fn with_attributes(world: &mut World, step: &Step) {
    for row in &step.table.as_ref().expect("a table").rows {
        let [key, value] = row.as_slice() else { panic!("{row:?}") };
        if value.is_empty() {
            continue;
        }
        let number = value.parse::<i64>();
        world.attributes.push((key.clone(), number.clone().map_or_else(|_| value.clone().into(), Value::from)));
        let key = key.clone();
        match (&mut world.bridged, number) {
            (Some(Bridged::Transaction(transaction)), Ok(number)) => transaction.attribute(key, number),
            (Some(Bridged::Transaction(transaction)), Err(_)) => transaction.attribute(key, value.clone()),
            (Some(Bridged::Span(span)), Ok(number)) => span.attribute(key, number),
            (Some(Bridged::Span(span)), Err(_)) => span.attribute(key, value.clone()),
            _ => panic!("nothing runs"),
        }
    }
}

#[given("OTel span ends")]
fn ends(world: &mut World) {
    world.end();
}

#[then(regex = r"^Elastic bridged object is a (transaction|span)$")]
fn is_a(world: &mut World, kind: String) {
    world.event(&kind);
}

#[then("Elastic bridged transaction has remote context as parent")]
fn has_remote_parent(world: &mut World) {
    let event = world.event("transaction");
    let remote = world.remote.as_ref().expect("a caller");
    same(&event["trace_id"], &remote.trace_id().to_string());
    same(&event["parent_id"], &remote.span_id().to_string());
}

#[then("Elastic bridged transaction is a root transaction")]
fn is_root(world: &mut World) {
    same(&world.event("transaction")["parent_id"], "");
}

#[then("Elastic bridged span has local context as parent")]
fn has_local_parent(world: &mut World) {
    let event = world.event("span");
    same(&event["parent_id"], &world.active_id);
    same(&event["transaction_id"], &world.active_id);
}

#[then(regex = r#"^Elastic bridged (transaction|span) outcome is "(\w+)"$"#)]
fn outcome(world: &mut World, kind: String, expect: String) {
    same(&world.event(&kind)["outcome"], &expect);
}

#[then("Elastic bridged transaction result is not set")]
fn no_result(world: &mut World) {
    assert!(world.event("transaction")["result"].is_null());
}

#[then(regex = r#"^Elastic bridged (transaction|span) OTel kind is "(\w+)"$"#)]
fn otel_kind(world: &mut World, kind: String, expect: String) {
    same(&world.event(&kind)["otel"]["span_kind"], &expect);
}

#[then(regex = r#"^Elastic bridged (transaction|span) type is ["'](\w+)["']$"#)]
fn event_type(world: &mut World, kind: String, expect: String) {
    same(&world.event(&kind)["type"], &expect);
}

#[then(regex = r#"^Elastic bridged span subtype is ["'](\w*)["']$"#)]
fn subtype(world: &mut World, expect: String) {
    same(&world.event("span")["subtype"], &expect);
}

#[then("Elastic bridged span OTel attributes are copied as-is")]
fn attributes_are_copied(world: &mut World) {
    let event = world.event("span");
    let copied = event["otel"]["attributes"].as_object().expect("attributes").clone();
    let expect: serde_json::Map<String, Value> = world.attributes.iter().cloned().collect();
    assert_eq!(copied, expect);
}

#[then(regex = r#"^Elastic bridged span destination resource is set to "(.*)"$"#)]
fn resource(world: &mut World, expect: String) {
    same(&world.event("span")["context"]["destination"]["service"]["resource"], &expect);
}

#[then(regex = r#"^Elastic bridged span service target type is ["'](\w*)["'] and name is "(.*)"$"#)]
fn target(world: &mut World, kind: String, name: String) {
    let target = &world.event("span")["context"]["service"]["target"];
    same(&target["type"], &kind);
    same(&target["name"], &name);
}
