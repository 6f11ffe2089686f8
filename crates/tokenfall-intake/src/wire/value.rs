//! Scalars and small containers of the wire format.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Unexpected, Visitor};
use tokenfall_model::{Timestamp, limits};

use super::rules::longer_than;
use super::{Checked, Value, Violation};

/// Text of any length, borrowed from the line unless it has escapes.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Text<'a>(pub(crate) Cow<'a, str>);

impl Text<'_> {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Value for Text<'_> {}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Str;

        impl<'de> Visitor<'de> for Str {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }

        deserializer.deserialize_str(Str)
    }
}

/// Text of at most [`limits::KEYWORD_CHARS_MAX`] characters.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Keyword<'a>(pub(crate) Cow<'a, str>);

impl Keyword<'_> {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Value for Keyword<'_> {
    fn check(&self) -> Checked {
        check_keyword(&self.0)
    }
}

fn check_keyword(text: &str) -> Checked {
    if longer_than(text, limits::KEYWORD_CHARS_MAX) {
        return Err(Violation::rule(format!("maxLength({})", limits::KEYWORD_CHARS_MAX)));
    }
    Ok(())
}

impl<'de: 'a, 'a> Deserialize<'de> for Keyword<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Text::deserialize(deserializer).map(|text| Self(text.0))
    }
}

impl From<Text<'_>> for String {
    fn from(text: Text<'_>) -> Self {
        text.0.into_owned()
    }
}

impl From<Keyword<'_>> for String {
    fn from(text: Keyword<'_>) -> Self {
        text.0.into_owned()
    }
}

/// A number without a fraction (`1.0` has one).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Int(pub(crate) i64);

impl Int {
    /// The number as a count; the rules have refused negative ones.
    pub(crate) fn count(self) -> u64 {
        self.0.max(0).unsigned_abs()
    }
}

impl Value for Int {}

impl<'de> Deserialize<'de> for Int {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        i64::deserialize(deserializer).map(Self)
    }
}

/// An instant in microseconds since the epoch; on the wire a whole number or RFC 3339 text. Zero stands for absence.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Time(Timestamp);

impl Time {
    pub(crate) fn instant(self) -> Option<Timestamp> {
        (self.0.as_micros() != 0).then_some(self.0)
    }
}

impl Value for Time {}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Instant;

        impl Visitor<'_> for Instant {
            type Value = Time;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("microseconds since the epoch or an RFC 3339 date")
            }

            fn visit_i64<E: de::Error>(self, us: i64) -> Result<Time, E> {
                Ok(Time(Timestamp::from_micros(us)))
            }

            fn visit_u64<E: de::Error>(self, us: u64) -> Result<Time, E> {
                let us = i64::try_from(us).map_err(|_| E::invalid_value(Unexpected::Unsigned(us), &self))?;
                self.visit_i64(us)
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Time, E> {
                Timestamp::parse_rfc3339(text).map(Time).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
            }
        }

        deserializer.deserialize_any(Instant)
    }
}

/// `success`, `failure` or `unknown`; the empty word says nothing.
#[derive(Debug)]
pub(crate) struct OutcomeWord<'a>(pub(crate) Text<'a>);

impl Value for OutcomeWord<'_> {
    fn check(&self) -> Checked {
        match self.0.as_str() {
            "success" | "failure" | "unknown" | "" => Ok(()),
            _ => Err(Violation::rule("enum(enumOutcome)")),
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for OutcomeWord<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Text::deserialize(deserializer).map(Self)
    }
}

/// A keyword or a whole number; anything else is kept as a violation.
#[derive(Debug)]
pub(crate) enum StrOrInt<'a> {
    Str(Keyword<'a>),
    Int(i64),
    Wrong,
}

impl StrOrInt<'_> {
    /// The value as a number, if it is one or spells one.
    pub(crate) fn as_int(&self) -> Option<i64> {
        match self {
            Self::Str(text) => text.as_str().parse().ok(),
            Self::Int(int) => Some(*int),
            Self::Wrong => None,
        }
    }

    pub(crate) fn into_text(self) -> String {
        match self {
            Self::Str(text) => text.0.into_owned(),
            Self::Int(int) => int.to_string(),
            Self::Wrong => String::new(),
        }
    }
}

