//! Query parameters that select a part of the model calls or transactions.

use serde::Deserialize;
use tokenfall_analysis::Selection;
use tokenfall_api::llm::PointOf;
use utoipa::IntoParams;

use crate::problem::ApiError;

/// Which model calls or transactions.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct SelectionParams {
    /// What tokens and durations of the selection are of: `calls` (default) or `transactions`.
    points: Option<PointOf>,
    /// Service. Default: all.
    service: Option<String>,
    /// Model of the calls. Default: all.
    model: Option<String>,
    /// Name of the calls or transactions. Default: all.
    name: Option<String>,
    /// Type of the calls or transactions. Default: all.
    r#type: Option<String>,
    /// A field that must have the value `value`, such as `labels.team` or `user.id`.
    field: Option<String>,
    /// Value of `field`.
    value: Option<String>,
    /// Shortest duration, in microseconds.
    min_us: Option<u64>,
    /// First duration that is too long, in microseconds.
    max_us: Option<u64>,
    /// Fewest tokens of the answer.
    min_tokens: Option<u64>,
    /// First number of tokens that is too large.
    max_tokens: Option<u64>,
}

impl SelectionParams {
    pub(super) fn selection(self) -> Result<Selection, ApiError> {
        let field = field_and_value(self.field, self.value)?;
        Ok(Selection {
            of: self.points.unwrap_or_default(),
            service: self.service,
            model: self.model,
            name: self.name,
            event_type: self.r#type,
            field,
            duration_us: (self.min_us, self.max_us),
            tokens: (self.min_tokens, self.max_tokens),
        })
    }
}

/// A field with its value.
pub(super) fn field_and_value(
    field: Option<String>,
    value: Option<String>,
) -> Result<Option<(String, String)>, ApiError> {
    match (field, value) {
        (Some(field), Some(value)) => Ok(Some((field, value))),
        (None, None) => Ok(None),
        _ => Err(ApiError::invalid("field and value belong together: give both or none")),
    }
}
