//! What model calls cost, and by whom and for what.

use tokenfall_api::spend::{QuestionList, SpendAnswer};
use tokenfall_store::{Search, SearchError};

use crate::scope::Scope;
use crate::selection::Selection;

/// What spend is broken down by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum SpendBy {
    /// Model that answered.
    #[default]
    Model,
    /// Provider.
    Provider,
    /// Service.
    Service,
    /// Name of the transaction.
    Transaction,
    /// User.
    User,
    /// Session.
    Session,
    /// What the user asked.
    Question,
    /// A label by its name, without prefix.
    Label(String),
}

impl SpendBy {
    /// Reads the parameter `by` of the API. `None` if there is no such thing.
    pub fn from_param(param: &str) -> Option<Self> {
        Some(match param {
            "model" => Self::Model,
            "provider" => Self::Provider,
            "service" => Self::Service,
            "transaction" => Self::Transaction,
            "user" => Self::User,
            "session" => Self::Session,
            "question" => Self::Question,
            label => Self::Label(label.strip_prefix("label:").filter(|name| !name.is_empty())?.to_owned()),
        })
    }
}

/// Spend of a time range.
pub fn spend(
    _search: &dyn Search,
    _scope: &Scope,
    _selection: &Selection,
    _by: &SpendBy,
) -> Result<SpendAnswer, SearchError> {
    Err(SearchError::Engine("not built yet".into()))
}

/// The most popular questions.
pub fn questions(
    _search: &dyn Search,
    _scope: &Scope,
    _selection: &Selection,
    _size: usize,
) -> Result<QuestionList, SearchError> {
    Err(SearchError::Engine("not built yet".into()))
}
