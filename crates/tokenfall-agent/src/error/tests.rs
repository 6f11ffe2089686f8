use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::agent::Agent;
use crate::context::Context;
use crate::core::Core;
use crate::event::{ErrorKind, ErrorRecord, Event, Exception, LabelValue, Outcome, Request, User};
use crate::settings::Settings;

use super::{capture_error, capture_message};

#[derive(Debug)]
struct CheckoutFailed(Option<Box<dyn Error + Send + Sync>>);

impl fmt::Display for CheckoutFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("checkout failed")
    }
}

impl Error for CheckoutFailed {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}

/// An error that says it caused itself.
#[derive(Debug)]
struct Ouroboros;

impl fmt::Display for Ouroboros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("my own cause")
    }
}

impl Error for Ouroboros {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self)
    }
}

fn agent(settings: Settings) -> (Agent, Arc<Core>) {
    let core = Core::new(settings, 100);
    (Agent::for_test(Arc::clone(&core)), core)
}

fn events(core: &Core) -> Vec<Event> {
    std::iter::from_fn(|| core.queue.pop()).collect()
}

fn errors(core: &Core) -> Vec<ErrorRecord> {
    let only = |event| if let Event::Error(error) = event { Some(*error) } else { None };
    events(core).into_iter().filter_map(only).collect()
}

fn exception(error: &ErrorRecord) -> &Exception {
    match &error.what {
        ErrorKind::Exception(exception) => exception,
        ErrorKind::Log { .. } => panic!("{error:?}"),
    }
}

fn kinds(exception: &Exception) -> Vec<(Option<&str>, &str)> {
    let all = std::iter::once(exception).chain(&exception.causes);
    all.map(|exception| (exception.kind.as_deref(), exception.message.as_ref())).collect()
}

#[test]
fn an_error_goes_with_its_causes() {
    let (agent, core) = agent(Settings::default());
    let io = std::io::Error::from_raw_os_error(2);
    let text = io.to_string();
    let inner = CheckoutFailed(Some(Box::new(io)));
    let id = agent.capture_error(&CheckoutFailed(Some(Box::new(inner)))).expect("captured");
    let errors = errors(&core);
    assert_eq!(errors.len(), 1);
    assert_eq!(errors[0].id, id);
    assert!(errors[0].place.is_none() && errors[0].timestamp_us > 0);
    let exception = exception(&errors[0]);
    let chain = [
        (Some("CheckoutFailed"), "checkout failed"),
        (Some("CheckoutFailed"), "checkout failed"),
        (Some("Error"), text.as_str()),
    ];
    assert_eq!(kinds(exception), chain);
    assert_eq!(exception.module.as_deref(), Some("tokenfall_agent::error::tests"));
    assert_eq!(exception.causes[1].module.as_deref(), Some("std::io::error"));
    assert_eq!(exception.causes[1].code.as_deref(), Some("2"));
    assert!(exception.handled && exception.stack.is_some());
}

#[test]
fn causes_end() {
    let (agent, core) = agent(Settings::default());
    agent.capture_error(&Ouroboros);
    let mut deep = CheckoutFailed(None);
    for _ in 0..30 {
        deep = CheckoutFailed(Some(Box::new(deep)));
    }
    agent.capture_error(&deep);
    let errors = errors(&core);
    assert_eq!(exception(&errors[0]).causes.len(), 1);
    assert_eq!(exception(&errors[1]).causes.len(), 16);
}

#[test]
fn errors_of_anyhow_and_boxes_work() {
    let (agent, core) = agent(Settings::default());
    let parse = "x".parse::<u8>().expect_err("no number");
    let error = anyhow::Error::new(parse).context("no such item");
    agent.capture_error(&*error);
    let boxed: Box<dyn Error + Send + Sync> = "only text".into();
    agent.capture_error(boxed.as_ref());
    let shared: Arc<dyn Error> = Arc::new(CheckoutFailed(None));
    agent.capture_error(&shared);
    let errors = errors(&core);
    let invalid = "invalid digit found in string";
    assert_eq!(kinds(exception(&errors[0])), [(Some("Error"), "no such item"), (Some("ParseIntError"), invalid)]);
    assert_eq!(kinds(exception(&errors[1])), [(Some("Error"), "only text")]);
    assert_eq!(kinds(exception(&errors[2])), [(Some("CheckoutFailed"), "checkout failed")]);
}

