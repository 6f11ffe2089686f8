//! The command line of `askdocs`.

use askdocs::commands;
use clap::{Parser, Subcommand};

/// Ask questions about documentation, and see in Tokenfall what each answer took.
#[derive(Parser)]
#[command(name = "askdocs", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Read a folder of HTML, Markdown, text and PDF files into the index.
    Index(Box<commands::index::Arguments>),
    /// Serve the page.
    Serve(Box<commands::serve::Arguments>),
    /// Ask a question on the command line.
    Ask(Box<commands::ask::Arguments>),
    /// The models of this machine.
    #[command(subcommand)]
    Model(commands::model::Command),
    /// Measure how well passages are found, with questions of which the sources are known.
    Evaluate(Box<commands::evaluate::Arguments>),
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env();
    let filter = filter.unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    match Arguments::parse().command {
        Command::Index(arguments) => commands::index::run(*arguments).await,
        Command::Serve(arguments) => commands::serve::run(*arguments).await,
        Command::Ask(arguments) => commands::ask::run(*arguments).await,
        Command::Model(command) => commands::model::run(command).await,
        Command::Evaluate(arguments) => commands::evaluate::run(*arguments).await,
    }
}
