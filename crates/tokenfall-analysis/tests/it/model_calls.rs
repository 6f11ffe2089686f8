//! Tokens, cost, questions and sessions of traffic made by hand: every figure is known beforehand.

use proptest::prelude::*;
use tokenfall_analysis::spend::{SpendBy, questions, spend};
use tokenfall_analysis::traces::{TracesQuery, traces};
use tokenfall_analysis::{Scope, Selection, llm, sessions};
use tokenfall_api::llm::PointOf;
use tokenfall_api::spend::UnpricedReason;
use tokenfall_enrich::Enricher;
use tokenfall_model::document::{
    DurationUs, GenAiMessages, Id, LabelValue, Span, TokenStream, TokenfallFields, Transaction,
};
use tokenfall_model::{
    Document, EventKind, Micros, Outcome, ServiceName, SpanId, Timestamp, TraceId, TransactionId, Usd,
};

use tokenfall_testkit::gen_ai;

use super::{Recorded, stored};

/// A Friday at noon.
const NOON_US: i64 = 1_794_571_200_000_000;
const MINUTE_US: i64 = 60_000_000;

fn document(kind: EventKind, at_us: i64, outcome: Outcome) -> Document {
    let mut document = Document::new(Timestamp::from_micros(at_us), kind, ServiceName::new("docs"));
    document.event.get_or_insert_default().outcome = Some(outcome);
    document
}

fn transaction(id: usize, minute: i64, duration_us: u64, outcome: Outcome, labels: &[(&str, &str)]) -> Document {
    let mut document = document(EventKind::Transaction, NOON_US + minute * MINUTE_US, outcome);
    document.trace = Some(Id { id: TraceId::new(format!("t{id}")) });
    document.transaction = Some(Box::new(Transaction {
        id: Some(TransactionId::new(format!("x{id}"))),
        name: Some("user-query".into()),
        kind: Some("request".into()),
        duration: Some(DurationUs { us: Micros::new(duration_us) }),
        sampled: Some(true),
        representative_count: Some(1.0),
        ..Transaction::default()
    }));
    for (name, value) in labels {
        document.labels.insert((*name).into(), LabelValue::One((*value).into()));
    }
    document
}

fn call(
    id: usize,
    of: &Document,
    model: &str,
    tokens: Option<(u64, u64)>,
    duration_us: u64,
    outcome: Outcome,
) -> Document {
    let mut call = document(EventKind::Span, of.time().as_micros(), outcome);
    call.trace.clone_from(&of.trace);
    let transaction = of.transaction.as_ref().unwrap().id.clone();
    call.parent = transaction.as_ref().map(|id| Id { id: SpanId::new(id.to_string()) });
    call.transaction = Some(Box::new(Transaction { id: transaction, ..Transaction::default() }));
    call.span = Some(Box::new(Span {
        id: Some(SpanId::new(format!("s{id}"))),
        name: Some("chat".into()),
        kind: Some("openai".into()),
        duration: Some(DurationUs { us: Micros::new(duration_us) }),
        representative_count: Some(1.0),
        ..Span::default()
    }));
    call.gen_ai = Some(Box::new(gen_ai(model, tokens)));
    call
}

fn enriched(mut documents: Vec<Document>) -> Recorded {
    Enricher::default().enrich_batch(&mut documents);
    stored(documents)
}

fn usd(text: &str) -> Usd {
    text.parse().unwrap()
}

const ALL_BY: [&str; 9] =
    ["model", "provider", "service", "transaction", "user", "session", "question", "label:team", "label:nothing"];

/// Three searches: two with two models and one that failed and was tried again, one with labels alone.
fn three_searches() -> Vec<Document> {
    let ok = Outcome::Success;
    let anna = [("query", "How do I mount it?"), ("user_id", "anna"), ("session_id", "s1"), ("team", "blue")];
    let first = transaction(1, 0, 9_000_000, ok, &anna);
    let again = [("query", "how do i mount it"), ("user_id", "anna"), ("session_id", "s1"), ("team", "blue")];
    let second = transaction(2, 2, 5_000_000, Outcome::Failure, &again);
    let third = transaction(
        3,
        10,
        1_000_000,
        ok,
        &[("query", "What else?"), ("openai_tokens", "500"), ("openai_cost", "0.001"), ("model", "gpt-35-turbo")],
    );
    vec![
        call(1, &first, "gpt-4o", Some((1000, 100)), 4_000_000, ok),
        call(2, &first, "gpt-4o-mini", Some((1000, 100)), 2_000_000, ok),
        call(3, &second, "gpt-4o", None, 100_000, Outcome::Failure),
        call(4, &second, "gpt-4o", Some((2000, 200)), 4_000_000, ok),
        call(5, &second, "our-own", Some((10, 10)), 4_000_000, ok),
        first,
        second,
        third,
    ]
}