impl Value for StrOrInt<'_> {
    fn check(&self) -> Checked {
        match self {
            Self::Str(text) => text.check(),
            Self::Int(_) => Ok(()),
            Self::Wrong => Err(Violation::rule("inputTypes(string;int)")),
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for StrOrInt<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = StrOrInt<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or a whole number")
            }

            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(StrOrInt::Str(Keyword(Cow::Borrowed(text))))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(StrOrInt::Str(Keyword(Cow::Owned(text.to_owned()))))
            }

            fn visit_i64<E: de::Error>(self, int: i64) -> Result<Self::Value, E> {
                Ok(StrOrInt::Int(int))
            }

            fn visit_u64<E: de::Error>(self, int: u64) -> Result<Self::Value, E> {
                Ok(i64::try_from(int).map_or(StrOrInt::Wrong, StrOrInt::Int))
            }

            fn visit_f64<E: de::Error>(self, _: f64) -> Result<Self::Value, E> {
                Ok(StrOrInt::Wrong)
            }

            fn visit_bool<E: de::Error>(self, _: bool) -> Result<Self::Value, E> {
                Ok(StrOrInt::Wrong)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(StrOrInt::Wrong)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(StrOrInt::Wrong)
            }
        }

        deserializer.deserialize_any(Either)
    }
}

/// A list. Elements that are `null` or empty objects are dropped.
#[derive(Debug)]
pub(crate) struct List<T>(pub(crate) Vec<T>);

impl<T: Value> Value for List<T> {
    fn is_set(&self) -> bool {
        !self.0.is_empty()
    }

    fn check(&self) -> Checked {
        self.0.iter().try_for_each(Value::check)
    }
}

impl<'de, T: Deserialize<'de> + Value> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Elements<T>(std::marker::PhantomData<T>);

        impl<'de, T: Deserialize<'de> + Value> Visitor<'de> for Elements<T> {
            type Value = List<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut list = Vec::new();
                while let Some(element) = seq.next_element::<Option<T>>()? {
                    list.extend(element.filter(Value::is_set));
                }
                Ok(List(list))
            }
        }

        deserializer.deserialize_seq(Elements(std::marker::PhantomData))
    }
}

/// Headers under their canonical names (`x-foo-bar` → `X-Foo-Bar`), each with the list of its values.
#[derive(Debug, Default)]
pub(crate) struct Headers(pub(crate) BTreeMap<String, Vec<String>>);

impl Value for Headers {
    fn is_set(&self) -> bool {
        !self.0.is_empty()
    }
}

impl<'de> Deserialize<'de> for Headers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Map;

        impl<'de> Visitor<'de> for Map {
            type Value = Headers;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of headers")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                // First under the spelling that was sent, so that of equal keys the last wins, then under the canonical one.
                let mut sent: BTreeMap<Text<'de>, Vec<String>> = BTreeMap::new();
                while let Some(name) = map.next_key()? {
                    let values = map.next_value_seed(HeaderValues)?;
                    sent.insert(name, values);
                }
                let mut headers: BTreeMap<String, Vec<String>> = BTreeMap::new();
                for (name, values) in sent {
                    headers.entry(canonical(name.as_str())).or_default().extend(values);
                }
                Ok(Headers(headers))
            }
        }

        deserializer.deserialize_map(Map)
    }
}

struct HeaderValues;

impl<'de> DeserializeSeed<'de> for HeaderValues {
    type Value = Vec<String>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for HeaderValues {
    type Value = Vec<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a header value: a string or a list of strings")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(vec![text.to_owned()])
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = seq.next_element::<String>()? {
            values.push(value);
        }
        Ok(values)
    }
}

/// The name with the first letter of each part upper case; unchanged if it is no valid header name.
fn canonical(name: &str) -> String {
    let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    if !name.bytes().all(token) {
        return name.to_owned();
    }
    let mut start = true;
    name.chars()
        .map(|c| {
            let c = if start { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() };
            start = c == '-';
            c
        })
        .collect()
}
