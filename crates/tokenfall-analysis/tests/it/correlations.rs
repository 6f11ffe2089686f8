//! What goes along with slowness, failure and selections, over data of the shape that the article has: one page, on which people
//! ask questions of very different frequency.

use tokenfall_analysis::Selection;
use tokenfall_analysis::correlations::correlations;
use tokenfall_api::correlations::{Correlation, CorrelationsAnswer, CorrelationsOf, Impact};
use tokenfall_api::llm::PointOf;
use tokenfall_model::document::{
    Dependency, DependencyRole, DurationUs, Event, Id, LabelValue, LlmRollup, Span, TokenfallFields, Transaction,
};
use tokenfall_model::time::Micros;
use tokenfall_model::{Document, EventKind, Outcome, ServiceName, Timestamp, TraceId, TransactionId};

use crate::{Recorded, stored};

const FROZEN: &str = "How do I mount and index a frozen node?";
const PIPELINES: [&str; 2] = ["How to create an ingest pipeline", "How can I create an ingest pipeline with a script?"];
const SEARCHES: u64 = 1_000;

/// A number that looks random, from 0 to 1.
fn noise(n: u64, what: u64) -> f64 {
    let mut z = (n * 64 + what + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    (z ^ (z >> 31)) as f64 / u64::MAX as f64
}

fn pick(n: u64, what: u64, of: usize) -> usize {
    ((noise(n, what) * of as f64) as usize).min(of - 1)
}

/// 60 questions, a few of them asked often.
fn question(n: u64) -> String {
    match n % 25 {
        3 => FROZEN.to_owned(),
        7 => PIPELINES[0].to_owned(),
        11 if n % 2 == 1 => PIPELINES[1].to_owned(),
        _ => format!("What is setting {} for?", (noise(n, 0).powi(2) * 60.0) as u64),
    }
}

/// One search of the page, with its model call if `with_call`.
fn search(n: u64, planted: bool) -> Document {
    let question = question(n);
    let mut document = Document::new(
        Timestamp::from_micros(1_700_000_000_000_000 + n as i64 * 1_000_000),
        EventKind::Transaction,
        ServiceName::new("elasticdocs-gpt"),
    );
    let spread = (0..4).map(|i| noise(n, 10 + i)).sum::<f64>() - 2.0;
    let slower = if planted && question == FROZEN { 1.7 } else { 1.0 };
    let duration = 8_500_000.0 * (0.6 * spread).exp() * slower;
    let failure_rate = if planted && PIPELINES.contains(&question.as_str()) { 0.45 } else { 0.05 };
    let outcome = if noise(n, 20) < failure_rate { Outcome::Failure } else { Outcome::Success };
    let tokens = 500 + (noise(n, 21) * 3_000.0) as u64;
    document.trace = Some(Id { id: TraceId::new(format!("{n:032x}")) });
    document.transaction = Some(Box::new(Transaction {
        id: Some(TransactionId::new(format!("{n:016x}"))),
        name: Some("user-query".into()),
        kind: Some("request".into()),
        duration: Some(DurationUs { us: Micros::new(duration as u64) }),
        result: Some(outcome.as_str().into()),
        ..Transaction::default()
    }));
    document.event = Some(Event { outcome: Some(outcome), ..Event::default() });
    let version = ["1.0", "1.1", "1.2"][pick(n, 22, 3)];
    document.service.version = Some(version.into());
    for (name, value) in [
        ("query", question.clone()),
        ("query_hash", format!("{:x}", question.bytes().fold(7_u64, |h, b| h.wrapping_mul(31) + u64::from(b)))),
        ("team", ["docs", "support", "sales", "search"][pick(n, 23, 4)].to_owned()),
        ("request_id", format!("request {n}")),
    ] {
        document.labels.insert(name.into(), LabelValue::One(value));
    }
    document.numeric_labels.insert("openai_tokens".into(), tokens as f64);
    document.tokenfall = Some(Box::new(TokenfallFields {
        question: Some(question),
        llm: Some(Box::new(LlmRollup {
            generations: 3,
            total_tokens: Some(tokens),
            cost_pico_usd: Some(tokens as i64 * 2_000_000),
            ..LlmRollup::default()
        })),
        ..TokenfallFields::default()
    }));
    document
}

fn searches(planted: bool) -> Recorded {
    stored((0..SEARCHES).map(|n| search(n, planted)).collect())
}

fn ask(store: &Recorded, of: CorrelationsOf, selection: &Selection) -> CorrelationsAnswer {
    correlations(&store.store, &store.scope, selection, of).unwrap()
}

fn transactions() -> Selection {
    Selection { of: PointOf::Transactions, ..Selection::default() }
}

fn values(answer: &CorrelationsAnswer) -> Vec<&str> {
    answer.correlations.iter().map(|c| c.value.as_str()).collect()
}

fn check_sums(answer: &CorrelationsAnswer, correlation: &Correlation) {
    assert_eq!(answer.distribution.len(), correlation.distribution.len());
    assert_eq!(correlation.distribution.iter().sum::<u64>(), correlation.count);
    let same: Vec<_> = correlation.same_as.iter().map(|same| same.field.as_str()).collect();
    assert_eq!((correlation.field.as_str(), same.len()), ("labels.query", 2), "{same:?}");
    assert!(same.contains(&"tokenfall.question") && same.contains(&"labels.query_hash"));
}

#[test]
fn the_slow_question_is_found_and_nothing_else() {
    let store = searches(true);
    let answer = ask(&store, CorrelationsOf::Latency, &transactions());
    assert_eq!(values(&answer), [FROZEN]);
    let frozen = &answer.correlations[0];
    assert!(answer.is_significant && frozen.is_significant && frozen.q < 1e-6, "{frozen:?}");
    check_sums(&answer, frozen);
    assert_eq!((frozen.count, answer.selected.count, answer.baseline.count), (40, SEARCHES, SEARCHES));
    assert!((3e6..9e6).contains(&frozen.effect_us.unwrap()), "{:?}", frozen.effect_us);
    assert!(frozen.effect_usd.unwrap().abs() < 0.001);
    assert_eq!(answer.distribution.iter().map(|bar| bar.all).sum::<u64>(), SEARCHES);
    assert_eq!(answer.distribution.iter().map(|bar| bar.selected).sum::<u64>(), SEARCHES);
    assert!(answer.complete && !answer.not_enough && answer.tested > 60);
    assert!(answer.fields.contains(&"numeric_labels.openai_tokens".to_owned()));
    assert!(!answer.fields.contains(&"labels.request_id".to_owned()), "each of its values occurs once");
    assert_eq!(answer.fields_sampled, ["labels.request_id"]);
}

#[test]
fn the_failing_questions_are_found_and_nothing_else() {
    let store = searches(true);
    let answer = ask(&store, CorrelationsOf::Failures, &transactions());
    let mut found = values(&answer);
    found.sort_unstable();
    assert_eq!(found, [PIPELINES[1], PIPELINES[0]]);
    for correlation in &answer.correlations {
        check_sums(&answer, correlation);
        assert!(correlation.is_significant && correlation.impact >= Impact::Medium, "{correlation:?}");
        assert!((20.0..60.0).contains(&correlation.effect_failure_points.unwrap()));
        assert!(correlation.selected_share > 3.0 * correlation.baseline_share);
    }
    assert_eq!(answer.selected.count + answer.baseline.count, SEARCHES);
    assert_eq!((answer.selected.failure_rate, answer.baseline.failure_rate), (Some(1.0), Some(0.0)));
    assert_eq!(answer.distribution.iter().map(|bar| bar.selected).sum::<u64>(), answer.selected.count);
}

#[test]
fn without_anything_there_is_the_strongest() {
    let store = searches(false);
    for of in [CorrelationsOf::Latency, CorrelationsOf::Failures] {
        let answer = ask(&store, of, &transactions());
        assert!(!answer.is_significant && !answer.not_enough, "{of:?}: {:?}", answer.correlations);
        assert_eq!(answer.correlations.len(), 1);
        assert!(answer.correlations[0].q > 0.05 || answer.correlations[0].impact < Impact::Medium);
    }
}

#[test]
fn a_box_is_compared_with_what_is_outside() {
    let store = searches(true);
    let slow = Selection { duration_us: (Some(14_000_000), None), ..transactions() };
    let answer = ask(&store, CorrelationsOf::Selection, &slow);
    assert_eq!(answer.selected.count + answer.baseline.count, SEARCHES);
    assert!(answer.selected.latency_avg_us.unwrap() > 14e6 && answer.baseline.latency_avg_us.unwrap() < 14e6);
    assert_eq!(values(&answer), [FROZEN]);
    check_sums(&answer, &answer.correlations[0]);

    let few = Selection { duration_us: (Some(60_000_000_000), None), ..transactions() };
    let answer = ask(&store, CorrelationsOf::Selection, &few);
    assert!(answer.not_enough && answer.correlations.is_empty() && !answer.is_significant);
    assert_eq!((answer.selected.count, answer.baseline.count), (0, SEARCHES));
    assert!(ask(&store, CorrelationsOf::Selection, &transactions()).not_enough, "nothing is outside");
}

/// The model call of a search, which takes nine tenths of its time.
fn call_of(search: &Document) -> Document {
    let mut call = Document::new(search.time(), EventKind::Span, ServiceName::new("elasticdocs-gpt"));
    call.trace.clone_from(&search.trace);
    let id = search.transaction.as_ref().unwrap().id.clone();
    call.transaction = Some(Box::new(Transaction { id, ..Transaction::default() }));
    call.span = Some(Box::new(Span { name: Some("openai".into()), ..Span::default() }));
    call.tokenfall = Some(Box::new(TokenfallFields {
        model: Some("gpt-3.5-turbo".into()),
        dependency: Some(Dependency {
            resource: "openai".into(),
            kind: "genai".into(),
            role: DependencyRole::Generation,
            count: 1.0,
            sum_us: 0.0,
            duration_us: search.duration().unwrap().get() * 9 / 10,
        }),
        ..TokenfallFields::default()
    }));
    call
}

#[test]
fn calls_stand_for_their_transactions() {
    let searches: Vec<Document> = (0..SEARCHES).map(|n| search(n, true)).collect();
    // Every second search asks a model.
    let calls: Vec<Document> = searches.iter().step_by(2).map(call_of).collect();
    let slow = calls
        .iter()
        .filter(|call| call.tokenfall.as_ref().unwrap().dependency.as_ref().unwrap().duration_us >= 12_000_000);
    let slow = slow.count() as u64;
    let store = stored(searches.into_iter().chain(calls).collect());
    let selection = Selection {
        duration_us: (Some(12_000_000), None),
        model: Some("gpt-3.5-turbo".into()),
        ..Selection::default()
    };
    let answer = ask(&store, CorrelationsOf::Selection, &selection);
    assert_eq!((answer.selected.count, answer.baseline.count), (slow, SEARCHES / 2 - slow));
    assert_eq!(answer.correlations[0].value, FROZEN);
    // For slowness, all transactions that asked this model.
    let all = Selection { duration_us: (None, None), ..selection };
    assert_eq!(ask(&store, CorrelationsOf::Latency, &all).selected.count, SEARCHES / 2);
    assert_eq!(ask(&store, CorrelationsOf::Latency, &Selection::default()).selected.count, SEARCHES);
}

#[test]
fn numbers_are_ranges() {
    let slow_with_tokens = |n: u64| {
        let mut document = search(n, false);
        let tokens = document.numeric_labels["openai_tokens"];
        let duration = &mut document.transaction.as_mut().unwrap().duration;
        let us = duration.unwrap().us.get() as f64 * (1.0 + tokens / 2_000.0);
        *duration = Some(DurationUs { us: Micros::new(us as u64) });
        document
    };
    let store = stored((0..SEARCHES).map(slow_with_tokens).collect());
    let answer = ask(&store, CorrelationsOf::Latency, &transactions());
    let tokens = &answer.correlations[0];
    let names: Vec<_> = tokens.same_as.iter().map(|same| same.field.as_str()).chain([tokens.field.as_str()]).collect();
    assert_eq!(names.len(), 3, "the label, the tokens and their price say the same: {names:?}");
    assert!(names.contains(&"numeric_labels.openai_tokens"), "{names:?}");
    let numbers = answer.correlations.iter().filter(|c| c.from.is_some() || c.to.is_some());
    assert_eq!(numbers.count(), 1);
    assert!(tokens.from.is_some_and(|from| from > 1_000.0) && tokens.to.is_none() && tokens.value.starts_with("≥ "));
    assert!(tokens.is_significant && tokens.effect_usd.unwrap() > 0.001);
}

#[test]
fn a_host_of_mostly_slow_transactions_is_only_their_shadow() {
    let slow_version = |n: u64| {
        let mut document = search(n, false);
        let is_slow = noise(n, 30) < 0.2;
        let is_on_host = if noise(n, 31) < 0.8 { is_slow } else { noise(n, 32) < 0.2 };
        for (name, is_so) in [("release", is_slow), ("zone", is_on_host)] {
            let value = if is_so { "new" } else { "old" };
            document.labels.insert(name.into(), LabelValue::One(value.into()));
        }
        let duration = &mut document.transaction.as_mut().unwrap().duration;
        let us = duration.unwrap().us.get() * if is_slow { 3 } else { 1 };
        *duration = Some(DurationUs { us: Micros::new(us) });
        document
    };
    let store = stored((0..SEARCHES).map(slow_version).collect());
    let answer = ask(&store, CorrelationsOf::Latency, &transactions());
    let names: Vec<_> = answer.correlations.iter().map(|c| (c.field.as_str(), c.value.as_str())).collect();
    assert_eq!(names, [("labels.release", "new")]);
}
