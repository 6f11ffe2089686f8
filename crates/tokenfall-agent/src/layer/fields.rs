//! Values of `tracing` fields.

use std::error::Error;
use std::fmt::{self, Write as _};

use tracing::field::{Field, Visit};

use crate::error::exception;
use crate::event::{AttributeValue, Exception, LabelValue, Text};

/// Most bytes of one text; more is cut before it is kept. Longer than every limit of the protocol.
const MAX_TEXT_BYTES: usize = 48 << 10;

/// Most characters of the message of an error, before `long_field_max_length` is applied.
const MAX_MESSAGE_CHARS: usize = 10_000;

/// One value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Text(String),
    Bool(bool),
    Integer(i64),
    Number(f64),
}

impl Value {
    /// The value as text; numbers in their usual form.
    pub(super) fn into_text(self) -> Text {
        match self {
            Self::Text(text) => text.into(),
            Self::Bool(value) => value.to_string().into(),
            Self::Integer(value) => value.to_string().into(),
            Self::Number(value) => value.to_string().into(),
        }
    }

    pub(super) fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    pub(super) fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Integer(value) => Some(*value as f64),
            Self::Number(value) => Some(*value),
            Self::Text(_) | Self::Bool(_) => None,
        }
    }
}

impl From<Value> for LabelValue {
    fn from(value: Value) -> Self {
        match value {
            Value::Text(text) => text.into(),
            Value::Bool(value) => value.into(),
            Value::Integer(value) => value.into(),
            Value::Number(value) => value.into(),
        }
    }
}

impl From<Value> for AttributeValue {
    fn from(value: Value) -> Self {
        match value {
            Value::Text(text) => text.into(),
            Value::Bool(value) => value.into(),
            Value::Integer(value) => value.into(),
            Value::Number(value) => value.into(),
        }
    }
}

/// The fields of a span or an event, as they come.
pub(super) type Fields = Vec<(&'static str, Value)>;

/// Is this the name of a field for errors?
pub(super) fn is_error(name: &str) -> bool {
    matches!(name, "error" | "err" | "exception")
}

/// Collects fields and error values.
#[derive(Debug, Default)]
pub(super) struct Collector {
    pub(super) fields: Fields,
    pub(super) exceptions: Vec<Exception>,
}

impl Visit for Collector {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.fields.push((field.name(), Value::Number(value)));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.fields.push((field.name(), Value::Integer(value)));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        let value = i64::try_from(value).map_or(Value::Number(value as f64), Value::Integer);
        self.fields.push((field.name(), value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.fields.push((field.name(), Value::Bool(value)));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.fields.push((field.name(), Value::Text(bounded(format_args!("{value}")))));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        if is_error(field.name()) {
            self.exceptions.push(exception(value, MAX_MESSAGE_CHARS));
        } else {
            self.fields.push((field.name(), Value::Text(bounded(format_args!("{value}")))));
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.fields.push((field.name(), Value::Text(bounded(format_args!("{value:?}")))));
    }
}

/// The text of `value`, cut at [`MAX_TEXT_BYTES`]: a `Debug` output can be of any size.
fn bounded(value: fmt::Arguments<'_>) -> String {
    struct Bounded(String);

    impl fmt::Write for Bounded {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            let room = MAX_TEXT_BYTES.saturating_sub(self.0.len());
            let end = (0..=room.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            let (fits, _) = text.split_at(end);
            self.0.push_str(fits);
            if fits.len() < text.len() { Err(fmt::Error) } else { Ok(()) }
        }
    }

    let mut text = Bounded(String::new());
    // The one error is that there is no more room.
    text.write_fmt(value).unwrap_or(());
    text.0
}
