//! Transactions: one served request, one run of a job.

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use serde_json::Value;

use crate::clock::Anchor;
use crate::context::{Active, Context, ContextGuard, InContext, InContextExt as _};
use crate::core::Core;
use crate::event::{LabelValue, OtelData, Outcome, Request, Response, SpanLink, Text, User, set};
use crate::id::{SpanId, TraceId, random_unit};
use crate::otel::SpanKind;
use crate::propagation::{TraceContext, TraceState};
use crate::settings::TraceContinuation;
use crate::span::SpanBuilder;
use crate::trace::{Facts, Identity, Node, Trace, lock};

/// Most values of `custom` that an event keeps.
const MAX_CUSTOM: usize = 1024;
/// Most labels that an event keeps.
pub(crate) const MAX_LABELS: usize = 1024;

/// A running transaction. It ends when this is dropped: as a failure if the thread panics or an error was captured in it, else as a
/// success, unless [`set_outcome`](Self::set_outcome) said otherwise.
///
/// ```
/// use tokenfall_agent::{Agent, Outcome};
///
/// let agent = Agent::builder().option("disable_send", "true").start();
/// let transaction = agent.begin_transaction("user-query", "request");
/// transaction.label("query", "How do I mount and index a frozen node?");
/// transaction.label("openai_cost", 0.0114);
/// transaction.set_custom("retries", 2);
/// transaction.set_result("HTTP 2xx");
/// transaction.set_outcome(Outcome::Success);
/// transaction.end();
/// ```
#[derive(Debug)]
#[must_use = "the transaction ends when this is dropped"]
pub struct Transaction {
    state: State,
}

#[derive(Debug)]
enum State {
    /// The agent is off.
    Disabled,
    Unsampled(Lazy),
    Sampled(Arc<Node>),
    Ended,
}

/// A transaction that is not recorded. It gets ids, and is shared, only once somebody asks for its context.
#[derive(Debug)]
struct Lazy {
    core: Arc<Core>,
    /// Trace of the caller.
    trace_id: Option<TraceId>,
    name: Text,
    kind: Text,
    state: TraceState,
    shared: OnceLock<Arc<Unsampled>>,
}

impl Lazy {
    fn shared(&self) -> &Arc<Unsampled> {
        self.shared.get_or_init(|| {
            Arc::new(Unsampled {
                core: Arc::clone(&self.core),
                trace_id: self.trace_id.unwrap_or_else(TraceId::random),
                id: SpanId::random(),
                name: self.name.clone(),
                kind: self.kind.clone(),
                state: self.state.clone(),
            })
        })
    }
}

/// What is known of a transaction that is not recorded: enough to go on with its trace and for its errors.
#[derive(Clone, Debug)]
pub(crate) struct Unsampled {
    pub(crate) core: Arc<Core>,
    pub(crate) trace_id: TraceId,
    pub(crate) id: SpanId,
    pub(crate) name: Text,
    pub(crate) kind: Text,
    state: TraceState,
}

impl Unsampled {
    pub(crate) fn trace_context(&self) -> TraceContext {
        TraceContext { trace_id: self.trace_id, span_id: self.id, sampled: false, state: self.state.clone() }
    }
}

/// What to send to a callee of `span_id`.
pub(crate) fn outgoing(trace: &Trace, span_id: SpanId) -> TraceContext {
    TraceContext { trace_id: trace.trace_id, span_id, sampled: true, state: trace.state.clone() }
}

/// Describes a transaction before it begins. Made by [`Agent::transaction`](crate::Agent::transaction).
///
/// ```
/// use tokenfall_agent::Agent;
///
/// let agent = Agent::builder().option("disable_send", "true").start();
/// let caller = agent.begin_transaction("user-query", "request");
/// let served = agent.transaction("GET /search").transaction_type("request").parent(caller.trace_context()).begin();
/// assert_eq!(served.context().trace_id(), caller.context().trace_id());
/// ```
#[derive(Debug)]
#[must_use = "nothing begins before `begin`"]
pub struct TransactionBuilder {
    pub(crate) core: Option<Arc<Core>>,
    name: Text,
    kind: Text,
    parent: Option<TraceContext>,
    start: Option<Instant>,
    links: Vec<SpanLink>,
    pub(crate) otel: OtelData,
}

