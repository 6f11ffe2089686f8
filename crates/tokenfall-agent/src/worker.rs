//! The agent's thread: from the queue to the server.
//!
//! It sleeps while there is nothing to do. The first event opens a request; what comes while it is open goes out on it within
//! tens of milliseconds. A request that fails costs what was in it; the rest waits in the bounded queue.

mod body;
mod feed;
mod link;

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{JoinHandle, Thread};
use std::time::{Duration, Instant};

use crate::config::{Config, Environment};
use crate::core::Core;
use crate::settings::Settings;
use crate::trace::lock;
use crate::transport::{Change, Failure, Transport};

use body::Body;
use feed::Feed;
use link::Link;

/// Name of the agent's thread.
pub(crate) const THREAD: &str = "tokenfall-agent";

/// How long the thread waits for more when the first event comes.
const WINDOW: Duration = Duration::from_millis(20);
/// How often the central configuration is asked for if the server does not say, and the least it can say, in seconds
/// (agent specification, "configuration").
const POLL_SECONDS: u32 = 300;
const POLL_SECONDS_MIN: u32 = 5;
/// Longest sleep without a reason.
const IDLE: Duration = Duration::from_secs(3600);

/// The thread, seen from the program.
#[derive(Debug)]
pub(crate) struct Worker {
    core: Arc<Core>,
    control: Arc<Control>,
    thread: Thread,
    handle: Mutex<Option<JoinHandle<()>>>,
    connections: Vec<ureq::Agent>,
}

/// What the program and the thread tell each other.
#[derive(Debug, Default)]
pub(crate) struct Control {
    /// Number of the last flush that was asked for.
    flush_wanted: AtomicU64,
    stopping: AtomicBool,
    progress: Mutex<Progress>,
    progressed: Condvar,
    pub(crate) counters: Counters,
}

#[derive(Clone, Copy, Debug, Default)]
struct Progress {
    /// Number of the last flush that is over.
    flushed: u64,
    /// Number of the last flush that failed; the highest there is if the thread panicked.
    failed: u64,
    finished: bool,
}

/// What became of requests.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    /// Events that the server took.
    pub(crate) sent: AtomicU64,
    pub(crate) requests: AtomicU64,
    pub(crate) failed_requests: AtomicU64,
    /// Bytes of bodies, compressed.
    pub(crate) bytes: AtomicU64,
}

impl Worker {
    /// Starts the thread. `None` if the system has no more threads.
    pub(crate) fn start(config: Config, environment: Environment, core: Arc<Core>) -> Option<Self> {
        let control = Arc::new(Control::default());
        let transport = Transport::new(&config, &environment);
        let connections = transport.connections();
        let of_thread = Arc::clone(&control);
        let own = Arc::clone(&core);
        let run = move || {
            let run = AssertUnwindSafe(|| {
                let feed = Feed::new(&config, &environment, Arc::clone(&core), Arc::clone(&of_thread));
                Reporter::new(config, transport, feed).run();
            });
            let panicked = std::panic::catch_unwind(run).is_err();
            if panicked {
                log::error!("the agent's thread panicked; nothing is recorded any more");
            }
            close(&core);
            let mut progress = lock(&of_thread.progress);
            progress.finished = true;
            if panicked {
                progress.failed = u64::MAX;
            }
            drop(progress);
            of_thread.progressed.notify_all();
        };
        match std::thread::Builder::new().name(THREAD.to_owned()).spawn(run) {
            Ok(handle) => {
                let thread = handle.thread().clone();
                Some(Self { core: own, control, thread, handle: Mutex::new(Some(handle)), connections })
            }
            Err(why) => {
                log::error!("the agent's thread cannot be started, so that nothing is recorded: {why}");
                None
            }
        }
    }

    pub(crate) fn counters(&self) -> &Counters {
        &self.control.counters
    }

    /// Waits until what waits now has been sent. False if that failed or took too long.
    pub(crate) fn flush(&self, timeout: Duration) -> bool {
        let wanted = self.control.flush_wanted.fetch_add(1, Ordering::AcqRel) + 1;
        self.thread.unpark();
        self.wait(timeout, |progress| progress.flushed >= wanted || progress.finished).is_well(wanted)
    }

    /// Sends what waits and ends the thread. False if that failed or took too long; the thread then ends by itself.
    pub(crate) fn stop(&self, timeout: Duration) -> bool {
        stop_recording(&self.core);
        // In this order: the thread ends after the flush with which it sees this.
        self.control.stopping.store(true, Ordering::Release);
        let wanted = self.control.flush_wanted.fetch_add(1, Ordering::AcqRel) + 1;
        self.thread.unpark();
        let progress = self.wait(timeout, |progress| progress.finished);
        if !progress.finished {
            log::warn!("the server did not take all events within {timeout:?}; the rest is lost");
            for connections in self.connections.iter().cloned() {
                connections.shutdown();
            }
            return false;
        }
        if let Some(handle) = lock(&self.handle).take() {
            // It has nothing more to do, and what it panicked about was logged.
            drop(handle.join());
        }
        progress.is_well(wanted)
    }

    fn wait(&self, timeout: Duration, done: impl Fn(&Progress) -> bool) -> Progress {
        let guard = lock(&self.control.progress);
        let waited = self.control.progressed.wait_timeout_while(guard, timeout, |progress| !done(progress));
        let (progress, _) = waited.unwrap_or_else(std::sync::PoisonError::into_inner);
        *progress
    }
}

