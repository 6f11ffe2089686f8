//! Spans: work inside of a transaction.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{self, Poll};
use std::time::Instant;

use crate::clock::nanos;
use crate::context::{Active, Context, ContextGuard};
use crate::event::{
    AttributeValue, Db, HttpClient, LabelValue, Outcome, ServiceTarget, SpanDetails, SpanLink, SpanRecord, Target,
    Text, set,
};
use crate::id::SpanId;
use crate::otel::{self, MAX_ATTRIBUTES, SpanKind};
use crate::propagation::TraceContext;
use crate::stacktrace::StackTrace;
use crate::trace::{Node, apply};
use crate::transaction::{MAX_LABELS, Unsampled, outgoing};

/// Describes a span before it starts. Made by `capture_span` of an agent, a context, a transaction or a span.
///
/// ```
/// use tokenfall_agent::Agent;
///
/// let agent = Agent::builder().option("disable_send", "true").start();
/// let transaction = agent.begin_transaction("user-query", "request");
/// let search = transaction
///     .capture_span("search")
///     .span_type("db")
///     .subtype("elasticsearch")
///     .action("query")
///     .service_target("elasticsearch", Some("products".into()))
///     .label("top", 3)
///     .start();
/// search.end();
/// transaction.end();
/// ```
#[derive(Debug)]
#[must_use = "nothing starts before `start`, `run` or `run_async`"]
pub struct SpanBuilder {
    parent: Option<Active>,
    name: Text,
    kind: Text,
    subtype: Option<Text>,
    exit: bool,
    start: Option<Instant>,
    details: Option<Box<SpanDetails>>,
}

impl SpanBuilder {
    #[inline]
    pub(crate) fn new(parent: Option<Active>, name: Text) -> Self {
        Self { parent, name, kind: Text::Borrowed("custom"), subtype: None, exit: false, start: None, details: None }
    }

    /// Will it be recorded? If not, what it would be told need not be worked out.
    pub fn is_recorded(&self) -> bool {
        matches!(self.parent, Some(Active::Node(_)))
    }

    /// Changes what few spans have, unless nothing is recorded.
    pub(crate) fn details(mut self, change: impl FnOnce(&mut SpanDetails)) -> Self {
        if self.is_recorded() {
            change(self.details.get_or_insert_default());
        }
        self
    }

    /// Sets the type, such as `db`, `external`, `openai`. Default: `custom`.
    #[inline]
    pub fn span_type(mut self, kind: impl Into<Text>) -> Self {
        self.kind = kind.into();
        self
    }

    /// Sets the subtype, such as `postgresql`, `http`.
    #[inline]
    pub fn subtype(mut self, subtype: impl Into<Text>) -> Self {
        self.subtype = Some(subtype.into());
        self
    }

    /// Sets the action, such as `query`.
    pub fn action(self, action: impl Into<Text>) -> Self {
        self.details(|details| details.action = Some(action.into()))
    }

    /// Makes it an exit span: a call to something outside of the process. It has a callee
    /// ([`service_target`](Self::service_target)), short alike ones that follow each other are merged into one, and spans of
    /// another type cannot be inside of it.
    #[doc(alias = "leaf")]
    #[inline]
    pub fn exit(mut self) -> Self {
        self.exit = true;
        self
    }

    /// Says whom an exit span calls: type (such as `postgresql`) and name (such as a database). Without it they follow from
    /// subtype, database, queue and URL.
    pub fn service_target(mut self, kind: impl Into<Text>, name: Option<Text>) -> Self {
        self.exit = true;
        self.details(|details| details.target = Target::Set(ServiceTarget { kind: Some(kind.into()), name }))
    }

    /// Says that an exit span calls nobody who deserves a row among the dependencies.
    pub fn without_service_target(self) -> Self {
        self.details(|details| details.target = Target::None)
    }

    /// Sets `destination.service.resource`: the name under which calls of an exit span are put together.
    pub fn destination_resource(self, resource: impl Into<Text>) -> Self {
        self.details(|details| details.resource = Some(resource.into()))
    }

