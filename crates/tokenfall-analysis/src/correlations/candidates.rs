//! What is looked at: the frequent values of every field and label, and ranges of numbers.

use tokenfall_api::correlations::CorrelationsOf;
use tokenfall_model::fields::{self, Field, FieldKind};
use tokenfall_query::{AggregationKind, AggregationResults, BucketKey, CrosstabRow, Filter, SearchRequest, Value};
use tokenfall_store::FieldName;

use super::judge::COUNT_MIN;
use super::ranges;
use crate::selection::Selection;

/// Most candidates. With 50 ranges of durations this bounds the table to 300,000 cells.
const CANDIDATES_MAX: usize = 6_000;
/// Values of a field that are looked at, at least and at most.
const VALUES: (usize, usize) = (10, 100);
/// Values of a field that each part of the data keeps, as a multiple of those that are looked at.
const SEGMENT_FACTOR: usize = 4;

/// Numbers that can explain something; all others measure what is explained, or the measuring itself.
const NUMBERS: &[Field] = &[
    fields::LLM_GENERATIONS,
    fields::LLM_FAILED_GENERATIONS,
    fields::LLM_INPUT_TOKENS,
    fields::LLM_OUTPUT_TOKENS,
    fields::LLM_TOTAL_TOKENS,
    fields::LLM_COST_PICO_USD,
    fields::ATTEMPTS,
    fields::BACKOFF_US,
    fields::TRANSACTION_SPAN_COUNT_STARTED,
];

/// Fields with values that never explain anything: about the event as such, not the request. Mostly Kibana's list; ids of
/// traces and events are not aggregated anyway.
const NEVER: &[Field] = &[
    fields::PROCESSOR_EVENT,
    fields::DATA_STREAM_DATASET,
    fields::EVENT_DATASET,
    fields::TRANSACTION_SAMPLED,
    fields::TRANSACTION_ROOT,
    fields::USAGE_SOURCE,
    fields::COST_SOURCE,
];

/// Beginnings of names that are never looked at: identities of people, and fields of other kinds of events.
const NEVER_BELOW: &[&str] =
    &["user.", "session.", "observer.", "span.", "error.", "log.", "metricset.", "tokenfall.dependency."];

/// What says that something failed, and therefore does not explain failure.
const FAILURE_ITSELF: &[Field] = &[
    fields::EVENT_OUTCOME,
    fields::TRANSACTION_RESULT,
    fields::HTTP_RESPONSE_STATUS_CODE,
    fields::LLM_FAILED_GENERATIONS,
];

/// What is as good as a number of tokens, and therefore does not explain it.
const TOKENS_THEMSELVES: &[Field] = &[fields::LLM_OUTPUT_TOKENS, fields::LLM_TOTAL_TOKENS, fields::LLM_COST_PICO_USD];

/// A value, or range of a number, that may go along with what is explained.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// Dotted name of the field.
    pub field: String,
    /// The value, unless it is a range.
    pub value: Value,
    /// `from ≤ x < to`, if it is a range.
    pub bounds: Option<(Option<f64>, Option<f64>)>,
}

impl Candidate {
    /// The value of a field.
    pub fn value(field: &str, value: Value) -> Self {
        Self { field: field.to_owned(), value, bounds: None }
    }

    /// A range of a number.
    pub fn range(field: &str, from: Option<f64>, to: Option<f64>) -> Self {
        Self { field: field.to_owned(), value: Value::Str(ranges::text(field, from, to)), bounds: Some((from, to)) }
    }

    /// The value or range in words.
    pub fn text(&self) -> String {
        match &self.value {
            Value::Bool(b) => b.to_string(),
            Value::Long(n) => n.to_string(),
            Value::Double(x) => x.to_string(),
            Value::Str(text) => text.clone(),
        }
    }

    /// The row of the table that counts it.
    pub(super) fn row(&self) -> CrosstabRow {
        let field = self.field.clone();
        match self.bounds {
            Some((gte, lt)) => CrosstabRow::Range { field, gte, lt },
            None => CrosstabRow::Value { field, value: self.value.clone() },
        }
    }

    /// The condition of having it.
    pub(super) fn filter(&self) -> Filter {
        let field = self.field.clone();
        match self.bounds {
            Some((gte, lt)) => Filter::Range { field, gte, lt },
            None => Filter::Term { field, value: self.value.clone() },
        }
    }
}

/// The fields that are looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Fields {
    /// By their values.
    by_value: Vec<FieldName>,
    /// By ranges of their numbers.
    by_range: Vec<String>,
}

impl Fields {
    /// Chooses from the fields that there are.
    pub(super) fn of(names: Vec<FieldName>, of: CorrelationsOf, selection: &Selection) -> Self {
        let mut excluded: Vec<&str> = Vec::new();
        if of == CorrelationsOf::Failures {
            excluded.extend(FAILURE_ITSELF.iter().map(|field| field.name));
        }
        if of == CorrelationsOf::Selection && selection.tokens != (None, None) {
            excluded.extend(TOKENS_THEMSELVES.iter().map(|field| field.name));
        }
        // All have it.
        excluded.extend(selection.field.as_ref().map(|(field, _)| field.as_str()));
        let mut chosen = Self::default();
        for field in names.into_iter().filter(|field| !excluded.contains(&field.name.as_str())) {
            if field.name == fields::HTTP_RESPONSE_STATUS_CODE.name {
                chosen.by_value.push(field);
                continue;
            }
            let is_never = NEVER.iter().any(|never| never.name == field.name)
                || NEVER_BELOW.iter().any(|prefix| field.name.starts_with(prefix));
            match field.kind {
                _ if is_never => {}
                FieldKind::Keyword | FieldKind::Bool => chosen.by_value.push(field),
                FieldKind::Long | FieldKind::Double if is_number(&field.name) => chosen.by_range.push(field.name),
                _ => {}
            }
        }
        chosen
    }

