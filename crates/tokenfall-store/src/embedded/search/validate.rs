//! Refuses requests that make no sense before anything is read.

use tokenfall_model::fields::{FieldKind, kind_of};
use tokenfall_query::intermediate::SORT_KEYS_MAX;
use tokenfall_query::{
    AggregationKind, Aggregations, CrosstabColumns, CrosstabRow, Filter, SearchRequest, Sort, TermsOrder,
};

use super::crosstab::FILTERS_MAX;
use crate::SearchError;

/// Deepest nesting of filters and of aggregations.
const DEPTH_MAX: usize = 32;

/// Checks a request.
pub(super) fn validate(request: &SearchRequest) -> Result<(), SearchError> {
    filter(&request.filter, 0)?;
    if let Some(hits) = &request.hits {
        sort(&hits.sort)?;
    }
    aggregations(&request.aggs, 0)
}

fn invalid<T>(message: impl Into<String>) -> Result<T, SearchError> {
    Err(SearchError::Invalid(message.into()))
}

fn filter(condition: &Filter, depth: usize) -> Result<(), SearchError> {
    if depth > DEPTH_MAX {
        return invalid(format!("filters are nested more than {DEPTH_MAX} deep"));
    }
    match condition {
        Filter::And(filters) | Filter::Or(filters) => filters.iter().try_for_each(|f| filter(f, depth + 1)),
        Filter::Not(inner) => filter(inner, depth + 1),
        Filter::All
        | Filter::Term { .. }
        | Filter::Terms { .. }
        | Filter::Range { .. }
        | Filter::Exists { .. }
        | Filter::Prefix { .. }
        | Filter::Match { .. } => Ok(()),
    }
}

fn aggregations(aggs: &Aggregations, depth: usize) -> Result<(), SearchError> {
    if depth > DEPTH_MAX {
        return invalid(format!("aggregations are nested more than {DEPTH_MAX} deep"));
    }
    for (name, aggregation) in &aggs.0 {
        let is_bucket = match &aggregation.kind {
            AggregationKind::Terms { field, order, .. } => {
                terms([field], order, &aggregation.aggs)?;
                true
            }
            AggregationKind::MultiTerms { fields, order, .. } => {
                if fields.is_empty() {
                    return invalid(format!("{name} has no fields"));
                }
                terms(fields.iter().map(|(field, _)| field), order, &aggregation.aggs)?;
                true
            }
            AggregationKind::DateHistogram { field, interval_us, .. } => {
                if !matches!(kind_of(field), FieldKind::Date | FieldKind::Long) {
                    return invalid(format!("{field} is not a date"));
                }
                if *interval_us <= 0 {
                    return invalid(format!("the interval of {name} is not positive"));
                }
                true
            }
            AggregationKind::Range { field, .. } => {
                number(field)?;
                true
            }
            AggregationKind::Filter(condition) => {
                filter(condition, 0)?;
                true
            }
            AggregationKind::Filters(filters) => {
                filters.iter().try_for_each(|(_, condition)| filter(condition, 0))?;
                true
            }
            AggregationKind::Avg(field)
            | AggregationKind::Sum(field)
            | AggregationKind::Min(field)
            | AggregationKind::Max(field) => {
                number(field)?;
                false
            }
            AggregationKind::ValueCount(field) | AggregationKind::Cardinality(field) => {
                column(field)?;
                false
            }
            AggregationKind::Percentiles { field, percents } => {
                number(field)?;
                if let Some(percent) = percents.iter().find(|p| !(0.0..=100.0).contains(*p)) {
                    return invalid(format!("{percent} is not a percentage"));
                }
                false
            }
            AggregationKind::TopHits { sort: keys, .. } => {
                sort(keys)?;
                false
            }
            AggregationKind::Crosstab { rows, columns } => {
                rows.iter().try_for_each(row)?;
                self::columns(name, columns)?;
                false
            }
            AggregationKind::Points { fields, .. } => {
                if fields.is_empty() {
                    return invalid(format!("{name} has no fields"));
                }
                fields.iter().try_for_each(|field| column(field))?;
                false
            }
        };
        if !is_bucket && !aggregation.aggs.is_empty() {
            return invalid(format!("{name} is a metric and cannot have aggregations inside"));
        }
        aggregations(&aggregation.aggs, depth + 1)?;
    }
    Ok(())
}

