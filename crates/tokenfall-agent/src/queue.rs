//! Events on their way to the agent's thread.
//!
//! Bounded twice: by number and by the memory that variable parts hold. When full, the newest event is dropped and counted;
//! the program never waits. Lock-free, no system call unless the agent's thread sleeps.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread::Thread;
use std::time::Duration;

use crossbeam_queue::ArrayQueue;

use crate::event::Event;

/// Most bytes of variable parts (labels, messages, stack traces) that wait.
const MAX_WAITING_BYTES: usize = 64 << 20;

/// The queue and its counters.
#[derive(Debug)]
pub(crate) struct Queue {
    events: ArrayQueue<Event>,
    waiting_bytes: AtomicUsize,
    /// Is the agent's thread asleep because there is nothing to do?
    asleep: AtomicBool,
    consumer: OnceLock<Thread>,
    dropped: AtomicU64,
    total: AtomicU64,
}

impl Queue {
    /// A queue for at most `capacity` events.
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            events: ArrayQueue::new(capacity.max(1)),
            waiting_bytes: AtomicUsize::new(0),
            asleep: AtomicBool::new(false),
            consumer: OnceLock::new(),
            dropped: AtomicU64::new(0),
            total: AtomicU64::new(0),
        }
    }

    /// Adds an event, or drops and counts it if there is no room.
    pub(crate) fn push(&self, event: Event) {
        self.total.fetch_add(1, Ordering::Relaxed);
        let bytes = event.heap_bytes();
        if bytes > 0 && self.waiting_bytes.fetch_add(bytes, Ordering::Relaxed) + bytes > MAX_WAITING_BYTES {
            self.waiting_bytes.fetch_sub(bytes, Ordering::Relaxed);
            self.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        if self.events.push(event).is_err() {
            self.waiting_bytes.fetch_sub(bytes, Ordering::Relaxed);
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
        // Sequentially consistent together with `sleep`: either this sees that the thread sleeps, or that sees the event.
        if self.asleep.load(Ordering::SeqCst) {
            self.wake();
        }
    }

    /// Counts an event that nobody would ever take.
    pub(crate) fn refuse(&self) {
        self.total.fetch_add(1, Ordering::Relaxed);
        self.dropped.fetch_add(1, Ordering::Relaxed);
    }

    /// Takes the oldest event.
    pub(crate) fn pop(&self) -> Option<Event> {
        let event = self.events.pop()?;
        let bytes = event.heap_bytes();
        if bytes > 0 {
            self.waiting_bytes.fetch_sub(bytes, Ordering::Relaxed);
        }
        Some(event)
    }

    /// Wakes the agent's thread if it sleeps for lack of events.
    #[cold]
    fn wake(&self) {
        if self.asleep.swap(false, Ordering::AcqRel)
            && let Some(thread) = self.consumer.get()
        {
            thread.unpark();
        }
    }

    /// Sleeps until there is an event, or [`Thread::unpark`], or `timeout`. For the one consumer only.
    pub(crate) fn sleep(&self, timeout: Duration) {
        self.consumer.get_or_init(std::thread::current);
        self.asleep.store(true, Ordering::SeqCst);
        if self.events.is_empty() {
            std::thread::park_timeout(timeout);
        }
        self.asleep.store(false, Ordering::SeqCst);
    }

    /// Is nothing waiting?
    pub(crate) fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// Waiting events.
    pub(crate) fn len(&self) -> usize {
        self.events.len()
    }

    /// Most events that can wait.
    pub(crate) fn capacity(&self) -> usize {
        self.events.capacity()
    }

    /// Counts events that were lost elsewhere, for example with a request that failed.
    pub(crate) fn count_dropped(&self, n: u64) {
        self.dropped.fetch_add(n, Ordering::Relaxed);
    }

    /// Events dropped so far.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// Events that were to be sent so far, dropped ones included.
    pub(crate) fn total(&self) -> u64 {
        self.total.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Instant;

    use super::*;
    use crate::event::LogRecord;

    fn event(message: String) -> Event {
        Event::Log(Box::new(LogRecord {
            timestamp_us: 1,
            message: message.into(),
            level: "info".into(),
            logger: None,
            file: None,
            line: None,
            place: None,
            labels: Vec::new(),
        }))
    }

    #[test]
    fn the_newest_is_dropped_when_there_is_no_room() {
        let queue = Queue::new(2);
        for _ in 0..5 {
            queue.push(event(String::new()));
        }
        assert_eq!((queue.len(), queue.capacity(), queue.total(), queue.dropped()), (2, 2, 5, 3));
        assert!(queue.pop().is_some() && queue.pop().is_some() && queue.pop().is_none());
    }

    #[test]
    fn large_events_are_bounded_by_memory() {
        let queue = Queue::new(1000);
        for _ in 0..100 {
            queue.push(event("x".repeat(1 << 20)));
        }
        assert_eq!((queue.len(), queue.dropped()), (63, 37), "64 MiB, and each event is a little more than 1 MiB");
        while queue.pop().is_some() {}
        queue.push(event("x".repeat(1 << 20)));
        assert_eq!(queue.len(), 1, "the memory is free again");
    }

    #[test]
    fn an_event_wakes_who_sleeps() {
        let queue = Arc::new(Queue::new(4));
        let consumer = Arc::clone(&queue);
        let long = Duration::from_secs(60);
        let thread = std::thread::spawn(move || {
            let start = Instant::now();
            for _ in 0..1000 {
                while consumer.pop().is_none() {
                    consumer.sleep(long);
                }
            }
            start.elapsed()
        });
        for _ in 0..1000 {
            queue.push(event(String::new()));
            while !queue.is_empty() {
                std::thread::yield_now();
            }
        }
        assert!(thread.join().expect("no panic") < long, "a wake-up was lost");
    }
}
