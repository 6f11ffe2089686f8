//! The most popular questions.

use std::collections::HashMap;

use tokenfall_api::spend::{Question, QuestionList};
use tokenfall_model::{EventKind, Outcome, Usd, fields};
use tokenfall_query::{AggregationKind, Aggregations, Bucket, Filter, SearchRequest};
use tokenfall_store::{Search, SearchError};

use super::figures;
use crate::scope::Scope;
use crate::selection::Selection;

/// Ways to write a question that are looked at, the most frequent ones.
const TEXTS_MAX: usize = 10_000;
/// Ways to write it that are shown.
const VARIANTS_MAX: usize = 20;

const ASKED: &str = "asked";
const COST: &str = "cost";
const TOKENS: &str = "tokens";

/// The most popular questions.
pub fn questions(
    search: &dyn Search,
    scope: &Scope,
    selection: &Selection,
    size: usize,
) -> Result<QuestionList, SearchError> {
    let mut request = Selection { model: None, ..selection.clone() }.transactions(scope);
    // Calls that came after their transaction add to its cost.
    request.kinds.push(EventKind::Span);
    let is_transaction = Filter::term(fields::PROCESSOR_EVENT, EventKind::Transaction.as_str());
    let count = |field: fields::Field| AggregationKind::value_count(field).leaf();
    let outcome =
        |outcome: Outcome| AggregationKind::Filter(Filter::term(fields::EVENT_OUTCOME, outcome.as_str())).leaf();
    let asked = Aggregations::new()
        .with("users", AggregationKind::cardinality(fields::USER_ID).leaf())
        .with("latency", AggregationKind::avg(fields::TRANSACTION_DURATION_US).leaf())
        .with("percentiles", AggregationKind::percentiles(fields::TRANSACTION_DURATION_US, &[95.0]).leaf())
        .with("failed", outcome(Outcome::Failure))
        .with("succeeded", outcome(Outcome::Success))
        .with("last", AggregationKind::max(fields::TIMESTAMP).leaf())
        .with("priced", count(fields::LLM_COST_PICO_USD))
        .with("measured", count(fields::LLM_TOTAL_TOKENS));
    let inside = Aggregations::new()
        .with(ASKED, AggregationKind::Filter(is_transaction.clone()).with(asked))
        .with(COST, figures::carrier_usd())
        .with(TOKENS, AggregationKind::sum(fields::LLM_TOTAL_TOKENS).leaf());
    let aggs = Aggregations::new()
        .with("questions", AggregationKind::terms(fields::QUESTION, TEXTS_MAX).with(inside))
        .with(ASKED, AggregationKind::Filter(is_transaction).leaf())
        .with("texts", AggregationKind::cardinality(fields::QUESTION).leaf());
    let response = search.search(&SearchRequest { aggs, ..request.filter(Filter::exists(fields::QUESTION)) })?;
    let texts = response.aggs.buckets("questions");
    let mut questions = merged(texts.iter().filter_map(asked_as));
    let all_texts = response.aggs.value("texts").unwrap_or(0.0) as u64;
    let not_looked_at = if texts.len() < TEXTS_MAX { 0 } else { all_texts.saturating_sub(texts.len() as u64) };
    let questions_omitted = (questions.len() as u64).saturating_sub(size as u64) + not_looked_at;
    questions.truncate(size);
    Ok(QuestionList {
        range: scope.range(),
        questions,
        questions_omitted,
        asked: response.aggs.bucket(ASKED, "").map_or(0, |bucket| bucket.doc_count),
        complete: response.complete,
    })
}

/// One way to write a question, with what can be added up.
#[derive(Clone, Debug, Default)]
struct Text {
    written: String,
    count: u64,
    users: u64,
    latency_us: f64,
    p95_us: f64,
    failed: u64,
    succeeded: u64,
    priced: u64,
    usd: Usd,
    measured: u64,
    tokens: u64,
    last_us: i64,
}

