//! `askdocs index`

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Result, bail};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use crate::index::{FileError, Origin, Stage, UpdateOptions, passages_below, update};
use crate::options::{EmbeddingOptions, SearchOptions};

/// Texts that are embedded and sent to a search engine at once.
const SENT_AT_ONCE: usize = 128;

/// Arguments.
#[derive(Args, Debug)]
pub struct Arguments {
    /// A folder, or a file.
    path: PathBuf,
    /// What links begin with, such as https://www.postgresql.org/docs/15/. Without it they lead to the files themselves.
    #[arg(long, default_value = "")]
    link_prefix: String,
    /// Embed at most this many new passages now; all of them are found by their words in any case.
    #[arg(long)]
    embed_at_most: Option<usize>,
    #[command(flatten)]
    search: SearchOptions,
    #[command(flatten)]
    embedding: EmbeddingOptions,
}

/// Reads a folder into the index.
///
/// # Errors
/// If nothing can be read, or the index or the model fails.
#[expect(clippy::print_stdout, reason = "the summary is the result of the command")]
pub async fn run(arguments: Arguments) -> Result<()> {
    let begin = Instant::now();
    let embedder = arguments.embedding.embedder()?;
    let options = UpdateOptions {
        link_prefix: arguments.link_prefix.clone(),
        embed_at_most: arguments.embed_at_most,
        ..UpdateOptions::default()
    };
    if arguments.search.search.is_some() {
        return to_search_engine(&arguments, &options).await;
    }
    let mut bar = Bar::default();
    let source = std::path::absolute(&arguments.path)?;
    // So that `askdocs serve` can show the files, also while they are being embedded.
    let link_prefix = arguments.link_prefix.clone();
    Origin { path: source.clone(), link_prefix }.write(&arguments.search.index)?;
    let summary = update(&arguments.search.index, &source, embedder.as_ref(), &options, &mut |stage, done, all| {
        bar.show(stage, done, all);
    })
    .await?;
    bar.end();
    println!(
        "{} files: {} read, {} unchanged, {} removed; {} passages, {} embedded now{}, in {:.1} s",
        summary.files,
        summary.changed,
        summary.files - summary.changed - summary.errors.len(),
        summary.removed,
        summary.passages,
        summary.embedded,
        if summary.left > 0 { format!(", {} left", summary.left) } else { String::new() },
        begin.elapsed().as_secs_f64(),
    );
    report(&summary.errors);
    if summary.passages == 0 {
        bail!("no file could be read");
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the summary is the result of the command")]
async fn to_search_engine(arguments: &Arguments, options: &UpdateOptions) -> Result<()> {
    let begin = Instant::now();
    let Some(mut engine) = arguments.search.engine().await? else { return Ok(()) };
    let Some(embedder) = arguments.embedding.embedder()? else {
        bail!("an index on a search engine needs vectors: leave out --embeddings none");
    };
    let (passages, errors) = passages_below(&std::path::absolute(&arguments.path)?, options)?;
    engine.create(embedder.dimensions().await?).await?;
    let mut bar = Bar::default();
    for (at, some) in passages.chunks(SENT_AT_ONCE).enumerate() {
        bar.show(Stage::Embedding, at * SENT_AT_ONCE, passages.len());
        let vectors = embedder.embed(some.iter().map(|passage| passage.embedded_text()).collect()).await?;
        let documents: Vec<_> = some.iter().cloned().zip(vectors).collect();
        engine.add(&documents).await?;
    }
    bar.end();
    println!("{} passages sent in {:.1} s", passages.len(), begin.elapsed().as_secs_f64());
    if !engine.has_vectors() {
        println!(
            "this engine has no vectors (OpenSearch needs its k-NN plugin): passages are found by their words alone"
        );
    }
    report(&errors);
    Ok(())
}

#[expect(clippy::print_stderr, reason = "files that could not be read are told to the person")]
fn report(errors: &[FileError]) {
    if !errors.is_empty() {
        eprintln!("{} files could not be read:", errors.len());
    }
    for error in errors {
        eprintln!("  {}: {}", error.path.display(), error.reason);
    }
}

/// A bar for each stage.
#[derive(Default)]
struct Bar {
    shown: Option<(Stage, ProgressBar)>,
}

impl Bar {
    fn show(&mut self, stage: Stage, done: usize, all: usize) {
        if self.shown.as_ref().is_none_or(|(shown, _)| *shown != stage) {
            self.end();
            let bar = ProgressBar::new(all as u64).with_message(match stage {
                Stage::Reading => "reading  ",
                Stage::Embedding => "embedding",
            });
            if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {eta} left") {
                bar.set_style(style);
            }
            self.shown = Some((stage, bar));
        }
        if let Some((_, bar)) = &self.shown {
            bar.set_position(done as u64);
        }
    }

    fn end(&mut self) {
        if let Some((_, bar)) = self.shown.take() {
            bar.finish_and_clear();
        }
    }
}
