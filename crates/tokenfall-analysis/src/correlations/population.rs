//! The two sets: which transactions are looked at, and which of them are selected.

use tokenfall_api::correlations::CorrelationsOf;
use tokenfall_api::llm::PointOf;
use tokenfall_model::fields;
use tokenfall_model::{Document, EventKind, Outcome};
use tokenfall_query::{Filter, SearchRequest, Sort};
use tokenfall_store::{Search, SearchError};

use crate::scope::Scope;
use crate::selection::Selection;

/// Most model calls whose transactions are looked up, the newest.
const CALLS_MAX: usize = 2_000;

/// Transactions, and what singles some of them out.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Population {
    /// Asks about all of them.
    pub(super) all: SearchRequest,
    /// Condition of the selected ones; `None` if all are looked at for their durations.
    pub(super) selected: Option<Filter>,
    /// False if a part of the data could not be read.
    pub(super) complete: bool,
}

impl Population {
    /// Finds them. Model calls stand for the transactions that they were made in.
    pub(super) fn find(
        search: &dyn Search,
        scope: &Scope,
        selection: &Selection,
        of: CorrelationsOf,
    ) -> Result<Self, SearchError> {
        let outside = if of == CorrelationsOf::Selection { selection.without_box() } else { selection.clone() };
        let (all, in_box, complete) = match selection.of {
            PointOf::Calls if names_calls(selection) => {
                let box_ids = match of {
                    CorrelationsOf::Selection => transactions_of(search, selection.calls(scope))?,
                    CorrelationsOf::Latency | CorrelationsOf::Failures => Ids { ids: Vec::new(), complete: true },
                };
                let mut ids = transactions_of(search, outside.calls(scope))?;
                // Those of the box are among all, also if they are not among the newest.
                let older = box_ids.ids.iter().filter(|id| ids.ids.binary_search(id).is_err());
                let older: Vec<String> = older.cloned().collect();
                ids.ids.extend(older);
                let all = scope.request(EventKind::Transaction).filter(Filter::terms(fields::TRANSACTION_ID, ids.ids));
                (all, Filter::terms(fields::TRANSACTION_ID, box_ids.ids), ids.complete && box_ids.complete)
            }
            PointOf::Calls | PointOf::Transactions => {
                let in_box = if selection.has_box() { selection.transactions(scope).filter } else { Filter::All };
                (outside.transactions(scope), in_box, true)
            }
        };
        let selected = match of {
            CorrelationsOf::Latency => None,
            CorrelationsOf::Failures => Some(Filter::term(fields::EVENT_OUTCOME, Outcome::Failure.as_str())),
            CorrelationsOf::Selection => Some(in_box),
        };
        let all = all.filter(Filter::exists(fields::TRANSACTION_DURATION_US));
        Ok(Self { all, selected, complete })
    }
}

/// True if the selection says something about calls that it does not say about transactions.
fn names_calls(selection: &Selection) -> bool {
    selection.has_box() || selection.model.is_some() || selection.name.is_some() || selection.event_type.is_some()
}

struct Ids {
    /// Sorted.
    ids: Vec<String>,
    complete: bool,
}

/// Ids of the transactions of the newest calls.
fn transactions_of(search: &dyn Search, calls: SearchRequest) -> Result<Ids, SearchError> {
    let newest = vec![Sort::descending(fields::TIMESTAMP)];
    let response = search.search(&calls.hits(CALLS_MAX, newest).without_stack_traces())?;
    let id = |call: &Document| Some(call.transaction.as_ref()?.id.as_ref()?.as_str().to_owned());
    let mut ids: Vec<String> = response.hits.iter().filter_map(id).collect();
    ids.sort_unstable();
    ids.dedup();
    Ok(Ids { ids, complete: response.complete })
}