impl TransactionBuilder {
    #[inline]
    pub(crate) fn new(core: Option<Arc<Core>>, name: Text) -> Self {
        let kind = Text::Borrowed("custom");
        Self { core, name, kind, parent: None, start: None, links: Vec::new(), otel: OtelData::default() }
    }

    /// Sets the type, such as `request` or `messaging`. Default: `custom`.
    #[inline]
    pub fn transaction_type(mut self, kind: impl Into<Text>) -> Self {
        self.kind = kind.into();
        self
    }

    /// Goes on with the trace of a caller.
    pub fn parent(mut self, parent: Option<TraceContext>) -> Self {
        self.parent = parent;
        self
    }

    /// Links a span of another trace.
    pub fn link(mut self, link: SpanLink) -> Self {
        self.links.push(link);
        self
    }

    /// Sets OpenTelemetry's span kind. The type follows from kind and attributes unless it was set.
    pub fn otel_kind(mut self, kind: SpanKind) -> Self {
        self.otel.span_kind = Some(kind);
        self
    }

    /// Begins it earlier than now.
    pub fn started_at(mut self, start: Instant) -> Self {
        self.start = Some(start);
        self
    }

    /// Begins the transaction. It is not current yet: see [`Transaction::activate`] and [`Transaction::context`].
    #[inline]
    pub fn begin(mut self) -> Transaction {
        let state = match self.core.take() {
            Some(core) => self.begin_in(core),
            None => State::Disabled,
        };
        Transaction { state }
    }

    fn begin_in(mut self, core: Arc<Core>) -> State {
        let settings = core.settings.load();
        if !settings.recording {
            return State::Disabled;
        }
        let baggage = self.parent.as_ref().and_then(|parent| parent.state.baggage.clone());
        let parent = self.continued(settings.trace_continuation);
        let (sampled, sample_rate) = if let Some(parent) = &parent {
            (parent.sampled, if parent.sampled { parent.state.sample_rate } else { Some(0.0) })
        } else {
            let rate = settings.sample_rate;
            let sampled = rate >= 1.0 || (rate > 0.0 && random_unit() < rate);
            (sampled, Some(if sampled { rate } else { 0.0 }))
        };
        let (trace_id, parent_id, state) = match parent {
            Some(parent) => (Some(parent.trace_id), Some(parent.span_id), parent.state),
            None => (None, None, TraceState { sample_rate, is_elastic: true, ..TraceState::default() }),
        };
        let Self { name, kind, start, links, mut otel, .. } = self;
        if !sampled || settings.context_propagation_only {
            drop(settings);
            return State::Unsampled(Lazy { core, trace_id, name, kind, state, shared: OnceLock::new() });
        }
        let settings = Arc::clone(&settings);
        if let Some(baggage) = baggage {
            for (name, value) in baggage.attached(&settings.baggage_to_attach) {
                set(&mut otel.attributes, format!("baggage.{name}").into(), value.into());
            }
        }
        let trace_id = trace_id.unwrap_or_else(TraceId::random);
        let identity = Identity { trace_id, transaction_id: SpanId::random(), parent_id, sample_rate, state };
        let anchor = start.map_or_else(Anchor::now, Anchor::at);
        let facts = Facts { name, kind, links, otel, ..Facts::default() };
        State::Sampled(Trace::begin(core, settings, identity, anchor, facts))
    }

    /// Whose trace goes on here. A trace that does not go on is linked.
    fn continued(&mut self, strategy: TraceContinuation) -> Option<TraceContext> {
        let parent = self.parent.take()?;
        let restart = match strategy {
            TraceContinuation::Continue => false,
            TraceContinuation::Restart => true,
            TraceContinuation::RestartExternal => !parent.state.is_elastic,
        };
        if restart {
            self.links.push(SpanLink { trace_id: parent.trace_id, span_id: parent.span_id });
            return None;
        }
        Some(parent)
    }
}

impl Transaction {
    /// A transaction that does nothing.
    pub const fn disabled() -> Self {
        Self { state: State::Disabled }
    }

    /// Its position, to make it current elsewhere or to describe children.
    pub fn context(&self) -> Context {
        Context { active: self.active() }
    }

    #[inline]
    fn active(&self) -> Option<Active> {
        match &self.state {
            State::Disabled | State::Ended => None,
            State::Unsampled(lazy) => Some(Active::Unsampled(Arc::clone(lazy.shared()))),
            State::Sampled(node) => Some(Active::Node(Arc::clone(node))),
        }
    }

