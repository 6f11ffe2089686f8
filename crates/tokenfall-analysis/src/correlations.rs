//! What goes along with slowness, failure, or a selection.

use tokenfall_api::correlations::{CorrelationsAnswer, CorrelationsOf};
use tokenfall_store::{Search, SearchError};

use crate::scope::Scope;
use crate::selection::Selection;

/// Values of fields that go along with what is asked for.
pub fn correlations(
    _search: &dyn Search,
    _scope: &Scope,
    _selection: &Selection,
    _of: CorrelationsOf,
) -> Result<CorrelationsAnswer, SearchError> {
    Err(SearchError::Engine("not built yet".into()))
}
