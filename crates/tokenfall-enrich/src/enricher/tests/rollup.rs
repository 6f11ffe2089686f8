//! Each model call is counted with exactly one event, whatever comes first.

use tokenfall_model::document::{LlmRollup, TokenfallCost};
use tokenfall_model::{Document, EventKind, Outcome, Usd};
use tokenfall_testkit::gen_ai;

use super::*;

fn generation(id: &str, transaction: &str, tokens: Option<(u64, u64)>, model: &str) -> Document {
    let mut document = span(id, transaction, "chat", "openai", 0, 1_000);
    let id = Some(TransactionId::new(transaction));
    document.transaction = Some(Box::new(Transaction { id, ..Transaction::default() }));
    document.event.get_or_insert_default().outcome = Some(Outcome::Success);
    document.gen_ai = Some(Box::new(gen_ai(model, tokens)));
    document
}

fn failed(mut document: Document) -> Document {
    document.event.get_or_insert_default().outcome = Some(Outcome::Failure);
    document
}

fn labelled(mut document: Document, labels: &[(&str, &str)]) -> Document {
    for (name, value) in labels {
        match value.parse() {
            Ok(number) => drop(document.numeric_labels.insert((*name).into(), number)),
            Err(_) => drop(document.labels.insert((*name).into(), LabelValue::One((*value).into()))),
        }
    }
    document
}

fn rollup(document: &Document) -> Option<&LlmRollup> {
    document.tokenfall.as_ref()?.llm.as_deref()
}

fn enriched(mut documents: Vec<Document>, size: usize) -> Vec<Document> {
    let mut enricher = Enricher::default();
    documents.chunks_mut(size.max(1)).for_each(|batch| enricher.enrich_batch(batch));
    documents
}

/// Cost over the events that have one: model calls, and what transactions have on top.
fn total_pico(documents: &[Document]) -> i64 {
    let costs = documents.iter().filter_map(|d| d.tokenfall.as_ref()?.cost.as_ref());
    costs.map(|cost| cost.pico_usd).sum()
}

#[test]
fn the_transaction_has_the_sum() {
    let documents = enriched(
        vec![
            generation("a", "tx", Some((1000, 100)), "gpt-4o"),
            generation("b", "tx", Some((10, 1)), "gpt-4o-mini"),
            failed(generation("c", "tx", None, "gpt-4o")),
            transaction("tx"),
        ],
        10,
    );
    let sum = rollup(&documents[3]).unwrap();
    // 1000 × 2.5 + 100 × 10 and 10 × 0.15 + 1 × 0.6 millionths.
    let pico = 3_500_000_000 + 2_100_000;
    assert_eq!((sum.generations, sum.failed_generations, sum.unpriced_generations), (3, 1, 0));
    assert_eq!((sum.input_tokens, sum.output_tokens, sum.total_tokens), (Some(1010), Some(101), Some(1111)));
    assert_eq!((sum.reported_tokens, sum.derived_tokens), (Some(1111), None));
    assert_eq!((sum.cost_pico_usd, sum.failed_cost_pico_usd), (Some(pico), None));
    assert_eq!(total_pico(&documents), pico);
    assert_eq!(documents[3].tokenfall.as_ref().unwrap().model, None, "two models");
    assert!(documents[..3].iter().all(|call| rollup(call).is_none()));
    let cost = documents[0].tokenfall.as_ref().unwrap().cost.as_ref().unwrap();
    assert_eq!(cost.price.as_ref().map(|p| p.id.as_str()), Some("openai/gpt-4o"));
}

#[test]
fn labels_of_the_article_alone() {
    let labels = [("openai_tokens", "1446"), ("openai_cost", "0.002892"), ("query", "how?"), ("user_id", "u1")];
    let documents = enriched(vec![labelled(transaction("tx"), &labels)], 10);
    let fields = documents[0].tokenfall.as_deref().unwrap();
    let sum = fields.llm.as_deref().unwrap();
    assert_eq!((sum.generations, sum.total_tokens, sum.reported_tokens), (0, Some(1446), Some(1446)));
    assert_eq!(
        (sum.cost_pico_usd, fields.cost.as_ref().map(|c| c.pico_usd)),
        (Some(2_892_000_000), Some(2_892_000_000))
    );
    assert_eq!(fields.question.as_deref(), Some("how?"));
    assert_eq!(documents[0].user.as_ref().unwrap().id.as_deref(), Some("u1"));
}

