//! Three streamed answers in parallel, as a search page asks for them, token by token.
//!
//! ```sh
//! python3 demo/fake_openai.py --port 8081 &                      # or any endpoint that speaks OpenAI's protocol over HTTP
//! OPENAI_BASE_URL=http://127.0.0.1:8081/v1 cargo run -p tokenfall-agent --example streaming -- "What is a frozen node?"
//! ```

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "an example talks to the person who runs it")]

use futures_util::{StreamExt as _, future::join_all};
use serde_json::json;
use tokenfall_agent::generation::{GenerationError, GenerationErrorKind, GenerationSummary, Prices, TokenPrice};
use tokenfall_agent::{Agent, Outcome, Transaction};

const MODEL: &str = "gpt-4o-mini";
/// 0.15 USD for a million tokens of questions, 0.60 for answers.
const PRICES: Prices =
    Prices::new(TokenPrice::micro_usd_per_million(150_000), TokenPrice::micro_usd_per_million(600_000));

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let agent = Agent::builder().service_name("streaming-example").start();
    let question = std::env::args().nth(1).unwrap_or_else(|| "Why do models answer word by word?".to_owned());

    let transaction = agent.begin_transaction("user-query", "request");
    transaction.label("query", question.clone());
    let answers = join_all((0..3).map(|_| answer(&transaction, &question))).await;

    // What one question took, over all of its model calls.
    let tokens: u64 = answers.iter().flatten().filter_map(GenerationSummary::total_tokens).sum();
    let cost = answers.iter().flatten().filter_map(|summary| summary.cost).fold(0.0, |sum, cost| sum + cost.as_f64());
    transaction.label("openai_tokens", tokens);
    transaction.label("openai_cost", cost);
    transaction.set_outcome(if answers.iter().all(Result::is_ok) { Outcome::Success } else { Outcome::Failure });
    transaction.end();
    for error in answers.iter().filter_map(|answer| answer.as_ref().err()) {
        eprintln!("{error}");
    }
    println!("\n{tokens} tokens, {cost:.6} USD");
    Ok(())
}

async fn answer(transaction: &Transaction, question: &str) -> Result<GenerationSummary, GenerationError> {
    let base = std::env::var("OPENAI_BASE_URL").unwrap_or_else(|_| "http://127.0.0.1:8081/v1".to_owned());
    let request = json!({
        "model": MODEL,
        "stream": true,
        "stream_options": {"include_usage": true},
        "messages": [
            {"role": "system", "content": "You are a helpful assistant."},
            {"role": "user", "content": question},
        ],
    });
    let mut generation = transaction
        .capture_generation("openaiChatCompletion")
        .provider("openai")
        .model(MODEL)
        .server(&base)
        .stream(true)
        .input_messages(&request["messages"])
        .prices(PRICES)
        .start();

    let key = std::env::var("OPENAI_API_KEY").unwrap_or_default();
    let sent = reqwest::Client::new()
        .post(format!("{base}/chat/completions"))
        .bearer_auth(key)
        .header("content-type", "application/json")
        .body(request.to_string())
        .send()
        .await;
    let response = match sent {
        Ok(response) => response,
        Err(error) => {
            let error = GenerationError::new(GenerationErrorKind::ApiConnection, error.to_string());
            generation.fail(&error);
            return Err(error);
        }
    };
    if !response.status().is_success() {
        let status = response.status().as_u16();
        let error = GenerationError::from_response(status, &response.bytes().await.unwrap_or_default());
        generation.fail(&error);
        return Err(error);
    }
    // The bytes pass through as they are; the generation reads along.
    let mut bytes = generation.wrap_sse(response.bytes_stream());
    while let Some(part) = bytes.next().await {
        if part.is_err() {
            break;
        }
        print!("▌");
    }
    Ok(bytes.summary().cloned().unwrap_or_default())
}
