use axum::Router;
use bytes::Bytes;
use serde_json::Value;

use super::*;

/// A server that keeps what an agent sends, and the agent.
async fn measured() -> (Agent, Arc<Mutex<Vec<Value>>>) {
    let events = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&events);
    let take = move |body: Bytes| {
        // To this machine the agent compresses nothing.
        let text = String::from_utf8(body.to_vec()).expect("text");
        kept.lock()
            .expect("no panic")
            .extend(text.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON")));
        async { axum::http::StatusCode::ACCEPTED }
    };
    let router = Router::new().route("/intake/v2/events", axum::routing::post(take));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async { axum::serve(listener, router).await });
    let agent = Agent::builder()
        .environment_variables(Vec::<(String, String)>::new())
        .service_name("test")
        .server_url(url)
        .option("metrics_interval", "0s")
        .option("central_config", "false")
        .option("cloud_provider", "none")
        .start();
    (agent, events)
}

async fn transactions(agent: &Agent, events: &Mutex<Vec<Value>>) -> Vec<Value> {
    let flushing = agent.clone();
    let flushed = tokio::task::spawn_blocking(move || flushing.flush(Duration::from_secs(10))).await;
    assert!(flushed.expect("no panic"));
    events.lock().expect("no panic").iter().filter_map(|event| event.get("transaction").cloned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thumb_is_a_label_of_the_transaction_and_takes_no_time() {
    let (agent, events) = measured().await;
    let feedback = Feedback::new(agent.clone());
    let transaction = agent.begin_transaction("user-query", "request");
    let id = feedback.hold(transaction, Instant::now(), "What is VACUUM?");
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(feedback.thumb(&id, 1, Thumb::Down));
    assert!(transactions(&agent, &events).await.is_empty(), "held");
    feedback.send(&id);
    let sent = transactions(&agent, &events).await;
    let [query] = &sent[..] else { panic!("{sent:?}") };
    let tags = &query["context"]["tags"];
    assert_eq!((&tags["feedback"], &tags["feedback_2"]), (&"down".into(), &"down".into()));
    assert!(query["duration"].as_f64().is_some_and(|milliseconds| milliseconds < 200.0), "{}", query["duration"]);
    assert_eq!(query["trace_id"], id.as_str());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_thumb_finds_its_trace() {
    let (agent, events) = measured().await;
    let feedback = Feedback::new(agent.clone());
    let id = feedback.done(agent.begin_transaction("user-query", "request"), Instant::now(), "What is VACUUM?");
    assert!(feedback.thumb(&id, 0, Thumb::Up));
    assert!(!feedback.thumb("0123", 0, Thumb::Up), "nobody asked that");
    let sent = transactions(&agent, &events).await;
    let late = sent.iter().find(|transaction| transaction["name"] == "user-feedback").expect("a second one");
    assert_eq!((&late["trace_id"], &late["context"]["tags"]["feedback"]), (&id.as_str().into(), &"up".into()));
    assert_eq!(late["context"]["tags"]["query"], "What is VACUUM?");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_is_held_is_lost_at_the_end() {
    let (agent, events) = measured().await;
    let feedback = Feedback::new(agent.clone());
    for _ in 0..3 {
        feedback.hold(agent.begin_transaction("user-query", "request"), Instant::now(), "?");
    }
    feedback.send_all();
    assert_eq!(transactions(&agent, &events).await.len(), 3);
}
