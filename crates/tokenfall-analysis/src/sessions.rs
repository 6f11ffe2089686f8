//! Conversations: the transactions of one session.

use tokenfall_api::sessions::{SessionDetail, SessionList};
use tokenfall_store::{Search, SearchError};

use crate::scope::Scope;
use crate::selection::Selection;

/// The newest sessions.
pub fn sessions(
    _search: &dyn Search,
    _scope: &Scope,
    _selection: &Selection,
    _size: usize,
) -> Result<SessionList, SearchError> {
    Err(SearchError::Engine("not built yet".into()))
}

/// One session with its turns; `None` if no event of it is in the time range.
pub fn session(_search: &dyn Search, _scope: &Scope, _id: &str) -> Result<Option<SessionDetail>, SearchError> {
    Err(SearchError::Engine("not built yet".into()))
}
