//! Keys of buckets that can be hashed and put in order.

use super::top::ordered_bits;
use crate::response::BucketKey;

/// Key of a bucket of terms or of a histogram. The order is that of `TermsOrder::KeyAscending`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// Of integers and of date histograms.
    Long(i64),
    /// Of floating point numbers, as [`ordered_bits`].
    Double(u64),
    /// Of keywords and bools.
    Str(Box<str>),
    /// Of multi-terms.
    Many(Vec<Key>),
}

impl Key {
    /// Key of a floating point number; both zeros have the same.
    pub fn double(value: f64) -> Self {
        Self::Double(ordered_bits(value))
    }
}

impl From<Key> for BucketKey {
    fn from(key: Key) -> Self {
        match key {
            Key::Long(n) => Self::Long(n),
            Key::Double(bits) => Self::Double(super::top::from_ordered_bits(bits)),
            Key::Str(text) => Self::Str(text.into()),
            Key::Many(keys) => Self::Many(keys.into_iter().map(Self::from).collect()),
        }
    }
}