#[test]
fn an_error_in_a_span_fails_the_span_only() {
    let (agent, core) = agent(Settings::default());
    let transaction = agent.begin_transaction("GET /cart", "request");
    transaction.label("tenant", "acme");
    transaction.set_user(User { id: Some("7".into()), ..User::default() });
    transaction.set_request(Request { method: "GET".into(), ..Request::default() });
    let span = transaction.capture_span("pay").start();
    span.context().run(|| capture_error(&CheckoutFailed(None))).expect("captured");
    span.capture_error(&CheckoutFailed(None)).expect("captured");
    let (trace_id, transaction_id) = (transaction.context().trace_id(), transaction.context().transaction_id());
    let span_id = span.context().span_id();
    span.end();
    transaction.end();
    let mut outcomes = Vec::new();
    for event in events(&core) {
        match event {
            Event::Error(error) => {
                let place = error.place.expect("in a transaction");
                assert_eq!(Some(place.trace_id), trace_id);
                assert_eq!((Some(place.transaction_id), Some(place.parent_id)), (transaction_id, span_id));
                assert_eq!(
                    (place.transaction_name.as_ref(), place.transaction_kind.as_ref()),
                    ("GET /cart", "request")
                );
                assert!(place.sampled);
                assert_eq!(error.context.labels, [("tenant".into(), LabelValue::from("acme"))]);
                assert_eq!(error.context.user.and_then(|user| user.id).as_deref(), Some("7"));
                assert_eq!(error.context.request.map(|request| request.method).as_deref(), Some("GET"));
                outcomes.push(None);
            }
            Event::Span(span) => outcomes.push(span.outcome),
            Event::Transaction(transaction) => outcomes.push(transaction.outcome),
            Event::Log(log) => panic!("{log:?}"),
        }
    }
    assert_eq!(outcomes, [None, None, Some(Outcome::Failure), Some(Outcome::Success)]);
}

#[test]
fn an_error_in_a_transaction_fails_it() {
    let (agent, core) = agent(Settings::default());
    let transaction = agent.begin_transaction("GET /cart", "request");
    let context = transaction.capture_span("inner").start().context();
    let of_transaction = context.transaction().expect("a transaction");
    of_transaction.capture_error(&CheckoutFailed(None)).expect("captured");
    transaction.end();
    let mut events = events(&core).into_iter();
    let Some(Event::Span(_)) = events.next() else { panic!("the span ends first") };
    let Some(Event::Error(error)) = events.next() else { panic!("an error") };
    let place = error.place.expect("in a transaction");
    assert_eq!(place.parent_id, place.transaction_id);
    let Some(Event::Transaction(transaction)) = events.next() else { panic!("a transaction") };
    assert_eq!(transaction.outcome, Some(Outcome::Failure));
}

#[test]
fn messages_fail_only_by_their_level() {
    for (level, outcome) in [("error", Outcome::Failure), ("FATAL", Outcome::Failure), ("warning", Outcome::Success)] {
        let (agent, core) = agent(Settings::default());
        let transaction = agent.begin_transaction("job", "custom");
        transaction.context().run(|| capture_message("no stock", level)).expect("captured");
        transaction.end();
        let mut events = events(&core).into_iter();
        let Some(Event::Error(error)) = events.next() else { panic!("an error") };
        let ErrorKind::Log { message, level: said, logger: None } = &error.what else { panic!("{error:?}") };
        assert_eq!((message.as_ref(), said.as_ref()), ("no stock", level));
        let Some(Event::Transaction(transaction)) = events.next() else { panic!("a transaction") };
        assert_eq!(transaction.outcome, Some(outcome), "{level}");
    }
}

