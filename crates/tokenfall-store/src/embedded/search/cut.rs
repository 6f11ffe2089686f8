//! Which buckets a segment keeps of a field with very many values.

use tokenfall_query::intermediate::{IntermediateAggregations, SortKey, Top, order_metric, ordered_bits};
use tokenfall_query::{Aggregations, TermsOrder};

use super::aggregate::Hit;
use super::slots::MISSING;

/// The first buckets in the order of the request.
pub(super) struct Cut {
    size: usize,
    order: TermsOrder,
    /// What is inside each bucket.
    aggs: Aggregations,
}

/// A bucket: its owner, the bits of its value, its documents, and what is inside.
pub(super) type Candidate = (u32, u64, u64, IntermediateAggregations<Hit>);

impl Cut {
    /// Keeps `size` buckets of each owner.
    pub(super) fn new(size: usize, order: &TermsOrder, aggs: &Aggregations) -> Self {
        Self { size, order: order.clone(), aggs: aggs.clone() }
    }

    /// The buckets that are kept. That of documents without a value always is.
    pub(super) fn keep(&self, owners_end: usize, candidates: impl Iterator<Item = Candidate>) -> Vec<Candidate> {
        let mut kept = Vec::new();
        let mut tops: Vec<Top<Candidate>> = (0..owners_end).map(|_| Top::new(self.size)).collect();
        for candidate in candidates {
            if candidate.1 == MISSING {
                kept.push(candidate);
                continue;
            }
            let place = self.place(&candidate);
            let top = &mut tops[candidate.0 as usize];
            if top.wants(&place) {
                top.push(place, candidate);
            }
        }
        kept.extend(tops.into_iter().flat_map(|top| top.into_entries().map(|(_, candidate)| candidate)));
        kept
    }

    /// Bits of values compare like keys, within one segment.
    fn place(&self, (_, value, count, aggs): &Candidate) -> SortKey {
        match &self.order {
            TermsOrder::CountDescending => [!count, *value, 0, 0],
            TermsOrder::KeyAscending => [*value, 0, 0, 0],
            TermsOrder::MetricDescending(name) => {
                let bits = order_metric(aggs, name, &self.aggs).map_or(0, ordered_bits);
                [!bits, !count, *value, 0]
            }
        }
    }
}
