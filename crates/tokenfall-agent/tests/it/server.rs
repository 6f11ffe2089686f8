//! A server that records what agents send and answers as a test says.
//!
//! Bodies are decoded while they arrive, so that a test sees events of a request that is still open.

use std::collections::{HashMap, VecDeque};
use std::io::{self, BufReader, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokenfall_agent::{Agent, AgentBuilder};

/// How long a test waits for something to happen.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
/// Where events go.
pub(crate) const EVENTS: &str = "/intake/v2/events";
/// Where agents ask for the central configuration.
pub(crate) const CONFIG: &str = "/config/v1/agents";

/// A running server. Connections break when it is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    requests: Vec<Request>,
    /// Answers by path, used up in order; the last one stays.
    answers: HashMap<String, VecDeque<Answer>>,
    connections: Vec<TcpStream>,
    n_connections: usize,
    closed: bool,
}

/// A request, possibly one that is still going on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// Without query.
    pub(crate) path: String,
    pub(crate) query: String,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    /// Decompressed body so far.
    pub(crate) body: Vec<u8>,
    /// Bytes of the body on the wire so far, without the lengths of chunks.
    pub(crate) n_wire_bytes: usize,
    /// Sizes of the pieces in which the body came.
    pub(crate) n_chunks: usize,
    /// Has all of it come?
    pub(crate) complete: bool,
    pub(crate) began: Option<Instant>,
    pub(crate) ended: Option<Instant>,
}

/// What to answer.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// Status, headers, body.
    Status(u16, Vec<(String, String)>, String),
    /// Nothing, for ever, without reading on.
    Hang,
    /// The connection ends without an answer.
    Close,
}

impl Answer {
    pub(crate) fn status(status: u16) -> Self {
        Self::Status(status, Vec::new(), String::new())
    }

    pub(crate) fn json(status: u16, body: impl std::fmt::Display) -> Self {
        Self::Status(status, vec![("Content-Type".to_owned(), "application/json".to_owned())], body.to_string())
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        if let Self::Status(_, headers, _) = &mut self {
            headers.push((name.to_owned(), value.to_owned()));
        }
        self
    }
}

impl Request {
    /// The first header of this name (lower case); empty if there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    /// The complete lines of the body as JSON.
    pub(crate) fn lines(&self) -> Vec<Value> {
        let Some(end) = self.body.iter().rposition(|byte| *byte == b'\n') else { return Vec::new() };
        let lines = self.body[..end].split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        lines.map(|line| serde_json::from_slice(line).expect("lines are JSON")).collect()
    }
}

impl Server {
    /// Starts a server at a free port of this machine. It answers 202 to events and `{}` to everything else.
    pub(crate) fn start() -> Self {
        Self::listen("127.0.0.1:0")
    }

    /// The same at an address. For the second life of a server that was dropped.
    pub(crate) fn listen(address: impl std::net::ToSocketAddrs) -> Self {
        let listener = TcpListener::bind(address).expect("a free port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared { state: Mutex::default(), changed: Condvar::new() });
        let of_thread = Arc::clone(&shared);
        std::thread::spawn(move || accept(&listener, &of_thread));
        Self { address, shared }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Settings of an agent that speaks to this server and, so that tests see only what they mean to see, does not ask for
    /// configuration, sends no metrics and reads no environment.
    pub(crate) fn agent(&self) -> AgentBuilder {
        Agent::builder()
            .environment_variables(Vec::<(String, String)>::new())
            .service_name("test")
            .server_url(self.url())
            .option("central_config", "false")
            .option("metrics_interval", "0s")
            .option("breakdown_metrics", "false")
            .option("cloud_provider", "none")
    }

    /// Answers the next requests for `path` in this way, in order; the last one stays.
    pub(crate) fn answer(&self, path: &str, answers: impl IntoIterator<Item = Answer>) {
        self.state().answers.insert(path.to_owned(), answers.into_iter().collect());
    }

    /// Requests for `path` in the order in which they began.
    pub(crate) fn requests(&self, path: &str) -> Vec<Request> {
        self.state().requests.iter().filter(|request| request.path == path).cloned().collect()
    }

    /// Connections so far.
    pub(crate) fn n_connections(&self) -> usize {
        self.state().n_connections
    }

    /// Events of a kind (`transaction`, `span`, `error`, `log`, `metricset`) that have arrived, without the outer object.
    pub(crate) fn events(&self, kind: &str) -> Vec<Value> {
        let lines = self.requests(EVENTS).into_iter().flat_map(|request| request.lines());
        lines.filter_map(|mut line| line.get_mut(kind).map(Value::take)).collect()
    }

    /// Waits until at least `n` events of a kind have arrived.
    pub(crate) fn wait_for_events(&self, kind: &str, n: usize) -> Vec<Value> {
        self.wait_until(&format!("{n} of {kind}"), |server| {
            let events = server.events(kind);
            (events.len() >= n).then_some(events)
        })
    }

    /// Waits for at least `n` complete requests for `path`.
    pub(crate) fn wait_for_requests(&self, path: &str, n: usize) -> Vec<Request> {
        self.wait_until(&format!("{n} requests for {path}"), |server| {
            let requests = server.requests(path);
            (requests.iter().filter(|request| request.complete).count() >= n).then_some(requests)
        })
    }

    /// Waits until `find` finds something; looks whenever something has arrived.
    pub(crate) fn wait_until<T>(&self, what: &str, mut find: impl FnMut(&Self) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = find(self) {
                return found;
            }
            assert!(Instant::now() < deadline, "waited in vain for {what}; requests: {:#?}", self.state().requests);
            let short = Duration::from_millis(20);
            drop(self.shared.changed.wait_timeout(self.state(), short).unwrap_or_else(PoisonError::into_inner));
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.shared)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let connections = {
            let mut state = self.state();
            state.closed = true;
            std::mem::take(&mut state.connections)
        };
        for connection in connections {
            drop(connection.shutdown(Shutdown::Both));
        }
        self.shared.changed.notify_all();
        // Wakes the thread that accepts, which lets go of the port.
        drop(TcpStream::connect(self.address));
    }
}

fn lock(shared: &Shared) -> MutexGuard<'_, State> {
    shared.state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for stream in listener.incoming() {
        let Ok(stream) = stream else { continue };
        let mut state = lock(shared);
        if state.closed {
            return;
        }
        state.n_connections += 1;
        state.connections.push(stream.try_clone().expect("a second handle"));
        drop(state);
        let shared = Arc::clone(shared);
        // An error is the end of a connection, which is the agent's right.
        std::thread::spawn(move || drop(serve(&stream, &shared)));
    }
}

