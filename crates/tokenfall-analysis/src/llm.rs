//! Model calls: tokens against time, how answers stream.

use tokenfall_api::llm::{CallList, StreamingAnswer, TokensAnswer};
use tokenfall_store::{Search, SearchError};

use crate::scope::Scope;
use crate::selection::Selection;

/// Tokens of answers against duration, with at most `points_max` points.
pub fn tokens(
    _search: &dyn Search,
    _scope: &Scope,
    _selection: &Selection,
    _points_max: usize,
) -> Result<TokensAnswer, SearchError> {
    Err(SearchError::Engine("not built yet".into()))
}

/// The longest calls (or transactions) of a selection.
pub fn calls(
    _search: &dyn Search,
    _scope: &Scope,
    _selection: &Selection,
    _size: usize,
) -> Result<CallList, SearchError> {
    Err(SearchError::Engine("not built yet".into()))
}

/// How answers stream.
pub fn streaming(_search: &dyn Search, _scope: &Scope, _selection: &Selection) -> Result<StreamingAnswer, SearchError> {
    Err(SearchError::Engine("not built yet".into()))
}