#[test]
fn labels_count_where_the_calls_do_not_say() {
    let labels = [("openai_tokens", "500"), ("openai_cost", "0.01")];
    // One call knows its cost, the other has no price.
    let documents = enriched(
        vec![
            generation("a", "tx", Some((1000, 100)), "gpt-4o"),
            generation("b", "tx", None, "gpt-4o"),
            labelled(transaction("tx"), &labels),
        ],
        10,
    );
    let fields = documents[2].tokenfall.as_deref().unwrap();
    let sum = fields.llm.as_deref().unwrap();
    assert_eq!((sum.total_tokens, sum.input_tokens, sum.unpriced_generations), (Some(500), None, 0));
    assert_eq!(sum.cost_pico_usd, Some(10_000_000_000));
    assert_eq!(total_pico(&documents), 10_000_000_000, "the transaction has only the rest");
    assert_eq!(fields.model.as_deref(), Some("gpt-4o"));
    // Where the calls say everything, labels would only repeat it.
    let documents =
        enriched(vec![generation("a", "tx", Some((1000, 100)), "gpt-4o"), labelled(transaction("tx"), &labels)], 10);
    let sum = rollup(&documents[1]).unwrap();
    assert_eq!((sum.total_tokens, sum.cost_pico_usd), (Some(1100), Some(3_500_000_000)));
    assert_eq!(total_pico(&documents), 3_500_000_000);
}

#[test]
fn a_late_call_is_counted_with_itself() {
    let mut tx = labelled(transaction("tx"), &[("query", "how?"), ("team", "blue")]);
    tx.transaction.as_mut().unwrap().name = Some("user-query".into());
    let mut first = generation("a", "tx", Some((1, 1)), "gpt-4o");
    first.transaction.as_mut().unwrap().id = Some(TransactionId::new("tx"));
    let documents = enriched(vec![first, tx, generation("b", "tx", Some((1000, 100)), "gpt-4o")], 1);
    let late = &documents[2];
    assert_eq!(rollup(late).map(|sum| (sum.generations, sum.cost_pico_usd)), Some((1, Some(3_500_000_000))));
    assert_eq!(late.tokenfall.as_ref().unwrap().question.as_deref(), Some("how?"));
    assert_eq!(late.transaction.as_ref().unwrap().name.as_deref(), Some("user-query"));
    assert_eq!(late.labels.get("team"), Some(&LabelValue::One("blue".into())));
}

#[test]
fn what_is_remembered_of_labels_is_bounded() {
    let mut tx = labelled(transaction("tx"), &[("a_first", "x"), ("z_last", "y")]);
    tx.labels.insert("m_long".into(), LabelValue::One("l".repeat(5_000)));
    let documents = enriched(vec![tx, generation("late", "tx", Some((1, 1)), "gpt-4o")], 1);
    let labels: Vec<&str> = documents[1].labels.keys().map(String::as_str).collect();
    assert_eq!(labels, ["a_first", "z_last"], "the long one does not fit, the others do");
}

#[test]
fn a_conversation_is_a_session() {
    let mut call = generation("a", "tx", Some((1, 1)), "gpt-4o");
    call.gen_ai.as_mut().unwrap().conversation = Some(Id { id: "c-1".into() });
    let session = |documents: &[Document], i: usize| documents[i].session.as_ref().and_then(|s| s.id.clone());
    let documents = enriched(vec![call.clone(), transaction("tx")], 1);
    assert_eq!(session(&documents, 1).as_deref(), Some("c-1"));
    let own = labelled(transaction("tx"), &[("session_id", "s-1")]);
    assert_eq!(
        session(&enriched(vec![call, own], 1), 1).as_deref(),
        Some("s-1"),
        "the label says it for the transaction"
    );
}

