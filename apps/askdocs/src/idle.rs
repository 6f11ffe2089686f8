//! Whether somebody waits for an answer, so that other work can stand back.

use std::sync::Arc;

use tokio::sync::watch;

/// Counts the questions that are being answered. Clones count together.
#[derive(Clone, Debug, Default)]
pub struct Idle(Arc<watch::Sender<usize>>);

/// One question that is being answered, until it is dropped.
#[derive(Debug)]
pub struct Busy(Idle);

impl Idle {
    /// A question begins.
    #[must_use]
    pub fn begin(&self) -> Busy {
        self.0.send_modify(|count| *count += 1);
        Busy(self.clone())
    }

    /// Done when nobody waits for an answer: at once, if so.
    pub async fn wait(&self) {
        // Cannot fail: the sender is here.
        drop(self.0.subscribe().wait_for(|count| *count == 0).await);
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.0.send_modify(|count| *count -= 1);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn other_work_waits_until_the_last_question_is_answered() {
        let idle = Idle::default();
        idle.wait().await;
        let (first, second) = (idle.begin(), idle.begin());
        let mut waiting = Box::pin(idle.wait());
        assert!(waiting.as_mut().now_or_never().is_none());
        drop(first);
        assert!(waiting.as_mut().now_or_never().is_none());
        drop(second);
        waiting.await;
    }
}