    /// Makes it the current transaction of this thread until the guard is dropped. In asynchronous code use
    /// [`run_async`](Self::run_async).
    pub fn activate(&self) -> ContextGuard {
        self.context().attach()
    }

    /// Calls `work` with this as the current transaction.
    pub fn run<T>(&self, work: impl FnOnce() -> T) -> T {
        self.context().run(work)
    }

    /// While the returned future is polled, this is the current transaction. It does not end with the future.
    ///
    /// ```
    /// use tokenfall_agent::{Agent, capture_span};
    ///
    /// # async fn search() {}
    /// # async fn example(agent: Agent) {
    /// let transaction = agent.begin_transaction("user-query", "request");
    /// transaction.run_async(async { capture_span("search").run_async(search()).await }).await;
    /// transaction.end();
    /// # }
    /// ```
    pub fn run_async<F: Future>(&self, work: F) -> InContext<F> {
        work.in_context(self.context())
    }

    /// Describes a span in it.
    #[inline]
    pub fn capture_span(&self, name: impl Into<Text>) -> SpanBuilder {
        SpanBuilder::new(self.active(), name.into())
    }

    /// Something that can be said of it from anywhere while it runs.
    pub fn handle(&self) -> Option<TransactionRef> {
        self.active().map(TransactionRef::new)
    }

    pub(crate) fn with_facts(&self, say: impl FnOnce(&mut Facts)) {
        if let State::Sampled(node) = &self.state {
            say(&mut lock(&node.trace.facts));
        }
    }

    /// Sets the name, such as `GET /search`.
    pub fn set_name(&self, name: impl Into<Text>) {
        self.with_facts(|facts| facts.name = name.into());
    }

    /// Sets the type, such as `request`.
    pub fn set_type(&self, kind: impl Into<Text>) {
        self.with_facts(|facts| facts.kind = kind.into());
    }

    /// Sets the result, such as `HTTP 2xx`.
    pub fn set_result(&self, result: impl Into<Text>) {
        self.with_facts(|facts| facts.result = Some(result.into()));
    }

    /// Sets the outcome. The last call wins, also over what an instrumentation finds.
    pub fn set_outcome(&self, outcome: Outcome) {
        self.with_facts(|facts| facts.outcome = Some(outcome));
    }

    /// Sets the outcome that an instrumentation finds; what the program said wins.
    pub fn set_outcome_if_unset(&self, outcome: Outcome) {
        self.with_facts(|facts| facts.outcome = facts.outcome.or(Some(outcome)));
    }

    /// Sets a label. Keys keep letters, digits, `_` and `-`; `.`, `*` and `"` become `_` when it is sent.
    pub fn label(&self, key: impl Into<Text>, value: impl Into<LabelValue>) {
        self.with_facts(|facts| add_label(facts, key.into(), value.into()));
    }

    /// Says who is served.
    pub fn set_user(&self, user: User) {
        self.with_facts(|facts| facts.context.user = Some(user));
    }

    /// Sets a value that is shown but not searched.
    pub fn set_custom(&self, key: impl Into<Text>, value: impl Into<Value>) {
        self.with_facts(|facts| {
            if facts.context.custom.len() < MAX_CUSTOM {
                set(&mut facts.context.custom, key.into(), value.into());
            }
        });
    }

    /// Describes the HTTP request that is served.
    pub fn set_request(&self, request: Request) {
        self.with_facts(|facts| facts.context.request = Some(Box::new(request)));
    }

    /// Describes the answer.
    pub fn set_response(&self, response: Response) {
        self.with_facts(|facts| facts.context.response = Some(response));
    }

    /// Names the framework that serves, such as `axum`.
    pub fn set_framework(&self, name: impl Into<Text>, version: Option<Text>) {
        self.with_facts(|facts| facts.context.framework = Some((name.into(), version)));
    }

    /// Sets OpenTelemetry's kind and attributes.
    pub(crate) fn with_otel(&self, say: impl FnOnce(&mut OtelData)) {
        self.with_facts(|facts| say(&mut facts.otel));
    }

    /// What to send along with a request or a message.
    pub fn trace_context(&self) -> Option<TraceContext> {
        match &self.state {
            State::Disabled | State::Ended => None,
            State::Unsampled(lazy) => Some(lazy.shared().trace_context()),
            State::Sampled(node) => Some(outgoing(&node.trace, node.id)),
        }
    }

