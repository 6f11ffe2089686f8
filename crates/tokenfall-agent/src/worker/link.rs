//! Whether the server takes events: when to try again, and what to tell the log.
//!
//! One line when it stops, one when the reason changes, one when it is back; never one for every try.

use std::time::{Duration, Instant};

use crate::transport::{Failure, Refusal};

/// How often messages of the server about single events are logged at most, in seconds.
const MESSAGES_SECONDS: u32 = 60;

pub(super) struct Link {
    second: Duration,
    is_proven: bool,
    n_failures: u32,
    /// Why requests fail, as far as it was logged.
    told: Option<Reason>,
    messages_told: Option<Instant>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Reason {
    NoAnswer,
    Status(u16),
}

impl Link {
    pub(super) fn new(second: Duration) -> Self {
        Self { second, is_proven: false, n_failures: 0, told: None, messages_told: None }
    }

    /// Did the last request arrive?
    pub(super) fn is_up(&self) -> bool {
        self.is_proven
    }

    /// A request failed. Returns how long to wait: min(n, 6)² seconds ±10 %, n from 0 (agent specification, "transport").
    pub(super) fn failed(&mut self, failure: &Failure, address: &str) -> Duration {
        let n = self.n_failures.min(6);
        self.n_failures = self.n_failures.saturating_add(1);
        self.is_proven = false;
        self.tell(failure, address);
        (self.second * (n * n)).mul_f64(0.9 + 0.2 * fastrand::f64())
    }

    fn tell(&mut self, failure: &Failure, address: &str) {
        let reason = match failure {
            Failure::Broken(_) => Reason::NoAnswer,
            Failure::Refused(refusal) if refusal.status == 400 => {
                // Single events were wrong; the server as such is well.
                self.tell_messages(refusal, address);
                return;
            }
            Failure::Refused(refusal) => Reason::Status(refusal.status),
        };
        if self.told.replace(reason) == Some(reason) {
            return;
        }
        match failure {
            Failure::Broken(why) => {
                log::error!("{address} does not answer: {why}; events wait, and are dropped when there are too many");
            }
            Failure::Refused(refusal) => {
                let status = refusal.status;
                let (what, then) = match status {
                    401 | 403 => ("refuses events", "; are secret_token or api_key right?"),
                    429 | 503 => ("is busy", "; events are sent more slowly"),
                    _ => ("does not take events", ""),
                };
                log::error!("{address} {what} (status {status}): {}{then}", said(refusal));
            }
        }
    }

    fn tell_messages(&mut self, refusal: &Refusal, address: &str) {
        let now = Instant::now();
        let every = self.second * MESSAGES_SECONDS;
        if self.messages_told.is_none_or(|told| now.duration_since(told) >= every) {
            self.messages_told = Some(now);
            log::error!("{address} refused some events and took {}: {}", refusal.accepted, said(refusal));
        }
    }

    /// A request arrived. True if that was not so before.
    pub(super) fn succeeded(&mut self, address: &str) -> bool {
        let was_away = self.told.take().is_some();
        if was_away {
            log::info!("{address} takes events again");
        }
        self.is_proven = true;
        self.n_failures = 0;
        was_away
    }
}

fn said(refusal: &Refusal) -> String {
    if refusal.messages.is_empty() { "it does not say why".to_owned() } else { refusal.messages.join("; ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_by_squares_up_to_36_seconds() {
        let mut link = Link::new(Duration::from_secs(1));
        let broken = Failure::Broken("gone".to_owned());
        for seconds in [0, 1, 4, 9, 16, 25, 36, 36] {
            let wait = link.failed(&broken, "http://x").as_secs_f64();
            let expected = f64::from(seconds);
            assert!((0.9 * expected..=1.1 * expected).contains(&wait), "{wait} is not about {seconds}");
        }
        assert!(link.succeeded("http://x"), "it was away");
        assert_eq!(link.failed(&broken, "http://x"), Duration::ZERO, "counted from the beginning again");
    }
}
