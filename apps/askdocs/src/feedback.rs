//! What people think of answers.
//!
//! A thumb comes seconds after the answers, when the transaction is over. It is held back for that long and gets the thumb as a
//! label; what comes later becomes a transaction of its own in the same trace, `user-feedback`, with the same label.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokenfall_agent::{Agent, TraceContext, Transaction};

/// How long transactions are held for a thumb.
const HOLD: Duration = Duration::from_secs(20);
/// Questions that are remembered, so that late thumbs find their trace.
const MAX_REMEMBERED: usize = 10_000;

/// A thumb.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Thumb {
    /// The answer helped.
    Up,
    /// It did not.
    Down,
}

impl Thumb {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
        }
    }
}

struct Remembered {
    /// Until it is sent, with the moment of its end.
    held: Option<(Transaction, Instant)>,
    trace: TraceContext,
    question: String,
}

#[derive(Default)]
struct Questions {
    known: HashMap<String, Remembered>,
    order: VecDeque<String>,
}

/// Thumbs for questions.
pub struct Feedback {
    agent: Agent,
    questions: Mutex<Questions>,
}

impl Feedback {
    /// Nothing yet.
    pub fn new(agent: Agent) -> Arc<Self> {
        Arc::new(Self { agent, questions: Mutex::default() })
    }

    fn lock(&self) -> MutexGuard<'_, Questions> {
        self.questions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers a question and sends its transaction after a while. Gives the question's name: that of its trace.
    pub fn hold(self: &Arc<Self>, transaction: Transaction, end: Instant, question: &str) -> String {
        let Some(id) = self.remember(transaction, end, question) else { return String::new() };
        let (feedback, held) = (Arc::clone(self), id.clone());
        tokio::spawn(async move {
            tokio::time::sleep(HOLD).await;
            feedback.send(&held);
        });
        id
    }

    /// Remembers a question and sends its transaction now.
    pub fn done(&self, transaction: Transaction, end: Instant, question: &str) -> String {
        let id = self.remember(transaction, end, question).unwrap_or_default();
        self.send(&id);
        id
    }

    fn remember(&self, transaction: Transaction, end: Instant, question: &str) -> Option<String> {
        let trace = transaction.trace_context()?;
        let id = transaction.handle()?.trace_id().to_string();
        let remembered = Remembered { held: Some((transaction, end)), trace, question: question.to_owned() };
        let mut questions = self.lock();
        questions.known.insert(id.clone(), remembered);
        questions.order.push_back(id.clone());
        if questions.order.len() > MAX_REMEMBERED
            && let Some(oldest) = questions.order.pop_front()
        {
            questions.known.remove(&oldest);
        }
        Some(id)
    }

    /// Sends a transaction if it is still held.
    pub fn send(&self, id: &str) {
        let held = self.lock().known.get_mut(id).and_then(|question| question.held.take());
        if let Some((transaction, end)) = held {
            transaction.end_at(end);
        }
    }

    /// Sends all that are held.
    pub fn send_all(&self) {
        let held: Vec<_> = self.lock().known.values_mut().filter_map(|question| question.held.take()).collect();
        for (transaction, end) in held {
            transaction.end_at(end);
        }
    }

    /// Notes what somebody thinks of an answer. `false` if the question is not known any more.
    pub fn thumb(&self, id: &str, answer: usize, thumb: Thumb) -> bool {
        let mut questions = self.lock();
        let Some(question) = questions.known.get_mut(id) else { return false };
        if let Some((transaction, _)) = &question.held {
            label(transaction, answer, thumb);
            return true;
        }
        let transaction = self
            .agent
            .transaction("user-feedback")
            .transaction_type("feedback")
            .parent(Some(question.trace.clone()))
            .begin();
        transaction.label("query", question.question.clone());
        label(&transaction, answer, thumb);
        transaction.end();
        true
    }
}

/// `feedback` is the last thumb, `feedback_1` … those of each answer.
fn label(transaction: &Transaction, answer: usize, thumb: Thumb) {
    transaction.label("feedback", thumb.as_str());
    transaction.label(format!("feedback_{}", answer + 1), thumb.as_str());
}

#[cfg(test)]
mod tests;