    /// Is it recorded?
    pub fn is_sampled(&self) -> bool {
        matches!(self.state, State::Sampled(_))
    }

    /// Ends it now.
    #[inline]
    pub fn end(mut self) {
        self.finish(Outcome::Success, Instant::now());
    }

    /// Ends it as of an earlier moment: the work was done then, but something that belongs to it, such as what a person thinks
    /// of the answer, came later. It is sent now.
    pub fn end_at(mut self, end: Instant) {
        self.finish(Outcome::Success, end);
    }

    /// Ends it as something that was given up: with outcome `unknown`, unless one was set.
    pub fn cancel(mut self) {
        self.finish(Outcome::Unknown, Instant::now());
    }

    fn finish(&mut self, fallback: Outcome, end: Instant) {
        if let State::Sampled(node) = std::mem::replace(&mut self.state, State::Ended) {
            node.trace.end(&node, end, fallback);
        }
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        if matches!(self.state, State::Sampled(_)) {
            let outcome = if std::thread::panicking() { Outcome::Failure } else { Outcome::Success };
            self.finish(outcome, Instant::now());
        }
    }
}

pub(crate) fn add_label(facts: &mut Facts, key: Text, value: LabelValue) {
    if facts.context.labels.len() < MAX_LABELS {
        set(&mut facts.context.labels, key, value);
    }
}

/// A transaction that somebody else will end: what [`current_transaction`](crate::current_transaction) gives.
///
/// ```
/// use tokenfall_agent::Agent;
///
/// let agent = Agent::builder().option("disable_send", "true").start();
/// let transaction = agent.begin_transaction("unnamed", "request");
/// let handle = transaction.handle();
/// let worker = std::thread::spawn(move || {
///     if let Some(transaction) = handle {
///         transaction.set_name("GET /search");
///     }
/// });
/// # worker.join().expect("no panic");
/// transaction.end();
/// ```
#[derive(Clone, Debug)]
pub struct TransactionRef {
    pub(crate) active: Active,
}

impl TransactionRef {
    pub(crate) fn new(active: Active) -> Self {
        Self { active }
    }

    fn with_facts(&self, say: impl FnOnce(&mut Facts)) {
        if let Active::Node(node) = &self.active {
            say(&mut lock(&node.trace.facts));
        }
    }

    /// Sets the name.
    pub fn set_name(&self, name: impl Into<Text>) {
        self.with_facts(|facts| facts.name = name.into());
    }

    /// Sets the name, unless the program has set another one than `before`.
    #[cfg(feature = "tower")]
    pub(crate) fn replace_name(&self, before: &str, name: Text) {
        self.with_facts(|facts| {
            if facts.name == before {
                facts.name = name;
            }
        });
    }

    /// Sets the result.
    pub fn set_result(&self, result: impl Into<Text>) {
        self.with_facts(|facts| facts.result = Some(result.into()));
    }

    /// Sets the outcome. The last call wins.
    pub fn set_outcome(&self, outcome: Outcome) {
        self.with_facts(|facts| facts.outcome = Some(outcome));
    }

    /// Sets a label.
    pub fn label(&self, key: impl Into<Text>, value: impl Into<LabelValue>) {
        self.with_facts(|facts| add_label(facts, key.into(), value.into()));
    }

    /// Says who is served.
    pub fn set_user(&self, user: User) {
        self.with_facts(|facts| facts.context.user = Some(user));
    }

    /// Sets a value that is shown but not searched.
    pub fn set_custom(&self, key: impl Into<Text>, value: impl Into<Value>) {
        self.with_facts(|facts| {
            if facts.context.custom.len() < MAX_CUSTOM {
                set(&mut facts.context.custom, key.into(), value.into());
            }
        });
    }

    /// Id of its trace.
    pub fn trace_id(&self) -> TraceId {
        match &self.active {
            Active::Node(node) => node.trace.trace_id,
            Active::Unsampled(unsampled) => unsampled.trace_id,
        }
    }

    /// Its id.
    pub fn id(&self) -> SpanId {
        match &self.active {
            Active::Node(node) => node.trace.transaction_id,
            Active::Unsampled(unsampled) => unsampled.id,
        }
    }

    /// Is it recorded?
    pub fn is_sampled(&self) -> bool {
        matches!(self.active, Active::Node(_))
    }
}