impl Progress {
    /// Did the flush `wanted` succeed? After the end of the thread there is nothing left to flush: the last one counts.
    fn is_well(self, wanted: u64) -> bool {
        let over = self.finished || self.flushed >= wanted;
        over && self.failed < wanted.min(self.flushed.max(1))
    }
}

/// Nothing is recorded from now on; what still waits is lost and counted.
fn close(core: &Core) {
    stop_recording(core);
    while core.queue.pop().is_some() {
        core.queue.count_dropped(1);
    }
}

fn stop_recording(core: &Core) {
    let settings = Settings { recording: false, ..Settings::clone(&core.settings.load()) };
    core.settings.store(Arc::new(settings));
}

/// What runs in the thread.
struct Reporter {
    /// From code and environment.
    local: Config,
    transport: Transport,
    feed: Feed,
    link: Link,
    /// Not before this.
    retry_at: Option<Instant>,
    etag: Option<String>,
    is_version_known: bool,
}

impl Reporter {
    fn new(local: Config, transport: Transport, mut feed: Feed) -> Self {
        let asks = local.central_config && !local.disable_send;
        feed.next_poll = asks.then(Instant::now);
        let link = Link::new(local.second);
        Self { local, transport, feed, link, retry_at: None, etag: None, is_version_known: false }
    }

    fn run(mut self) {
        loop {
            self.feed.notice();
            if self.feed.is_flushed() {
                self.feed.end_flush(true);
                if self.feed.is_stopping() {
                    return;
                }
            }
            let now = Instant::now();
            if self.feed.next_poll.is_some_and(|at| at <= now) && !self.feed.is_flushing() {
                self.poll(now);
                continue;
            }
            self.feed.collect_metrics(now);
            if self.feed.is_empty() {
                let timer = self.feed.next_timer();
                self.feed.core.queue.sleep(timer.map_or(IDLE, |at| at.saturating_duration_since(now)));
                continue;
            }
            if let Some(at) = self.retry_at.filter(|at| *at > now && !self.feed.is_flushing()) {
                let until = self.feed.next_poll.map_or(at, |poll| poll.min(at));
                std::thread::park_timeout(until.saturating_duration_since(now));
                continue;
            }
            if !self.feed.is_flushing() {
                std::thread::park_timeout(WINDOW);
            }
            if !self.request() && self.feed.is_flushing() {
                self.feed.end_flush(false);
                if self.feed.is_stopping() {
                    return;
                }
            }
        }
    }

    /// One request with all that comes while it is open. False if it failed.
    fn request(&mut self) -> bool {
        if self.local.disable_send {
            self.feed.discard();
            return true;
        }
        let mut body = Body::new(&mut self.feed, self.transport.compresses(), self.link.is_up());
        let result = self.transport.send_events(&mut body);
        let (n_events, n_bytes) = body.written();
        let (sent, is_sent) = match &result {
            Ok(()) => (n_events, true),
            Err(Failure::Refused(refusal)) => (refusal.accepted.min(n_events), false),
            Err(Failure::Broken(_)) => (0, false),
        };
        self.feed.core.queue.count_dropped(n_events - sent);
        let counters = &self.feed.control.counters;
        counters.sent.fetch_add(sent, Ordering::Relaxed);
        counters.requests.fetch_add(1, Ordering::Relaxed);
        counters.failed_requests.fetch_add(u64::from(!is_sent), Ordering::Relaxed);
        counters.bytes.fetch_add(n_bytes, Ordering::Relaxed);
        match result {
            Ok(()) => self.succeeded(),
            Err(failure) => {
                let wait = self.link.failed(&failure, &self.transport.address());
                self.retry_at = Some(Instant::now() + wait);
                self.transport.switch();
            }
        }
        is_sent
    }

    fn succeeded(&mut self) {
        self.retry_at = None;
        if self.link.succeeded(&self.transport.address()) && self.feed.next_poll.is_some() {
            // The server was away; who knows what was configured meanwhile.
            self.feed.next_poll = Some(Instant::now());
        }
        if !self.is_version_known && !self.feed.is_stopping() {
            self.is_version_known = true;
            let version = self.transport.server_version();
            log::info!(
                "events go to {}, version {}",
                self.transport.address(),
                version.as_deref().unwrap_or("unknown")
            );
        }
    }

    /// Asks for the central configuration and follows it.
    fn poll(&mut self, now: Instant) {
        let mut max_age = None;
        match self.transport.central_config(&self.local, self.etag.as_deref()) {
            Ok(answer) => {
                max_age = answer.max_age;
                if let Change::New { options, etag } = answer.change {
                    let config = self.local.with_central(&options);
                    self.etag = etag;
                    self.feed.apply(config);
                }
            }
            // Nothing is configured there, or nobody may know: the program's own configuration counts.
            Err(Failure::Refused(refusal)) if matches!(refusal.status, 403 | 404) => {
                self.etag = None;
                self.feed.apply(self.local.clone());
            }
            Err(Failure::Refused(refusal)) => log::debug!("central configuration: status {}", refusal.status),
            Err(Failure::Broken(why)) => log::debug!("central configuration: {why}"),
        }
        let second = self.local.second;
        let wait = max_age.map_or(second * POLL_SECONDS, |age| second.mul_f64(age.as_secs_f64().min(86_400.0)));
        self.feed.next_poll = Some(now + wait.max(second * POLL_SECONDS_MIN));
    }
}
