//! Many requests, one model: those that are running are decoded together, one token each a step, so that they share the
//! processor fairly; the others wait in line.
//!
//! A thread of its own owns the batch. Requests come to it through a channel, text goes back through one a request. A caller that goes
//! away frees its slot at the next token.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, TrySendError, sync_channel};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::chat::{Batch, ChatModel, EngineError, Generated, Sampling, Token};

/// Most requests that wait for a slot.
const MAX_WAITING: usize = 64;

/// Why an answer has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FinishReason {
    /// The model was done, or came to a stop sequence.
    Stop,
    /// As many tokens as were asked for, or the context is full.
    Length,
}

impl FinishReason {
    /// The word in OpenAI's interface.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Length => "length",
        }
    }
}

/// What comes back for a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The text of one token or, where a character or a stop sequence is spread over several, of those.
    Text(String),
    /// The end.
    Finished {
        /// Why.
        reason: FinishReason,
        /// Tokens of the answer, the one that ends it not included.
        tokens: usize,
    },
    /// The model has failed.
    Failed(String),
}

/// Why a request is not taken.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Question and answer do not fit.
    #[error(
        "This model's maximum context length is {context} tokens. However, you requested {total} tokens ({prompt} in the \
         messages, {answer} in the completion). Please reduce the length of the messages or completion."
    )]
    TooLong {
        /// Tokens that fit.
        context: usize,
        /// Tokens asked for.
        total: usize,
        /// Those of the question.
        prompt: usize,
        /// Those of the answer.
        answer: usize,
    },
    /// Too many wait already.
    #[error("{MAX_WAITING} requests are waiting already; try again later")]
    Busy,
    /// The model's thread has ended.
    #[error("the model has stopped; see the log")]
    Stopped,
}

struct Request {
    prompt: Vec<Token>,
    sampling: Sampling,
    events: UnboundedSender<Event>,
}

/// The way to a model that many share. Clones lead to the same one; the model's thread ends with the last of them.
#[derive(Clone)]
pub struct Scheduler {
    model: Arc<dyn ChatModel>,
    requests: SyncSender<Request>,
}

impl Scheduler {
    /// Starts the thread of a model that answers at most `slots` requests at a time.
    ///
    /// # Errors
    /// If no thread can be started.
    pub fn start(model: Arc<dyn ChatModel>, slots: usize) -> std::io::Result<Self> {
        let (requests, incoming) = sync_channel(MAX_WAITING);
        let served = Arc::clone(&model);
        std::thread::Builder::new().name("model".to_owned()).spawn(move || {
            let served_until_the_end = served.with_batch(slots, &mut |batch| serve(batch, slots, &incoming));
            if let Err(error) = served_until_the_end {
                // Whoever asks is told; requests that were sent meanwhile are dropped with the channel.
                while let Ok(request) = incoming.recv() {
                    send(&request.events, Event::Failed(error.to_string()));
                }
            }
        })?;
        Ok(Self { model, requests })
    }

    /// The model.
    pub fn model(&self) -> &Arc<dyn ChatModel> {
        &self.model
    }

    /// Asks the model. Events come as they are produced; dropping the receiver cancels the request.
    ///
    /// # Errors
    /// If it cannot be taken.
    pub fn ask(&self, prompt: Vec<Token>, sampling: Sampling) -> Result<UnboundedReceiver<Event>, Refused> {
        let (prompt_tokens, answer) = (prompt.len(), sampling.max_tokens);
        let (context, total) = (self.model.info().context_tokens, prompt_tokens + answer);
        if total > context {
            return Err(Refused::TooLong { context, total, prompt: prompt_tokens, answer });
        }
        // At most one message a token, so the number of them is bounded by `max_tokens`.
        let (events, receiver) = unbounded_channel();
        match self.requests.try_send(Request { prompt, sampling, events }) {
            Ok(()) => Ok(receiver),
            Err(TrySendError::Full(_)) => Err(Refused::Busy),
            Err(TrySendError::Disconnected(_)) => Err(Refused::Stopped),
        }
    }
}

impl std::fmt::Debug for Scheduler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scheduler").field("model", self.model.info()).finish_non_exhaustive()
    }
}

/// Sends an event. If nobody listens any more, `serve` sees that.
fn send(events: &UnboundedSender<Event>, event: Event) {
    drop(events.send(event));
}