    /// Says to which host and port it goes.
    pub fn destination(self, address: impl Into<Text>, port: Option<u16>) -> Self {
        self.details(|details| {
            details.address = Some(address.into());
            details.port = port;
        })
    }

    /// Says which database (`instance`) it asks, and what.
    pub fn database(self, instance: Option<Text>, statement: Option<Text>) -> Self {
        self.details(|details| {
            let db = details.db.get_or_insert_with(Db::default);
            db.instance = instance;
            db.statement = statement;
        })
    }

    /// Makes it a call to a database that runs `statement`: an exit span of type `db`, named after what the statement does to
    /// which table ([`crate::sql::signature`]). Give the kind of database, such as `postgresql`, as
    /// [`subtype`](Self::subtype); without it that is `sql`.
    pub fn sql(mut self, statement: impl Into<Text>) -> Self {
        self.exit = true;
        self.kind = Text::Borrowed("db");
        self.subtype.get_or_insert(Text::Borrowed("sql"));
        if self.is_recorded() {
            let statement = statement.into();
            let name = crate::sql::signature(&statement);
            if !name.is_empty() {
                self.name = name.into();
            }
            let details = self.details.get_or_insert_default();
            details.action.get_or_insert(Text::Borrowed("query"));
            let db = details.db.get_or_insert_default();
            db.kind = Some(Text::Borrowed("sql"));
            db.statement = Some(statement);
        }
        self
    }

    /// Says which HTTP request it makes. User and password are cut out of the address.
    pub fn http(self, method: impl Into<Text>, url: impl Into<Text>) -> Self {
        self.details(|details| {
            let url = without_credentials(url.into());
            details.http = Some(HttpClient { method: Some(method.into()), url: Some(url), status_code: None });
        })
    }

    /// Sets a label.
    pub fn label(self, key: impl Into<Text>, value: impl Into<LabelValue>) -> Self {
        self.details(|details| set(&mut details.labels, key.into(), value.into()))
    }

    /// Sets an OpenTelemetry attribute.
    pub fn attribute(self, key: impl Into<Text>, value: impl Into<AttributeValue>) -> Self {
        self.details(|details| set(&mut details.otel.attributes, key.into(), value.into()))
    }

    /// Sets OpenTelemetry's span kind.
    pub fn otel_kind(self, kind: SpanKind) -> Self {
        self.details(|details| details.otel.span_kind = Some(kind))
    }

    /// Links a span of another trace.
    pub fn link(self, link: SpanLink) -> Self {
        self.details(|details| details.links.push(link))
    }

    /// Starts it earlier than now.
    pub fn started_at(mut self, start: Instant) -> Self {
        self.start = Some(start);
        self
    }

    /// Starts the span. It is not current yet: see [`Span::activate`], [`run`](Self::run), [`run_async`](Self::run_async).
    #[inline]
    pub fn start(mut self) -> Span {
        match self.parent.take() {
            Some(Active::Node(parent)) => self.start_in(parent),
            Some(Active::Unsampled(unsampled)) => Span { state: State::Unsampled(unsampled) },
            None => Span::disabled(),
        }
    }

    fn start_in(self, parent: Arc<Node>) -> Span {
        let Self { name, kind, subtype, exit, start, details, .. } = self;
        if parent.exit.as_ref().is_some_and(|(outer, outer_subtype)| *outer != kind || *outer_subtype != subtype) {
            return Span { state: State::Inside(parent) };
        }
        let start = start.unwrap_or_else(Instant::now);
        parent.child_started(start);
        let trace = &parent.trace;
        let record = SpanRecord {
            trace_id: trace.trace_id,
            transaction_id: trace.transaction_id,
            parent_id: parent.id,
            id: SpanId::random(),
            name,
            kind,
            subtype,
            timestamp_us: 0,
            duration_ns: 0,
            start,
            outcome: None,
            sample_rate: trace.sample_rate,
            exit,
            propagated: false,
            composite: None,
            covered_ns: 0,
            details,
        };
        let recorded = Recorded { parent, node: OnceLock::new(), record: Some(record) };
        Span { state: State::Recorded(recorded) }
    }

