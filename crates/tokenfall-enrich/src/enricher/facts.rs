//! What the children of a span told about it, for a bounded number of spans.

use tokenfall_model::Timestamp;
use tokenfall_model::document::TokenStream;

use super::recent::SpanKey;

/// Requests that are remembered of one model call; more are counted on their own.
const TRANSPORTS_MAX: usize = 64;

/// Calls and the time in them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Calls {
    pub(super) count: f64,
    pub(super) sum_us: f64,
}

/// Chunks of a streamed answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Chunks {
    pub(super) count: u64,
    pub(super) first_us: i64,
    pub(super) last_us: i64,
}

impl Chunks {
    pub(super) fn add(&mut self, more: Self) {
        if more.count == 0 {
            return;
        }
        if self.count == 0 {
            *self = more;
            return;
        }
        self.count = self.count.saturating_add(more.count);
        self.first_us = self.first_us.min(more.first_us);
        self.last_us = self.last_us.max(more.last_us);
    }

    /// The stream as seen from the start of its call.
    pub(super) fn stream_since(self, start: Timestamp) -> Option<TokenStream> {
        let since = |us: i64| u64::try_from(us.saturating_sub(start.as_micros())).unwrap_or(0);
        (self.count > 0).then(|| TokenStream {
            chunks: self.count,
            time_to_first_chunk_us: since(self.first_us),
            time_to_last_chunk_us: since(self.last_us),
            ..TokenStream::default()
        })
    }
}

/// An HTTP request inside of a span.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Transport {
    /// The request's own span, so that one that is sent again is not another.
    pub(super) span: Option<SpanKey>,
    pub(super) resource: String,
    /// What it stands for.
    pub(super) gross: Calls,
    /// True if the call above was counted in full before the request came.
    pub(super) is_late: bool,
}

/// A model call that is stored already.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Resolved {
    pub(super) resource: String,
    /// What it stands for before its transports are taken off.
    pub(super) gross: Calls,
    /// What it took back from a span above that had been counted as a call.
    pub(super) replaced: Calls,
}

/// What is known of a span before, or after, it comes.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Facts {
    /// A model call lies inside: this span is a wrapper.
    pub(super) has_model_call: bool,
    /// HTTP requests inside.
    pub(super) transports: Vec<Transport>,
    /// Provider, operation and model that the first request names.
    pub(super) api_provider: Option<String>,
    pub(super) api_operation: Option<&'static str>,
    pub(super) api_model: Option<String>,
    /// Chunks that arrived.
    pub(super) chunks: Chunks,
    /// Set once the span itself was stored as a call.
    pub(super) resolved: Option<Resolved>,
}

impl Facts {
    /// Adds a request, and says whether it came late. One that is known already came as it did the first time.
    pub(super) fn add_transport(&mut self, transport: Transport) -> bool {
        let known = self.transports.iter().find(|t| t.span.is_some() && t.span == transport.span);
        if let Some(known) = known {
            return known.is_late;
        }
        let is_late = transport.is_late;
        if self.transports.len() < TRANSPORTS_MAX {
            self.transports.push(transport);
        }
        is_late
    }

    pub(super) fn transports_of(&self, resource: &str, include_late: bool) -> Calls {
        let of_resource = self.transports.iter().filter(|t| t.resource == resource && (include_late || !t.is_late));
        of_resource.fold(Calls::default(), |sum, t| Calls {
            count: sum.count + t.gross.count,
            sum_us: sum.sum_us + t.gross.sum_us,
        })
    }

    /// Adds chunks, unless the call was stored already: it would not learn of them, or they are sent again.
    pub(super) fn add_chunks(&mut self, chunks: Chunks) {
        if self.resolved.is_none() {
            self.chunks.add(chunks);
        }
    }

    /// Takes over what was told to a span in between.
    pub(super) fn absorb(&mut self, told: Self) {
        self.has_model_call |= told.has_model_call;
        for transport in told.transports {
            self.add_transport(transport);
        }
        self.add_chunks(told.chunks);
        self.api_provider = self.api_provider.take().or(told.api_provider);
        self.api_operation = self.api_operation.or(told.api_operation);
        self.api_model = self.api_model.take().or(told.api_model);
    }
}
