//! A chat in a browser's words: a request to one service, which asks another and streams the answer. What reaches the server?

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use tokenfall_agent::http::ReqwestMiddleware;

use crate::server::{PATIENCE, Server};

async fn serve(app: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, app).await });
    format!("http://{address}")
}

#[tokio::test(flavor = "multi_thread")]
async fn one_trace_from_service_to_service() {
    let server = Server::start();
    let agent = server.agent().start();
    let store = Router::new().route("/documents/{id}", get(async || "text")).layer(agent.http_server_layer());
    let store = serve(store).await;
    let chat = async move || {
        let client =
            reqwest_middleware::ClientBuilder::new(reqwest::Client::new()).with(ReqwestMiddleware::new()).build();
        let document = client.get(format!("{store}/documents/7?api_key=s3cret")).send().await.expect("an answer");
        Body::from_stream(futures_util::stream::once(async { document.text().await }))
    };
    let front = serve(Router::new().route("/chat", get(chat)).layer(agent.http_server_layer())).await;
    let caller = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let request = reqwest::Client::new().get(format!("{front}/chat")).header("traceparent", caller);
    let answer = request.header("tracestate", "es=s:0.5").send().await.expect("an answer");
    assert_eq!(answer.text().await.expect("a body"), "text");
    let (transactions, spans) = tokio::task::spawn_blocking(move || {
        assert!(agent.flush(PATIENCE));
        (server.wait_for_events("transaction", 2), server.wait_for_events("span", 1))
    })
    .await
    .expect("no panic");

    let named = |name: &str| transactions.iter().find(|one| one["name"] == name).unwrap_or_else(|| panic!("{name}"));
    let (outer, inner) = (named("GET /chat"), named("GET /documents/{id}"));
    let [span] = spans.as_slice() else { panic!("{spans:?}") };
    for event in [outer, inner, span] {
        assert_eq!(event["trace_id"], "0af7651916cd43dd8448eb211c80319c");
        assert_eq!((&event["outcome"], &event["sample_rate"]), (&"success".into(), &0.5.into()));
    }
    assert_eq!(outer["parent_id"], "b7ad6b7169203331");
    assert_eq!((&span["parent_id"], &span["transaction_id"]), (&outer["id"], &outer["id"]));
    assert_eq!(inner["parent_id"], span["id"]);
    assert_eq!((&outer["type"], &outer["result"]), (&"request".into(), &"HTTP 2xx".into()));
    assert_eq!(outer["context"]["response"]["status_code"], 200);
    assert_eq!(span["context"]["http"]["status_code"], 200);
    let url = span["context"]["http"]["url"].as_str().expect("text");
    assert!(url.ends_with("/documents/7?api_key=[REDACTED]"), "{url}");
}
