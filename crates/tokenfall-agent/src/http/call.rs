//! One HTTP exchange as a transaction (served here) or an exit span (made here).

use std::pin::Pin;
use std::task::{self, Poll};

use http::{HeaderMap, Method, Uri};
use pin_project_lite::pin_project;

use super::address::{Callee, sanitized};
use super::body::TracedBody;
use super::grpc::{self, Status};
use super::method_text;
use crate::context::{Active, Context};
use crate::event::{HttpClient, Outcome, Response, ServiceTarget, Target, Text};
use crate::propagation::{TRACEPARENT, TraceContext};
use crate::span::{Span, without_credentials};
use crate::transaction::Transaction;

/// Most headers of a request or an answer that are recorded.
const MAX_HEADERS: usize = 128;

/// An exchange that runs. Dropped before [`end`](Self::end), it was given up.
#[derive(Debug)]
pub(super) struct Call {
    work: Work,
    context: Context,
    is_grpc: bool,
    /// An answer to `HEAD` has no body, whatever its headers say.
    is_head: bool,
    capture_headers: bool,
    status: Option<u16>,
    grpc_status: Option<Status>,
}

#[derive(Debug)]
enum Work {
    #[cfg_attr(not(feature = "tower"), expect(dead_code, reason = "reqwest serves nothing"))]
    Transaction(Transaction),
    Span(Span),
    Ended,
}

/// How an exchange came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The body was read to its end.
    Complete,
    /// An error, or a panic.
    Failed,
    /// Nobody wanted to know the rest.
    Dropped,
}

impl Call {
    /// A request that is served.
    #[cfg(feature = "tower")]
    pub(super) fn served(
        transaction: Transaction,
        method: &Method,
        headers: &HeaderMap,
        capture_headers: bool,
    ) -> Self {
        let context = transaction.context();
        Self::new(Work::Transaction(transaction), context, method, grpc::is_grpc(headers), capture_headers)
    }

    /// A request that is made: begins an exit span under the current context, unless that is in an exit span of another type
    /// already, and writes the trace context into the headers. `origin` is whom it goes to if the address does not tell.
    pub(super) fn made(method: &Method, uri: &Uri, headers: &mut HeaderMap, origin: Option<&Callee>) -> Option<Self> {
        let around = Context::current();
        let active = around.active.as_ref()?;
        let is_grpc = grpc::is_grpc(headers);
        let subtype = if is_grpc { "grpc" } else { "http" };
        let mut span = around.capture_span("").span_type("external").subtype(subtype).exit().start();
        if may_inject(active, headers)
            && let Some(outgoing) = span.trace_context()
        {
            outgoing.inject(headers);
        }
        if !span.is_recorded() {
            return None;
        }
        let callee = Callee::of(uri).or_else(|| origin.cloned());
        let host = callee.as_ref().map_or("unknown host", |callee| &callee.host);
        span.set_name(if is_grpc { uri.path().to_owned() } else { format!("{method} {host}") });
        let Active::Node(node) = active else { return None };
        let names = &node.trace.settings.sanitize_field_names;
        span.details(|details| {
            if is_grpc {
                let name = callee.as_ref().map(|callee| callee.host_and_port().into());
                details.target = Target::Set(ServiceTarget { kind: None, name });
            } else {
                let url = without_credentials(sanitized(uri.to_string(), names).into());
                details.http =
                    Some(HttpClient { method: Some(method_text(method)), url: Some(url), ..HttpClient::default() });
            }
            if let Some(callee) = callee {
                details.address = Some(callee.host.into());
                details.port = callee.port;
            }
        });
        let context = span.context();
        Some(Self::new(Work::Span(span), context, method, is_grpc, false))
    }

    fn new(work: Work, context: Context, method: &Method, is_grpc: bool, capture_headers: bool) -> Self {
        let is_head = *method == Method::HEAD;
        Self { work, context, is_grpc, is_head, capture_headers, status: None, grpc_status: None }
    }

    /// The transaction, if it is a served request.
    #[cfg(feature = "axum")]
    pub(super) fn transaction(&self) -> Option<crate::TransactionRef> {
        match &self.work {
            Work::Transaction(transaction) => transaction.handle(),
            Work::Span(_) | Work::Ended => None,
        }
    }

    /// The head of the answer is known.
    pub(super) fn answered<B>(&mut self, response: &http::Response<B>) {
        let status = response.status().as_u16();
        self.status = Some(status);
        self.read_grpc_status(response.headers());
        match &mut self.work {
            Work::Transaction(transaction) if transaction.is_sampled() => {
                let headers = if self.capture_headers { recorded_headers(response.headers()) } else { Vec::new() };
                transaction.set_response(Response { status_code: Some(status), headers });
            }
            Work::Span(span) if !self.is_grpc => {
                span.details(|details| details.http.get_or_insert_default().status_code = Some(status));
            }
            Work::Transaction(_) | Work::Span(_) | Work::Ended => {}
        }
    }

    /// Is it over with the head of the answer?
    pub(super) fn has_no_body(&self) -> bool {
        self.is_head || matches!(self.status, Some(100..=199 | 204 | 304))
    }

    /// Headers or trailers came that may tell how a gRPC call went.
    pub(super) fn read_grpc_status(&mut self, headers: &HeaderMap) {
        if self.is_grpc {
            self.grpc_status = Status::read(headers).or(self.grpc_status);
        }
    }

