//! What a model call cost.

use tokenfall_model::Document;
use tokenfall_model::document::{TokenfallCost, TokenfallFields};
use tokenfall_price::{CallTokens, Cost, PricedCall};

use crate::settings::Settings;
use crate::usage::is_embedding;

/// Sets the cost: what the sender reported, else tokens times price. Where both are known, the computed one is kept beside.
pub(crate) fn complete(document: &mut Document, settings: &Settings) {
    let reported = document.tokenfall.as_ref().and_then(|fields| fields.cost.clone());
    let reported = reported.or_else(|| settings.labels.cost(document).map(TokenfallCost::reported));
    let cost = match (reported, computed(document, settings)) {
        (Some(reported), Some(Cost { usd, price })) => Some(reported.beside(usd, price)),
        (Some(reported), None) => Some(reported),
        (None, computed) => computed.map(|Cost { usd, price }| TokenfallCost::computed(usd, price)),
    };
    if cost.is_some() || document.tokenfall.is_some() {
        document.tokenfall.get_or_insert_with(|| Box::new(TokenfallFields::default())).cost = cost;
    }
}

/// `None` unless model and all tokens are known: an amount for a part of them would look like the whole.
fn computed(document: &Document, settings: &Settings) -> Option<Cost> {
    let gen_ai = document.gen_ai.as_deref()?;
    let usage = gen_ai.usage?;
    let output = match usage.output_tokens {
        None if is_embedding(document) => 0,
        tokens => tokens?,
    };
    let tokens = CallTokens {
        input: usage.input_tokens?,
        cache_read: usage.cache_read_input_tokens.unwrap_or(0),
        cache_creation: usage.cache_creation_input_tokens.unwrap_or(0),
        output,
        reasoning: usage.reasoning_output_tokens.unwrap_or(0),
    };
    let model = document.tokenfall.as_ref().and_then(|fields| fields.model.as_deref())?;
    let provider = gen_ai.provider.as_ref().map(|provider| provider.name.as_str());
    settings.prices.cost(&PricedCall { provider, model, at: document.time(), tokens, service_tier: None })
}