    /// Calls `work` in the span, as the current one.
    ///
    /// ```
    /// use tokenfall_agent::{Agent, Outcome};
    ///
    /// let agent = Agent::builder().option("disable_send", "true").start();
    /// let transaction = agent.begin_transaction("user-query", "request");
    /// let answer: Result<u32, std::num::ParseIntError> = transaction.capture_span("parse").run(|span| {
    ///     let answer = "not a number".parse();
    ///     if answer.is_err() {
    ///         span.set_outcome(Outcome::Failure);
    ///     }
    ///     answer
    /// });
    /// assert!(answer.is_err());
    /// ```
    pub fn run<T>(self, work: impl FnOnce(&mut Span) -> T) -> T {
        let mut span = self.start();
        let guard = span.activate();
        let result = work(&mut span);
        drop(guard);
        span.end();
        result
    }

    /// Awaits `work` in the span, as the current one. If the future is dropped before it is done, the span ends with
    /// outcome `unknown`; [`Context::set_outcome`] and errors captured in it count.
    ///
    /// ```
    /// use tokenfall_agent::{Agent, label};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let agent = Agent::builder().option("disable_send", "true").start();
    /// let transaction = agent.begin_transaction("user-query", "request");
    /// let answer = transaction
    ///     .capture_span("openaiChatCompletion")
    ///     .span_type("openai")
    ///     .run_async(async {
    ///         label("openai_tokens", 2);
    ///         "Hello there"
    ///     })
    ///     .await;
    /// assert_eq!(answer, "Hello there");
    /// # }
    /// ```
    pub fn run_async<F: Future>(self, work: F) -> InSpan<F> {
        InSpan { work: Box::pin(work), span: self.start(), context: None }
    }
}

/// A running span. It ends when this is dropped: as a failure if the thread panics or an error was captured in it, else as
/// a success, unless [`set_outcome`](Self::set_outcome) said otherwise.
///
/// One token span for each chunk of an answer costs next to nothing: they are merged into one as they end.
///
/// ```
/// use tokenfall_agent::Agent;
///
/// let agent = Agent::builder().option("disable_send", "true").start();
/// let transaction = agent.begin_transaction("user-query", "request");
/// let mut completion = transaction.capture_span("openaiChatCompletion").span_type("openai").start();
/// let mut answer = String::new();
/// for chunk in ["Hel", "lo"] {
///     let token = completion.capture_span("token").span_type("http").exit().start();
///     answer.push_str(chunk);
///     token.end();
/// }
/// completion.label("openai_tokens", 2);
/// completion.end();
/// ```
#[derive(Debug)]
#[must_use = "the span ends when this is dropped"]
pub struct Span {
    state: State,
}

#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "a box would cost every span an allocation")]
enum State {
    /// There is no transaction.
    None,
    /// The transaction is not recorded.
    Unsampled(Arc<Unsampled>),
    /// It is inside of an exit span, which stands for it.
    Inside(Arc<Node>),
    Recorded(Recorded),
}

#[derive(Debug)]
struct Recorded {
    parent: Arc<Node>,
    /// Made when the span gets a child or becomes current.
    node: OnceLock<Arc<Node>>,
    /// `None` once it has ended.
    record: Option<SpanRecord>,
}

impl Recorded {
    fn node(&self) -> Option<&Arc<Node>> {
        let record = self.record.as_ref()?;
        Some(self.node.get_or_init(|| {
            let exit = record.exit.then(|| (record.kind.clone(), record.subtype.clone()));
            Arc::new(Node::new(Arc::clone(&self.parent.trace), record.id, exit))
        }))
    }

    /// Ends it in place: most token spans are merged and never move.
    fn finish(&mut self, end: Instant, fallback: Outcome) {
        let details = self.record.as_ref().and_then(|record| record.details.as_deref());
        let bridged = details.is_some_and(|details| details.otel.span_kind.is_some());
        // OpenTelemetry's status decides alone.
        let fallback = if bridged && fallback == Outcome::Success { Outcome::Unknown } else { fallback };
        self.finish_as(end, fallback);
    }

