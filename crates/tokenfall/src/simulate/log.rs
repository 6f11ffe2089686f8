//! What was made up, one JSON object for each search: enough to compute every figure without asking the server.

use serde_json::{Value, json};

use super::article::{Answered, Attempt, Error, QUESTIONS, Search, Service};

/// 0.002 USD for 1,000 tokens, as in the article: 10⁻⁶ USD for one, times two.
const PAGE_MICRO_USD_PER_TOKEN: u64 = 2;
/// Prices of the models of the newer program in USD for a million tokens times 1,000: input, cached input, output.
const PRICES: [(&str, [u64; 3]); 2] = [("gpt-4o", [2_500, 1_250, 10_000]), ("gpt-4o-mini", [150, 75, 600])];

/// Name of the service.
pub(super) const fn service_name(service: Service) -> &'static str {
    match service {
        Service::Page => "elasticdocs-gpt-v2-streaming",
        Service::Assistant => "docs-assistant",
    }
}

/// Tokens of all answers of the page, with their questions: the label `openai_tokens`. None if nothing was answered.
pub(super) fn page_tokens(search: &Search) -> Option<u64> {
    let answered = search.attempts.iter().filter_map(|a| Some(a.input_tokens + a.answered.as_ref()?.output_tokens));
    answered.reduce(|sum, tokens| sum + tokens)
}

/// Cost of the page's answers in USD: the label `openai_cost`.
pub(super) fn page_usd(search: &Search) -> Option<f64> {
    page_tokens(search).map(|tokens| (tokens * PAGE_MICRO_USD_PER_TOKEN) as f64 / 1e6)
}

/// Cost in 10⁻⁹ USD.
fn nano_usd(search: &Search) -> u64 {
    match search.service {
        Service::Page => page_tokens(search).unwrap_or(0) * PAGE_MICRO_USD_PER_TOKEN * 1_000,
        Service::Assistant => search.attempts.iter().filter_map(attempt_nano_usd).sum(),
    }
}

/// `None` if nothing came back: such attempts are not charged.
fn attempt_nano_usd(attempt: &Attempt) -> Option<u64> {
    let answered = attempt.answered.as_ref()?;
    let (_, [input, cached, output]) = PRICES.iter().find(|(model, _)| *model == attempt.model)?;
    let fresh = attempt.input_tokens - attempt.cached_tokens;
    Some(fresh * input + attempt.cached_tokens * cached + answered.output_tokens * output)
}

fn decimal(nano_usd: u64) -> String {
    format!("{}.{:09}", nano_usd / 1_000_000_000, nano_usd % 1_000_000_000)
}

pub(super) fn line(search: &Search) -> Value {
    json!({
        "service": service_name(search.service),
        "trace_id": search.trace_id,
        "transaction_id": search.transaction_id,
        "timestamp_us": search.at_us,
        "duration_us": search.duration_us,
        "outcome": if search.failed { "failure" } else { "success" },
        "question": QUESTIONS[search.question],
        "user": search.user,
        "session": search.session,
        "labels": {
            "team": search.team,
            "region": search.region,
            "experiment": search.experiment.to_string(),
            "prompt_version": search.prompt_version,
        },
        "search_us": search.engine_us,
        "usd": decimal(nano_usd(search)),
        "attempts": search.attempts.iter().map(|attempt| json!({
            "span_id": attempt.id,
            "answer": attempt.answer,
            "number": attempt.number,
            "timestamp_us": attempt.at_us,
            "model": attempt.model,
            "duration_us": attempt.answered.as_ref().map_or(attempt.duration_us, |a| a.arrivals_us.last().copied().unwrap_or(0)),
            "input_tokens": attempt.input_tokens,
            "output_tokens": attempt.answered.as_ref().map(|a| a.output_tokens),
            "time_to_first_token_us": attempt.answered.as_ref().and_then(|a| a.arrivals_us.first()),
            "stall_us": attempt.answered.as_ref().and_then(Answered::stall_us),
            "usd": attempt_nano_usd(attempt).map(decimal),
            "error": attempt.error.map(error_type),
        })).collect::<Vec<_>>(),
    })
}

/// Type of the exception.
pub(super) const fn error_type(error: Error) -> &'static str {
    match error {
        Error::RateLimit => "RateLimitError",
        Error::Connection => "APIConnectionError",
    }
}
