//! What is done once a token, or in every request that is not recorded, allocates nothing.

use allocation_counter::measure;
use tokenfall_agent::Agent;

fn agent(sample_rate: &str) -> Agent {
    Agent::builder()
        .environment_variables::<String, String>([])
        .option("disable_send", "true")
        .option("transaction_sample_rate", sample_rate)
        .start()
}

#[track_caller]
fn check_none(work: impl FnOnce()) {
    let counted = measure(work);
    assert_eq!(counted.count_total, 0, "{counted:?}");
}

#[test]
fn only_the_first_token_span_allocates() {
    let agent = agent("1");
    let transaction = agent.begin_transaction("user-query", "request");
    let span = transaction.capture_span("openaiChatCompletion").span_type("openai").start();
    let token = || span.capture_span("token").span_type("http").exit().start().end();
    let first = measure(token);
    assert!(first.count_total > 0, "the span becomes a parent");
    check_none(|| (0..10_000).for_each(|_| token()));
}

#[test]
fn a_disabled_agent_allocates_nothing() {
    let agent = Agent::disabled();
    check_none(|| {
        let transaction = agent.begin_transaction("user-query", "request");
        let mut span = transaction.capture_span("openaiChatCompletion").span_type("openai").label("a", 1).start();
        span.label("model", "gpt-4o-mini");
        span.end();
        transaction.end();
    });
}

#[test]
fn an_unsampled_transaction_allocates_only_when_it_is_shared() {
    let agent = agent("0");
    // Threads set up their settings' reader and random numbers once.
    agent.begin_transaction("user-query", "request").end();
    check_none(|| (0..1000).for_each(|_| agent.begin_transaction("user-query", "request").end()));
    let transaction = agent.begin_transaction("user-query", "request");
    let shared = measure(|| transaction.capture_span("token").exit().start().end());
    assert_eq!(shared.count_total, 1);
    check_none(|| (0..1000).for_each(|_| transaction.capture_span("token").label("a", 1).start().end()));
}