    fn finish_as(&mut self, end: Instant, fallback: Outcome) {
        let Some(record) = &mut self.record else { return };
        record.duration_ns = nanos(record.start, end);
        let mut errored = false;
        if let Some(node) = self.node.get() {
            let ended = node.end();
            record.covered_ns = record.covered_ns.saturating_add(ended.covered_ns);
            if let Some(remarks) = ended.remarks {
                errored = apply(*remarks, record);
            }
        }
        if record.details.as_deref().is_some_and(|details| details.otel.span_kind.is_some()) {
            otel::infer_span(record);
        }
        let fallback = if errored && fallback == Outcome::Success { Outcome::Failure } else { fallback };
        record.outcome = Some(record.outcome.unwrap_or(fallback));
        let settings = &self.parent.trace.settings;
        if settings.span_stack_trace_min_duration.is_some_and(|min| u128::from(record.duration_ns) >= min.as_nanos())
            && settings.stack_trace_limit > 0
        {
            record.details.get_or_insert_default().stack.get_or_insert_with(StackTrace::capture);
        }
        self.parent.child_ended(&mut self.record, end);
    }
}

impl Span {
    /// A span that does nothing.
    pub const fn disabled() -> Self {
        Self { state: State::None }
    }

    /// Is it recorded? If not, what it would be told need not be worked out.
    #[inline]
    pub fn is_recorded(&self) -> bool {
        matches!(self.state, State::Recorded(_))
    }

    /// Its position, to make it current elsewhere or to describe children.
    pub fn context(&self) -> Context {
        Context { active: self.active() }
    }

    #[inline]
    fn active(&self) -> Option<Active> {
        match &self.state {
            State::None => None,
            State::Unsampled(unsampled) => Some(Active::Unsampled(Arc::clone(unsampled))),
            State::Inside(node) => Some(Active::Node(Arc::clone(node))),
            State::Recorded(recorded) => recorded.node().map(|node| Active::Node(Arc::clone(node))),
        }
    }

    /// Makes it the current span of this thread until the guard is dropped.
    pub fn activate(&self) -> ContextGuard {
        self.context().attach()
    }

    /// Describes a span inside of it.
    #[inline]
    pub fn capture_span(&self, name: impl Into<Text>) -> SpanBuilder {
        SpanBuilder::new(self.active(), name.into())
    }

    /// The node of a recorded span.
    pub(crate) fn node(&self) -> Option<&Arc<Node>> {
        match &self.state {
            State::Recorded(recorded) => recorded.node(),
            State::None | State::Unsampled(_) | State::Inside(_) => None,
        }
    }

    /// The record of a recorded span.
    pub(crate) fn record(&mut self) -> Option<&mut SpanRecord> {
        match &mut self.state {
            State::Recorded(recorded) => recorded.record.as_mut(),
            State::None | State::Unsampled(_) | State::Inside(_) => None,
        }
    }

    /// Changes what few spans have, unless nothing is recorded.
    pub(crate) fn details(&mut self, change: impl FnOnce(&mut SpanDetails)) {
        if let Some(record) = self.record() {
            change(record.details.get_or_insert_default());
        }
    }

    /// Sets the name.
    pub fn set_name(&mut self, name: impl Into<Text>) {
        if let Some(record) = self.record() {
            record.name = name.into();
        }
    }

    /// Sets the outcome. The last call wins, also over what an instrumentation finds.
    pub fn set_outcome(&mut self, outcome: Outcome) {
        if let Some(record) = self.record() {
            record.outcome = Some(outcome);
        }
    }

    /// Sets the outcome that an instrumentation finds; what the program said wins.
    pub fn set_outcome_if_unset(&mut self, outcome: Outcome) {
        if let Some(record) = self.record() {
            record.outcome = record.outcome.or(Some(outcome));
        }
    }

    /// Sets a label. `.`, `*` and `"` in its key become `_` when it is sent.
    pub fn label(&mut self, key: impl Into<Text>, value: impl Into<LabelValue>) {
        self.details(|details| {
            if details.labels.len() < MAX_LABELS {
                set(&mut details.labels, key.into(), value.into());
            }
        });
    }