    fn values_of_each(&self) -> usize {
        let ranges = self.by_range.len() * ranges::PER_NUMBER;
        (CANDIDATES_MAX.saturating_sub(ranges) / self.by_value.len().max(1)).clamp(VALUES.0, VALUES.1)
    }

    /// Asks for what [`Fields::candidates`] reads.
    pub(super) fn ask(&self, mut request: SearchRequest) -> SearchRequest {
        let size = self.values_of_each();
        for field in &self.by_value {
            let kind = AggregationKind::frequent_terms(&field.name, size, size * SEGMENT_FACTOR);
            request = request.agg(&field.name, kind.leaf());
        }
        for field in &self.by_range {
            let percents = ranges::PERCENTS.to_vec();
            request = request.agg(field, AggregationKind::Percentiles { field: field.clone(), percents }.leaf());
        }
        request
    }

    /// The values and ranges of the fields that occur often enough, and the fields with more values than were looked at.
    pub(super) fn candidates(&self, aggs: &AggregationResults) -> (Vec<Candidate>, Vec<String>) {
        let size = self.values_of_each();
        let (mut candidates, mut sampled) = (Vec::new(), Vec::new());
        for field in &self.by_value {
            let buckets = aggs.buckets(&field.name);
            if buckets.len() >= size {
                sampled.push(field.name.clone());
            }
            let frequent = buckets.iter().filter(|bucket| bucket.doc_count >= COUNT_MIN);
            let value = |key: &BucketKey| match key {
                BucketKey::Str(text) if field.kind == FieldKind::Bool => Some(Value::Bool(text == "true")),
                BucketKey::Str(text) => Some(Value::Str(text.clone())),
                BucketKey::Long(n) => Some(Value::Long(*n)),
                BucketKey::Double(x) => Some(Value::Double(*x)),
                BucketKey::Many(_) | BucketKey::Range(..) => None,
            };
            let values = frequent.filter_map(|bucket| value(&bucket.key));
            candidates.extend(values.map(|value| Candidate::value(&field.name, value)));
        }
        for field in &self.by_range {
            let percentiles: Vec<f64> =
                ranges::PERCENTS.iter().filter_map(|percent| aggs.percentile(field, *percent)).collect();
            candidates.extend(ranges::of(field, &percentiles));
        }
        candidates.truncate(CANDIDATES_MAX);
        (candidates, sampled)
    }
}

fn is_number(name: &str) -> bool {
    name.starts_with(fields::NUMERIC_LABELS) || NUMBERS.iter().any(|number| number.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(of: CorrelationsOf, selection: &Selection) -> Vec<String> {
        let labels = ["labels.query", "numeric_labels.size", "some.metric"];
        let name = |name: &str| FieldName { name: name.to_owned(), kind: fields::kind_of(name) };
        let names = fields::ALL.iter().map(|field| field.name).chain(labels).map(name).collect();
        let fields = Fields::of(names, of, selection);
        fields.by_value.into_iter().map(|field| field.name).chain(fields.by_range).collect()
    }

    #[test]
    fn measures_of_the_outcome_do_not_explain_it() {
        let slow = chosen(CorrelationsOf::Latency, &Selection::default());
        let failed = chosen(CorrelationsOf::Failures, &Selection::default());
        let tokens = Selection { tokens: (Some(9), None), ..Selection::default() };
        let tokens = chosen(CorrelationsOf::Selection, &tokens);
        for (name, expected) in [
            ("labels.query", [true, true, true]),
            ("numeric_labels.size", [true, true, true]),
            ("service.version", [true, true, true]),
            ("tokenfall.question", [true, true, true]),
            ("tokenfall.llm.input_tokens", [true, true, true]),
            ("tokenfall.llm.output_tokens", [true, true, false]),
            ("http.response.status_code", [true, false, true]),
            ("event.outcome", [true, false, true]),
            ("transaction.result", [true, false, true]),
            ("trace.id", [false; 3]),
            ("transaction.duration.us", [false; 3]),
            ("user.id", [false; 3]),
            ("session.id", [false; 3]),
            ("span.name", [false; 3]),
            ("some.metric", [false; 3]),
        ] {
            let found = [&slow, &failed, &tokens].map(|fields| fields.iter().any(|field| field == name));
            assert_eq!(found, expected, "{name}");
        }
    }

    #[test]
    fn the_field_of_the_filter_is_the_same_for_all() {
        let selection = Selection { field: Some(("labels.query".into(), "x".into())), ..Selection::default() };
        assert!(!chosen(CorrelationsOf::Latency, &selection).contains(&"labels.query".to_owned()));
    }
}
