//! What the children of a span told about it, for a bounded number of spans.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

use tokenfall_model::Timestamp;
use tokenfall_model::document::TokenStream;

/// Providers that the requests of one model call may have; more are counted on their own.
const TRANSPORT_RESOURCES_MAX: usize = 4;

/// Trace and span. The hash is keyed by chance, so that nobody can make two spans meet.
pub(super) type SpanKey = u128;

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
        })
    }
}

/// A model call that is stored already.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Resolved {
    pub(super) resource: String,
    /// What it stands for before its transports are taken off.
    pub(super) gross: Calls,
}

/// What is known of a span before, or after, it comes.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Facts {
    /// A model call lies inside: this span is a wrapper.
    pub(super) has_model_call: bool,
    /// HTTP requests inside, by resource.
    pub(super) transports: Vec<(String, Calls)>,
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
    pub(super) fn add_transport(&mut self, resource: &str, calls: Calls) {
        if let Some((_, sum)) = self.transports.iter_mut().find(|(r, _)| r == resource) {
            sum.count += calls.count;
            sum.sum_us += calls.sum_us;
        } else if self.transports.len() < TRANSPORT_RESOURCES_MAX {
            self.transports.push((resource.to_owned(), calls));
        }
    }

    pub(super) fn transports_of(&self, resource: &str) -> Calls {
        self.transports.iter().find(|(r, _)| r == resource).map_or(Calls::default(), |(_, calls)| *calls)
    }

    /// Takes over what was told to a span in between.
    pub(super) fn absorb(&mut self, told: Self) {
        self.has_model_call |= told.has_model_call;
        for (resource, calls) in &told.transports {
            self.add_transport(resource, *calls);
        }
        self.chunks.add(told.chunks);
        self.api_provider = self.api_provider.take().or(told.api_provider);
        self.api_operation = self.api_operation.or(told.api_operation);
        self.api_model = self.api_model.take().or(told.api_model);
    }
}

/// Facts of the spans that were touched last: two generations of a map, of which the older one is let go when the younger
/// one is full.
#[derive(Debug)]
pub(super) struct FactsMap {
    hashers: [RandomState; 2],
    young: HashMap<SpanKey, Facts>,
    old: HashMap<SpanKey, Facts>,
    young_max: usize,
}

impl FactsMap {
    pub(super) fn with_capacity_of(spans: usize) -> Self {
        Self {
            hashers: [RandomState::new(), RandomState::new()],
            young: HashMap::new(),
            old: HashMap::new(),
            young_max: (spans / 2).max(1),
        }
    }

    pub(super) fn key(&self, trace: &str, span: &str) -> SpanKey {
        let [high, low] = &self.hashers;
        (u128::from(high.hash_one((trace, span))) << 64) | u128::from(low.hash_one((trace, span)))
    }

    pub(super) fn contains(&self, key: SpanKey) -> bool {
        self.young.contains_key(&key) || self.old.contains_key(&key)
    }

    pub(super) fn take(&mut self, key: SpanKey) -> Option<Facts> {
        self.young.remove(&key).or_else(|| self.old.remove(&key))
    }

    pub(super) fn entry(&mut self, key: SpanKey) -> &mut Facts {
        if !self.young.contains_key(&key) && self.young.len() >= self.young_max {
            self.old = std::mem::take(&mut self.young);
        }
        let Self { young, old, .. } = self;
        young.entry(key).or_insert_with(|| old.remove(&key).unwrap_or_default())
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }
}
