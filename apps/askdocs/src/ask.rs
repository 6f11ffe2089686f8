//! A question: what is found, and the answers that stream in. All of it is one transaction, as in the article.

use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::Stream;
use futures_util::future::join_all;
use serde::Serialize;
use tokenfall_agent::generation::{GenerationError, Usd};
use tokenfall_agent::{Agent, Outcome, Transaction};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::completion::{ChatClient, Finished, Step};
use crate::feedback::Feedback;
use crate::highlight::{Segment, highlight};
use crate::idle::Idle;
use crate::prompt;
use crate::retrieval::{Hit, Method, Retriever};
use crate::tokens::Tokens;

/// Passages that are found and answered from.
pub const HITS: usize = 3;

/// A question and who asks it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Question {
    /// The question.
    pub text: String,
    /// One visit of one person, if known.
    pub session: Option<String>,
    /// May a thumb still come? Then the transaction is held for a while.
    pub awaits_feedback: bool,
}

/// What the page is told.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Update {
    /// What was found.
    Hits {
        /// The best first.
        hits: Vec<ShownHit>,
        /// The model that will answer.
        model: String,
        /// Time of the search, embedding included.
        milliseconds: f64,
    },
    /// A piece of an answer.
    Token {
        /// Which, from 0.
        answer: usize,
        /// The piece.
        text: String,
    },
    /// An attempt failed and is repeated.
    Retry {
        /// Which.
        answer: usize,
        /// What happened, such as `RateLimitError`.
        error: String,
        /// The message.
        message: String,
        /// Until the next attempt.
        wait_milliseconds: f64,
    },
    /// An answer is complete.
    Answer {
        /// Which.
        answer: usize,
        /// Figures.
        #[serde(flatten)]
        figures: Figures,
    },
    /// An answer failed for good.
    Failed {
        /// Which.
        answer: usize,
        /// What happened.
        error: String,
        /// The message.
        message: String,
    },
    /// The search failed: there are no answers.
    SearchFailed {
        /// The message.
        message: String,
    },
    /// All is done.
    End {
        /// Name of the question for thumbs and for its trace; empty if nothing is recorded.
        id: String,
        /// Sum of the answers' tokens.
        tokens: u64,
        /// Sum of the answers' costs in USD, if known.
        #[serde(serialize_with = "as_text")]
        cost: Option<Usd>,
        /// From the question to the end.
        milliseconds: f64,
    },
}

#[expect(clippy::ref_option, reason = "serde passes a reference to the field")]
fn as_text<S: serde::Serializer>(cost: &Option<Usd>, serializer: S) -> Result<S::Ok, S::Error> {
    match cost {
        Some(cost) => serializer.collect_str(cost),
        None => serializer.serialize_none(),
    }
}

/// A hit as the page shows it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ShownHit {
    /// Title of the document.
    pub title: String,
    /// Headings; may be empty.
    pub section: String,
    /// Where to read on; may be empty.
    pub link: String,
    /// The passage, with the question's words marked.
    pub passage: Vec<Segment>,
    /// Place by words, from 1.
    pub words_rank: Option<usize>,
    /// Place by meaning, from 1.
    pub meaning_rank: Option<usize>,
}

impl ShownHit {
    fn new(question: &str, hit: &Hit) -> Self {
        let passage = &hit.passage;
        Self {
            title: passage.title.clone(),
            section: passage.section.clone(),
            link: passage.link.clone(),
            passage: highlight(question, &passage.text),
            words_rank: hit.words_rank,
            meaning_rank: hit.meaning_rank,
        }
    }
}

/// Figures of an answer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Figures {
    /// Tokens.
    pub tokens: Tokens,
    /// Cost in USD, if known.
    #[serde(serialize_with = "as_text")]
    pub cost: Option<Usd>,
    /// The model that answered.
    pub model: String,
    /// Why it ended.
    pub finish_reason: String,
    /// Until the first piece.
    pub first_token_milliseconds: f64,
    /// Until the last one.
    pub milliseconds: f64,
}

impl From<&Finished> for Figures {
    fn from(finished: &Finished) -> Self {
        Self {
            tokens: finished.tokens,
            cost: finished.cost,
            model: finished.model.clone(),
            finish_reason: finished.finish_reason.clone(),
            first_token_milliseconds: milliseconds(finished.time_to_first_token),
            milliseconds: milliseconds(finished.duration),
        }
    }
}

fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}

/// The application: what finds, what answers, what measures.
pub struct Application {
    /// Finds passages.
    pub retriever: Retriever,
    /// Answers.
    pub chat: ChatClient,
    /// Measures.
    pub agent: Agent,
    /// Takes thumbs.
    pub feedback: Arc<Feedback>,
    /// Lets other work know when nobody waits.
    pub idle: Idle,
}

