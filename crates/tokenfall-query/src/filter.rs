//! Which documents are meant.

use serde::{Deserialize, Serialize};
use tokenfall_model::fields::Field;

/// A value to compare with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// True or false.
    Bool(bool),
    /// Integer; microseconds since the epoch for dates.
    Long(i64),
    /// Floating point.
    Double(f64),
    /// Text.
    Str(String),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Str(text.to_owned())
    }
}
impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Str(text)
    }
}
impl From<bool> for Value {
    fn from(b: bool) -> Self {
        Self::Bool(b)
    }
}
impl From<i64> for Value {
    fn from(n: i64) -> Self {
        Self::Long(n)
    }
}
impl From<f64> for Value {
    fn from(n: f64) -> Self {
        Self::Double(n)
    }
}

/// A condition on documents. Field names are dotted, as in [`tokenfall_model::fields`], `labels.*` and `numeric_labels.*`.
///
/// A field that a document does not have satisfies nothing but [`Filter::Not`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Filter {
    /// Every document.
    All,
    /// The field has this value; a text field, all of its words. Values are compared in the kind of the field: `"200"` equals the
    /// number 200, and 7 the keyword `7`.
    Term {
        /// Dotted name.
        field: String,
        /// Value.
        value: Value,
    },
    /// The field has one of these values.
    Terms {
        /// Dotted name.
        field: String,
        /// Values; none matches nothing.
        values: Vec<Value>,
    },
    /// The numeric or date field lies between the bounds that are given.
    Range {
        /// Dotted name.
        field: String,
        /// At least.
        gte: Option<f64>,
        /// Less than.
        lt: Option<f64>,
    },
    /// The field has a value.
    Exists {
        /// Dotted name.
        field: String,
    },
    /// The keyword, id or label begins with this text.
    Prefix {
        /// Dotted name.
        field: String,
        /// Beginning.
        prefix: String,
    },
    /// The text field has all of these words, in any order and of either case; on a keyword, id or label, the value contains the
    /// text as it is. A text without words matches no text field.
    Match {
        /// Dotted name.
        field: String,
        /// Words.
        text: String,
    },
    /// All of these hold; none given means every document.
    And(Vec<Filter>),
    /// At least one of these holds; none given means no document.
    Or(Vec<Filter>),
    /// This does not hold.
    Not(Box<Filter>),
}

impl Filter {
    /// `field = value`.
    pub fn term(field: Field, value: impl Into<Value>) -> Self {
        Self::Term { field: field.name.to_owned(), value: value.into() }
    }

    /// `field ∈ values`.
    pub fn terms<V: Into<Value>>(field: Field, values: impl IntoIterator<Item = V>) -> Self {
        Self::Terms { field: field.name.to_owned(), values: values.into_iter().map(Into::into).collect() }
    }

    /// The field has a value.
    pub fn exists(field: Field) -> Self {
        Self::Exists { field: field.name.to_owned() }
    }

    /// `gte ≤ field < lt`.
    pub fn range(field: Field, gte: Option<f64>, lt: Option<f64>) -> Self {
        Self::Range { field: field.name.to_owned(), gte, lt }
    }

    /// Both hold. Joins into one flat list.
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::All, x) | (x, Self::All) => x,
            (Self::And(mut all), Self::And(more)) => {
                all.extend(more);
                Self::And(all)
            }
            (Self::And(mut all), x) => {
                all.push(x);
                Self::And(all)
            }
            (x, y) => Self::And(vec![x, y]),
        }
    }

    /// This does not hold.
    pub fn negate(self) -> Self {
        Self::Not(Box::new(self))
    }
}