#[test]
fn money_by_everything() {
    let all = enriched(three_searches());
    let ask =
        |by: &str| spend(&all.store, &all.scope, &Selection::default(), &SpendBy::from_param(by).unwrap()).unwrap();
    // 3.5 and 0.21 thousandths, 7 thousandths, and the label's one.
    let total = usd("0.01171");
    for by in ALL_BY {
        let answer = ask(by);
        assert_eq!(answer.total.usd, total, "{by}");
        let rows: Usd = answer.rows.iter().map(|row| row.figures.usd).sum();
        assert_eq!(rows + answer.omitted_usd + answer.unattributed_usd, total, "{by}");
        assert_eq!(answer.series.usd.iter().copied().sum::<Usd>(), total);
        assert_eq!(answer.by, by);
    }
    let rows = |by: &str| -> Vec<(String, String)> {
        ask(by).rows.iter().map(|row| (row.key.clone(), row.figures.usd.to_string())).collect()
    };
    let pair = |key: &str, usd: &str| (key.to_owned(), usd.to_owned());
    assert_eq!(
        rows("model"),
        [pair("gpt-4o", "0.0105"), pair("gpt-35-turbo", "0.001"), pair("gpt-4o-mini", "0.00021"), pair("our-own", "0")]
    );
    assert_eq!(rows("user"), [pair("anna", "0.01071")]);
    assert_eq!(rows("label:team"), [pair("blue", "0.01071")]);
    assert_eq!(rows("label:nothing"), []);
    assert_eq!(ask("label:nothing").unattributed_usd, total);

    let figures = ask("user").total;
    assert_eq!((figures.transactions, figures.failed_transactions), (Some(3), Some(1)));
    assert_eq!((figures.calls, figures.unpriced_calls), (5, 1));
    assert_eq!(figures.failed_transactions_usd, Some(usd("0.007")));
    assert_eq!(figures.usd_per_transaction, usd("0.01171").divided_by(3));
    assert_eq!(figures.total_tokens, Some(1100 + 1100 + 2220 + 500));
    assert_eq!(Some(figures.sources.reported), figures.total_tokens);
    let labelled = ask("model").rows.into_iter().find(|row| row.key == "gpt-35-turbo").unwrap();
    assert_eq!(
        (labelled.figures.total_tokens, labelled.figures.failed_transactions_usd),
        (None, None),
        "not known by model"
    );
    let unpriced = ask("model").unpriced;
    assert_eq!(
        unpriced.iter().map(|u| (u.model.as_deref(), u.calls, u.reason)).collect::<Vec<_>>(),
        [(Some("our-own"), 1, UnpricedReason::NoPrice)]
    );
    let gpt = &ask("model").rows[0];
    assert_eq!((gpt.figures.calls, gpt.failure_rate.map(|r| (r * 3.0).round())), (3, Some(1.0)));
}

#[test]
fn one_model_alone() {
    let all = enriched(three_searches());
    let selection = Selection { model: Some("gpt-4o".into()), ..Selection::default() };
    let answer = spend(&all.store, &all.scope, &selection, &SpendBy::Model).unwrap();
    assert_eq!((answer.total.usd, answer.total.calls), (usd("0.0105"), 3));
    assert_eq!(answer.rows.len(), 1);
    assert_eq!(answer.unattributed_usd, Usd::ZERO);
}

