//! Trace context that crosses processes: W3C `traceparent`, `tracestate` and `baggage`.
//!
//! Rules: W3C Trace Context §3.2 and §3.3, W3C Baggage §3, and the member `es` of Elastic's agents, which carries the rate at
//! which a trace was sampled. Headers that break a rule are as good as absent; nothing here fails or allocates more than the
//! named limits.

mod baggage;
#[cfg(test)]
mod tests;
mod tracestate;

use std::sync::Arc;

use crate::id::{SpanId, TraceId};

pub(crate) use baggage::Baggage;

/// Header of W3C Trace Context: trace, caller, sampled or not.
pub(crate) const TRACEPARENT: &str = "traceparent";
/// Header of W3C Trace Context: what each vendor adds.
pub(crate) const TRACESTATE: &str = "tracestate";
/// Header of W3C Baggage.
pub(crate) const BAGGAGE: &str = "baggage";
/// What Elastic's agents called `traceparent` before it was a standard. Read, never sent.
const ELASTIC_TRACEPARENT: &str = "elastic-apm-traceparent";

/// Where a trace comes from, or goes on: what `traceparent`, `tracestate` and `baggage` say.
#[derive(Clone, Debug, PartialEq)]
pub struct TraceContext {
    pub(crate) trace_id: TraceId,
    /// Span or transaction that calls.
    pub(crate) span_id: SpanId,
    /// Is the trace recorded?
    pub(crate) sampled: bool,
    pub(crate) state: TraceState,
}

/// What goes along with a trace: `tracestate` and `baggage`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct TraceState {
    /// `s` of the member `es`: rate at which the trace was sampled.
    pub(crate) sample_rate: Option<f64>,
    /// Is there a member `es`?
    pub(crate) is_elastic: bool,
    /// Members of others, in their order.
    pub(crate) others: Option<Arc<str>>,
    pub(crate) baggage: Option<Arc<Baggage>>,
}

impl TraceContext {
    /// Reads the values of the headers `traceparent` and `tracestate`, one item for each time that the header occurs.
    ///
    /// `None` unless there is exactly one `traceparent` and it is valid: not version `ff`, no id all zero, version `00` with
    /// exactly four fields, later versions with at least these. An invalid `tracestate` is dropped, but its member `es` is used.
    pub fn from_headers<'a>(
        traceparent: impl IntoIterator<Item = &'a str>,
        tracestate: impl IntoIterator<Item = &'a str>,
    ) -> Option<Self> {
        let mut values = traceparent.into_iter();
        let (Some(only), None) = (values.next(), values.next()) else { return None };
        let (trace_id, span_id, sampled) = parse_traceparent(only)?;
        Some(Self { trace_id, span_id, sampled, state: TraceState::parse(tracestate) })
    }

    /// Reads it from the names and values that came with a message, whatever carried them. Case of names does not matter,
    /// other names are passed over. Without a valid `traceparent`, `elastic-apm-traceparent` is read. `baggage` goes along.
    pub fn from_pairs<'a, I>(pairs: I) -> Option<Self>
    where
        I: IntoIterator<Item = (&'a str, &'a str)>,
        I::IntoIter: Clone,
    {
        let pairs = pairs.into_iter();
        Self::read(|wanted| {
            pairs.clone().filter(move |(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value)
        })
    }

    /// Reads it from the values that each header has.
    fn read<'a, V: Iterator<Item = &'a str>>(values: impl Fn(&'static str) -> V) -> Option<Self> {
        let mut context = Self::from_headers(values(TRACEPARENT), values(TRACESTATE))
            .or_else(|| Self::from_headers(values(ELASTIC_TRACEPARENT), values(TRACESTATE)))?;
        context.state.baggage = Baggage::parse(values(BAGGAGE)).map(Arc::new);
        Some(context)
    }

    /// Names and values to send along with a message: `traceparent`, and `tracestate` and `baggage` if there is something to
    /// say.
    pub fn to_pairs(&self) -> Vec<(&'static str, String)> {
        let mut pairs = vec![(TRACEPARENT, self.traceparent())];
        pairs.extend(self.tracestate().map(|value| (TRACESTATE, value)));
        pairs.extend(self.baggage().map(|value| (BAGGAGE, value.to_owned())));
        pairs
    }

    /// Reads it from the headers of a request, as [`from_pairs`](Self::from_pairs) does.
    #[cfg(feature = "http")]
    pub fn extract(headers: &::http::HeaderMap) -> Option<Self> {
        // A value that is no text is there all the same: it must not make a duplicate look like a single one.
        Self::read(|name| headers.get_all(name).iter().map(|value| value.to_str().unwrap_or_default()))
    }

    /// Sets the headers of a request. Replaces a trace context that is there; baggage that is there stays.
    #[cfg(feature = "http")]
    pub fn inject(&self, headers: &mut ::http::HeaderMap) {
        use ::http::HeaderValue;
        let value = |text: &str| HeaderValue::from_str(text).ok();
        headers.remove(TRACESTATE);
        if let Some(traceparent) = value(&self.traceparent()) {
            headers.insert(TRACEPARENT, traceparent);
        }
        if let Some(tracestate) = self.tracestate().as_deref().and_then(value) {
            headers.insert(TRACESTATE, tracestate);
        }
        if !headers.contains_key(BAGGAGE)
            && let Some(baggage) = self.baggage().and_then(value)
        {
            headers.insert(BAGGAGE, baggage);
        }
    }

    /// Id of the trace.
    pub fn trace_id(&self) -> TraceId {
        self.trace_id
    }

    /// Id of the span or transaction that calls.
    pub fn span_id(&self) -> SpanId {
        self.span_id
    }

    /// Is the trace recorded?
    pub fn is_sampled(&self) -> bool {
        self.sampled
    }

    /// Value of the header `traceparent`.
    pub fn traceparent(&self) -> String {
        format!("00-{}-{}-{:02x}", self.trace_id, self.span_id, u8::from(self.sampled))
    }

    /// Value of the header `tracestate`: first the rate at which the trace was sampled, if it is known (`es=s:0.5`), then what
    /// others added, in their order. `None` if there is nothing to say.
    pub fn tracestate(&self) -> Option<String> {
        self.state.print()
    }

    /// Value of the header `baggage`, as it came.
    pub fn baggage(&self) -> Option<&str> {
        self.state.baggage.as_deref().map(Baggage::as_str)
    }
}

/// Trace, caller, and whether it is sampled. Blanks around the value do not count (RFC 9110 §5.5).
fn parse_traceparent(value: &str) -> Option<(TraceId, SpanId, bool)> {
    let mut fields = value.trim_matches([' ', '\t']).split('-');
    let version = hex_byte(fields.next()?)?;
    let trace_id = TraceId::parse(fields.next()?)?;
    let span_id = SpanId::parse(fields.next()?)?;
    let flags = hex_byte(fields.next()?)?;
    match (version, fields.next()) {
        (0xff, _) | (0, Some(_)) => None,
        _ => Some((trace_id, span_id, flags & 1 == 1)),
    }
}

/// Two hexadecimal digits in lower case.
fn hex_byte(text: &str) -> Option<u8> {
    let digits = text.len() == 2 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    if digits { u8::from_str_radix(text, 16).ok() } else { None }
}
