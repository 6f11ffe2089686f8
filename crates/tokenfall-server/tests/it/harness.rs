//! A server that runs for one test.

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokenfall_server::{Config, Server};
use tokenfall_store::Store;
use tokenfall_store::embedded::{EmbeddedStore, Options};
use tokenfall_testkit::http::{self, Answer};
use tokio::sync::oneshot;

/// Where agents send events; the answer has a body.
pub(crate) const EVENTS: &str = "/intake/v2/events?verbose";

/// What agents send along.
pub(crate) const NDJSON: [(&str, &str); 2] = [("Content-Type", "application/x-ndjson"), ("Accept", "application/json")];

/// How long a test waits for something that must happen.
const DEADLINE: Duration = Duration::from_secs(20);

/// A running server.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) store: Arc<dyn Store>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    /// Removed when the test ends.
    data: Option<tempfile::TempDir>,
}

impl Running {
    /// With an empty store of its own and the usual configuration.
    pub(crate) fn start() -> Self {
        Self::with(Config::default())
    }

    pub(crate) fn with(config: Config) -> Self {
        let data = tempfile::tempdir().unwrap();
        let options = Options { commit_interval: Duration::from_millis(50), min_free_bytes: 0, ..Options::default() };
        let store = EmbeddedStore::open(data.path(), options).unwrap();
        let mut running = Self::over(config, Arc::new(store));
        running.data = Some(data);
        running
    }

    pub(crate) fn over(config: Config, store: Arc<dyn Store>) -> Self {
        let config = Config { listen: SocketAddr::from(([127, 0, 0, 1], 0)), ..config };
        let (tell, told) = std::sync::mpsc::channel();
        let (stop, stopped) = oneshot::channel::<()>();
        let served = Arc::clone(&store);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
            runtime.block_on(async {
                let server = Server::bind(config, served).await.unwrap();
                tell.send(server.address()).unwrap();
                server.run(async { drop(stopped.await) }).await;
            });
        });
        let address = told.recv().unwrap();
        Self { address, store, stop: Some(stop), thread: Some(thread), data: None }
    }

    /// Tells the server to stop, and does not wait.
    pub(crate) fn begin_stop(&mut self) {
        drop(self.stop.take());
    }

    /// Waits until the server has ended.
    pub(crate) fn join(&mut self) {
        self.begin_stop();
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }

    pub(crate) fn post(&self, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        http::request(self.address, "POST", EVENTS, &[&NDJSON, headers].concat(), body).unwrap()
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[])
    }

    pub(crate) fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
        http::request(self.address, method, path, headers, b"").unwrap()
    }

    /// Transactions of the trace that questions can see.
    pub(crate) fn visible(&self, trace_id: &str) -> usize {
        let answer = self.get(&format!("/api/v1/traces/{trace_id}/skeleton"));
        answer.json()["id"].as_array().map_or(0, Vec::len)
    }

    /// The value of a counter or gauge.
    pub(crate) fn metric(&self, name: &str) -> u64 {
        let text = self.get("/metrics").text();
        let of = |line: &str| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok();
        text.lines().find_map(of).unwrap_or(0)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.begin_stop();
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
        drop(self.data.take());
    }
}

/// Waits until something holds.
pub(crate) fn wait_until(what: &str, holds: impl Fn() -> bool) {
    let begin = Instant::now();
    while !holds() {
        assert!(begin.elapsed() < DEADLINE, "waited in vain for: {what}");
        std::thread::yield_now();
    }
}

/// A first line.
pub(crate) fn metadata() -> String {
    let agent = r#"{"name":"python","version":"6.26.2"}"#;
    format!("{{\"metadata\":{{\"service\":{{\"name\":\"shop\",\"agent\":{agent}}}}}}}\n")
}

/// A line with a transaction of now.
pub(crate) fn transaction(id: &str, trace_id: &str) -> String {
    format!(
        "{{\"transaction\":{{\"id\":\"{id}\",\"trace_id\":\"{trace_id}\",\"name\":\"GET /\",\"type\":\"request\",\
         \"duration\":12.5,\"span_count\":{{\"started\":0}}}}}}\n"
    )
}

/// Messages of the errors of an answer.
pub(crate) fn messages(answer: &Answer) -> Vec<String> {
    let errors = answer.json()["errors"].as_array().cloned().unwrap_or_default();
    errors.iter().map(|error| error["message"].as_str().unwrap_or_default().to_owned()).collect()
}

/// Number of accepted events of an answer.
pub(crate) fn accepted(answer: &Answer) -> Option<u64> {
    answer.json().get("accepted").and_then(Value::as_u64)
}
