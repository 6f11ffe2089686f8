//! What arrived last, for the page that waits for the first event.

use tokenfall_api::status::NewestService;
use tokenfall_model::{EventKind, Timestamp, fields};
use tokenfall_query::{SearchRequest, Sort, TimeRange};
use tokenfall_store::{Search, SearchError};

/// Events of this last stretch of time are looked at first, so that a poll every second does not read the whole store.
const RECENT_US: i64 = 15 * 60 * 1_000_000;

/// Service of the newest transaction or, if there is none, of the newest event. `None` if nothing is stored.
pub fn newest_service(search: &dyn Search, now: Timestamp) -> Result<Option<NewestService>, SearchError> {
    let recent = TimeRange { from: now.saturating_add(-RECENT_US), to: Timestamp::from_micros(i64::MAX) };
    for time in [Some(recent), None] {
        for kinds in [vec![EventKind::Transaction], Vec::new()] {
            let request = SearchRequest { time, kinds, ..SearchRequest::default() };
            let response = search.search(&request.hits(1, vec![Sort::descending(fields::TIMESTAMP)]))?;
            let Some(document) = response.hits.into_iter().next() else { continue };
            let agent = document.agent.clone().unwrap_or_default();
            return Ok(Some(NewestService {
                name: document.service.name.as_str().to_owned(),
                agent_name: agent.name,
                agent_version: agent.version,
                timestamp_us: document.time().as_micros(),
                trace_id: document.trace.map(|t| t.id.as_str().to_owned()),
            }));
        }
    }
    Ok(None)
}