#[test]
fn what_is_no_error_value_can_be_described() {
    let (agent, core) = agent(Settings::default());
    let error = agent.error("too many requests").kind("RateLimitError").module("openai").code("429").culprit("chat");
    error.handled(false).label("model", "gpt").cause(&CheckoutFailed(None)).capture().expect("captured");
    agent.error("said").logger("shop").capture().expect("captured");
    let errors = errors(&core);
    let exception = exception(&errors[0]);
    assert_eq!(
        kinds(exception),
        [(Some("RateLimitError"), "too many requests"), (Some("CheckoutFailed"), "checkout failed")]
    );
    assert_eq!((exception.module.as_deref(), exception.code.as_deref()), (Some("openai"), Some("429")));
    assert!(!exception.handled && exception.stack.is_some());
    assert_eq!(errors[0].culprit.as_deref(), Some("chat"));
    assert_eq!(errors[0].context.labels, [("model".into(), LabelValue::from("gpt"))]);
    let ErrorKind::Log { message, level, logger } = &errors[1].what else { panic!("{errors:?}") };
    assert_eq!((message.as_ref(), level.as_ref(), logger.as_deref()), ("said", "error", Some("shop")));
}

#[test]
fn an_error_can_bring_its_stack_trace() {
    let (agent, core) = agent(Settings::default());
    let trace = "   0: shop::cart::total\n             at /build/shop/src/cart.rs:1:2\n";
    agent.error("failed").stack_trace(&trace).capture().expect("captured");
    let errors = errors(&core);
    let frames = exception(&errors[0]).stack.as_ref().expect("a stack").frames(9);
    assert_eq!(frames.iter().map(|frame| frame.path.as_str()).collect::<Vec<_>>(), ["shop::cart::total"]);
}

#[test]
fn errors_of_transactions_that_are_not_sampled_are_sent() {
    let (agent, core) = agent(Settings { sample_rate: 0.0, ..Settings::default() });
    let transaction = agent.begin_transaction("GET /cart", "request");
    transaction.capture_error(&CheckoutFailed(None)).expect("captured");
    let trace_id = transaction.context().trace_id();
    transaction.end();
    let errors = errors(&core);
    let place = errors[0].place.as_ref().expect("in a transaction");
    assert_eq!(Some(place.trace_id), trace_id);
    assert_eq!((place.sampled, place.parent_id), (false, place.transaction_id));
    assert_eq!(place.transaction_name, "GET /cart");
}

#[test]
fn nothing_is_sent_where_nothing_is_recorded() {
    assert_eq!(Agent::disabled().capture_error(&CheckoutFailed(None)), None);
    assert_eq!(Agent::disabled().error("x").kind("y").capture(), None);
    assert_eq!(Context::none().capture_message("x", "error"), None);
    assert_eq!(capture_error(&CheckoutFailed(None)), None);
    for settings in [
        Settings { recording: false, ..Settings::default() },
        Settings { context_propagation_only: true, ..Settings::default() },
    ] {
        let (agent, core) = agent(settings);
        assert_eq!(agent.capture_error(&CheckoutFailed(None)), None);
        assert_eq!(agent.begin_transaction("a", "b").capture_error(&CheckoutFailed(None)), None);
        assert_eq!(events(&core).len(), 0);
    }
    let (agent, core) = agent(Settings { stack_trace_limit: 0, ..Settings::default() });
    agent.capture_error(&CheckoutFailed(None));
    assert!(exception(&errors(&core)[0]).stack.is_none());
}

/// Two agents: the place of one's transaction means nothing to the other.
#[test]
fn the_transaction_of_another_agent_is_not_taken() {
    let ((first, _), (second, core)) = (agent(Settings::default()), agent(Settings::default()));
    let transaction = first.begin_transaction("GET /cart", "request");
    let _guard = transaction.activate();
    second.capture_error(&CheckoutFailed(None)).expect("captured");
    assert!(errors(&core)[0].place.is_none());
}

