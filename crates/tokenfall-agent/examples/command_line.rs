//! A program without an asynchronous runtime: counts words of files, one span a file, threads in one trace.
//!
//! ```sh
//! cargo run -p tokenfall-agent --example command_line -- README.md ARCHITECTURE.md no-such-file
//! ```

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "an example talks to the person who runs it")]

use std::process::ExitCode;
use std::time::Duration;

use tokenfall_agent::{Agent, Outcome};

fn main() -> ExitCode {
    let agent = Agent::builder().service_name("word-count").start();
    agent.install_panic_hook();
    let transaction = agent.begin_transaction("count words", "cli");
    let files: Vec<String> = std::env::args().skip(1).collect();
    transaction.label("files", files.len());

    // A new thread has no current transaction: what it does is described through the transaction itself.
    let counts: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = files.iter().map(|file| scope.spawn(|| count(&transaction, file))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap_or(None)).collect()
    });
    let complete = counts.iter().all(Option::is_some);
    println!("{} words", counts.iter().flatten().sum::<usize>());

    transaction.set_result(if complete { "complete" } else { "incomplete" });
    transaction.set_outcome(if complete { Outcome::Success } else { Outcome::Failure });
    transaction.end();
    // The last handle would wait for unsent events by itself; `shutdown` says for how long and whether it worked.
    if !agent.shutdown(Duration::from_secs(5)) {
        eprintln!("some events could not be sent");
    }
    if complete { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn count(transaction: &tokenfall_agent::Transaction, file: &str) -> Option<usize> {
    transaction.capture_span(format!("read {file}")).span_type("storage").subtype("file").run(|span| {
        match std::fs::read_to_string(file) {
            Ok(text) => {
                let words = text.split_whitespace().count();
                span.label("words", words);
                Some(words)
            }
            Err(error) => {
                span.capture_error(&error);
                None
            }
        }
    })
}