    /// Is the length of the body all that has to be known to see its end? gRPC's status comes after it.
    pub(super) fn ends_with_its_length(&self) -> bool {
        !self.is_grpc
    }

    /// Ends the transaction or the span. Does nothing the second time.
    pub(super) fn end(&mut self, end: End) {
        if self.is_grpc && end == End::Complete && self.grpc_status.is_none() {
            self.grpc_status = self.status.map(Status::of_http);
        }
        match std::mem::replace(&mut self.work, Work::Ended) {
            Work::Transaction(transaction) => {
                if let Some(result) = self.result() {
                    transaction.set_result(result);
                }
                match self.transaction_outcome(end) {
                    Outcome::Unknown => transaction.cancel(),
                    outcome => {
                        transaction.set_outcome_if_unset(outcome);
                        transaction.end();
                    }
                }
            }
            Work::Span(mut span) => match self.span_outcome(end) {
                Outcome::Unknown => span.cancel(),
                outcome => {
                    span.set_outcome_if_unset(outcome);
                    span.end();
                }
            },
            Work::Ended => {}
        }
    }

    fn result(&self) -> Option<Text> {
        if self.is_grpc {
            return self.grpc_status.map(|status| status.name().into());
        }
        Some(match self.status? / 100 {
            1 => "HTTP 1xx".into(),
            2 => "HTTP 2xx".into(),
            3 => "HTTP 3xx".into(),
            4 => "HTTP 4xx".into(),
            5 => "HTTP 5xx".into(),
            other => format!("HTTP {other}xx").into(),
        })
    }

    fn transaction_outcome(&self, end: End) -> Outcome {
        match (end, self.status, self.grpc_status) {
            (End::Failed, _, _) | (_, Some(500..), None) => Outcome::Failure,
            (_, _, Some(status)) => status.of_transaction(),
            (End::Complete, Some(_), None) => Outcome::Success,
            (End::Complete, None, None) | (End::Dropped, _, None) => Outcome::Unknown,
        }
    }

    fn span_outcome(&self, end: End) -> Outcome {
        match (end, self.status, self.grpc_status) {
            (End::Failed, _, _) | (_, Some(400..), None) => Outcome::Failure,
            (_, _, Some(status)) => status.of_span(),
            // Whoever has seen the status may leave the rest unread.
            (_, Some(_), None) if !self.is_grpc => Outcome::Success,
            _ => Outcome::Unknown,
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.end(End::Dropped);
    }
}

/// Polls something of an exchange: its context is the current one, and a panic ends it.
pub(super) fn within<T>(call: &mut Option<Call>, poll: impl FnOnce() -> T) -> T {
    struct Unwinding<'a>(Option<&'a mut Call>);

    impl Drop for Unwinding<'_> {
        fn drop(&mut self) {
            if let Some(call) = self.0.take() {
                call.end(End::Failed);
            }
        }
    }

    let Some(call) = call else { return poll() };
    let _current = call.context.clone().attach();
    let mut unwinding = Unwinding(Some(call));
    let result = poll();
    unwinding.0 = None;
    result
}

/// A trace context that the program wrote itself stays; one that merely came in with the request that is served, and goes
/// out again because a proxy passes on all headers, does not.
fn may_inject(active: &Active, headers: &HeaderMap) -> bool {
    if !headers.contains_key(TRACEPARENT) {
        return true;
    }
    let (Active::Node(node), Some(there)) = (active, TraceContext::extract(headers)) else { return false };
    node.trace.trace_id == there.trace_id && node.trace.parent_id == Some(there.span_id)
}

/// Names and values in their order. Values marked as sensitive are left out.
pub(super) fn recorded_headers(headers: &HeaderMap) -> Vec<(Text, Text)> {
    headers
        .iter()
        .filter(|(_, value)| !value.is_sensitive())
        .take(MAX_HEADERS)
        .map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes());
            let value = crate::limits::truncate(&value, crate::limits::KEYWORD_CHARS);
            (name.as_str().to_owned().into(), value.into_owned().into())
        })
        .collect()
}

pin_project! {
    /// The future of an answer, in its transaction or span, which goes on in the body of the answer.
    #[derive(Debug)]
    pub struct TracedFuture<F> {
        #[pin]
        inner: F,
        call: Option<Call>,
        // Name of a transaction whose route was not known when it began.
        unnamed: Option<Text>,
    }
}

impl<F> TracedFuture<F> {
    pub(super) fn new(inner: F, call: Option<Call>, unnamed: Option<Text>) -> Self {
        Self { inner, call, unnamed }
    }
}

impl<F, B, E> Future for TracedFuture<F>
where
    F: Future<Output = Result<http::Response<B>, E>>,
    B: http_body::Body,
{
    type Output = Result<http::Response<TracedBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let inner = this.inner;
        let result = task::ready!(within(this.call, || inner.poll(cx)));
        let mut call = this.call.take();
        Poll::Ready(match result {
            Ok(response) => {
                if let Some(call) = &mut call {
                    #[cfg(feature = "axum")]
                    super::server::name_late(call, this.unnamed.take(), &response);
                    call.answered(&response);
                }
                Ok(TracedBody::wrap(response, call))
            }
            Err(error) => {
                if let Some(call) = &mut call {
                    call.end(End::Failed);
                }
                Err(error)
            }
        })
    }
}
