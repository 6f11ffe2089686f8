//! A web server: transactions from requests, spans from outgoing ones, one trace across both.
//!
//! ```sh
//! cargo run -p tokenfall-agent --features axum,reqwest --example axum_server
//! curl http://127.0.0.1:3000/words/tokenfall
//! ```

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "an example talks to the person who runs it")]

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::get;
use reqwest_middleware::ClientBuilder;
use tokenfall_agent::http::ReqwestMiddleware;
use tokenfall_agent::{Agent, capture_error, capture_span, label};

const ADDRESS: &str = "127.0.0.1:3000";

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let agent = Agent::builder().service_name("words").start();
    agent.install_panic_hook();
    let application = Router::new()
        .route("/words/{word}", get(words))
        .route("/length/{word}", get(length))
        .layer(agent.http_server_layer());
    let listener = tokio::net::TcpListener::bind(ADDRESS).await?;
    println!("http://{ADDRESS}/words/tokenfall");
    axum::serve(listener, application)
        .with_graceful_shutdown(async { tokio::signal::ctrl_c().await.unwrap_or(()) })
        .await?;
    Ok(())
}

/// Asks the other route through HTTP: `traceparent` goes along, both transactions are in one trace.
async fn words(Path(word): Path<String>) -> Result<String, StatusCode> {
    label("word", word.clone());
    let client = ClientBuilder::new(reqwest::Client::new()).with(ReqwestMiddleware::new()).build();
    let ask = async {
        let answer = client.get(format!("http://{ADDRESS}/length/{word}")).send().await?;
        Ok::<_, reqwest_middleware::Error>(answer.text().await?)
    };
    match capture_span("ask for the length").run_async(ask).await {
        Ok(length) => Ok(format!("{word} has {length} letters\n")),
        Err(error) => {
            capture_error(&error);
            Err(StatusCode::BAD_GATEWAY)
        }
    }
}

async fn length(Path(word): Path<String>) -> String {
    capture_span("count").run(|_| word.chars().count().to_string())
}
