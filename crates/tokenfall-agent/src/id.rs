//! Identifiers of traces, transactions, spans and errors.
//!
//! Lengths: trace and error 16 bytes, transaction and span 8; lower-case hexadecimal on the wire, never all zero
//! (agent specification, "transaction and span ids"; W3C Trace Context §3.2.2).

use std::cell::RefCell;
use std::fmt;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::num::{NonZeroU64, NonZeroU128};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $repr:ty, $raw:ty, $digits:literal, $format:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name($repr);

        impl $name {
            /// Parses exactly the hexadecimal digits of the id, in lower case as W3C Trace Context demands. `None` for anything
            /// else and for all zeros.
            pub fn parse(text: &str) -> Option<Self> {
                let digits = text.len() == $digits && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
                let raw = if digits { <$raw>::from_str_radix(text, 16).ok()? } else { return None };
                <$repr>::new(raw).map(Self)
            }

            /// The id as a number (big endian on the wire). `None` for zero.
            pub fn from_raw(raw: $raw) -> Option<Self> {
                <$repr>::new(raw).map(Self)
            }

            /// The id as a number.
            pub fn get(self) -> $raw {
                self.0.get()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, $format, self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                // Several times a line: formatting machinery would be half of its cost.
                let mut digits = [0; $digits];
                for (i, digit) in digits.iter_mut().rev().enumerate() {
                    let value = (self.get() >> (4 * i)) as u8 & 0xf;
                    *digit = if value < 10 { b'0' + value } else { b'a' + value - 10 };
                }
                serializer.serialize_str(std::str::from_utf8(&digits).unwrap_or_default())
            }
        }
    };
}

id!(
    /// Id of a trace: 16 bytes, 32 hexadecimal digits.
    TraceId, NonZeroU128, u128, 32, "{:032x}"
);
id!(
    /// Id of a span or a transaction: 8 bytes, 16 hexadecimal digits.
    SpanId, NonZeroU64, u64, 16, "{:016x}"
);
id!(
    /// Id of an error: 16 bytes, 32 hexadecimal digits.
    ErrorId, NonZeroU128, u128, 32, "{:032x}"
);

/// Two independent generators a thread: 128 bits of state, so that ids of many processes do not meet.
struct Generators {
    high: fastrand::Rng,
    low: fastrand::Rng,
}

thread_local! {
    static GENERATORS: RefCell<Generators> = RefCell::new(Generators {
        high: fastrand::Rng::with_seed(seed()),
        low: fastrand::Rng::with_seed(seed()),
    });
}

/// 64 bits that the operating system's randomness went into.
fn seed() -> u64 {
    let mut hasher = RandomState::new().build_hasher();
    hasher.write_u32(std::process::id());
    hasher.finish()
}

fn random_u64(generators: &mut Generators) -> u64 {
    generators.high.u64(..).rotate_left(32) ^ generators.low.u64(..)
}

impl TraceId {
    /// A new random id.
    pub fn random() -> Self {
        GENERATORS.with_borrow_mut(|generators| Self(random_u128(generators)))
    }
}

fn random_u128(generators: &mut Generators) -> NonZeroU128 {
    loop {
        let raw = u128::from(generators.high.u64(..)) << 64 | u128::from(generators.low.u64(..));
        if let Some(id) = NonZeroU128::new(raw) {
            return id;
        }
    }
}

impl ErrorId {
    /// A new random id.
    pub fn random() -> Self {
        GENERATORS.with_borrow_mut(|generators| Self(random_u128(generators)))
    }
}

impl SpanId {
    /// A new random id.
    pub fn random() -> Self {
        GENERATORS.with_borrow_mut(|generators| {
            loop {
                if let Some(id) = NonZeroU64::new(random_u64(generators)) {
                    return Self(id);
                }
            }
        })
    }
}

/// A random number in `0.0..1.0`, for sampling.
pub(crate) fn random_unit() -> f64 {
    GENERATORS.with_borrow_mut(|generators| generators.low.f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_written_in_full_and_read_back() {
        let id = SpanId::from_raw(0xab).expect("not zero");
        assert_eq!(id.to_string(), "00000000000000ab");
        assert_eq!(serde_json::to_value(id).expect("a text"), "00000000000000ab");
        assert_eq!(SpanId::parse("00000000000000ab"), Some(id));
        let id = TraceId::random();
        assert_eq!(TraceId::parse(&id.to_string()), Some(id));
        assert_eq!(serde_json::to_value(id).expect("a text"), id.to_string());
    }

    #[test]
    fn what_is_no_id_is_refused() {
        for text in [
            "",
            "0000000000000000",
            "00000000000000AB",
            "00000000000000a",
            "00000000000000abc",
            "+0000000000000ab",
            "ä000000000000ab",
        ] {
            assert_eq!(SpanId::parse(text), None, "{text}");
        }
    }

    #[test]
    fn random_ids_differ_between_threads_and_calls() {
        let here: Vec<_> = (0..100).map(|_| TraceId::random()).collect();
        let there =
            std::thread::spawn(|| (0..100).map(|_| TraceId::random()).collect::<Vec<_>>()).join().expect("no panic");
        let all: std::collections::HashSet<_> = here.iter().chain(&there).collect();
        assert_eq!(all.len(), 200);
    }
}