/// Serves requests until the last [`Scheduler`] is gone.
fn serve(batch: &mut dyn Batch, slots: usize, incoming: &Receiver<Request>) {
    let mut running: Vec<Option<Running>> = (0..slots).map(|_| None).collect();
    let mut waiting: VecDeque<Request> = VecDeque::new();
    loop {
        if running.iter().all(Option::is_none) && waiting.is_empty() {
            match incoming.recv() {
                Ok(request) => waiting.push_back(request),
                Err(_) => return,
            }
        }
        loop {
            match incoming.try_recv() {
                Ok(request) if waiting.len() < MAX_WAITING => waiting.push_back(request),
                Ok(request) => send(&request.events, Event::Failed(Refused::Busy.to_string())),
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => break,
            }
        }
        for (slot, place) in running.iter_mut().enumerate().filter(|(_, place)| place.is_none()) {
            let Some(request) = next_wanted(&mut waiting) else { break };
            let Request { prompt, sampling, events } = request;
            match batch.begin(slot, prompt, &sampling) {
                Ok(()) => *place = Some(Running::new(sampling, events)),
                Err(error) => send(&events, Event::Failed(error.to_string())),
            }
        }
        let stepped = batch.step(&mut |slot, token| {
            if let Some(running) = running.get_mut(slot).and_then(Option::as_mut) {
                running.token(token);
            }
        });
        if let Err(EngineError(message)) = stepped {
            running.iter().flatten().for_each(|running| send(&running.events, Event::Failed(message.clone())));
            running.iter_mut().flatten().for_each(|running| running.is_done = true);
        }
        for (slot, place) in running.iter_mut().enumerate() {
            if place.as_ref().is_some_and(|running| running.is_done || running.events.is_closed()) {
                batch.end(slot);
                *place = None;
            }
        }
    }
}

/// The next request that somebody still waits for.
fn next_wanted(waiting: &mut VecDeque<Request>) -> Option<Request> {
    loop {
        let request = waiting.pop_front()?;
        if !request.events.is_closed() {
            return Some(request);
        }
    }
}

/// An answer in the making.
struct Running {
    sampling: Sampling,
    events: UnboundedSender<Event>,
    tokens: usize,
    /// Bytes of a character that is not complete.
    bytes: Vec<u8>,
    /// Text that may be the beginning of a stop sequence.
    held: String,
    is_done: bool,
}

impl Running {
    fn new(sampling: Sampling, events: UnboundedSender<Event>) -> Self {
        let is_done = sampling.max_tokens == 0;
        let mut this = Self { sampling, events, tokens: 0, bytes: Vec::new(), held: String::new(), is_done };
        if is_done {
            this.finish(FinishReason::Length);
        }
        this
    }

    fn token(&mut self, token: Generated) {
        if self.is_done {
            return;
        }
        let Generated::Piece(piece) = token else { return self.finish(FinishReason::Stop) };
        self.tokens += 1;
        self.bytes.extend_from_slice(&piece);
        let text = complete_characters(&mut self.bytes);
        self.held.push_str(&text);
        if let Some(at) = first_of(&self.held, &self.sampling.stop) {
            self.held.truncate(at);
            return self.finish(FinishReason::Stop);
        }
        let keep = self.sampling.stop.iter().map(|stop| overlap(&self.held, stop)).max().unwrap_or(0);
        let ready: String = self.held.drain(..self.held.len() - keep).collect();
        if !ready.is_empty() {
            send(&self.events, Event::Text(ready));
        }
        if self.tokens >= self.sampling.max_tokens {
            self.finish(FinishReason::Length);
        }
    }

    fn finish(&mut self, reason: FinishReason) {
        self.is_done = true;
        let mut rest = std::mem::take(&mut self.held);
        if reason == FinishReason::Length {
            rest.push_str(&String::from_utf8_lossy(&self.bytes));
        }
        if !rest.is_empty() {
            send(&self.events, Event::Text(rest));
        }
        send(&self.events, Event::Finished { reason, tokens: self.tokens });
    }
}

/// Takes the complete characters off the front; bytes that can never become one are replaced.
fn complete_characters(bytes: &mut Vec<u8>) -> String {
    let mut text = String::new();
    loop {
        match std::str::from_utf8(bytes) {
            Ok(valid) => {
                text.push_str(valid);
                bytes.clear();
                return text;
            }
            Err(error) => {
                let valid = error.valid_up_to();
                text.push_str(&String::from_utf8_lossy(&bytes[..valid]));
                let Some(broken) = error.error_len() else {
                    bytes.drain(..valid);
                    return text;
                };
                text.push(char::REPLACEMENT_CHARACTER);
                bytes.drain(..valid + broken);
            }
        }
    }
}

/// Where the first stop sequence begins.
fn first_of(text: &str, stop: &[String]) -> Option<usize> {
    stop.iter().filter(|stop| !stop.is_empty()).filter_map(|stop| text.find(stop.as_str())).min()
}

