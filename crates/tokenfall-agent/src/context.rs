//! The current transaction and span of a thread or a task.
//!
//! A [`Context`] is a cheap handle. It is current on a thread while its [`ContextGuard`] lives, and in a future while that
//! is polled ([`InContext`]). New threads and spawned tasks begin without one: give them [`Context::current`].

use std::cell::RefCell;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{self, Poll};

use crate::event::{LabelValue, Outcome, Text};
use crate::id::{SpanId, TraceId};
use crate::propagation::TraceContext;
use crate::span::SpanBuilder;
use crate::trace::Node;
use crate::transaction::{TransactionRef, Unsampled};

thread_local! {
    static CURRENT: RefCell<Context> = const { RefCell::new(Context { active: None }) };
}

/// A position in a trace: a transaction, or a span in it, or nothing.
///
/// ```
/// use tokenfall_agent::{Agent, Context};
///
/// let agent = Agent::builder().option("disable_send", "true").start();
/// let transaction = agent.begin_transaction("user-query", "request");
/// let context = transaction.context();
/// // A new thread begins without a context: give it one.
/// let worker = std::thread::spawn(move || {
///     context.run(|| Context::current().capture_span("search").run(|_| Context::current().span_id()))
/// });
/// assert!(worker.join().expect("no panic").is_some());
/// assert!(Context::current().is_none());
/// ```
#[derive(Clone, Debug, Default)]
pub struct Context {
    pub(crate) active: Option<Active>,
}

/// What a context points to.
#[derive(Clone, Debug)]
pub(crate) enum Active {
    /// Something that is recorded.
    Node(Arc<Node>),
    /// A transaction that is not.
    Unsampled(Arc<Unsampled>),
}

impl Context {
    /// The context of this thread, or of the task that it polls.
    pub fn current() -> Self {
        // A thread that ends may have none any more.
        CURRENT.try_with(|current| current.borrow().clone()).unwrap_or_default()
    }

    /// The same where thread-locals may be gone or in use: in a panic hook.
    pub(crate) fn try_current() -> Option<Self> {
        CURRENT.try_with(|current| current.try_borrow().ok().map(|current| current.clone())).ok().flatten()
    }

    /// No transaction.
    pub const fn none() -> Self {
        Self { active: None }
    }

    /// Does it point to nothing?
    pub fn is_none(&self) -> bool {
        self.active.is_none()
    }

    /// Makes it current on this thread until the guard is dropped. Guards must be dropped in the reverse order.
    ///
    /// Do not hold the guard across an `.await`: use [`InContext`].
    ///
    /// ```
    /// use tokenfall_agent::{Agent, Context, capture_span};
    ///
    /// let agent = Agent::builder().option("disable_send", "true").start();
    /// let transaction = agent.begin_transaction("user-query", "request");
    /// let guard = transaction.context().attach();
    /// capture_span("search").start().end();
    /// drop(guard);
    /// assert!(Context::current().is_none());
    /// ```
    #[must_use = "the context is current while the guard lives"]
    pub fn attach(self) -> ContextGuard {
        let before = CURRENT.try_with(|current| current.replace(self)).unwrap_or_default();
        ContextGuard { before, not_send: PhantomData }
    }

    /// Calls `work` with this context as the current one.
    pub fn run<T>(self, work: impl FnOnce() -> T) -> T {
        let _guard = self.attach();
        work()
    }

    /// Describes a new span under this position. Without a transaction the span does nothing.
    pub fn capture_span(&self, name: impl Into<Text>) -> SpanBuilder {
        SpanBuilder::new(self.active.clone(), name.into())
    }

    /// The transaction.
    pub fn transaction(&self) -> Option<TransactionRef> {
        self.active.clone().map(TransactionRef::new)
    }

    /// Sets a label of the span, or of the transaction if there is none.
    pub fn label(&self, key: impl Into<Text>, value: impl Into<LabelValue>) {
        match &self.active {
            Some(Active::Node(node)) if !node.is_root() => {
                let (key, value) = (key.into(), value.into());
                node.remark(|remarks| crate::event::set(&mut remarks.labels, key, value));
            }
            Some(active) => TransactionRef::new(active.clone()).label(key, value),
            None => {}
        }
    }

    /// Sets the outcome of the span, or of the transaction if there is none.
    pub fn set_outcome(&self, outcome: Outcome) {
        match &self.active {
            Some(Active::Node(node)) if !node.is_root() => node.remark(|remarks| remarks.outcome = Some(outcome)),
            Some(active) => TransactionRef::new(active.clone()).set_outcome(outcome),
            None => {}
        }
    }

    /// What to send along with a request, so that the callee goes on with this trace. The span, if there is one, counts
    /// as propagated: it is never merged or dropped.
    pub fn trace_context(&self) -> Option<TraceContext> {
        match self.active.as_ref()? {
            Active::Node(node) => {
                if !node.is_root() {
                    node.remark(|remarks| remarks.propagated = true);
                }
                Some(crate::transaction::outgoing(&node.trace, node.id))
            }
            Active::Unsampled(unsampled) => Some(unsampled.trace_context()),
        }
    }

