//! Calls without a cost, and why.

use tokenfall_api::spend::{UnpricedModel, UnpricedReason};
use tokenfall_model::{Outcome, fields};
use tokenfall_query::{AggregationKind, Aggregations, BucketKey, Filter, SearchRequest, TermsOrder};
use tokenfall_store::{Search, SearchError};

use crate::scope::Scope;
use crate::selection::Selection;

/// Models that are listed.
const MODELS_MAX: usize = 50;

/// Models whose calls succeeded and have no cost, by the number of calls.
pub(super) fn unpriced(
    search: &dyn Search,
    scope: &Scope,
    selection: &Selection,
) -> Result<(Vec<UnpricedModel>, bool), SearchError> {
    let failed = Filter::term(fields::EVENT_OUTCOME, Outcome::Failure.as_str());
    let has_tokens = Filter::exists(fields::USAGE_TOTAL_TOKENS);
    let by_model = AggregationKind::MultiTerms {
        fields: [fields::GEN_AI_PROVIDER_NAME, fields::MODEL]
            .map(|field| (field.name.to_owned(), Some(String::new())))
            .to_vec(),
        size: MODELS_MAX,
        order: TermsOrder::default(),
    };
    let inside = Aggregations::new().with("with_tokens", AggregationKind::Filter(has_tokens).leaf());
    let of_calls = Selection { name: None, event_type: None, field: None, ..selection.without_box() };
    let request = of_calls.calls(scope).filter(failed.negate()).filter(Filter::exists(fields::COST_PICO_USD).negate());
    let response = search.search(&SearchRequest { ..request.agg("models", by_model.with(inside)) })?;
    let mut models = Vec::new();
    for bucket in response.aggs.buckets("models") {
        let BucketKey::Many(keys) = &bucket.key else { continue };
        let text = |i: usize| keys.get(i).and_then(BucketKey::as_str).filter(|t| !t.is_empty()).map(ToOwned::to_owned);
        let with_tokens = bucket.aggs.bucket("with_tokens", "").map_or(0, |b| b.doc_count);
        let (provider, model) = (text(0), text(1));
        let mut push = |calls: u64, reason| {
            if calls > 0 {
                models.push(UnpricedModel { provider: provider.clone(), model: model.clone(), calls, reason });
            }
        };
        if model.is_none() {
            push(bucket.doc_count, UnpricedReason::NoModel);
        } else {
            push(with_tokens, UnpricedReason::NoPrice);
            push(bucket.doc_count - with_tokens, UnpricedReason::NoTokens);
        }
    }
    Ok((models, response.complete))
}
