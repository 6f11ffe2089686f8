//! Tokens and cost of the model calls of a trace.

use tokenfall_api::llm::TokenSources;
use tokenfall_api::traces::{TraceCall, TraceLlm};
use tokenfall_model::document::LlmRollup;
use tokenfall_model::{Document, Usd};

/// What one model call says.
pub(super) fn call(item: u32, document: &Document) -> TraceCall {
    let fields = document.tokenfall.as_deref();
    TraceCall {
        item,
        model: fields.and_then(|f| f.model.clone()),
        output_tokens: document.gen_ai.as_ref().and_then(|g| g.usage).and_then(|usage| usage.output_tokens),
        source: fields.and_then(|f| f.usage).map(|usage| usage.source.as_str().to_owned()),
        usd: fields.and_then(|f| f.cost.as_ref()).map(|cost| cost.usd),
    }
}

/// All model calls together: the sums that stand with the transactions, and with calls that came after theirs, have each once.
pub(super) fn total(documents: &[&Document]) -> Option<TraceLlm> {
    let rollups = documents.iter().filter_map(|d| d.tokenfall.as_ref()?.llm.as_deref());
    rollups.fold(None, |sum, rollup| Some(add(sum, rollup)))
}

fn add(sum: Option<TraceLlm>, rollup: &LlmRollup) -> TraceLlm {
    let none = TraceLlm {
        calls: 0,
        failed_calls: 0,
        total_tokens: None,
        sources: TokenSources::default(),
        usd: None,
        unpriced_calls: 0,
    };
    let mut sum = sum.unwrap_or(none);
    sum.calls += rollup.generations;
    sum.failed_calls += rollup.failed_generations;
    sum.unpriced_calls += rollup.unpriced_generations;
    sum.sources.reported += rollup.reported_tokens.unwrap_or(0);
    sum.sources.counted += rollup.counted_tokens.unwrap_or(0);
    sum.sources.derived += rollup.derived_tokens.unwrap_or(0);
    sum.sources.estimated += rollup.estimated_tokens.unwrap_or(0);
    if let Some(tokens) = rollup.total_tokens {
        sum.total_tokens = Some(sum.total_tokens.unwrap_or(0).saturating_add(tokens));
    }
    if let Some(pico) = rollup.cost_pico_usd {
        sum.usd = Some(sum.usd.unwrap_or(Usd::ZERO) + Usd::from_pico(i128::from(pico)));
    }
    sum
}
