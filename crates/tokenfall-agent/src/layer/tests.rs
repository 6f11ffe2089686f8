//! What the layer makes of `tracing`'s spans and events, seen in the agent's queue.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tracing::level_filters::LevelFilter;
use tracing::{Dispatch, debug, debug_span, error, event, info, info_span};
use tracing_subscriber::prelude::*;

use super::*;
use crate::event::{
    AttributeValue, ErrorKind, ErrorRecord, Event as AgentEvent, LabelValue, LogRecord, Outcome, SpanRecord,
    TransactionRecord,
};
use crate::id::{SpanId, TraceId};
use crate::otel::SpanKind;
use crate::propagation::{TraceContext, TraceState};
use crate::settings::Settings;

#[derive(Debug)]
struct NoConnection(io::Error);

impl std::fmt::Display for NoConnection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("no connection")
    }
}

impl std::error::Error for NoConnection {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

#[derive(Default)]
struct Seen {
    transactions: Vec<TransactionRecord>,
    spans: Vec<SpanRecord>,
    errors: Vec<ErrorRecord>,
    logs: Vec<LogRecord>,
}

impl Seen {
    fn transaction(&self, name: &str) -> &TransactionRecord {
        self.transactions.iter().find(|transaction| transaction.name == name).expect("the transaction was sent")
    }

    fn span(&self, name: &str) -> &SpanRecord {
        self.spans.iter().find(|span| span.name == name).expect("the span was sent")
    }
}

fn run_with(settings: Settings, options: LayerOptions, work: impl FnOnce(&Agent)) -> Seen {
    let core = Core::new(settings, 10_000);
    let agent = Agent::for_test(Arc::clone(&core));
    let subscriber = tracing_subscriber::registry().with(agent.layer_with(options));
    tracing::subscriber::with_default(subscriber, || work(&agent));
    assert!(Context::current().is_none(), "a context stayed behind");
    let mut seen = Seen::default();
    while let Some(event) = core.queue.pop() {
        match event {
            AgentEvent::Transaction(transaction) => seen.transactions.push(*transaction),
            AgentEvent::Span(span) => seen.spans.push(span),
            AgentEvent::Error(error) => seen.errors.push(*error),
            AgentEvent::Log(log) => seen.logs.push(*log),
        }
    }
    seen
}

fn run(work: impl FnOnce(&Agent)) -> Seen {
    run_with(Settings::default(), LayerOptions::default(), work)
}

fn label<'a>(labels: &'a [(Text, LabelValue)], key: &str) -> Option<&'a LabelValue> {
    labels.iter().find(|(known, _)| known == key).map(|(_, value)| value)
}

#[test]
fn roots_are_transactions_and_what_is_below_are_spans() {
    let seen = run(|_| {
        info_span!("request", documents = 3, cached = false, ratio = 0.5, who = "me").in_scope(|| {
            info_span!("step", depth = 1_u64).in_scope(|| info_span!("inner").in_scope(|| {}));
        });
    });
    let transaction = seen.transaction("request");
    assert_eq!((&*transaction.kind, transaction.outcome), ("custom", Some(Outcome::Success)));
    assert_eq!(label(&transaction.context.labels, "documents"), Some(&LabelValue::Number(3.0)));
    assert_eq!(label(&transaction.context.labels, "cached"), Some(&LabelValue::Bool(false)));
    assert_eq!(label(&transaction.context.labels, "ratio"), Some(&LabelValue::Number(0.5)));
    assert_eq!(label(&transaction.context.labels, "who"), Some(&LabelValue::Text("me".into())));
    let (step, inner) = (seen.span("step"), seen.span("inner"));
    assert_eq!((step.parent_id, inner.parent_id), (transaction.id, step.id));
    assert_eq!((step.trace_id, inner.trace_id), (transaction.trace_id, transaction.trace_id));
    assert_eq!((&*step.kind, step.subtype.as_deref()), ("app", Some("internal")));
    assert_eq!(transaction.spans_started, 2);
}

