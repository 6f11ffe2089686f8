//! `askdocs evaluate`: how well passages are found.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use serde::Deserialize;
use tokenfall_agent::Transaction;

use crate::options::{EmbeddingOptions, SearchOptions};
use crate::passage::Passage;
use crate::retrieval::{Method, Retriever};

/// Places that are looked at.
const DEPTH: usize = 10;

/// Arguments.
#[derive(Args, Debug)]
pub struct Arguments {
    /// Lines of {"question": "…", "sources": ["page.html#SECTION", "other.html"]}.
    #[arg(long)]
    questions: PathBuf,
    /// Print the questions of which no source is among the first three.
    #[arg(long)]
    misses: bool,
    #[command(flatten)]
    search: SearchOptions,
    #[command(flatten)]
    embedding: EmbeddingOptions,
}

#[derive(Deserialize)]
struct Case {
    question: String,
    sources: Vec<String>,
}

impl Case {
    /// Is this one of the sources? Without a section any one of the page is.
    fn is_source(&self, passage: &Passage) -> bool {
        let page = passage.link.split('#').next().unwrap_or_default();
        self.sources.iter().any(|source| match source.split_once('#') {
            Some(_) => passage.link.ends_with(source.as_str()),
            None => page.ends_with(source.as_str()),
        })
    }
}

/// Prints, for each method, how often a source is among the first three, and the mean of the reciprocal ranks of the first one.
///
/// # Errors
/// If there is nothing to ask, or the search fails.
#[expect(clippy::print_stdout, reason = "the figures are the result of the command")]
pub async fn run(arguments: Arguments) -> Result<()> {
    let text = std::fs::read_to_string(&arguments.questions).context("cannot read the questions")?;
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let cases: Vec<Case> =
        lines.map(serde_json::from_str).collect::<Result<_, _>>().context("a line is no question")?;
    if cases.is_empty() {
        bail!("there are no questions");
    }
    let retriever = arguments.search.retriever(&arguments.embedding).await?;
    println!("{} questions", cases.len());
    println!("method   recall@1  recall@3  recall@10  MRR@10  milliseconds (median, largest)");
    for (name, method) in [("words", Method::Words), ("meaning", Method::Meaning), ("hybrid", Method::Hybrid)] {
        let measured = measure(&retriever, &cases, method).await?;
        let share = |places: usize| {
            let found = measured.ranks.iter().flatten().filter(|rank| **rank <= places).count();
            100.0 * found as f64 / cases.len() as f64
        };
        let reciprocal: f64 = measured.ranks.iter().flatten().map(|rank| 1.0 / *rank as f64).sum();
        let mut times = measured.times;
        times.sort_unstable();
        let milliseconds = |time: Duration| time.as_secs_f64() * 1e3;
        println!(
            "{name:<8} {:>6.1} %  {:>6.1} %  {:>7.1} %  {:>6.3}  {:.1}, {:.1}",
            share(1),
            share(3),
            share(DEPTH),
            reciprocal / cases.len() as f64,
            milliseconds(times[times.len() / 2]),
            milliseconds(times[times.len() - 1]),
        );
        if arguments.misses {
            for (case, _) in cases.iter().zip(&measured.ranks).filter(|(_, rank)| rank.is_none_or(|rank| rank > 3)) {
                println!("    {}", case.question);
            }
        }
    }
    Ok(())
}

struct Measured {
    /// Place of the first source of each question.
    ranks: Vec<Option<usize>>,
    times: Vec<Duration>,
}

async fn measure(retriever: &Retriever, cases: &[Case], method: Method) -> Result<Measured> {
    let mut measured = Measured { ranks: Vec::new(), times: Vec::new() };
    let nobody = Transaction::disabled();
    for case in cases {
        let begin = Instant::now();
        let (hits, _) = retriever.find(&nobody, &case.question, method, DEPTH).await?;
        measured.times.push(begin.elapsed());
        let first = hits.iter().position(|hit| case.is_source(&hit.passage));
        measured.ranks.push(first.map(|at| at + 1));
    }
    Ok(measured)
}
