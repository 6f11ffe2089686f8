//! The agent: where programs begin.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crate::context::Context;
use crate::core::Core;
use crate::event::Text;
use crate::settings::Settings;
use crate::span::SpanBuilder;
use crate::transaction::{Transaction, TransactionBuilder, TransactionRef};

/// How long the last handle waits for unsent events when it is dropped.
const DROP_DEADLINE: Duration = Duration::from_secs(3);

/// The agent. Clones are handles to the same agent; when the last one is dropped, what waits is sent and the agent's
/// thread ends.
#[derive(Clone, Debug, Default)]
pub struct Agent {
    handle: Option<Arc<Handle>>,
}

/// What stops with the last [`Agent`]. Transactions and spans hold the core only.
#[derive(Debug)]
struct Handle {
    core: Arc<Core>,
}

static GLOBAL: OnceLock<Agent> = OnceLock::new();

impl Agent {
    /// An agent that does nothing.
    pub const fn disabled() -> Self {
        Self { handle: None }
    }

    #[cfg(test)]
    pub(crate) fn for_test(core: Arc<Core>) -> Self {
        Self { handle: Some(Arc::new(Handle { core })) }
    }

    pub(crate) fn core(&self) -> Option<&Arc<Core>> {
        self.handle.as_ref().map(|handle| &handle.core)
    }

    /// Describes a transaction before it begins.
    pub fn transaction(&self, name: impl Into<Text>) -> TransactionBuilder {
        TransactionBuilder::new(self.core().cloned(), name.into())
    }

    /// Begins a transaction of this name and type, without a caller.
    pub fn begin_transaction(&self, name: impl Into<Text>, kind: impl Into<Text>) -> Transaction {
        self.transaction(name).transaction_type(kind).begin()
    }
}
