//! Errors: values with their causes, messages, panics.