#[test]
fn both_apis_contain_each_other() {
    let seen = run(|agent| {
        let transaction = agent.begin_transaction("explicit", "job");
        let _current = transaction.activate();
        info_span!("a").in_scope(|| {
            Context::current().capture_span("b").run(|_| info_span!("c").in_scope(|| Context::current().label("x", 1)));
        });
    });
    let (a, b, c) = (seen.span("a"), seen.span("b"), seen.span("c"));
    assert_eq!(a.parent_id, seen.transaction("explicit").id);
    assert_eq!((b.parent_id, c.parent_id), (a.id, b.id));
    assert!(label(&c.details.as_ref().expect("it has a label").labels, "x").is_some());
}

#[test]
fn explicit_parents_and_roots() {
    let seen = run(|_| {
        let a = info_span!("a");
        let _in_a = a.enter();
        let b = info_span!("b");
        info_span!(parent: &b, "in b");
        info_span!(parent: None, "root");
    });
    assert_eq!(seen.transactions.len(), 2);
    assert_eq!(seen.span("in b").parent_id, seen.span("b").id);
    assert_ne!(seen.transaction("root").trace_id, seen.transaction("a").trace_id);
}

#[test]
fn what_only_other_layers_want_is_passed_over() {
    let core = Core::new(Settings::default(), 100);
    let agent = Agent::for_test(Arc::clone(&core));
    let others = tracing_subscriber::fmt::layer().with_writer(io::sink);
    let subscriber = tracing_subscriber::registry().with(agent.layer()).with(others);
    let mut parents = (None, None);
    tracing::subscriber::with_default(subscriber, || {
        let request = info_span!("request");
        let hidden = debug_span!(parent: &request, "hidden");
        assert!(!hidden.is_disabled());
        let inner = info_span!(parent: &hidden, "inner");
        parents = (inner.agent_context().transaction_id(), request.agent_context().transaction_id());
    });
    assert!(parents.0.is_some() && parents.0 == parents.1, "{parents:?}");
    assert_eq!(core.queue.len(), 2);
}

#[test]
fn spans_may_be_left_in_any_order() {
    let seen = run(|_| {
        let (a, b) = (info_span!("a"), info_span!("b"));
        let in_a = a.enter();
        let c = info_span!("c");
        let in_c = c.enter();
        drop(in_a);
        info_span!("in c").in_scope(|| {});
        drop(in_c);
        assert!(Context::current().is_none());
        let in_b = b.enter();
        info_span!("in b").in_scope(|| {});
        drop(in_b);
    });
    assert_eq!(seen.span("in c").parent_id, seen.span("c").id);
    assert_eq!(seen.span("in b").parent_id, seen.transaction("b").id);
}

#[test]
fn spans_end_on_other_threads() {
    let seen = run(|_| {
        let root = info_span!("root");
        let child = root.in_scope(|| info_span!("child"));
        let dispatch = tracing::dispatcher::get_default(Dispatch::clone);
        let handle = std::thread::spawn(move || {
            tracing::dispatcher::with_default(&dispatch, || {
                child.in_scope(|| info_span!("grandchild").in_scope(|| {}));
                drop(child);
            });
        });
        handle.join().expect("the thread ended");
    });
    assert_eq!(seen.span("grandchild").parent_id, seen.span("child").id);
    assert_eq!(seen.transactions.len(), 1);
}

