//! JSON values that are of one shape in one format and of another in the next.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Text, an object or a list, or something that does not matter.
#[derive(Debug, Default)]
pub(in crate::generation) enum TextOr<'a, T> {
    /// Text.
    Text(Cow<'a, str>),
    /// An object or a list.
    Object(T),
    /// Absent, `null`, a number.
    #[default]
    Other,
}

/// Text, or something that does not matter.
pub(in crate::generation) type Str<'a> = TextOr<'a, IgnoredAny>;

/// An object or a list that may be absent, or something else.
#[derive(Debug)]
pub(super) struct Lenient<T>(pub(super) Option<T>);

impl<T> Default for Lenient<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Lenient<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match TextOr::<'de, T>::deserialize(deserializer)? {
            TextOr::Object(value) => Self(Some(value)),
            TextOr::Text(_) | TextOr::Other => Self(None),
        })
    }
}

impl<T> TextOr<'_, T> {
    /// The text; empty if it is none.
    pub(in crate::generation) fn text(&self) -> &str {
        self.some().unwrap_or_default()
    }

    /// The text, unless it is empty.
    pub(in crate::generation) fn some(&self) -> Option<&str> {
        match self {
            Self::Text(text) if !text.is_empty() => Some(text),
            Self::Text(_) | Self::Object(_) | Self::Other => None,
        }
    }

    /// The text, unless it is empty.
    pub(in crate::generation) fn owned(&self) -> Option<String> {
        self.some().map(ToOwned::to_owned)
    }
}

impl<'de: 'a, 'a, T: Deserialize<'de>> Deserialize<'de> for TextOr<'a, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextOrVisitor(PhantomData))
    }
}

struct TextOrVisitor<'a, T>(PhantomData<(&'a (), T)>);

impl<'de: 'a, 'a, T: Deserialize<'de>> Visitor<'de> for TextOrVisitor<'a, T> {
    type Value = TextOr<'a, T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text or an object")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(TextOr::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(TextOr::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(TextOr::Object)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
        T::deserialize(SeqAccessDeserializer::new(seq)).map(TextOr::Object)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(TextOr::Other)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(TextOr::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(TextOr::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(TextOr::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(TextOr::Other)
    }
}
