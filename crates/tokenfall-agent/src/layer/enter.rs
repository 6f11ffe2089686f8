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