    /// Do both point to the same transaction or span?
    #[cfg(feature = "tracing")]
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.transaction_id() == other.transaction_id() && self.span_id() == other.span_id()
    }

    /// Trace of this position.
    pub fn trace_id(&self) -> Option<TraceId> {
        Some(match self.active.as_ref()? {
            Active::Node(node) => node.trace.trace_id,
            Active::Unsampled(unsampled) => unsampled.trace_id,
        })
    }

    /// Transaction of this position.
    pub fn transaction_id(&self) -> Option<SpanId> {
        Some(match self.active.as_ref()? {
            Active::Node(node) => node.trace.transaction_id,
            Active::Unsampled(unsampled) => unsampled.id,
        })
    }

    /// Span of this position; `None` if it is the transaction itself.
    pub fn span_id(&self) -> Option<SpanId> {
        match self.active.as_ref()? {
            Active::Node(node) => (!node.is_root()).then_some(node.id),
            Active::Unsampled(_) => None,
        }
    }

    /// The fields that tie a log line to this position: `trace.id`, `transaction.id` and, in a span, `span.id`. Nothing
    /// outside of a transaction.
    ///
    /// ```
    /// for (name, id) in tokenfall_agent::Context::current().log_fields() {
    ///     print!("{name}={id} ");
    /// }
    /// ```
    pub fn log_fields(&self) -> impl Iterator<Item = (&'static str, String)> {
        let fields = [
            ("trace.id", self.trace_id().map(|id| id.to_string())),
            ("transaction.id", self.transaction_id().map(|id| id.to_string())),
            ("span.id", self.span_id().map(|id| id.to_string())),
        ];
        fields.into_iter().filter_map(|(name, id)| Some((name, id?)))
    }
}

/// The current transaction of this thread or task.
///
/// ```
/// use tokenfall_agent::{Agent, current_transaction};
///
/// let agent = Agent::builder().option("disable_send", "true").start();
/// let transaction = agent.begin_transaction("user-query", "request");
/// transaction.run(|| {
///     // Deep inside of the program, where nobody passed the transaction to:
///     if let Some(current) = current_transaction() {
///         current.label("query", "how do I mount a frozen index?");
///     }
/// });
/// assert!(current_transaction().is_none());
/// transaction.end();
/// ```
pub fn current_transaction() -> Option<TransactionRef> {
    Context::current().transaction()
}

/// Describes a span under what is current on this thread or task. Without a transaction the span does nothing.
///
/// ```
/// use tokenfall_agent::{Agent, capture_span};
///
/// let agent = Agent::builder().option("disable_send", "true").start();
/// let transaction = agent.begin_transaction("user-query", "request");
/// let hits = transaction.run(|| {
///     capture_span("search").span_type("db").subtype("elasticsearch").exit().run(|span| {
///         span.label("top", 3);
///         ["first", "second", "third"]
///     })
/// });
/// assert_eq!(hits.len(), 3);
/// ```
pub fn capture_span(name: impl Into<Text>) -> SpanBuilder {
    Context::current().capture_span(name)
}

/// Sets a label of the current span, or of the current transaction if there is no span. See [`Context::label`].
///
/// ```
/// use tokenfall_agent::{Agent, label};
///
/// let agent = Agent::builder().option("disable_send", "true").start();
/// agent.begin_transaction("user-query", "request").run(|| {
///     label("openai_tokens", 1234);
///     label("openai_model", "gpt-4o-mini");
///     label("cached", false);
/// });
/// label("nobody", "hears this");
/// ```
pub fn label(key: impl Into<Text>, value: impl Into<LabelValue>) {
    Context::current().label(key, value);
}

/// Sets the outcome of the current span, or of the current transaction if there is no span. See
/// [`Context::set_outcome`].
///
/// ```
/// use tokenfall_agent::{Agent, Outcome, set_outcome};
///
/// let agent = Agent::builder().option("disable_send", "true").start();
/// agent.begin_transaction("user-query", "request").run(|| set_outcome(Outcome::Failure));
/// ```
pub fn set_outcome(outcome: Outcome) {
    Context::current().set_outcome(outcome);
}

/// Keeps a context current. See [`Context::attach`].
#[derive(Debug)]
pub struct ContextGuard {
    before: Context,
    /// The guard belongs to its thread.
    not_send: PhantomData<*const ()>,
}

impl Drop for ContextGuard {
    fn drop(&mut self) {
        // Thread-locals can be gone when a thread ends; then nothing is current anyway.
        let before = std::mem::take(&mut self.before);
        drop(CURRENT.try_with(|current| current.replace(before)));
    }
}

/// Brings futures (and, with the feature `stream`, streams) into a context.
///
/// ```
/// use tokenfall_agent::{Agent, InContextExt, current_transaction};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), tokio::task::JoinError> {
/// let agent = Agent::builder().option("disable_send", "true").start();
/// let transaction = agent.begin_transaction("user-query", "request");
/// let task = tokio::spawn(async { current_transaction().is_some() }.in_context(transaction.context()));
/// assert!(task.await?);
/// # Ok(())
/// # }
/// ```
pub trait InContextExt: Sized {
    /// While this is polled, `context` is the current one.
    fn in_context(self, context: Context) -> InContext<Self> {
        InContext { inner: Box::pin(self), context }
    }

    /// While this is polled, the context that is current now is the current one. For `spawn`.
    fn in_current_context(self) -> InContext<Self> {
        self.in_context(Context::current())
    }
}

impl<T> InContextExt for T {}

/// See [`InContextExt`].
#[derive(Debug)]
pub struct InContext<T> {
    inner: Pin<Box<T>>,
    context: Context,
}

impl<F: Future> Future for InContext<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<F::Output> {
        let _guard = self.context.clone().attach();
        self.inner.as_mut().poll(cx)
    }
}

#[cfg(feature = "stream")]
impl<S: futures_core::Stream> futures_core::Stream for InContext<S> {
    type Item = S::Item;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<Option<S::Item>> {
        let _guard = self.context.clone().attach();
        self.inner.as_mut().poll_next(cx)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.inner.size_hint()
    }
}
