//! A program that already uses `tracing`: one line makes its spans transactions and spans, its errors errors.
//!
//! ```sh
//! cargo run -p tokenfall-agent --features tracing --example existing_tracing
//! ```

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "an example talks to the person who runs it")]

use tokenfall_agent::Agent;
use tracing::{error, info, info_span, instrument};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

fn main() {
    let agent = Agent::builder().service_name("orders").start();
    tracing_subscriber::registry().with(tracing_subscriber::fmt::layer()).with(agent.layer()).init();

    for order in 1..=3 {
        // The outermost span is the transaction.
        let _order = info_span!("process order", transaction.type = "job", order).entered();
        charge(order);
        store(order);
    }
}

#[instrument]
fn charge(order: u32) {
    if order == 2 {
        error!(order, "the card was refused");
    } else {
        info!(order, "charged");
    }
}

#[instrument(fields(span.type = "db", span.subtype = "postgresql", db.statement = "INSERT INTO orders VALUES ($1)"))]
fn store(order: u32) {
    // The explicit API goes on in the same trace.
    tokenfall_agent::capture_span("serialize").run(|span| span.label("order", order));
}
