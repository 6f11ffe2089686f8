//! Labels: a flat object of strings, booleans and numbers.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use tokenfall_model::limits;

use super::rules::longer_than;
use super::{Checked, Text, Value, Violation};

/// Labels by the key that was sent. Iterated in byte order of the key, so that where two keys become one after
/// [`sanitize_key`] the result does not depend on their order in the line: the key that is spelled with `_` wins, because `_`
/// sorts behind the characters that it replaces.
#[derive(Debug, Default)]
pub(crate) struct Labels<'a>(pub(crate) BTreeMap<Text<'a>, Label<'a>>);

/// Value of a label.
#[derive(Debug)]
pub(crate) enum Label<'a> {
    Text(Text<'a>),
    Bool(bool),
    Number(f64),
    /// Same as absent.
    Null,
    /// A list or an object.
    Wrong,
}

impl Value for Labels<'_> {
    fn is_set(&self) -> bool {
        !self.0.is_empty()
    }

    fn check(&self) -> Checked {
        for (key, label) in &self.0 {
            match label {
                Label::Text(text) if longer_than(text.as_str(), limits::KEYWORD_CHARS_MAX) => {
                    return Err(Violation::rule(format!("maxLengthVals({})", limits::KEYWORD_CHARS_MAX)));
                }
                Label::Wrong => {
                    return Err(Violation::WrongLabel(key.as_str().to_owned()));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// Replaces the characters that a label key may not have.
pub(crate) fn sanitize_key(key: &str) -> Cow<'_, str> {
    if key.bytes().any(|b| matches!(b, b'.' | b'*' | b'"')) {
        return Cow::Owned(key.replace(['.', '*', '"'], "_"));
    }
    Cow::Borrowed(key)
}

impl<'de: 'a, 'a> Deserialize<'de> for Labels<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Labels<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of labels")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut labels = BTreeMap::new();
                while let Some((key, label)) = map.next_entry()? {
                    labels.insert(key, label);
                }
                Ok(Labels(labels))
            }
        }

        deserializer.deserialize_map(Object)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Label<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;

        impl<'de> Visitor<'de> for Any {
            type Value = Label<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a label value")
            }

            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Label::Text(Text(Cow::Borrowed(text))))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Label::Text(Text(Cow::Owned(text.to_owned()))))
            }

            fn visit_bool<E: de::Error>(self, value: bool) -> Result<Self::Value, E> {
                Ok(Label::Bool(value))
            }

            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Self::Value, E> {
                Ok(Label::Number(value as f64))
            }

            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Self::Value, E> {
                Ok(Label::Number(value as f64))
            }

            fn visit_f64<E: de::Error>(self, value: f64) -> Result<Self::Value, E> {
                Ok(Label::Number(value))
            }

            fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
                Ok(Label::Null)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Label::Wrong)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Label::Wrong)
            }
        }

        deserializer.deserialize_any(Any)
    }
}
