//! What the agent says through the crate `log`, for all tests of this binary.

use std::sync::{Mutex, Once, PoisonError};

static INSTALLED: Once = Once::new();
static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());

struct Collector;

impl log::Log for Collector {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.target().starts_with("tokenfall_agent")
    }

    fn log(&self, record: &log::Record<'_>) {
        if self.enabled(record.metadata()) {
            let line = format!("{} {}", record.level(), record.args());
            LINES.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        }
    }

    fn flush(&self) {}
}

/// Begins to collect. Must be called before what is to be seen.
pub(crate) fn collect() {
    INSTALLED.call_once(|| {
        log::set_logger(&Collector).expect("the only logger");
        log::set_max_level(log::LevelFilter::Info);
    });
}

/// Lines with this text, such as the address of a test's own server.
pub(crate) fn lines(part: &str) -> Vec<String> {
    let lines = LINES.lock().unwrap_or_else(PoisonError::into_inner);
    lines.iter().filter(|line| line.contains(part)).cloned().collect()
}