#[test]
fn filters_and_breakdowns_of_the_other_kind() {
    let all = enriched(three_searches());
    let ask = |selection: Selection, by: &str| {
        let answer = spend(&all.store, &all.scope, &selection, &SpendBy::from_param(by).unwrap()).unwrap();
        let rows: Usd = answer.rows.iter().map(|row| row.figures.usd).sum();
        assert_eq!(rows + answer.omitted_usd + answer.unattributed_usd, answer.total.usd, "{by} {selection:?}");
        assert!(answer.unattributed_usd >= Usd::ZERO, "{by} {selection:?}");
        (answer.total.usd.to_string(), rows.to_string())
    };
    let model = |model: &str| Selection { model: Some(model.into()), ..Selection::default() };
    let blue = || Selection { field: Some(("labels.team".into(), "blue".into())), ..Selection::default() };
    let pair = |total: &str, rows: &str| (total.to_owned(), rows.to_owned());
    // Only the third search asked one model alone.
    assert_eq!(ask(model("gpt-35-turbo"), "question"), pair("0.001", "0.001"));
    assert_eq!(ask(model("gpt-4o"), "user"), pair("0.0105", "0"));
    assert_eq!(ask(blue(), "user"), pair("0.01071", "0.01071"));
    assert_eq!(ask(blue(), "model"), pair("0.01071", "0"), "its transactions asked several");
    let both = || Selection { model: Some("gpt-4o".into()), ..blue() };
    for by in ["model", "user"] {
        assert_eq!(ask(both(), by), pair("0", "0"), "no blue transaction asked gpt-4o alone");
    }
}

#[test]
fn a_call_without_its_transaction_is_in_the_total() {
    let mut documents = three_searches();
    let lost = transaction(9, 1, 1, Outcome::Success, &[]);
    documents.push(call(9, &lost, "gpt-4o", Some((1000, 100)), 1, Outcome::Success));
    let all = enriched(documents);
    for by in ALL_BY {
        let by = SpendBy::from_param(by).unwrap();
        let answer = spend(&all.store, &all.scope, &Selection::default(), &by).unwrap();
        assert_eq!(answer.total.usd, usd("0.01521"), "{by}");
        let rows: Usd = answer.rows.iter().map(|row| row.figures.usd).sum();
        assert_eq!(rows + answer.omitted_usd + answer.unattributed_usd, answer.total.usd, "{by}");
    }
}

#[test]
fn questions_in_all_their_variants() {
    let all = enriched(three_searches());
    let list = questions(&all.store, &all.scope, &Selection::default(), 10).unwrap();
    assert_eq!((list.asked, list.questions_omitted, list.questions.len()), (3, 0, 2));
    let mount = &list.questions[0];
    assert_eq!((mount.count, mount.variants.len(), mount.users), (2, 2, Some(1)));
    assert_eq!((mount.usd, mount.failure_rate), (Some(usd("0.01071")), Some(0.5)));
    assert_eq!((mount.latency_avg_us, mount.total_tokens), (Some(7_000_000.0), Some(4420)));
    assert_eq!(mount.last_us, NOON_US + 2 * MINUTE_US);
    assert_eq!(list.questions[1].usd_per_question, Some(usd("0.001")));
    let one = questions(&all.store, &all.scope, &Selection::default(), 1).unwrap();
    assert_eq!((one.questions.len(), one.questions_omitted), (1, 1));
}

