//! Finding passages: by their words (BM25) and by their meaning (vectors), joined by reciprocal rank fusion.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokenfall_agent::{Outcome, Transaction};

use crate::embed::{EmbedError, Embedder};
use crate::index::{Index, IndexError};
use crate::passage::{Passage, PassageId};
use crate::search_engine::{SearchEngine, SearchEngineError};

/// Passages of each list that take part.
const CANDIDATES: usize = 20;
/// Cormack, Clarke and Büttcher, "Reciprocal Rank Fusion outperforms Condorcet and individual Rank Learning Methods", 2009: the
/// constant keeps the first places from deciding alone.
const FUSION: f64 = 60.0;

/// Where passages are.
#[derive(Clone)]
pub enum Source {
    /// On this machine.
    Embedded(Arc<Index>),
    /// On Elasticsearch or OpenSearch.
    SearchEngine(Arc<SearchEngine>),
}

/// What finds passages.
#[derive(Clone)]
pub struct Retriever {
    /// Where they are.
    pub source: Source,
    /// What embeds questions. Without it words decide alone.
    pub embedder: Option<Arc<Embedder>>,
}

/// How passages are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// By words.
    Words,
    /// By meaning.
    Meaning,
    /// By both.
    Hybrid,
}

/// A passage that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Hit {
    /// The passage.
    pub passage: Passage,
    /// Sum of the reciprocal ranks.
    pub score: f64,
    /// Place by words, from 1.
    pub words_rank: Option<usize>,
    /// Place by meaning, from 1.
    pub meaning_rank: Option<usize>,
}

/// Why nothing was found.
#[derive(Debug, thiserror::Error)]
pub enum RetrievalError {
    /// The embedded index.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// The search engine.
    #[error(transparent)]
    SearchEngine(#[from] SearchEngineError),
    /// The embedding model.
    #[error(transparent)]
    Embed(#[from] EmbedError),
    /// The search itself broke off.
    #[error("the search was interrupted: {0}")]
    Interrupted(String),
}

/// What a search took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Took {
    /// Embedding the question.
    pub embed: Duration,
    /// Searching.
    pub search: Duration,
}

impl Retriever {
    /// The best passages for a question. Two spans of the transaction say what it took: embedding the question, and the search.
    ///
    /// # Errors
    /// If the search or the model fails.
    pub async fn find(
        &self,
        transaction: &Transaction,
        question: &str,
        method: Method,
        count: usize,
    ) -> Result<(Vec<Hit>, Took), RetrievalError> {
        let begin = Instant::now();
        let vector = match &self.embedder {
            Some(embedder) if method != Method::Words => {
                let span = transaction.capture_span("embed question").span_type("app").subtype("embedding");
                let span = span.label("model", embedder.model().to_owned());
                let embedded = span.run_async(embedder.embed(vec![question.to_owned()])).await;
                let embedded = embedded.inspect_err(|error| report(transaction, error));
                embedded?.pop()
            }
            _ => None,
        };
        let embed = begin.elapsed();
        let begin = Instant::now();
        let span = transaction.capture_span("search").span_type("db").action("query").exit();
        let found = match &self.source {
            Source::Embedded(index) => {
                let span = span.subtype("tantivy").service_target("tantivy", None);
                span.run_async(embedded(Arc::clone(index), question.to_owned(), vector, method)).await
            }
            Source::SearchEngine(engine) => {
                let span = span.subtype("elasticsearch").service_target("elasticsearch", None);
                let span = span.http("POST", engine.search_url());
                span.run_async(remote(engine, question, vector, method)).await
            }
        };
        let (words, meaning) = found.inspect_err(|error| report(transaction, error))?;
        Ok((fuse(words, meaning, count), Took { embed, search: begin.elapsed() }))
    }
}

/// An error of the search is one of the transaction, with its message.
fn report(transaction: &Transaction, error: &(impl std::error::Error + 'static)) {
    transaction.context().run(|| tokenfall_agent::capture_error(error));
    transaction.set_outcome(Outcome::Failure);
}

type Lists = (Vec<Passage>, Vec<Passage>);

async fn embedded(
    index: Arc<Index>,
    question: String,
    vector: Option<Vec<f32>>,
    method: Method,
) -> Result<Lists, RetrievalError> {
    let search = move || {
        let words = if method == Method::Meaning { Vec::new() } else { index.by_words(&question, CANDIDATES)? };
        let meaning = vector.map(|vector| index.by_meaning(&vector, CANDIDATES)).transpose()?.unwrap_or_default();
        Ok((words, meaning))
    };
    tokio::task::spawn_blocking(search).await.map_err(|error| RetrievalError::Interrupted(error.to_string()))?
}

async fn remote(
    engine: &SearchEngine,
    question: &str,
    vector: Option<Vec<f32>>,
    method: Method,
) -> Result<Lists, RetrievalError> {
    let words =
        async { if method == Method::Meaning { Ok(Vec::new()) } else { engine.by_words(question, CANDIDATES).await } };
    let meaning = async {
        match &vector {
            Some(vector) => engine.by_meaning(vector, CANDIDATES).await,
            None => Ok(Vec::new()),
        }
    };
    Ok(futures_util::try_join!(words, meaning)?)
}

/// Joins two lists: each gives a passage 1 / (60 + its place).
fn fuse(words: Vec<Passage>, meaning: Vec<Passage>, count: usize) -> Vec<Hit> {
    let mut hits: Vec<Hit> = Vec::new();
    let mut places: HashMap<(PassageId, String), usize> = HashMap::new();
    let ranked =
        |list: Vec<Passage>, by_words: bool| (1..).zip(list).map(move |(rank, passage)| (rank, passage, by_words));
    for (rank, passage, by_words) in ranked(words, true).chain(ranked(meaning, false)) {
        let place = *places.entry((PassageId::of(&passage), passage.link.clone())).or_insert(hits.len());
        if place == hits.len() {
            hits.push(Hit { passage, score: 0.0, words_rank: None, meaning_rank: None });
        }
        let hit = &mut hits[place];
        hit.score += 1.0 / (FUSION + rank as f64);
        *(if by_words { &mut hit.words_rank } else { &mut hit.meaning_rank }) = Some(rank);
    }
    // Stable: of two with the same score the one that words found comes first.
    hits.sort_by(|a, b| b.score.total_cmp(&a.score));
    hits.truncate(count);
    hits
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passages(names: &[&str]) -> Vec<Passage> {
        names.iter().map(|&name| Passage { text: name.to_owned(), ..Passage::default() }).collect()
    }

    #[test]
    fn what_both_find_comes_first() {
        let hits = fuse(passages(&["a", "b", "c"]), passages(&["d", "b", "a"]), 3);
        let names: Vec<&str> = hits.iter().map(|hit| hit.passage.text.as_str()).collect();
        // 1/61 + 1/63 > 2/62 > 1/61
        assert_eq!(names, ["a", "b", "d"]);
        assert_eq!((hits[0].words_rank, hits[0].meaning_rank), (Some(1), Some(3)));
        assert!((hits[1].score - 2.0 / 62.0).abs() < 1e-12);
        assert_eq!(hits[2].words_rank, None);
    }

    #[test]
    fn one_list_is_enough() {
        assert_eq!(fuse(passages(&["a", "b"]), Vec::new(), 1).len(), 1);
        assert!(fuse(Vec::new(), Vec::new(), 3).is_empty());
    }
}
