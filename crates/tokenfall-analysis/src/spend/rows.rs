//! Spend by model, user, label …

use std::fmt;

use tokenfall_api::spend::{SpendFigures, SpendRow};
use tokenfall_model::{Usd, fields};
use tokenfall_query::{AggregationKind, AggregationResults, Aggregations, Bucket, BucketKey, Filter, TermsOrder};

use super::figures::{self, USD, money};
use crate::summary::share;

/// Most rows of a table.
const ROWS_MAX: usize = 500;

const ROWS: &str = "rows";
const ATTRIBUTED: &str = "attributed";
const NUMBERS: &str = "numbers";
const VALUES: &str = "values";

/// What spend is broken down by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum SpendBy {
    /// Model that answered.
    #[default]
    Model,
    /// Provider.
    Provider,
    /// Service.
    Service,
    /// Name of the transaction.
    Transaction,
    /// User.
    User,
    /// Session.
    Session,
    /// What the user asked.
    Question,
    /// A label by its name, without prefix.
    Label(String),
}

impl SpendBy {
    /// Reads the parameter `by` of the API. `None` if there is no such thing.
    pub fn from_param(param: &str) -> Option<Self> {
        Some(match param {
            "model" => Self::Model,
            "provider" => Self::Provider,
            "service" => Self::Service,
            "transaction" => Self::Transaction,
            "user" => Self::User,
            "session" => Self::Session,
            "question" => Self::Question,
            label => Self::Label(label.strip_prefix("label:").filter(|name| !name.is_empty())?.to_owned()),
        })
    }

    /// The field; of a label, the one of texts.
    fn field(&self) -> String {
        match self {
            Self::Model => fields::MODEL.name.to_owned(),
            Self::Provider => fields::GEN_AI_PROVIDER_NAME.name.to_owned(),
            Self::Service => fields::SERVICE_NAME.name.to_owned(),
            Self::Transaction => fields::TRANSACTION_NAME.name.to_owned(),
            Self::User => fields::USER_ID.name.to_owned(),
            Self::Session => fields::SESSION_ID.name.to_owned(),
            Self::Question => fields::QUESTION.name.to_owned(),
            Self::Label(name) => format!("{}{name}", fields::LABELS),
        }
    }

    /// True if model calls know it best.
    pub(super) fn is_of_calls(&self) -> bool {
        matches!(self, Self::Model | Self::Provider)
    }

    pub(super) fn ask_carriers(&self, aggs: Aggregations) -> Aggregations {
        let inside = || figures::ask_carriers(Aggregations::new());
        let usd = || Aggregations::new().with(USD, figures::carrier_usd());
        let aggs = ask(aggs, ROWS, ATTRIBUTED, VALUES, self.field(), inside(), usd());
        match self {
            Self::Label(name) => {
                let field = format!("{}{name}", fields::NUMERIC_LABELS);
                ask(aggs, NUMBERS, "numbers_attributed", "numbers_values", field, inside(), usd())
            }
            _ => aggs,
        }
    }

    pub(super) fn ask_costs(&self, aggs: Aggregations) -> Aggregations {
        let usd = Aggregations::new().with(USD, AggregationKind::sum(fields::COST_PICO_USD).leaf());
        ask(aggs, ROWS, ATTRIBUTED, VALUES, self.field(), figures::ask_costs(Aggregations::new()), usd)
    }
}

/// The rows over model calls, dearest first.
pub(super) fn of_costs(costs: &AggregationResults, whole: Usd) -> Table {
    let row = |bucket: &Bucket| (figures::of_costs(&bucket.aggs), figures::how_costs_went(&bucket.aggs));
    Table::of(costs, [(ROWS, ATTRIBUTED, VALUES)], whole, row)
}

/// The rows over transactions, dearest first.
pub(super) fn of_carriers(carriers: &AggregationResults, whole: Usd) -> Table {
    let row = |bucket: &Bucket| (figures::of_carriers(&bucket.aggs), figures::how_carriers_went(&bucket.aggs));
    let names = [(ROWS, ATTRIBUTED, VALUES), (NUMBERS, "numbers_attributed", "numbers_values")];
    Table::of(carriers, names, whole, row)
}

impl fmt::Display for SpendBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Model => "model",
            Self::Provider => "provider",
            Self::Service => "service",
            Self::Transaction => "transaction",
            Self::User => "user",
            Self::Session => "session",
            Self::Question => "question",
            Self::Label(name) => return write!(f, "label:{name}"),
        })
    }
}

/// Asks for the rows of a field, for the money of all events that have it, and for the number of its values.
fn ask(
    aggs: Aggregations,
    rows: &str,
    attributed: &str,
    values: &str,
    field: String,
    inside: Aggregations,
    usd: Aggregations,
) -> Aggregations {
    let has_it = Filter::Exists { field: field.clone() };
    let terms = AggregationKind::Terms {
        field: field.clone(),
        size: ROWS_MAX,
        order: TermsOrder::MetricDescending(USD.to_owned()),
        missing: None,
        segment_size: None,
    };
    aggs.with(rows, terms.with(inside))
        .with(attributed, AggregationKind::Filter(has_it).with(usd))
        .with(values, AggregationKind::Cardinality(field).leaf())
}

/// Rows of a breakdown.
#[derive(Debug, Default)]
pub(super) struct Table {
    pub(super) rows: Vec<SpendRow>,
    pub(super) omitted: u64,
    pub(super) omitted_usd: Usd,
    /// Money of all rows, those that are omitted included.
    pub(super) attributed: Usd,
}

impl Table {
    /// Reads the first of the aggregations (rows, attributed, values) that has rows: a label holds texts or numbers.
    fn of<const N: usize>(
        aggs: &AggregationResults,
        names: [(&str, &str, &str); N],
        whole: Usd,
        row: impl Fn(&Bucket) -> (SpendFigures, (Option<f64>, Option<f64>)),
    ) -> Self {
        let Some((rows, attributed, values)) = names.into_iter().find(|(rows, ..)| !aggs.buckets(rows).is_empty())
        else {
            return Self::default();
        };
        let attributed = aggs.bucket(attributed, "").map_or(Usd::ZERO, |bucket| money(&bucket.aggs, USD));
        let rows: Vec<SpendRow> = aggs
            .buckets(rows)
            .iter()
            .filter_map(|bucket| {
                let (figures, (latency_avg_us, failure_rate)) = row(bucket);
                let share = share(figures.usd.to_f64(), whole.to_f64());
                Some(SpendRow { key: text(&bucket.key)?, figures, share, latency_avg_us, failure_rate })
            })
            .collect();
        let shown: Usd = rows.iter().map(|row| row.figures.usd).sum();
        let values = aggs.value(values).unwrap_or(0.0) as u64;
        Self {
            omitted: if rows.len() < ROWS_MAX { 0 } else { values.saturating_sub(rows.len() as u64) },
            omitted_usd: attributed - shown,
            attributed,
            rows,
        }
    }
}

fn text(key: &BucketKey) -> Option<String> {
    match key {
        BucketKey::Str(text) => Some(text.clone()),
        BucketKey::Long(number) => Some(number.to_string()),
        BucketKey::Double(number) => Some(number.to_string()),
        BucketKey::Many(_) | BucketKey::Range(..) => None,
    }
}
