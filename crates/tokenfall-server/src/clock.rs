//! The one place that reads the wall clock.

use std::time::SystemTime;

use tokenfall_model::Timestamp;

/// The instant now.
pub(crate) fn now() -> Timestamp {
    let us = match SystemTime::now().duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_micros()).unwrap_or(i64::MAX),
        Err(before) => -i64::try_from(before.duration().as_micros()).unwrap_or(i64::MAX),
    };
    Timestamp::from_micros(us)
}