    /// Sets an OpenTelemetry attribute.
    pub fn attribute(&mut self, key: impl Into<Text>, value: impl Into<AttributeValue>) {
        self.details(|details| {
            if details.otel.attributes.len() < MAX_ATTRIBUTES {
                set(&mut details.otel.attributes, key.into(), value.into());
            }
        });
    }

    /// Sets the status code of the answer to an HTTP request, and the outcome if none was set: failure from 400 on.
    pub fn set_http_status(&mut self, status: u16) {
        self.details(|details| details.http.get_or_insert_default().status_code = Some(status));
        self.set_outcome_if_unset(if status >= 400 { Outcome::Failure } else { Outcome::Success });
    }

    /// Sets how many rows a statement changed or gave.
    pub fn set_rows_affected(&mut self, rows: u64) {
        self.details(|details| details.db.get_or_insert_default().rows_affected = Some(rows));
    }

    /// What to send along with the request that it stands for, so that the callee goes on with this trace. From then on it is
    /// never merged or dropped.
    pub fn trace_context(&mut self) -> Option<TraceContext> {
        match &mut self.state {
            State::None => None,
            State::Unsampled(unsampled) => Some(unsampled.trace_context()),
            // The exit span around it is the one that calls.
            State::Inside(_) => self.context().trace_context(),
            State::Recorded(recorded) => {
                let record = recorded.record.as_mut()?;
                record.propagated = true;
                Some(outgoing(&recorded.parent.trace, record.id))
            }
        }
    }

    /// Ends it now.
    #[inline]
    pub fn end(mut self) {
        self.finish(Outcome::Success);
    }

    /// Ends it as something that was given up: with outcome `unknown`, unless one was set.
    pub fn cancel(mut self) {
        self.finish(Outcome::Unknown);
    }

    /// Ends it at `end` with this outcome, unless one was set or an error was captured in it.
    pub(crate) fn finish_as(&mut self, end: Instant, outcome: Outcome) {
        if let State::Recorded(recorded) = &mut self.state {
            recorded.finish_as(end, outcome);
            self.state = State::None;
        }
    }

    fn finish(&mut self, fallback: Outcome) {
        if let State::Recorded(recorded) = &mut self.state {
            recorded.finish(Instant::now(), fallback);
            self.state = State::None;
        }
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        if self.is_recorded() {
            self.finish(if std::thread::panicking() { Outcome::Failure } else { Outcome::Success });
        }
    }
}

/// A future in a span. See [`SpanBuilder::run_async`].
#[derive(Debug)]
#[must_use = "futures do nothing unless they are polled"]
pub struct InSpan<F> {
    work: Pin<Box<F>>,
    span: Span,
    context: Option<Context>,
}

impl<F: Future> Future for InSpan<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<F::Output> {
        let this = self.get_mut();
        let context = this.context.get_or_insert_with(|| this.span.context()).clone();
        let result = {
            let _guard = context.attach();
            this.work.as_mut().poll(cx)
        };
        if result.is_ready() {
            this.span.finish(Outcome::Success);
        }
        result
    }
}

impl<F> Drop for InSpan<F> {
    fn drop(&mut self) {
        if self.span.is_recorded() {
            self.span.finish(if std::thread::panicking() { Outcome::Failure } else { Outcome::Unknown });
        }
    }
}

/// The address without `user:password@`.
pub(crate) fn without_credentials(url: Text) -> Text {
    let Some((scheme, rest)) = url.split_once("://") else { return url };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let Some((authority, path)) = rest.split_at_checked(end) else { return url };
    match authority.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}://{host}{path}").into(),
        None => url,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_cut_out_of_addresses() {
        let check = |url: &'static str, expect: &str| assert_eq!(without_credentials(url.into()), expect);
        check("http://host/a@b", "http://host/a@b");
        check("http://user:pass@host:1/a?b#c", "http://host:1/a?b#c");
        check("http://user@host", "http://host");
        check("no address", "no address");
    }
}