#[test]
fn long_messages_are_not_kept_in_full() {
    let (agent, core) = agent(Settings { long_field_max_length: 10, ..Settings::default() });
    let error = anyhow::anyhow!("{}", "ä".repeat(1000));
    agent.capture_error(&*error);
    assert_eq!(exception(&errors(&core)[0]).message.chars().count(), 11);
}

/// What an agent with a hook got, without the panics of other tests in this process.
fn without_other_panics(core: &Core, own: &str) -> Vec<Event> {
    let is_other = |event: &Event| match event {
        Event::Error(error) => matches!(&error.what, ErrorKind::Exception(panic) if panic.message != own),
        Event::Span(_) | Event::Transaction(_) | Event::Log(_) => false,
    };
    events(core).into_iter().filter(|event| !is_other(event)).collect()
}

#[test]
fn a_panic_is_an_error_that_nobody_handled() {
    let (agent, core) = agent(Settings::default());
    agent.install_panic_hook();
    let transaction = agent.begin_transaction("job", "custom");
    let context = transaction.context();
    let thread = std::thread::Builder::new().name("cart".into()).spawn(move || {
        let span = context.capture_span("pay").start();
        let _guard = span.activate();
        let items: Vec<u8> = Vec::new();
        assert!(!items.is_empty(), "the cart has {} items", items.len());
    });
    thread.expect("a thread").join().expect_err("a panic");
    transaction.end();
    let mut events = without_other_panics(&core, "the cart has 0 items").into_iter();
    let Some(Event::Error(error)) = events.next() else { panic!("an error") };
    let exception = exception(&error);
    assert_eq!(kinds(exception), [(Some("panic"), "the cart has 0 items")]);
    assert!(!exception.handled);
    assert!(error.culprit.as_deref().is_some_and(|culprit| culprit.contains("error/tests.rs:")), "{error:?}");
    let place = error.place.as_ref().expect("in a transaction");
    assert_eq!(place.transaction_name, "job");
    let frames = exception.stack.as_ref().expect("a stack").frames(10);
    let innermost = &frames[0];
    assert!(innermost.filename.as_deref().is_some_and(|file| file.ends_with("error/tests.rs")), "{frames:#?}");
    let Some(Event::Span(span)) = events.next() else { panic!("a span") };
    assert_eq!((span.id, span.outcome), (place.parent_id, Some(Outcome::Failure)));
    let Some(Event::Transaction(transaction)) = events.next() else { panic!("a transaction") };
    assert_eq!(transaction.outcome, Some(Outcome::Success));
}

/// The hook must neither wait for a lock that its own thread holds nor keep the agent alive.
#[test]
fn a_panic_at_a_bad_moment_is_survived() {
    let (agent, core) = agent(Settings::default());
    agent.install_panic_hook();
    let transaction = agent.begin_transaction("job", "custom");
    let node = match transaction.context().active {
        Some(crate::context::Active::Node(node)) => node,
        other => panic!("{other:?}"),
    };
    let thread = std::thread::spawn(move || {
        let _current = Context { active: Some(crate::context::Active::Node(Arc::clone(&node))) }.attach();
        let _held = crate::trace::lock(&node.trace.facts);
        panic!("while the transaction is locked");
    });
    thread.join().expect_err("a panic");
    let events = without_other_panics(&core, "while the transaction is locked");
    let [Event::Error(error)] = events.as_slice() else { panic!("{events:?}") };
    assert!(error.place.is_some());

    transaction.end();
    let weak = Arc::downgrade(&core);
    drop((agent, core));
    // The hook of another test's panic can hold it for a moment.
    let deadline = Instant::now() + Duration::from_secs(10);
    while weak.upgrade().is_some() {
        assert!(Instant::now() < deadline, "the hook holds the agent");
        std::thread::yield_now();
    }
    std::thread::spawn(|| panic!("without an agent")).join().expect_err("a panic");
}