#[test]
fn fields_recorded_later_count() {
    let seen = run(|_| {
        use tracing::field::Empty;
        let request = info_span!(
            "request",
            otel.name = Empty,
            http.request.method = "POST",
            url.full = "http://a.example/orders",
            http.response.status_code = Empty,
            user.id = 17,
            otel.kind = "server",
            rows = Empty
        );
        let _entered = request.enter();
        request.record("otel.name", "POST /orders");
        request.record("http.response.status_code", 503);
        request.record("rows", 7);
        let query =
            info_span!("query", db.system = "postgresql", db.statement = "SELECT 1", db.name = "shop", outcome = Empty);
        query.record("outcome", "unknown");
    });
    let transaction = seen.transaction("POST /orders");
    assert_eq!((&*transaction.kind, transaction.result.as_deref()), ("request", Some("HTTP 5xx")));
    assert_eq!(transaction.outcome, Some(Outcome::Failure));
    assert_eq!(label(&transaction.context.labels, "rows"), Some(&LabelValue::Number(7.0)));
    assert_eq!(transaction.context.user.as_ref().and_then(|user| user.id.as_deref()), Some("17"));
    assert_eq!(transaction.context.request.as_ref().map(|request| &*request.method), Some("POST"));
    assert_eq!(transaction.otel.span_kind, Some(SpanKind::Server));
    let query = seen.span("query");
    assert_eq!((&*query.kind, query.subtype.as_deref(), query.exit), ("db", Some("postgresql"), true));
    assert_eq!(query.outcome, Some(Outcome::Unknown));
    let details = query.details.as_ref().expect("it has details");
    assert_eq!(details.db.as_ref().and_then(|db| db.statement.as_deref()), Some("SELECT 1"));
    assert!(details.otel.attributes.contains(&("db.name".into(), AttributeValue::from("shop"))));
}

#[test]
fn types_and_results_may_be_said() {
    let seen = run(|_| {
        let job = info_span!("job", transaction.type = "scheduled", result = "done", outcome = "failure");
        let _entered = job.enter();
        info_span!("call", span.type = "external", span.subtype = "http", span.action = "get", span.exit = true);
        info_span!(
            "client",
            otel.kind = "client",
            otel.status_code = "OK",
            rpc.system = "grpc",
            server.address = "a.example"
        );
    });
    let job = seen.transaction("job");
    assert_eq!((&*job.kind, job.result.as_deref(), job.outcome), ("scheduled", Some("done"), Some(Outcome::Failure)));
    let call = seen.span("call");
    assert_eq!((&*call.kind, call.subtype.as_deref(), call.exit), ("external", Some("http"), true));
    let client = seen.span("client");
    assert_eq!((&*client.kind, client.subtype.as_deref()), ("external", Some("grpc")));
    assert_eq!(client.outcome, Some(Outcome::Success));
    let target = crate::target::service_target(client).expect("it calls somebody");
    assert_eq!(target.name.as_deref(), Some("a.example"));
}

#[test]
fn errors_come_with_causes_and_fail_their_span() {
    let seen = run(|_| {
        let _request = info_span!("request").entered();
        {
            let _step = info_span!("step").entered();
            let failed = NoConnection(io::Error::other("refused"));
            error!(error = &failed as &dyn std::error::Error, attempt = 2, "cannot connect");
        }
        info_span!("silent", error = %"in words");
        error!("no value");
    });
    let error = seen.errors.first().expect("an error");
    let ErrorKind::Exception(exception) = &error.what else { panic!("{error:?}") };
    assert_eq!(exception.message, "no connection");
    assert_eq!(exception.causes.first().map(|cause| &*cause.message), Some("refused"));
    assert_eq!(label(&error.context.labels, "attempt"), Some(&LabelValue::Number(2.0)));
    assert_eq!(label(&error.context.labels, "message"), Some(&LabelValue::Text("cannot connect".into())));
    assert_eq!(error.place.as_ref().map(|place| place.parent_id), Some(seen.span("step").id));
    assert_eq!(seen.span("step").outcome, Some(Outcome::Failure));
    assert_eq!(seen.span("silent").outcome, Some(Outcome::Failure));
    let last = seen.errors.last().expect("an error");
    let ErrorKind::Log { message, level, logger } = &last.what else { panic!("{last:?}") };
    assert_eq!((&**message, &**level, logger.as_deref()), ("no value", "error", Some(module_path!())));
    assert_eq!(seen.transaction("request").outcome, Some(Outcome::Failure));
    assert_eq!(seen.errors.len(), 3);
}

