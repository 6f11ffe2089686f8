//! What `kill -9` leaves: every event of every request that was answered with 202, exactly once; and of the others each event
//! at most once.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, mpsc};
use std::time::{Duration, Instant, SystemTime};

use tokenfall_model::{EventKind, fields};
use tokenfall_query::{Filter, SearchRequest};
use tokenfall_store::Search as _;
use tokenfall_store::embedded::{EmbeddedStore, Options};
use tokenfall_testkit::http::request;

use crate::process::Process;

/// How often the server is killed.
const KILLS: u32 = 50;
/// Clients that send at once.
const CLIENTS: u64 = 4;
/// Longest life of a server.
const LIFE_MAX: Duration = Duration::from_millis(700);

/// Small pseudo-random numbers (xorshift*), so that a seed repeats a run as far as scheduling allows.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % bound
    }
}

/// One request: a trace with `n` transactions that have ids of their own.
struct Sent {
    trace_id: String,
    n: u64,
    acknowledged: bool,
}

fn body(trace_id: &str, n: u64) -> String {
    let metadata = "{\"metadata\":{\"service\":{\"name\":\"crash\",\"agent\":{\"name\":\"go\",\"version\":\"1\"}}}}\n";
    (0..n).fold(metadata.to_owned(), |body, i| {
        body + &format!(
            "{{\"transaction\":{{\"id\":\"{trace_id}-{i}\",\"trace_id\":\"{trace_id}\",\"type\":\"request\",\"duration\":1,\
             \"span_count\":{{\"started\":0}}}}}}\n"
        )
    })
}

/// Sends requests one after another until `done`, to whichever server lives.
fn client(number: u64, seed: u64, server: &Mutex<Option<SocketAddr>>, done: &AtomicBool, sent: &mpsc::Sender<Sent>) {
    let mut random = Random(seed ^ (number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    for count in 0.. {
        if done.load(Ordering::Acquire) {
            return;
        }
        let Some(address) = *server.lock().unwrap() else {
            std::thread::yield_now();
            continue;
        };
        let (trace_id, n) = (format!("{number}-{count}"), 1 + random.below(30));
        let answer = request(address, "POST", "/intake/v2/events", &[], body(&trace_id, n).as_bytes());
        let acknowledged = match answer {
            Ok(answer) => {
                assert!(matches!(answer.status, 202 | 503), "{}: {}", answer.status, answer.text());
                answer.status == 202
            }
            // Killed before it answered: nobody knows what became of the events.
            Err(_) => false,
        };
        sent.send(Sent { trace_id, n, acknowledged }).unwrap();
    }
}

#[test]
fn nothing_acknowledged_is_lost_and_nothing_is_doubled() {
    let seed = std::env::var("TOKENFALL_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
        .unwrap_or_else(|| SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().subsec_nanos().into());
    println!("TOKENFALL_SEED={seed}");
    let data = tempfile::tempdir().unwrap();
    let path = data.path().join("data");
    let (server, done) = (Mutex::new(None), AtomicBool::new(false));
    let (tell, told) = mpsc::channel();

    std::thread::scope(|scope| {
        for number in 0..CLIENTS {
            let (server, done, tell) = (&server, &done, tell.clone());
            scope.spawn(move || client(number, seed, server, done, &tell));
        }
        let mut random = Random(seed | 1);
        for _ in 0..KILLS {
            let mut process = Process::serve(&path);
            *server.lock().unwrap() = Some(process.address);
            // The moment of the kill is what this test is about, so it is a time and not a state.
            let life = LIFE_MAX.mul_f64(random.below(1000) as f64 / 1000.0);
            let begin = Instant::now();
            while begin.elapsed() < life {
                std::thread::park_timeout(life.saturating_sub(begin.elapsed()));
            }
            process.kill();
            *server.lock().unwrap() = None;
        }
        done.store(true, Ordering::Release);
    });
    drop(tell);

    // A last start repairs what the last kill left; its end is orderly.
    assert!(Process::serve(&path).terminate().success());
    let store = EmbeddedStore::open(&path, Options { min_free_bytes: 0, ..Options::default() }).unwrap();
    let (mut n_acknowledged, mut n_requests, mut n_stored) = (0, 0, 0);
    for Sent { trace_id, n, acknowledged } in told {
        let question = SearchRequest { kinds: vec![EventKind::Transaction], ..SearchRequest::default() }
            .filter(Filter::term(fields::TRACE_ID, trace_id.as_str()))
            .hits(1000, Vec::new());
        let found = store.search(&question).unwrap();
        assert!(found.complete);
        let mut times = HashMap::new();
        for document in &found.hits {
            *times.entry(document.transaction.as_ref().unwrap().id.clone()).or_insert(0) += 1;
        }
        assert!(times.values().all(|times| *times == 1), "TOKENFALL_SEED={seed}: doubled in {trace_id}: {times:?}");
        assert!(
            !acknowledged || times.len() as u64 == n,
            "TOKENFALL_SEED={seed}: lost in {trace_id}: {times:?} of {n}"
        );
        n_requests += 1;
        n_acknowledged += u64::from(acknowledged);
        n_stored += times.len() as u64;
    }
    let all = store.search(&SearchRequest::default()).unwrap();
    assert_eq!(all.total, n_stored, "TOKENFALL_SEED={seed}: events that nobody sent");
    assert_eq!(tokenfall_store::Store::stats(&store).events.total(), n_stored);
    println!("{n_requests} requests, {n_acknowledged} acknowledged, {n_stored} events stored, {KILLS} kills");
    assert!(n_acknowledged > u64::from(KILLS), "too little was sent to mean anything");
}