/// Length of the longest end of `text` that `stop` begins with, in bytes.
fn overlap(text: &str, stop: &str) -> usize {
    let longest = stop.len().saturating_sub(1).min(text.len());
    (1..=longest).rev().find(|&n| text.as_bytes()[text.len() - n..] == stop.as_bytes()[..n]).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::scripted::ScriptedModel;

    async fn collect(mut events: UnboundedReceiver<Event>) -> (String, Vec<Event>) {
        let (mut text, mut rest) = (String::new(), Vec::new());
        while let Some(event) = events.recv().await {
            match event {
                Event::Text(piece) => text.push_str(&piece),
                other => rest.push(other),
            }
        }
        (text, rest)
    }

    fn scheduler(answer: &str, slots: usize) -> Scheduler {
        Scheduler::start(Arc::new(ScriptedModel::new(answer)), slots).expect("a thread")
    }

    fn sampling(max_tokens: usize, stop: &[&str]) -> Sampling {
        Sampling { max_tokens, stop: stop.iter().map(|&s| s.to_owned()).collect(), ..Sampling::default() }
    }

    #[tokio::test]
    async fn an_answer_comes_whole_and_says_why_it_ended() {
        let scheduler = scheduler("one two three four", 2);
        let whole = collect(scheduler.ask(vec![1], sampling(100, &[])).expect("taken")).await;
        let finished = |reason, tokens| vec![Event::Finished { reason, tokens }];
        assert_eq!(whole, ("one two three four".to_owned(), finished(FinishReason::Stop, 4)));
        let cut = collect(scheduler.ask(vec![1], sampling(2, &[])).expect("taken")).await;
        assert_eq!(cut, ("one two".to_owned(), finished(FinishReason::Length, 2)));
        let stopped = collect(scheduler.ask(vec![1], sampling(100, &["o three"])).expect("taken")).await;
        assert_eq!(stopped, ("one tw".to_owned(), finished(FinishReason::Stop, 3)));
        let nothing = collect(scheduler.ask(vec![1], sampling(0, &[])).expect("taken")).await;
        assert_eq!(nothing, (String::new(), finished(FinishReason::Length, 0)));
    }

    #[tokio::test]
    async fn requests_run_side_by_side_and_the_others_wait_their_turn() {
        let model = ScriptedModel::new("a b c d e f g h").step_time(Duration::from_millis(3));
        let scheduler = Scheduler::start(Arc::new(model), 2).expect("a thread");
        let mut streams: Vec<_> = (0..3).map(|_| scheduler.ask(vec![1], sampling(8, &[])).expect("taken")).collect();
        let mut third = streams.pop().expect("three");
        let (mut first, mut second) = (streams.remove(0), streams.remove(0));
        // The second has begun when the first has two tokens; the third begins when one of them is done.
        first.recv().await;
        first.recv().await;
        assert!(second.try_recv().is_ok());
        assert!(third.try_recv().is_err());
        let rest = collect(third).await;
        assert_eq!(rest.0, "a b c d e f g h");
        drop((first, second));
    }

    #[tokio::test]
    async fn whoever_goes_away_frees_the_slot() {
        let endless = "word ".repeat(100_000);
        let model = ScriptedModel::new(&endless).step_time(Duration::from_millis(1)).context(1_000_000);
        let scheduler = Scheduler::start(Arc::new(model), 1).expect("a thread");
        let mut first = scheduler.ask(vec![1], sampling(100_000, &[])).expect("taken");
        first.recv().await;
        drop(first);
        let (text, _) = collect(scheduler.ask(vec![1], sampling(3, &[])).expect("taken")).await;
        assert_eq!(text.split_whitespace().count(), 3);
    }

    #[tokio::test]
    async fn what_does_not_fit_is_refused() {
        let model = ScriptedModel::new("x").context(10);
        let scheduler = Scheduler::start(Arc::new(model), 1).expect("a thread");
        let refused = scheduler.ask(vec![1; 8], sampling(3, &[])).expect_err("too long");
        assert_eq!(refused, Refused::TooLong { context: 10, total: 11, prompt: 8, answer: 3 });
    }

    proptest! {
        #[test]
        fn text_is_the_same_however_tokens_cut_it(text in ".{0,40}", cuts in prop::collection::vec(1_usize..4, 0..80)) {
            let mut bytes = text.as_bytes();
            let (mut kept, mut got) = (Vec::new(), String::new());
            for cut in cuts {
                let (head, tail) = bytes.split_at(cut.min(bytes.len()));
                kept.extend_from_slice(head);
                got.push_str(&complete_characters(&mut kept));
                bytes = tail;
            }
            kept.extend_from_slice(bytes);
            got.push_str(&complete_characters(&mut kept));
            prop_assert_eq!(got, text);
        }

        #[test]
        fn nothing_of_a_stop_sequence_is_shown(before in "[ab]{0,8}", stop in "[ab]{1,4}", after in "[ab]{0,8}") {
            let (events, mut receiver) = unbounded_channel();
            let mut running = Running::new(sampling(1_000, &[&stop]), events);
            let text = format!("{before}{stop}{after}");
            for character in text.chars() {
                running.token(Generated::Piece(character.to_string().into_bytes()));
            }
            running.token(Generated::End);
            let mut shown = String::new();
            while let Ok(event) = receiver.try_recv() {
                if let Event::Text(piece) = event {
                    shown.push_str(&piece);
                }
            }
            prop_assert_eq!(shown.as_str(), text.split(stop.as_str()).next().expect("a first part"));
        }
    }
}