fn row(row: &CrosstabRow) -> Result<(), SearchError> {
    match row {
        CrosstabRow::Value { field, .. } => column(field),
        CrosstabRow::Range { field, .. } => number(field),
    }
}

fn columns(name: &str, columns: &CrosstabColumns) -> Result<(), SearchError> {
    match columns {
        CrosstabColumns::Filters(filters) if filters.len() > FILTERS_MAX => {
            invalid(format!("{name} has {} columns; at most {FILTERS_MAX} of filters are allowed", filters.len()))
        }
        CrosstabColumns::Filters(filters) => filters.iter().try_for_each(|condition| filter(condition, 0)),
        CrosstabColumns::Ranges { field, ranges } => {
            number(field)?;
            if let Some((from, to)) = ranges.iter().find(|(from, to)| !ascend(*from, *to)) {
                return invalid(format!("a range of {name} does not begin before its end: {from:?} to {to:?}"));
            }
            // An open end reaches over all that comes after it.
            let mut pairs = ranges.windows(2).map(|pair| (pair[0].1, pair[1].0));
            match pairs.find(|(to, from)| !matches!((to, from), (Some(to), Some(from)) if to <= from)) {
                Some((to, from)) => invalid(format!(
                    "the ranges of {name} must ascend without overlap: one to {to:?} is followed by one from {from:?}"
                )),
                None => Ok(()),
            }
        }
    }
}

/// False also for what is not a number.
fn ascend(from: Option<f64>, to: Option<f64>) -> bool {
    match (from, to) {
        (Some(from), Some(to)) => from <= to,
        (from, to) => !from.is_some_and(f64::is_nan) && !to.is_some_and(f64::is_nan),
    }
}

fn terms<'a>(
    fields: impl IntoIterator<Item = &'a String>,
    order: &TermsOrder,
    aggs: &Aggregations,
) -> Result<(), SearchError> {
    fields.into_iter().try_for_each(|field| column(field))?;
    let TermsOrder::MetricDescending(name) = order else { return Ok(()) };
    match aggs.0.iter().find(|(n, _)| n == name).map(|(_, aggregation)| &aggregation.kind) {
        Some(
            AggregationKind::Avg(_)
            | AggregationKind::Sum(_)
            | AggregationKind::Min(_)
            | AggregationKind::Max(_)
            | AggregationKind::ValueCount(_)
            | AggregationKind::Cardinality(_)
            | AggregationKind::Percentiles { .. },
        ) => Ok(()),
        Some(_) => invalid(format!("{name} is not a metric to order by")),
        None => invalid(format!("there is no metric {name} to order by")),
    }
}

fn sort(keys: &[Sort]) -> Result<(), SearchError> {
    if keys.len() > SORT_KEYS_MAX {
        return invalid(format!("a sort has at most {SORT_KEYS_MAX} fields"));
    }
    keys.iter().try_for_each(|key| number(&key.field))
}

fn number(name: &str) -> Result<(), SearchError> {
    match kind_of(name) {
        FieldKind::Long | FieldKind::Double | FieldKind::Date => Ok(()),
        FieldKind::Keyword | FieldKind::Id | FieldKind::Text | FieldKind::Bool => {
            invalid(format!("{name} is not a number"))
        }
    }
}

fn column(name: &str) -> Result<(), SearchError> {
    match kind_of(name) {
        FieldKind::Id | FieldKind::Text => invalid(format!("{name} cannot be aggregated")),
        FieldKind::Keyword | FieldKind::Bool | FieldKind::Long | FieldKind::Double | FieldKind::Date => Ok(()),
    }
}
