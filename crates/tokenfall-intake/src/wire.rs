//! The wire format as the agents write it: borrowed structs, decoded in one pass, then checked.
//!
//! Rules of the protocol that hold everywhere: an unknown key is ignored, `null` and an empty object are the same as
//! absence, of two equal keys the last wins, a wrong type fails the line. [`wire!`] makes the structs so; serde's derive cannot
//! (it refuses repeated keys and does not borrow inside an `Option`).

use serde::Deserialize;
use serde::de::MapAccess;

mod context;
mod error;
mod json;
mod labels;
mod log;
mod metadata;
mod metricset;
mod span;
mod transaction;
mod value;

pub(crate) use context::{Context, Message, Page, Request, RequestUrl, Response, ServiceOverride, User};
pub(crate) use error::{ErrorLog, ErrorRoot, Exception, Frame};
pub(crate) use json::{Json, JsonObject};
pub(crate) use labels::{Label, Labels, sanitize_key};
pub(crate) use log::LogRoot;
pub(crate) use metadata::MetadataRoot;
pub(crate) use metricset::{MetricsetRoot, Sample};
pub(crate) use span::{Composite, Http as SpanHttp, SpanContext, SpanRoot};
pub(crate) use transaction::{DroppedSpanStats, Experience, Faas, Marks, Otel, SpanLink, TransactionRoot};
pub(crate) use value::{Headers, Int, Keyword, List, OutcomeWord, StrOrInt, Text, Time};

/// A rule of the protocol that an event breaks.
#[derive(Debug)]
pub(crate) enum Violation {
    /// A rule of a value, whose key is not known yet.
    Rule(String),
    /// A label of this key has a type that labels cannot have.
    WrongLabel(String),
    /// Text that already names the field.
    Located(String),
}

impl Violation {
    pub(crate) fn rule(rule: impl Into<String>) -> Self {
        Self::Rule(rule.into())
    }

    /// The same violation seen from the object that holds the value under `key`.
    pub(crate) fn at(self, key: &str) -> Self {
        Self::Located(match self {
            Self::Rule(rule) => format!("'{key}': validation rule '{rule}' violated"),
            Self::WrongLabel(label) => {
                format!("'{key}': validation rule 'inputTypesVals(string;bool;number)' violated for key {label}")
            }
            Self::Located(text) => format!("{key}: {text}"),
        })
    }

    /// The message in Elastic's words.
    pub(crate) fn message(self) -> String {
        match self {
            Self::Rule(text) | Self::WrongLabel(text) | Self::Located(text) => format!("validation error: {text}"),
        }
    }
}

pub(crate) type Checked = Result<(), Violation>;

/// What every wire value can say about itself.
pub(crate) trait Value {
    /// False for an object or list without content, which counts as absent.
    fn is_set(&self) -> bool {
        true
    }

    /// Checks the rules that come with the type.
    fn check(&self) -> Checked {
        Ok(())
    }
}

impl Value for bool {}
impl Value for f64 {}

impl<T: Value> Value for Box<T> {
    fn is_set(&self) -> bool {
        (**self).is_set()
    }

    fn check(&self) -> Checked {
        (**self).check()
    }
}

/// Reads the value of a field; one without content empties the field, so that of equal keys the last wins.
pub(crate) fn read_field<'de, A, T>(map: &mut A, field: &mut Option<T>) -> Result<(), A::Error>
where
    A: MapAccess<'de>,
    T: Deserialize<'de> + Value,
{
    *field = map.next_value::<Option<T>>()?.filter(Value::is_set);
    Ok(())
}

/// Rules that stand beside a field in [`wire!`].
pub(crate) mod rules {
    use super::{Checked, Text, Violation};
    use crate::wire::{Int, Keyword};

    pub(crate) fn required<T>(value: Option<&T>, key: &str) -> Checked {
        match value {
            Some(_) => Ok(()),
            None => Err(Violation::Located(format!("'{key}' required"))),
        }
    }