#[test]
fn what_is_sent_twice_costs_once() {
    let call = generation("a", "tx", Some((1000, 100)), "gpt-4o");
    let documents = enriched(vec![call.clone(), call, transaction("tx"), transaction("tx")], 1);
    assert_eq!(documents.iter().filter_map(rollup).map(|sum| sum.generations).sum::<u64>(), 1);
    assert_eq!(total_pico(&documents), 3_500_000_000);
}

#[test]
fn wrappers_do_not_cost() {
    // As agents report: children first. A framework repeats the usage of the call inside.
    let mut inner = generation("inner", "tx", Some((1000, 100)), "gpt-4o");
    inner.parent.as_mut().unwrap().id = SpanId::new("outer");
    let outer = generation("outer", "tx", Some((1000, 100)), "gpt-4o");
    for order in [vec![inner.clone(), outer.clone()], vec![outer, inner]] {
        let documents = enriched(order.into_iter().chain([transaction("tx")]).collect(), 1);
        assert_eq!(rollup(&documents[2]).unwrap().generations, 1);
        assert_eq!(total_pico(&documents), 3_500_000_000);
    }
}

#[test]
fn both_costs_are_kept() {
    let mut call = generation("a", "tx", Some((1000, 100)), "gpt-4o");
    let cost = TokenfallCost::reported(Usd::from_pico(7));
    call.tokenfall = Some(Box::new(TokenfallFields { cost: Some(cost), ..TokenfallFields::default() }));
    let documents = enriched(vec![call, transaction("tx")], 1);
    let cost = documents[0].tokenfall.as_ref().unwrap().cost.as_ref().unwrap();
    assert_eq!((cost.pico_usd, cost.computed_usd), (7, Some(Usd::from_pico(3_500_000_000))));
    assert_eq!(rollup(&documents[1]).unwrap().cost_pico_usd, Some(7));
}

/// Tokens of question and answer, if the call says, and whether it failed.
type Call = (Option<(u64, u64)>, bool);

/// Transactions, each with its calls.
fn traffic() -> impl Strategy<Value = Vec<Vec<Call>>> {
    let call = (prop::option::of((0_u64..100_000, 0_u64..10_000)), any::<bool>());
    prop::collection::vec(prop::collection::vec(call, 0..6), 1..6)
}

proptest! {
    #[test]
    fn any_order_gives_the_same_sums(traffic in traffic(), seed in any::<u64>(), size in 1_usize..20, twice in any::<bool>()) {
        let mut documents = Vec::new();
        let (mut calls, mut tokens, mut pico) = (0_u64, 0_u64, 0_i64);
        for (t, generations) in traffic.iter().enumerate() {
            documents.push(transaction(&format!("t{t}")));
            for (g, (said, is_failed)) in generations.iter().enumerate() {
                let call = generation(&format!("t{t}g{g}"), &format!("t{t}"), *said, "gpt-4o");
                documents.push(if *is_failed { failed(call) } else { call });
                calls += 1;
                if let Some((input, output)) = said {
                    tokens += input + output;
                    pico += (input * 2_500_000 + output * 10_000_000) as i64;
                }
            }
        }
        let scatter = |document: &Document| {
            let mut hasher = DefaultHasher::new();
            let span = document.span.as_ref().and_then(|s| s.id.as_ref()).map(ToString::to_string);
            let transaction = document.transaction.as_ref().and_then(|t| t.id.as_ref()).map(ToString::to_string);
            (seed, span, transaction).hash(&mut hasher);
            hasher.finish()
        };
        documents.sort_by_cached_key(scatter);
        if twice {
            let again: Vec<Document> = documents.iter().filter(|d| d.kind() == EventKind::Span).cloned().collect();
            documents.extend(again);
        }
        let documents = enriched(documents, size);
        let sums = || documents.iter().filter_map(rollup);
        prop_assert_eq!(sums().map(|sum| sum.generations).sum::<u64>(), calls);
        prop_assert_eq!(sums().filter_map(|sum| sum.total_tokens).sum::<u64>(), tokens);
        prop_assert_eq!(sums().filter_map(|sum| sum.cost_pico_usd).sum::<i64>(), pico);
        prop_assert_eq!(total_pico(&documents), pico);
    }
}