impl Application {
    /// Asks a question. The updates come while the stream is polled; dropping it stops everything that is going on for it.
    pub fn ask(self: &Arc<Self>, question: Question) -> impl Stream<Item = Update> + Send + use<> {
        let (updates, receiver) = unbounded_channel();
        let application = Arc::clone(self);
        let work = async move { application.answer(question, updates).await };
        Updates { work: Some(Box::pin(work)), receiver }
    }

    async fn answer(&self, question: Question, updates: UnboundedSender<Update>) {
        // The page may be gone; then this future is about to be dropped.
        let tell = |update: Update| drop(updates.send(update));
        let _busy = self.idle.begin();
        let begin = Instant::now();
        let mut asked = Asked::begin(&self.agent, &question);
        let Some(transaction) = &asked.transaction else { return };
        let found = self.retriever.find(transaction, &question.text, Method::Hybrid, HITS).await;
        let hits = match found {
            Ok((hits, _)) => hits,
            Err(error) => {
                tell(Update::SearchFailed { message: error.to_string() });
                Vec::new()
            }
        };
        transaction.label("hits", hits.len() as u64);
        let shown = hits.iter().map(|hit| ShownHit::new(&question.text, hit)).collect();
        let model = self.chat.endpoint.model().to_owned();
        tell(Update::Hits { hits: shown, model, milliseconds: milliseconds(begin.elapsed()) });
        let answers = hits.iter().enumerate().map(|(answer, hit)| {
            let messages = prompt::messages(&question.text, &hit.passage, &self.chat.limits, &self.chat.counter);
            async move {
                let step = |step| tell(told(answer, step));
                let outcome = self.chat.complete(transaction, &messages, &step).await;
                match &outcome {
                    Ok(finished) => tell(Update::Answer { answer, figures: finished.into() }),
                    Err(error) => tell(Update::Failed { answer, error: kind(error), message: error.to_string() }),
                }
                outcome
            }
        });
        let outcomes = join_all(answers).await;
        let (tokens, cost) = label(transaction, &outcomes);
        let id = match asked.transaction.take() {
            Some(transaction) if question.awaits_feedback => {
                self.feedback.hold(transaction, Instant::now(), &question.text)
            }
            Some(transaction) => self.feedback.done(transaction, Instant::now(), &question.text),
            None => String::new(),
        };
        tell(Update::End { id, tokens, cost, milliseconds: milliseconds(begin.elapsed()) });
    }
}

fn told(answer: usize, step: Step) -> Update {
    match step {
        Step::Text(text) => Update::Token { answer, text },
        Step::Retry(error, wait) => Update::Retry {
            answer,
            error: kind(&error),
            message: error.to_string(),
            wait_milliseconds: milliseconds(wait),
        },
    }
}

fn kind(error: &GenerationError) -> String {
    error.kind().as_str().to_owned()
}

/// The article's labels, over all answers, and the outcome: a question of which an answer is missing has failed.
fn label(transaction: &Transaction, outcomes: &[Result<Finished, GenerationError>]) -> (u64, Option<Usd>) {
    let finished: Vec<&Finished> = outcomes.iter().flatten().collect();
    let tokens: u64 = finished.iter().map(|finished| finished.tokens.input + finished.tokens.output).sum();
    let cost = finished.iter().map(|finished| finished.cost).try_fold(None, |sum: Option<Usd>, cost| {
        let cost = cost?;
        Some(Some(sum.map_or(cost, |sum| sum + cost)))
    });
    let cost = cost.flatten();
    if !finished.is_empty() {
        transaction.label("openai_tokens", tokens);
    }
    if let Some(cost) = cost {
        transaction.label("openai_cost", cost.as_f64());
    }
    let failed = outcomes.len() - finished.len();
    if failed > 0 {
        transaction.set_outcome(Outcome::Failure);
        transaction.label("failed_answers", failed as u64);
    }
    // A search that failed has said so already.
    transaction.set_outcome_if_unset(Outcome::Success);
    (tokens, cost)
}

/// A transaction that says so if nobody waits for its end.
struct Asked {
    transaction: Option<Transaction>,
}

impl Asked {
    fn begin(agent: &Agent, question: &Question) -> Self {
        let transaction = agent.begin_transaction("user-query", "request");
        transaction.label("query", question.text.clone());
        if let Some(session) = &question.session {
            transaction.label("session_id", session.clone());
        }
        Self { transaction: Some(transaction) }
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        if let Some(transaction) = self.transaction.take() {
            transaction.label("stopped", true);
            transaction.cancel();
        }
    }
}

/// Updates, and the work that produces them.
struct Updates<W> {
    work: Option<Pin<Box<W>>>,
    receiver: UnboundedReceiver<Update>,
}

impl<W: Future<Output = ()>> Stream for Updates<W> {
    type Item = Update;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut std::task::Context<'_>) -> std::task::Poll<Option<Update>> {
        if let Some(work) = &mut self.work
            && work.as_mut().poll(context).is_ready()
        {
            // Drops the sender: the receiver ends after what is in it.
            self.work = None;
        }
        self.receiver.poll_recv(context)
    }
}

#[cfg(test)]
pub(crate) mod tests;