#[test]
fn an_error_in_an_inner_span_of_the_other_api_does_not_fail_the_outer() {
    let seen = run(|_| {
        let _request = info_span!("request").entered();
        let _step = info_span!("step").entered();
        Context::current().capture_span("inner").run(|_| error!("inside"));
    });
    assert_eq!(seen.span("inner").outcome, Some(Outcome::Failure));
    assert_eq!(seen.span("step").outcome, Some(Outcome::Success));
}

#[test]
fn what_the_program_says_of_the_outcome_counts() {
    let seen = run(|_| {
        let _request = info_span!("request").entered();
        info_span!("plain").in_scope(|| Context::current().set_outcome(Outcome::Unknown));
        info_span!("client", otel.kind = "client").in_scope(|| Context::current().set_outcome(Outcome::Failure));
        info_span!("missing", otel.kind = "client", http.status_code = 404);
        info_span!("found", otel.kind = "client", http.status_code = 200);
    });
    let outcome = |name: &str| seen.span(name).outcome;
    assert_eq!((outcome("plain"), outcome("client")), (Some(Outcome::Unknown), Some(Outcome::Failure)));
    assert_eq!((outcome("missing"), outcome("found")), (Some(Outcome::Failure), Some(Outcome::Success)));
}

#[test]
fn logs_are_sent_if_they_are_wanted() {
    let work = |_: &Agent| {
        let _request = info_span!("request").entered();
        info!(n = 1, "told");
        debug!("not told");
    };
    assert!(run(work).logs.is_empty());
    let seen = run_with(Settings { log_sending: true, ..Settings::default() }, LayerOptions::default(), work);
    let log = seen.logs.first().expect("a log");
    assert_eq!((&*log.message, &*log.level, log.logger.as_deref()), ("told", "info", Some(module_path!())));
    assert_eq!(label(&log.labels, "n"), Some(&LabelValue::Number(1.0)));
    let transaction = seen.transaction("request");
    assert_eq!(log.place, Some((transaction.trace_id, transaction.id, None)));
    assert_eq!(seen.logs.len(), 1);
}

#[test]
fn statements_of_sqlx_are_spans() {
    let seen = run_with(Settings::default(), LayerOptions::default().with_sqlx_system("sqlite"), |_| {
        let _request = info_span!("request").entered();
        // As `sqlx` writes them: the statement is empty if the summary is all of it.
        event!(
            target: "sqlx::query",
            tracing::Level::DEBUG,
            summary = "select id from users …",
            db.statement = "\n\nselect\n  id\nfrom\n  users\nwhere\n  id = ?\n",
            rows_affected = 3_u64,
            rows_returned = 1_u64,
            elapsed = ?Duration::from_millis(20),
            elapsed_secs = 0.02
        );
        event!(target: "sqlx::query", tracing::Level::DEBUG, summary = "COMMIT", db.statement = "", elapsed = ?Duration::from_micros(1500));
    });
    let query = seen.span("SELECT FROM users");
    assert_eq!((&*query.kind, query.subtype.as_deref(), query.exit), ("db", Some("sqlite"), true));
    assert!((20_000_000..21_000_000).contains(&query.duration_ns), "{}", query.duration_ns);
    let db = query.details.as_ref().and_then(|details| details.db.as_ref()).expect("a database");
    assert!(
        db.statement.as_deref().is_some_and(|statement| statement.starts_with("select\n") && statement.ends_with('?'))
    );
    assert_eq!(db.rows_affected, Some(3));
    assert!((1_500_000..2_500_000).contains(&seen.span("COMMIT").duration_ns));
}

#[test]
fn callers_and_links() {
    let caller = TraceContext {
        trace_id: TraceId::random(),
        span_id: SpanId::random(),
        sampled: true,
        state: TraceState::default(),
    };
    let seen = run(|_| {
        let request = info_span!("request", documents = 1);
        assert!(request.set_parent(caller.clone()));
        request.in_scope(|| {
            let inner = info_span!("inner");
            assert!(!inner.set_parent(caller.clone()));
        });
        assert!(!request.set_parent(caller.clone()), "it has begun");
        let later = info_span!(parent: None, "later");
        later.follows_from(&request);
        assert!(later.agent_context().trace_id().is_some());
    });
    let request = seen.transaction("request");
    assert_eq!((request.trace_id, request.parent_id), (caller.trace_id, Some(caller.span_id)));
    assert!(label(&request.context.labels, "documents").is_some());
    let later = seen.transaction("later");
    assert_eq!(later.links, [SpanLink { trace_id: request.trace_id, span_id: request.id }]);
}

