use askdocs_model::faults::Faults;
use askdocs_model::scheduler::Scheduler;
use askdocs_model::scripted::{ScriptedEmbedding, ScriptedModel};
use askdocs_model::server::{Models, router};
use futures_util::StreamExt as _;

use super::*;
use crate::completion::RetryPolicy;
use crate::embed::Embedder;
use crate::endpoint::Endpoint;
use crate::idle::Idle;
use crate::index::{Index, UpdateOptions, update};
use crate::prompt::Limits;
use crate::retrieval::Source;
use crate::tokens::TokenCounter;

const ANSWER: &str = "one two three four five six seven eight";

/// An application over three documents, with a model that takes a few milliseconds for each word.
pub(crate) async fn application(folder: &std::path::Path, faults: &str) -> (Arc<Application>, Scheduler) {
    let documents = folder.join("documents");
    std::fs::create_dir_all(&documents).expect("a folder");
    for name in ["first", "second", "third", "fourth"] {
        let text = format!(
            "# {name}\n\nThe {name} frozen node is mounted and indexed by a command that this sentence is about.\n"
        );
        std::fs::write(documents.join(format!("{name}.md")), text).expect("written");
    }
    let embedder = Embedder::Local(Arc::new(ScriptedEmbedding));
    let index = folder.join("index");
    update(&index, &documents, Some(&embedder), &UpdateOptions::default(), &mut |_, _, _| {}).await.expect("an index");
    let model = ScriptedModel::new(ANSWER).step_time(Duration::from_millis(5));
    let scheduler = Scheduler::start(Arc::new(model), HITS).expect("a thread");
    let faults: Faults = faults.parse().expect("rules");
    let router = router(Models { chat: Some(scheduler.clone()), faults, ..Models::default() });
    let agent = Agent::builder().option("disable_send", "true").start();
    let application = Application {
        retriever: Retriever {
            source: Source::Embedded(Arc::new(Index::open(&index).expect("an index"))),
            embedder: Some(Arc::new(embedder)),
        },
        chat: ChatClient {
            endpoint: Endpoint::local(router, "scripted"),
            limits: Limits { max_tokens: 64, ..Limits::default() },
            retry: RetryPolicy {
                attempts: 2,
                first_wait: Duration::from_millis(1),
                longest_wait: Duration::from_millis(2),
            },
            counter: TokenCounter::Approximate,
            prices: None,
            temperature: 0.0,
        },
        feedback: Feedback::new(agent.clone()),
        idle: Idle::default(),
        agent,
    };
    (Arc::new(application), scheduler)
}

fn question() -> Question {
    Question { text: "How do I mount a frozen node?".to_owned(), ..Question::default() }
}

#[tokio::test]
async fn three_answers_stream_at_the_same_time() {
    let folder = tempfile::tempdir().expect("a folder");
    let (application, _) = application(folder.path(), "").await;
    let updates: Vec<Update> = application.ask(question()).collect().await;
    assert!(matches!(&updates[0], Update::Hits { hits, .. } if hits.len() == HITS), "{:?}", updates[0]);
    let tokens: Vec<(usize, usize)> = updates
        .iter()
        .enumerate()
        .filter_map(|(at, update)| match update {
            Update::Token { answer, .. } => Some((at, *answer)),
            _ => None,
        })
        .collect();
    let last_first = (0..3).map(|n| tokens.iter().find(|(_, answer)| *answer == n).expect("a token").0).max();
    let first_end = updates.iter().position(|update| matches!(update, Update::Answer { .. }));
    assert!(last_first < first_end, "all have begun before one ends: {updates:?}");
    let Some(Update::End { id, tokens, cost, .. }) = updates.last() else { panic!("{updates:?}") };
    assert!(id.len() == 32 && *tokens > 24 && cost.is_none(), "{id} {tokens}");
}

#[tokio::test]
async fn whoever_stops_stops_the_model() {
    let folder = tempfile::tempdir().expect("a folder");
    let (application, scheduler) = application(folder.path(), "").await;
    let mut updates = Box::pin(application.ask(question()));
    while !matches!(updates.next().await, Some(Update::Token { .. })) {}
    drop(updates);
    // All three slots are free again at once, long before three answers would be done one after another.
    let mut events = scheduler.ask(vec![0], askdocs_model::chat::Sampling::default()).expect("taken");
    assert!(tokio::time::timeout(Duration::from_secs(5), events.recv()).await.is_ok());
}

#[tokio::test]
async fn failures_are_told_and_retried() {
    let folder = tempfile::tempdir().expect("a folder");
    let (application, _) = application(folder.path(), "rate-limit=1").await;
    // The endpoint asks for a second.
    let updates: Vec<Update> = application.ask(question()).collect().await;
    let count = |is: fn(&Update) -> bool| updates.iter().filter(|update| is(update)).count();
    assert_eq!(count(|update| matches!(update, Update::Retry { error, .. } if error == "RateLimitError")), 3);
    assert_eq!(count(|update| matches!(update, Update::Failed { .. })), 3);
}

#[tokio::test]
async fn nothing_found_is_no_failure() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut application, _) = application(folder.path(), "").await;
    Arc::get_mut(&mut application).expect("nobody else has it").retriever.embedder = None;
    let question = Question { text: "zebra".to_owned(), ..Question::default() };
    let updates: Vec<Update> = application.ask(question).collect().await;
    assert!(
        matches!(&updates[..], [Update::Hits { hits, .. }, Update::End { tokens: 0, .. }] if hits.is_empty()),
        "{updates:?}"
    );
}
