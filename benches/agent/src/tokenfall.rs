//! The operations with Tokenfall's agent.

use std::time::Duration;

use tokenfall_agent::{Agent, Span, Transaction};

use crate::Operation;

/// An agent that keeps this share of the transactions and sends nothing.
pub fn agent(sample_rate: &'static str) -> Agent {
    Agent::builder()
        .environment_variables::<String, String>([])
        .service_name("overhead")
        .option("transaction_sample_rate", sample_rate)
        .option("disable_send", "true")
        .option("metrics_interval", "0s")
        .start()
}

/// The operation of this name ([`OPERATIONS`](crate::OPERATIONS)). Threads that share an agent share its queue.
pub fn operation(name: &str, agents: &Agents) -> Option<Box<dyn Operation>> {
    let (agent, run): (&Agent, fn(&mut Subject, u32)) = match name {
        "disabled span" => (&agents.disabled, spans),
        "disabled transaction" => (&agents.disabled, transactions),
        "unsampled span" => (&agents.unsampled, spans),
        "unsampled transaction" => (&agents.unsampled, transactions),
        "token" => (&agents.sampled, tokens),
        "span" => (&agents.sampled, spans),
        "span with 3 labels" => (&agents.sampled, labelled_spans),
        "label" => (&agents.sampled, labels),
        "transaction" => (&agents.sampled, transactions),
        _ => return None,
    };
    Some(Box::new(Subject::new(agent.clone(), run)))
}

/// One agent of each kind.
#[derive(Debug)]
pub struct Agents {
    disabled: Agent,
    unsampled: Agent,
    sampled: Agent,
}

impl Agents {
    /// Starts them.
    pub fn start() -> Self {
        Self { disabled: Agent::disabled(), unsampled: agent("0"), sampled: agent("1") }
    }
}

#[derive(Debug)]
struct Subject {
    agent: Agent,
    transaction: Transaction,
    span: Span,
    run: fn(&mut Subject, u32),
}

impl Subject {
    fn new(agent: Agent, run: fn(&mut Self, u32)) -> Self {
        let (transaction, span) = begin(&agent);
        Self { agent, transaction, span, run }
    }
}

fn begin(agent: &Agent) -> (Transaction, Span) {
    let transaction = agent.begin_transaction("user-query", "request");
    let mut span = transaction.capture_span("openaiChatCompletion").span_type("openai").start();
    // The first token and the first label of a span allocate; both were there before what is measured.
    span.capture_span("token").span_type("http").exit().start().end();
    span.label("chunks", 0);
    (transaction, span)
}

impl Operation for Subject {
    fn run(&mut self, n: u32) {
        (self.run)(self, n);
    }

    fn settle(&mut self) {
        self.agent.flush(Duration::from_secs(10));
        let (transaction, span) = begin(&self.agent);
        std::mem::replace(&mut self.span, span).end();
        std::mem::replace(&mut self.transaction, transaction).end();
    }
}

fn tokens(subject: &mut Subject, n: u32) {
    for _ in 0..n {
        subject.span.capture_span("token").span_type("http").exit().start().end();
    }
}

fn spans(subject: &mut Subject, n: u32) {
    for _ in 0..n {
        subject.span.capture_span("step").span_type("app").start().end();
    }
}

fn labelled_spans(subject: &mut Subject, n: u32) {
    for i in 0..n {
        let mut span = subject.span.capture_span("step").span_type("app").start();
        span.label("index", i);
        span.label("model", "gpt-4o-mini");
        span.label("stream", true);
        span.end();
    }
}

fn labels(subject: &mut Subject, n: u32) {
    for i in 0..n {
        subject.span.label("chunks", i);
    }
}

fn transactions(subject: &mut Subject, n: u32) {
    for _ in 0..n {
        subject.agent.begin_transaction("user-query", "request").end();
    }
}
