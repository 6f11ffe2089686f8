//! Stack traces: taken cheaply where something happens, put into words on the agent's thread.

use std::sync::Arc;

/// A stack trace that may not have been resolved yet.
#[derive(Clone, Debug)]
pub(crate) enum StackTrace {
    /// Taken by the agent. Symbols are looked up when it is written.
    Captured(Arc<std::backtrace::Backtrace>),
    /// Text of a `Backtrace` that came with an error.
    Printed(Arc<str>),
}

impl StackTrace {
    /// Takes the stack of the caller. Costs microseconds; names are looked up later.
    pub(crate) fn capture() -> Self {
        Self::Captured(Arc::new(std::backtrace::Backtrace::force_capture()))
    }

    /// Bytes on the heap, roughly.
    pub(crate) fn heap_bytes(&self) -> usize {
        match self {
            Self::Captured(_) => 4096,
            Self::Printed(text) => text.len(),
        }
    }
}