/// Serves the requests of one connection.
fn serve(stream: &TcpStream, shared: &Shared) -> io::Result<()> {
    let mut input = BufReader::new(stream);
    while let Some(head) = read_head(&mut input)? {
        if head.method == "CONNECT" {
            // As a proxy: every server that is asked for is this one.
            let mut state = lock(shared);
            state.requests.push(Request { complete: true, ..head });
            drop(state);
            (&*stream).write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
            continue;
        }
        let answer = {
            let mut state = lock(shared);
            let queue = state.answers.entry(head.path.clone()).or_default();
            match queue.len() {
                0 if head.path == EVENTS => Answer::status(202),
                0 => Answer::json(200, "{}"),
                1 => queue[0].clone(),
                _ => queue.pop_front().expect("it is not empty"),
            }
        };
        let index = {
            let mut state = lock(shared);
            state.requests.push(Request { began: Some(Instant::now()), ..head.clone() });
            state.requests.len() - 1
        };
        shared.changed.notify_all();
        if matches!(answer, Answer::Hang) {
            // Until the agent gives up or the server is dropped.
            let mut byte = [0];
            while !lock(shared).closed && stream.peek(&mut byte).is_ok() {
                let state = lock(shared);
                drop(shared.changed.wait_timeout(state, Duration::from_millis(50)));
            }
            return Ok(());
        }
        let mut decoder = Decoder::new(head.header("content-encoding"));
        read_body(&mut input, &head, |chunk| {
            let body = decoder.push(chunk)?;
            let mut state = lock(shared);
            let request = &mut state.requests[index];
            request.body.extend_from_slice(&body);
            request.n_wire_bytes += chunk.len();
            request.n_chunks += 1;
            drop(state);
            shared.changed.notify_all();
            Ok(())
        })?;
        {
            let mut state = lock(shared);
            let request = &mut state.requests[index];
            request.complete = true;
            request.ended = Some(Instant::now());
        }
        let Answer::Status(status, headers, body) = answer else {
            shared.changed.notify_all();
            return stream.shutdown(Shutdown::Both);
        };
        let mut text = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n", body.len());
        for (name, value) in headers {
            for part in [&name, ": ", &value, "\r\n"] {
                text.push_str(part);
            }
        }
        // In one piece: the agent must not wait for the second one.
        let written = (&*stream).write_all(format!("{text}\r\n{body}").as_bytes());
        shared.changed.notify_all();
        written?;
    }
    Ok(())
}

/// Reads request line and headers. `None` at the end of the connection.
fn read_head(input: &mut impl io::BufRead) -> io::Result<Option<Request>> {
    let mut line = String::new();
    if input.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace();
    let method = words.next().unwrap_or_default().to_owned();
    let target = words.next().unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut request = Request { method, path: path.to_owned(), query: query.to_owned(), ..Request::default() };
    loop {
        let mut line = String::new();
        input.read_line(&mut line)?;
        let line = line.trim_end();
        if line.is_empty() {
            return Ok(Some(request));
        }
        if let Some((name, value)) = line.split_once(':') {
            request.headers.push((name.to_lowercase(), value.trim().to_owned()));
        }
    }
}

/// Reads the body and hands on each piece.
fn read_body(
    input: &mut impl io::BufRead,
    head: &Request,
    mut take: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    if head.header("transfer-encoding") != "chunked" {
        let mut body = vec![0; head.header("content-length").parse().unwrap_or(0)];
        input.read_exact(&mut body)?;
        return if body.is_empty() { Ok(()) } else { take(&body) };
    }
    loop {
        let mut line = String::new();
        input.read_line(&mut line)?;
        let length = usize::from_str_radix(line.trim(), 16).map_err(io::Error::other)?;
        let mut chunk = vec![0; length + 2];
        input.read_exact(&mut chunk)?;
        if length == 0 {
            return Ok(());
        }
        take(&chunk[..length])?;
    }
}

enum Decoder {
    Plain,
    Gzip(Box<flate2::write::GzDecoder<Vec<u8>>>),
}

impl Decoder {
    fn new(encoding: &str) -> Self {
        match encoding {
            "gzip" => Self::Gzip(Box::new(flate2::write::GzDecoder::new(Vec::new()))),
            _ => Self::Plain,
        }
    }

    /// What can be read after these bytes.
    fn push(&mut self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        match self {
            Self::Plain => Ok(bytes.to_vec()),
            Self::Gzip(decoder) => {
                decoder.write_all(bytes)?;
                decoder.flush()?;
                Ok(std::mem::take(decoder.get_mut()))
            }
        }
    }
}
