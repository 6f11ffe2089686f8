//! What follows from when the chunks of an answer came.

use tokenfall_model::TokenTimeline;
use tokenfall_model::document::TokenStream;

/// Sets the time for each token, if their number is known, and the stalls, if the gaps are known.
pub(crate) fn complete(stream: &mut TokenStream, output_tokens: Option<u64>) {
    let streamed_us = stream.time_to_last_chunk_us.saturating_sub(stream.time_to_first_chunk_us);
    if let Some(gaps) = output_tokens.and_then(|tokens| tokens.checked_sub(1)).filter(|gaps| *gaps > 0) {
        stream.time_per_output_token_us = Some((streamed_us + gaps / 2) / gaps);
    }
    if let Some(timeline) = stream.timeline.as_deref().and_then(|text| TokenTimeline::parse(text).ok()) {
        let stalls = timeline.stalls();
        stream.stall_count = Some(stalls.len() as u64);
        stream.stall_sum_us = Some(stalls.iter().map(|stall| stall.gap_us).sum());
    }
}
