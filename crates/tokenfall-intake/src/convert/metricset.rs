//! `metricset` → document.

use tokenfall_model::document::{DurationUs, Metricset, Sample, SelfTime, Span, Transaction};
use tokenfall_model::{Document, EventKind, Micros, ServiceName};

use super::{add_labels, faas, owned, whole_millis};
use crate::wire::{self, MetricsetRoot};

/// `None` for a breakdown metricset (one with a transaction) that has no sample of a breakdown; Elastic's server drops it
/// without a word, and so do we: the agents of old sent such sets all the time.
pub(crate) fn metricset(root: MetricsetRoot<'_>, mut document: Document) -> Option<Document> {
    let from = *root.metricset?;
    document.processor.event = EventKind::Metricset;
    document.at = whole_millis(from.timestamp.and_then(wire::Time::instant).unwrap_or(document.at));
    add_labels(&mut document, from.tags);
    let mut span =
        from.span.map(|span| Span { kind: owned(span.kind), subtype: owned(span.subtype), ..Span::default() });
    let mut name = "app";
    let samples = from.samples.map(|samples| samples.0).unwrap_or_default();
    if let Some(transaction) = from.transaction.filter(wire::Value::is_set) {
        let sample = |name: &str| {
            let (_, sample) = samples.iter().find(|(key, _)| key.as_str() == name)?;
            sample.value
        };
        let count = sample("span.self_time.count").map(|count| count as u64);
        let sum = sample("span.self_time.sum.us").map(|us| DurationUs { us: Micros::new(us as u64) });
        if count.is_none() && sum.is_none() {
            return None;
        }
        span.as_mut()?.self_time = Some(SelfTime { count, sum });
        document.transaction = Some(Box::new(Transaction {
            name: owned(transaction.name),
            kind: owned(transaction.kind),
            ..Transaction::default()
        }));
        name = "span_breakdown";
    } else {
        document.samples = samples.into_iter().filter_map(|(name, s)| Some((name.into(), sample(s)?))).collect();
    }
    document.metricset = Some(Metricset { name: name.into(), interval: None });
    document.span = span.map(Box::new);
    if let Some(service) = from.service
        && let Some(name) = service.name.filter(|name| !name.as_str().is_empty())
    {
        document.service.name = ServiceName::new(name.0);
        document.service.version = owned(service.version);
    }
    faas(from.faas, &mut document);
    Some(document)
}

fn sample(from: wire::Sample) -> Option<Sample> {
    match (from.values, from.counts) {
        (Some(values), Some(counts)) => {
            Some(Sample::Histogram { values: values.0, counts: counts.0.into_iter().map(|count| count.0).collect() })
        }
        _ => from.value.map(Sample::Value),
    }
}