#[test]
fn an_unsampled_transaction_has_no_spans_and_no_copies() {
    let seen = run_with(Settings { sample_rate: 0.0, ..Settings::default() }, LayerOptions::default(), |_| {
        let _request = info_span!("request").entered();
        info_span!("step").in_scope(|| {
            assert!(Context::current().trace_id().is_some());
            info_span!("inner").in_scope(|| error!("still told"));
        });
    });
    assert_eq!((seen.transactions.len(), seen.spans.len(), seen.errors.len()), (0, 0, 1));
    assert_eq!(seen.errors[0].place.as_ref().map(|place| place.sampled), Some(false));
}

#[test]
fn what_is_recorded_can_be_chosen() {
    let options =
        LayerOptions::default().with_max_level(LevelFilter::DEBUG).with_filter(|metadata| metadata.name() != "secret");
    let seen = run_with(Settings::default(), options, |_| {
        let _request = debug_span!("request").entered();
        info_span!("secret").in_scope(|| info_span!("step").in_scope(|| {}));
    });
    assert_eq!(seen.span("step").parent_id, seen.transaction("request").id);
    assert_eq!(seen.spans.len(), 1);
}

#[test]
fn a_disabled_agent_asks_for_nothing() {
    let subscriber = tracing_subscriber::registry().with(Agent::disabled().layer());
    tracing::subscriber::with_default(subscriber, || {
        assert!(info_span!("request").is_disabled());
        assert!(!tracing::enabled!(tracing::Level::ERROR));
    });
}

#[test]
fn nothing_is_recorded_while_recording_is_off() {
    let seen = run_with(Settings { recording: false, ..Settings::default() }, LayerOptions::default(), |_| {
        info_span!("request").in_scope(|| error!("not told"));
    });
    assert_eq!((seen.transactions.len(), seen.errors.len()), (0, 0));
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no panic before").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn log_lines_know_their_trace() {
    let core = Core::new(Settings::default(), 100);
    let agent = Agent::for_test(core);
    let lines = Lines::default();
    let writer = lines.clone();
    let logs = tracing_subscriber::fmt::layer()
        .event_format(EcsFormat::new().with_service_name("search"))
        .with_writer(move || writer.clone());
    let subscriber = tracing_subscriber::registry().with(agent.layer()).with(logs);
    let mut expect = Vec::new();
    tracing::subscriber::with_default(subscriber, || {
        info!("outside");
        let request = info_span!("request");
        request.in_scope(|| {
            info_span!("step").in_scope(|| {
                expect = Context::current().log_fields().collect();
                info!(n = 1, "inside");
            });
        });
        info!(parent: &request, "beside");
    });
    let text = String::from_utf8(lines.0.lock().expect("no panic before").clone()).expect("it is text");
    let lines: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect();
    assert_eq!(lines.len(), 3);
    assert!(lines[0].get("trace.id").is_none());
    assert_eq!((&lines[0]["message"], &lines[0]["service.name"]), (&"outside".into(), &"search".into()));
    assert_eq!(expect.len(), 3);
    for (name, id) in &expect {
        assert_eq!(lines[1][name], id.as_str());
    }
    assert_eq!((&lines[1]["n"], &lines[1]["log.level"]), (&1.into(), &"info".into()));
    assert_eq!(lines[2]["transaction.id"], expect[1].1.as_str());
    assert!(lines[2].get("span.id").is_none());
    assert!(lines[2]["@timestamp"].as_str().is_some_and(|time| time.ends_with('Z')));
}
