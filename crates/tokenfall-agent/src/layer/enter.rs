//! Contexts of the `tracing` spans that a thread has entered.
//!
//! `tracing` lets spans be left in another order than they were entered. A context that is left while a later one is current
//! stays in the stack until it is at the top, so that what is current is always the span that was entered last and not yet left.

use std::cell::RefCell;

use tracing::span::Id;

use crate::context::{Context, ContextGuard};

struct Entry {
    id: Id,
    left: bool,
    /// Gives back the context before it when it is dropped.
    _guard: ContextGuard,
}

thread_local! {
    static ENTERED: RefCell<Vec<Entry>> = const { RefCell::new(Vec::new()) };
}

/// The span `id` was entered: `context` becomes the current one.
pub(super) fn entered(id: &Id, context: Context) {
    let entry = Entry { id: id.clone(), left: false, _guard: context.attach() };
    // Without the stack (the thread is about to end) the guard falls, and nothing is current.
    ENTERED.try_with(|stack| stack.borrow_mut().push(entry)).unwrap_or(());
}

/// The span `id` was left. Nothing happens if it was not entered by [`entered`].
pub(super) fn exited(id: &Id) {
    let leave = |stack: &RefCell<Vec<Entry>>| {
        let mut stack = stack.borrow_mut();
        let Some(entry) = stack.iter_mut().rev().find(|entry| !entry.left && entry.id == *id) else { return };
        entry.left = true;
        while stack.last().is_some_and(|entry| entry.left) {
            stack.pop();
        }
    };
    ENTERED.try_with(leave).unwrap_or(());
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::agent::Agent;
    use crate::core::Core;
    use crate::id::SpanId;
    use crate::settings::Settings;

    proptest! {
        /// Spans are entered (true) and left (false) in any order, one of them several times.
        #[test]
        fn current_is_what_was_entered_last_and_not_left(
            steps in prop::collection::vec((any::<bool>(), 0_usize..4), 0..40),
        ) {
            let agent = Agent::for_test(Core::new(Settings::default(), 100));
            let transaction = agent.begin_transaction("all", "test");
            let spans: Vec<_> = (0..4).map(|_| transaction.capture_span("one").start()).collect();
            let id = |index: usize| Id::from_u64(index as u64 + 1);
            let mut model: Vec<usize> = Vec::new();
            for (enter, index) in steps {
                if enter {
                    entered(&id(index), spans[index].context());
                    model.push(index);
                } else {
                    exited(&id(index));
                    if let Some(at) = model.iter().rposition(|known| *known == index) {
                        model.remove(at);
                    }
                }
                let expect: Option<SpanId> = model.last().and_then(|index| spans[*index].context().span_id());
                prop_assert_eq!(Context::current().span_id(), expect);
            }
            while let Some(index) = model.pop() {
                exited(&id(index));
            }
            prop_assert!(Context::current().is_none());
        }
    }
}
