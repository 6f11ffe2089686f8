//! Identifiers. Ids are opaque strings on the wire (up to [`crate::limits::KEYWORD_CHARS_MAX`] characters, not always
//! hexadecimal: Elastic's server does not check), so each kind is a newtype over the text that was sent.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! text_newtype {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Box<str>);

        impl $name {
            /// Takes the text as it was sent. The decoder at the edge has already checked its length.
            pub fn new(text: impl Into<Box<str>>) -> Self {
                Self(text.into())
            }

            /// The text of this value.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    )*};
}

text_newtype! {
    /// Identifies a trace (`trace.id`).
    TraceId;
    /// Identifies a transaction (`transaction.id`).
    TransactionId;
    /// Identifies a span (`span.id`); transactions repeat their own id there, and `parent.id` holds one too.
    SpanId;
    /// Identifies one error occurrence (`error.id`).
    ErrorId;
    /// Name of a service (`service.name`).
    ServiceName;
}
