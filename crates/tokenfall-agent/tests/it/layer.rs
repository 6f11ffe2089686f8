//! An application with `tracing`, as the server sees it.

use std::io;

use tokenfall_agent::layer::{AgentSpanExt as _, LayerOptions};
use tokenfall_agent::{Context, InContextExt as _};
use tracing::{Instrument as _, error, info, info_span, instrument};
use tracing_subscriber::prelude::*;

use crate::server::{PATIENCE, Server};

#[instrument(fields(otel.kind = "client", db.system = "postgresql", db.name = "shop"))]
async fn load(order: u32) -> u32 {
    tokio::task::yield_now().await;
    order * 2
}

#[instrument(err, skip_all)]
async fn pay() -> Result<(), io::Error> {
    Err(io::Error::other("card refused"))
}

async fn serve() {
    info!(n_orders = 2, "serving");
    let (a, b) = futures_util::join!(load(1), load(2));
    assert_eq!((a, b), (2, 4));
    pay().await.expect_err("it fails");
    // Both ways to carry the context into a task.
    let first = tokio::spawn(async { drop(info_span!("in task").entered()) }.in_current_span());
    let second =
        tokio::spawn(async { Context::current().capture_span("in other task").start().end() }.in_current_context());
    first.await.expect("the task ended");
    second.await.expect("the task ended");
    error!(error = &io::Error::other("too late") as &dyn std::error::Error, "cannot answer");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_with_tracing() {
    let server = Server::start();
    let agent = server.agent().option("log_sending", "true").start();
    let subscriber = tracing_subscriber::registry().with(agent.layer_with(LayerOptions::default()));
    // For all threads of the runtime. The other tests of this program do not use `tracing`.
    tracing::subscriber::set_global_default(subscriber).expect("nobody was before");
    let span =
        info_span!("GET /orders", otel.kind = "server", http.request.method = "GET", http.response.status_code = 200);
    let caller = agent.begin_transaction("caller", "request");
    assert!(span.set_parent(caller.trace_context().expect("it is recorded")));
    serve().instrument(span).await;
    caller.end();
    assert!(agent.flush(PATIENCE), "the events were sent");

    let transactions = server.events("transaction");
    let transaction = transactions.iter().find(|event| event["name"] == "GET /orders").expect("the transaction");
    let caller = transactions.iter().find(|event| event["name"] == "caller").expect("the caller");
    assert_eq!(transaction["trace_id"], caller["trace_id"]);
    assert_eq!(transaction["parent_id"], caller["id"]);
    assert_eq!((&transaction["type"], &transaction["result"]), (&"request".into(), &"HTTP 2xx".into()));
    assert_eq!(transaction["otel"]["span_kind"], "SERVER");

    let spans = server.events("span");
    let named = |name: &str| spans.iter().filter(|span| span["name"] == name).collect::<Vec<_>>();
    // Two short calls of the same kind, one after the other, are merged.
    assert_eq!(named("load").len(), 1, "{spans:#?}");
    for span in &spans {
        assert_eq!(span["parent_id"], transaction["id"], "{span}");
        assert_eq!(span["trace_id"], transaction["trace_id"]);
    }
    let load = named("load")[0];
    assert_eq!((&load["type"], &load["subtype"]), (&"db".into(), &"postgresql".into()));
    assert_eq!(load["composite"]["count"], 2);
    assert_eq!(load["context"]["service"]["target"]["name"], "shop");
    assert_eq!((&load["outcome"], &load["otel"]["span_kind"]), (&"success".into(), &"CLIENT".into()));
    assert_eq!(named("in task").len() + named("in other task").len(), 2);
    assert_eq!(named("pay")[0]["outcome"], "failure");

    let errors = server.events("error");
    assert_eq!(errors.len(), 2, "{errors:#?}");
    let late = errors.iter().find(|error| error["exception"]["message"] == "too late").expect("the error");
    assert_eq!(
        (&late["parent_id"], &late["context"]["tags"]["message"]),
        (&transaction["id"], &"cannot answer".into())
    );
    let refused = errors.iter().find(|error| error["parent_id"] == named("pay")[0]["id"]).expect("the error");
    assert_eq!(refused["log"]["message"], "card refused");
    let logs = server.events("log");
    assert!(
        logs.iter().any(|log| log["message"] == "serving" && log["trace.id"] == transaction["trace_id"]),
        "{logs:#?}"
    );
}