#[test]
fn sessions_and_their_turns() {
    let mut documents = three_searches();
    let output = Some(GenAiMessages { messages: r#"[{"role":"assistant","content":"Like this."}]"#.into() });
    documents[0].gen_ai.as_mut().unwrap().output = output;
    let stream = TokenStream {
        chunks: 100,
        time_to_first_chunk_us: 700_000,
        time_to_last_chunk_us: 4_000_000,
        ..TokenStream::default()
    };
    documents[0].tokenfall = Some(Box::new(TokenfallFields { stream: Some(stream), ..TokenfallFields::default() }));
    let all = enriched(documents);
    let list = sessions::sessions(&all.store, &all.scope, &Selection::default(), 10).unwrap();
    assert_eq!((list.total, list.sessions.len()), (1, 1));
    let summary = &list.sessions[0];
    assert_eq!((summary.id.as_str(), summary.user.as_deref()), ("s1", Some("anna")));
    assert_eq!((summary.turns, summary.failed, summary.calls), (2, 1, 5));
    assert_eq!((summary.waited_us, summary.usd), (14_000_000, Some(usd("0.01071"))));

    let detail = sessions::session(&all.store, &all.scope, "s1").unwrap().unwrap();
    assert_eq!(detail.session, *summary);
    let [first, second] = &detail.turns[..] else { panic!("{:?}", detail.turns) };
    assert_eq!((first.pause_us, second.pause_us), (None, Some(2 * MINUTE_US - 9_000_000)));
    assert_eq!(first.answers, ["Like this."]);
    assert_eq!((first.models.len(), first.time_to_first_token_us), (2, Some(700_000)));
    assert_eq!((second.usd, second.calls), (Some(usd("0.007")), 3));
    assert_eq!(second.question.as_deref(), Some("how do i mount it"));
    assert!(sessions::session(&all.store, &all.scope, "s2").unwrap().is_none());
}

#[test]
fn tokens_against_time() {
    let mut documents = Vec::new();
    for i in 0..60_usize {
        let tokens = 10 * (i as u64 + 1);
        let outcome = if i % 10 == 9 { Outcome::Failure } else { Outcome::Success };
        let of = transaction(i, i as i64, 1, Outcome::Success, &[]);
        // 600 ms and 40 ms a token; one call hung for a minute.
        let hung = if i == 30 { 60_000_000 } else { 0 };
        documents.push(call(i, &of, "gpt-4o", Some((10, tokens)), 600_000 + 40_000 * tokens + hung, outcome));
        documents.push(of);
    }
    let unknown = transaction(99, 61, 1, Outcome::Success, &[]);
    documents.push(call(99, &unknown, "gpt-4o", None, 5, Outcome::Success));
    documents.push(unknown);
    let all = enriched(documents);
    let answer = llm::tokens(&all.store, &all.scope, &Selection::default(), 1_000).unwrap();
    assert_eq!((answer.matching, answer.unknown, answer.points.tokens.len()), (60, 1, 60));
    let line = &answer.fits[0];
    assert!(
        (line.seconds_per_100_tokens - 4.0).abs() < 1e-3 && (line.intercept_us - 600_000.0).abs() < 1_000.0,
        "{line:?}"
    );
    assert_eq!(answer.slow_for_size.len(), 1);
    let slow = &answer.slow_for_size[0];
    assert_eq!((slow.call.span_id.as_str(), slow.call.output_tokens), ("s30", Some(310)));
    assert!((slow.excess_us - 60e6).abs() < 1e4, "{slow:?}");
    assert_eq!(answer.sources.reported, answer.points.tokens.iter().sum::<u64>());

    let boxed = Selection { tokens: (Some(100), Some(200)), ..Selection::default() };
    let list = llm::calls(&all.store, &all.scope, &boxed, 3).unwrap();
    assert_eq!((list.total, list.calls.len()), (10, 3));
    assert_eq!(list.calls[0].output_tokens, Some(190), "the longest first");
    let transactions = Selection { of: PointOf::Transactions, ..Selection::default() };
    let answer = llm::tokens(&all.store, &all.scope, &transactions, 1_000).unwrap();
    assert_eq!((answer.matching, answer.unknown), (60, 1));
}

#[test]
fn traces_behind_a_figure() {
    let all = enriched(three_searches());
    let ids = |query: TracesQuery| -> Vec<String> {
        let query = TracesQuery { size: 10, ..query };
        let list = traces(&all.store, &all.scope, &query).unwrap();
        list.traces.into_iter().map(|t| t.sample.trace_id).collect()
    };
    let field =
        |name: &str, value: &str| TracesQuery { field: Some((name.into(), value.into())), ..TracesQuery::default() };
    assert_eq!(ids(field("user.id", "anna")), ["t2", "t1"]);
    assert_eq!(ids(field("labels.team", "blue")), ["t2", "t1"]);
    assert_eq!(ids(field("tokenfall.model", "gpt-4o-mini")), ["t1"], "a call in it asked the model");
    assert_eq!(ids(field("tokenfall.question", "What else?")), ["t3"]);
    assert_eq!(ids(TracesQuery { outcome: Some(Outcome::Failure), ..field("user.id", "anna") }), ["t2"]);
    assert_eq!(ids(TracesQuery { duration_us: (Some(5_000_001), None), ..field("user.id", "anna") }), ["t1"]);
    assert!(ids(field("labels.nothing", "x")).is_empty());
}

#[test]
fn nothing_is_an_answer() {
    let all = enriched(vec![transaction(1, 0, 5, Outcome::Success, &[])]);
    let scope = Scope::of(all.scope.time);
    let selection = Selection::default();
    let answer = spend(&all.store, &scope, &selection, &SpendBy::Model).unwrap();
    assert!(answer.rows.is_empty() && answer.forecast.is_none() && answer.total.usd == Usd::ZERO && answer.complete);
    assert_eq!(llm::tokens(&all.store, &scope, &selection, 10).unwrap().fits, []);
    let streaming = llm::streaming(&all.store, &scope, &selection).unwrap();
    assert_eq!((streaming.total.calls, streaming.not_streamed, streaming.models.len()), (0, 0, 0));
    assert_eq!(questions(&all.store, &scope, &selection, 10).unwrap().questions, []);
    assert_eq!(sessions::sessions(&all.store, &scope, &selection, 10).unwrap().total, 0);
}

#[test]
fn how_answers_stream() {
    let mut documents = Vec::new();
    for i in 0..40_u64 {
        let of = transaction(i as usize, i as i64, 1, Outcome::Success, &[]);
        let mut call = call(i as usize, &of, "gpt-4o", Some((10, 101)), 5_000_000, Outcome::Success);
        let stream = TokenStream {
            chunks: 101,
            time_to_first_chunk_us: 500_000 + 10_000 * i,
            time_to_last_chunk_us: 4_500_000 + 10_000 * i,
            // Ticks every 40 ms, with one gap of half a second in the last answer.
            timeline: Some(if i == 39 { "1;1000;1;0PoBoBoBoB0P".into() } else { "1;1000;1;0PoBoBoBoB".into() }),
            ..TokenStream::default()
        };
        call.tokenfall = Some(Box::new(TokenfallFields { stream: Some(stream), ..TokenfallFields::default() }));
        documents.push(call);
        documents.push(of);
    }
    let plain = transaction(99, 50, 1, Outcome::Success, &[]);
    documents.push(call(99, &plain, "gpt-4o", Some((10, 10)), 5, Outcome::Success));
    let all = enriched(documents);
    let answer = llm::streaming(&all.store, &all.scope, &Selection::default()).unwrap();
    assert_eq!((answer.total.calls, answer.not_streamed), (40, 1));
    let near = |value: Option<f64>, expected: f64| value.is_some_and(|v| (v - expected).abs() <= 0.02 * expected);
    assert!(near(answer.total.inter_token_p50_us, 40_000.0) && near(answer.total.tokens_per_second_p50, 25.0));
    assert!(near(answer.total.time_to_first_token_p50_us, 695_000.0), "{:?}", answer.total);
    for bars in [&answer.time_to_first_token, &answer.inter_token] {
        assert_eq!(bars.iter().map(|bar| bar.count).sum::<u64>(), 40);
    }
    assert_eq!(answer.tokens_per_second.iter().map(|bar| bar.count).sum::<u64>(), 40);
    assert_eq!(answer.series.calls.iter().sum::<u64>(), 40);
    assert_eq!((answer.total.with_gaps, answer.total.stalled, answer.total.stalls), (40, 1, 1));
    assert_eq!(answer.stalled.len(), 1);
    assert_eq!(answer.stalled[0].stalls.len(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn rows_and_the_rest_are_the_total(
        traffic in prop::collection::vec(
            (0_usize..3, 0_usize..3, prop::option::of(1_u64..1_000_000), prop::collection::vec((0_usize..4, prop::option::of((1_u64..5_000, 1_u64..900)), any::<bool>()), 0..4)),
            1..12,
        )
    ) {
        let models = ["gpt-4o", "gpt-4o-mini", "our-own", "gpt-4"];
        let mut documents = Vec::new();
        let mut n = 0;
        for (i, (user, team, label_cost, calls)) in traffic.iter().enumerate() {
            let (user, team, cost) = (format!("u{user}"), format!("team{team}"), label_cost.map(|c| format!("0.{c:08}")));
            let mut labels = vec![("team", team.as_str()), ("query", "how?")];
            if user != "u0" { labels.push(("user_id", user.as_str())); }
            if let Some(cost) = &cost { labels.push(("openai_cost", cost.as_str())); }
            let of = transaction(i, i as i64, 5, Outcome::Success, &labels);
            for (model, tokens, failed) in calls {
                n += 1;
                let outcome = if *failed { Outcome::Failure } else { Outcome::Success };
                documents.push(call(n, &of, models[*model], *tokens, 7, outcome));
            }
            documents.push(of);
        }
        let all = enriched(documents);
        let mut totals = Vec::new();
        for by in ALL_BY {
            let answer = spend(&all.store, &all.scope, &Selection::default(), &SpendBy::from_param(by).unwrap()).unwrap();
            let rows: Usd = answer.rows.iter().map(|row| row.figures.usd).sum();
            prop_assert_eq!(rows + answer.omitted_usd + answer.unattributed_usd, answer.total.usd, "{}", by);
            totals.push(answer.total.usd);
        }
        prop_assert!(totals.windows(2).all(|pair| pair[0] == pair[1]));
        // Nothing is without an owner: each call has its transaction.
        let by_service = spend(&all.store, &all.scope, &Selection::default(), &SpendBy::Service).unwrap();
        prop_assert_eq!(by_service.unattributed_usd, Usd::ZERO);
    }
}
