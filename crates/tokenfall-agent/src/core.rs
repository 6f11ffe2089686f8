//! What handles and the agent's thread share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::ArcSwap;

use crate::event::Event;
use crate::queue::Queue;
use crate::settings::Settings;

/// The agent without its thread.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) settings: ArcSwap<Settings>,
    pub(crate) queue: Queue,
    /// Process in which the agent's thread runs. It does not exist in a forked child.
    process: u32,
    fork_told: AtomicBool,
}

impl Core {
    pub(crate) fn new(settings: Settings, queue_capacity: usize) -> Arc<Self> {
        Arc::new(Self {
            settings: ArcSwap::from_pointee(settings),
            queue: Queue::new(queue_capacity),
            process: std::process::id(),
            fork_told: AtomicBool::new(false),
        })
    }

    /// Hands an event to the agent's thread.
    pub(crate) fn send(&self, event: Event) {
        if matches!(event, Event::Transaction(_)) && self.is_forked() {
            self.queue.refuse();
            return;
        }
        self.queue.push(event);
    }

    /// Is this a forked child, in which nobody would send what is queued? Says so once.
    fn is_forked(&self) -> bool {
        let forked = std::process::id() != self.process;
        if forked && !self.fork_told.swap(true, Ordering::AcqRel) {
            log::error!(
                "the process was forked after the agent had started; the agent's thread stayed behind in process {}, so nothing is sent \
                 from here: start the agent after the fork",
                self.process
            );
        }
        forked
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Agent;

    #[test]
    fn a_forked_child_drops_and_counts() {
        let mut core = Core::new(Settings::default(), 8);
        let end = |core: &Arc<Core>| Agent::for_test(Arc::clone(core)).begin_transaction("t", "custom").end();
        end(&core);
        assert_eq!((core.queue.len(), core.queue.dropped()), (1, 0));
        // What a child sees: the memory of its parent, and another process id.
        Arc::get_mut(&mut core).expect("the only handle").process ^= 1;
        end(&core);
        end(&core);
        assert_eq!((core.queue.len(), core.queue.dropped()), (1, 2));
        assert_eq!(core.queue.total(), 3, "dropped events count too");
        assert!(core.fork_told.load(Ordering::Acquire));
    }
}
