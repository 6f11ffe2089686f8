//! Layer for `tracing`: spans become transactions and spans, events become logs and errors.