fn asked_as(bucket: &Bucket) -> Option<Text> {
    let asked = bucket.aggs.bucket(ASKED, "").filter(|asked| asked.doc_count > 0)?;
    let value = |name: &str| asked.aggs.value(name).unwrap_or(0.0);
    let count = |name: &str| asked.aggs.bucket(name, "").map_or(0, |bucket| bucket.doc_count);
    Some(Text {
        written: bucket.key.as_str()?.to_owned(),
        count: asked.doc_count,
        users: value("users") as u64,
        latency_us: value("latency"),
        p95_us: asked.aggs.percentile("percentiles", 95.0).unwrap_or(0.0),
        failed: count("failed"),
        succeeded: count("succeeded"),
        priced: value("priced") as u64,
        usd: figures::money(&bucket.aggs, COST),
        measured: value("measured") as u64,
        tokens: bucket.aggs.value(TOKENS).unwrap_or(0.0) as u64,
        last_us: value("last") as i64,
    })
}

/// Joins the ways to write the same question. The texts come with the most frequent first, and the questions go so.
fn merged(texts: impl Iterator<Item = Text>) -> Vec<Question> {
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut groups: Vec<Vec<Text>> = Vec::new();
    for text in texts {
        let place = *places.entry(normal(&text.written)).or_insert(groups.len());
        if place == groups.len() {
            groups.push(Vec::new());
        }
        groups[place].push(text);
    }
    let mut questions: Vec<Question> = groups.into_iter().filter_map(question).collect();
    questions.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.question.cmp(&b.question)));
    questions
}

fn question(mut texts: Vec<Text>) -> Option<Question> {
    texts.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.written.cmp(&b.written)));
    let sum = |each: &dyn Fn(&Text) -> u64| texts.iter().map(each).sum::<u64>();
    let count = sum(&|t| t.count);
    let mean = |each: &dyn Fn(&Text) -> f64| texts.iter().map(|t| each(t) * t.count as f64).sum::<f64>() / count as f64;
    let (failed, succeeded, priced) = (sum(&|t| t.failed), sum(&|t| t.succeeded), sum(&|t| t.priced));
    let usd: Usd = texts.iter().map(|t| t.usd).sum();
    let first = texts.first()?;
    Some(Question {
        question: first.written.clone(),
        variants: texts.iter().take(VARIANTS_MAX).map(|t| t.written.clone()).collect(),
        count,
        users: (first.users > 0).then_some(first.users),
        latency_avg_us: (count > 0).then(|| mean(&|t| t.latency_us)),
        latency_p95_us: (count > 0).then(|| mean(&|t| t.p95_us)),
        failure_rate: (failed + succeeded > 0).then(|| failed as f64 / (failed + succeeded) as f64),
        usd: (priced > 0).then_some(usd),
        usd_per_question: usd.divided_by(priced),
        total_tokens: (sum(&|t| t.measured) > 0).then(|| sum(&|t| t.tokens)),
        last_us: texts.iter().map(|t| t.last_us).max().unwrap_or(0),
    })
}

/// What is the same in all ways to write a question: letters in lower case, single spaces, no mark at the end.
fn normal(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").to_lowercase().trim_end_matches(['?', '!', '.', '…', '？', '！', '。', ' ']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_question() {
        for same in ["how do I?", "How do i", "  HOW  do\tI ?!", "how do I…", "How do I？"] {
            assert_eq!(normal(same), "how do i", "{same}");
        }
        assert_ne!(normal("how do I?"), normal("how did I?"));
    }

    #[test]
    fn variants_are_joined() {
        let text = |text: &str, count: u64, usd: i128, latency_us: f64| Text {
            written: text.into(),
            count,
            usd: Usd::from_pico(usd),
            priced: count,
            latency_us,
            succeeded: count,
            ..Text::default()
        };
        let questions = merged([text("b", 3, 30, 5.0), text("A?", 2, 20, 10.0), text("a", 2, 20, 20.0)].into_iter());
        assert_eq!(questions.iter().map(|q| (q.question.as_str(), q.count)).collect::<Vec<_>>(), [("A?", 4), ("b", 3)]);
        assert_eq!(questions[0].variants, ["A?", "a"]);
        assert_eq!((questions[0].usd, questions[0].latency_avg_us), (Some(Usd::from_pico(40)), Some(15.0)));
        assert_eq!(questions[0].usd_per_question, Some(Usd::from_pico(10)));
    }
}