    pub(crate) fn not_empty(value: Option<&Keyword<'_>>, key: &str) -> Checked {
        match value {
            Some(text) if text.as_str().is_empty() => Err(Violation::rule("minLength(1)").at(key)),
            _ => Ok(()),
        }
    }

    /// Letters, digits, space, underscore, dash (an empty text passes; see [`not_empty`]).
    pub(crate) fn alphanumeric(value: Option<&Keyword<'_>>, key: &str) -> Checked {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b' ' | b'_' | b'-');
        match value {
            Some(text) if !text.as_str().bytes().all(allowed) => {
                Err(Violation::rule("pattern(patternAlphaNumericExt)").at(key))
            }
            _ => Ok(()),
        }
    }

    /// A number that can be compared with a bound.
    pub(crate) trait Number {
        fn number(&self) -> f64;
    }

    impl Number for f64 {
        fn number(&self) -> f64 {
            *self
        }
    }

    impl Number for Int {
        fn number(&self) -> f64 {
            self.0 as f64
        }
    }

    pub(crate) fn at_least<T: Number>(value: Option<&T>, key: &str, min: i32) -> Checked {
        match value {
            Some(value) if value.number() < f64::from(min) => Err(Violation::rule(format!("min({min})")).at(key)),
            _ => Ok(()),
        }
    }

    pub(crate) fn chars_at_most(value: Option<&Text<'_>>, key: &str, max: usize) -> Checked {
        match value {
            Some(text) if longer_than(text.as_str(), max) => Err(Violation::rule(format!("maxLength({max})")).at(key)),
            _ => Ok(()),
        }
    }

    /// True if the text has more than `max` characters.
    pub(crate) fn longer_than(text: &str, max: usize) -> bool {
        text.len() > max && text.chars().count() > max
    }
}

/// Declares a wire object: key, Rust name, type and rules of each field, in the order in which Elastic's server checks them.
macro_rules! wire {
    (
        $(#[$meta:meta])*
        $name:ident $(<$life:lifetime>)? {
            $( $key:literal $field:ident : $type:ty $([ $( $rule:ident $(( $($arg:expr),* ))? ),* ])? ),* $(,)?
        }
        $( where $extra:path )?
    ) => {
        $(#[$meta])*
        #[derive(Debug, Default)]
        #[allow(clippy::struct_field_names, reason = "the names are the protocol's")]
        pub(crate) struct $name $(<$life>)? {
            $( pub(crate) $field: Option<$type>, )*
        }

        impl $(<$life>)? $crate::wire::Value for $name $(<$life>)? {
            fn is_set(&self) -> bool {
                $( self.$field.is_some() )||*
            }

            fn check(&self) -> $crate::wire::Checked {
                $(
                    if let Some(value) = &self.$field {
                        $crate::wire::Value::check(value).map_err(|v| v.at($key))?;
                    }
                    $($( $crate::wire::rules::$rule(self.$field.as_ref(), $key $($(, $arg)*)?)?; )*)?
                )*
                $( $extra(self)?; )?
                Ok(())
            }
        }

        impl<'de $(: $life, $life)?> serde::Deserialize<'de> for $name $(<$life>)? {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Object;

                impl<'de> serde::de::Visitor<'de> for Object {
                    type Value = wire!(@of $name $($life)?);

                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str("an object")
                    }

                    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                        let mut object = <$name>::default();
                        while let Some(key) = map.next_key::<$crate::wire::Text<'de>>()? {
                            match key.as_str() {
                                $( $key => $crate::wire::read_field(&mut map, &mut object.$field)?, )*
                                _ => drop(map.next_value::<serde::de::IgnoredAny>()?),
                            }
                        }
                        Ok(object)
                    }
                }

                deserializer.deserialize_map(Object)
            }
        }
    };
    (@of $name:ident $life:lifetime) => { $name<'de> };
    (@of $name:ident) => { $name };
}

pub(crate) use wire;
