//! `askdocs ask`

use std::time::Duration;

use anyhow::{Result, bail};
use clap::Args;
use futures_util::StreamExt as _;

use crate::ask::{Question, Update};
use crate::options::ApplicationOptions;

/// Arguments.
#[derive(Args, Debug)]
pub struct Arguments {
    /// The question.
    question: String,
    #[command(flatten)]
    application: ApplicationOptions,
}

/// Asks, and prints what was found and answered.
///
/// # Errors
/// If there is no answer.
#[expect(clippy::print_stdout, reason = "the answers are the result of the command")]
pub async fn run(arguments: Arguments) -> Result<()> {
    let application = arguments.application.application().await?;
    let agent = application.agent.clone();
    let mut texts: Vec<String> = Vec::new();
    let mut answered = 0;
    let question = Question { text: arguments.question, ..Question::default() };
    let mut updates = std::pin::pin!(application.ask(question));
    while let Some(update) = updates.next().await {
        match update {
            Update::Hits { hits, milliseconds, .. } => {
                println!("found in {milliseconds:.0} ms:");
                for (number, hit) in (1..).zip(&hits) {
                    println!("  {number}. {}  {}  {}", hit.title, hit.section, hit.link);
                }
                texts = vec![String::new(); hits.len()];
            }
            Update::Token { answer, text } => texts[answer].push_str(&text),
            Update::Retry { answer, error, wait_milliseconds, .. } => {
                println!("{}: {error}, again in {wait_milliseconds:.0} ms", answer + 1);
            }
            Update::Answer { answer, figures } => {
                answered += 1;
                println!("\n{}. {}", answer + 1, texts[answer].trim());
                println!(
                    "   [{}: {} + {} tokens, {}; first token after {:.1} s, {:.1} s in all]",
                    figures.model,
                    figures.tokens.input,
                    figures.tokens.output,
                    figures.tokens.source,
                    figures.first_token_milliseconds / 1e3,
                    figures.milliseconds / 1e3,
                );
            }
            Update::Failed { answer, error, message } => println!("\n{}. no answer: {error}: {message}", answer + 1),
            Update::SearchFailed { message } => bail!("the search failed: {message}"),
            Update::End { id, tokens, cost, milliseconds } => {
                let cost = cost.map_or_else(String::new, |cost| format!(", {cost} USD"));
                println!("\n{:.1} s, {tokens} tokens{cost}", milliseconds / 1e3);
                let url = arguments.application.agent.tokenfall_url.trim_end_matches('/');
                println!("{url}/traces/{id}");
            }
        }
    }
    tokio::task::spawn_blocking(move || agent.shutdown(Duration::from_secs(3))).await?;
    if answered == 0 {
        bail!("there is no answer");
    }
    Ok(())
}
