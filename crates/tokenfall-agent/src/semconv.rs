//! Names of attributes, spelled once.
//!
//! `gen_ai.*`, `server.*` and `error.*` are OpenTelemetry's semantic conventions for generative AI (development version of
//! 2026-08, schema `gen-ai-dev/1.42.0`). `tokenfall.*` is ours, for what the conventions have no name for; the server reads
//! the same names (`docs/formats/token-timeline.md`, `docs/dependencies.md`). Times are seconds.

/// `chat`, `text_completion`, `embeddings` …
pub(crate) const OPERATION_NAME: &str = "gen_ai.operation.name";
/// `openai`, `anthropic`, `azure.ai.openai` …
pub(crate) const PROVIDER_NAME: &str = "gen_ai.provider.name";
/// Earlier name of the provider, by which Elastic's server knows a model call.
pub(crate) const SYSTEM: &str = "gen_ai.system";

pub(crate) const REQUEST_MODEL: &str = "gen_ai.request.model";
pub(crate) const REQUEST_MAX_TOKENS: &str = "gen_ai.request.max_tokens";
pub(crate) const REQUEST_TEMPERATURE: &str = "gen_ai.request.temperature";
pub(crate) const REQUEST_TOP_P: &str = "gen_ai.request.top_p";
pub(crate) const REQUEST_TOP_K: &str = "gen_ai.request.top_k";
pub(crate) const REQUEST_FREQUENCY_PENALTY: &str = "gen_ai.request.frequency_penalty";
pub(crate) const REQUEST_PRESENCE_PENALTY: &str = "gen_ai.request.presence_penalty";
pub(crate) const REQUEST_SEED: &str = "gen_ai.request.seed";
pub(crate) const REQUEST_CHOICE_COUNT: &str = "gen_ai.request.choice.count";
pub(crate) const REQUEST_STOP_SEQUENCES: &str = "gen_ai.request.stop_sequences";
pub(crate) const REQUEST_REASONING_LEVEL: &str = "gen_ai.request.reasoning.level";
/// Only ever true.
pub(crate) const REQUEST_STREAM: &str = "gen_ai.request.stream";
pub(crate) const CONVERSATION_ID: &str = "gen_ai.conversation.id";

pub(crate) const RESPONSE_MODEL: &str = "gen_ai.response.model";
pub(crate) const RESPONSE_ID: &str = "gen_ai.response.id";
/// One a choice, in the provider's words.
pub(crate) const RESPONSE_FINISH_REASONS: &str = "gen_ai.response.finish_reasons";
pub(crate) const RESPONSE_TIME_TO_FIRST_CHUNK: &str = "gen_ai.response.time_to_first_chunk";

/// Cached tokens included.
pub(crate) const USAGE_INPUT_TOKENS: &str = "gen_ai.usage.input_tokens";
/// Reasoning included.
pub(crate) const USAGE_OUTPUT_TOKENS: &str = "gen_ai.usage.output_tokens";
pub(crate) const USAGE_CACHE_READ_INPUT_TOKENS: &str = "gen_ai.usage.cache_read.input_tokens";
pub(crate) const USAGE_CACHE_CREATION_INPUT_TOKENS: &str = "gen_ai.usage.cache_creation.input_tokens";
pub(crate) const USAGE_REASONING_OUTPUT_TOKENS: &str = "gen_ai.usage.reasoning.output_tokens";

/// JSON, only if content is captured.
pub(crate) const INPUT_MESSAGES: &str = "gen_ai.input.messages";
/// JSON, only if content is captured.
pub(crate) const OUTPUT_MESSAGES: &str = "gen_ai.output.messages";

pub(crate) const SERVER_ADDRESS: &str = "server.address";
pub(crate) const SERVER_PORT: &str = "server.port";
pub(crate) const ERROR_TYPE: &str = "error.type";

/// Where the token counts come from: `reported`, `counted`, `derived` or `estimated`.
pub(crate) const USAGE_SOURCE: &str = "tokenfall.usage.source";
/// Chunks with content. Role, finish and usage chunks are none.
pub(crate) const STREAM_CHUNKS: &str = "tokenfall.stream.chunks";
pub(crate) const STREAM_TIME_TO_LAST_CHUNK: &str = "tokenfall.stream.time_to_last_chunk";
pub(crate) const STREAM_INTER_TOKEN_P50: &str = "tokenfall.stream.inter_token.p50";
pub(crate) const STREAM_INTER_TOKEN_P95: &str = "tokenfall.stream.inter_token.p95";
pub(crate) const STREAM_INTER_TOKEN_MAX: &str = "tokenfall.stream.inter_token.max";
/// When the chunks came (`docs/formats/token-timeline.md`).
pub(crate) const STREAM_TIMELINE: &str = "tokenfall.stream.timeline";
/// Decimal text, exact.
pub(crate) const COST_USD: &str = "tokenfall.cost.usd";
/// Attempts, if there was more than one.
pub(crate) const ATTEMPTS: &str = "tokenfall.attempts";
/// Time waited between attempts.
pub(crate) const BACKOFF: &str = "tokenfall.backoff";
/// Followed by `limit.requests`, `remaining.tokens`, `reset.tokens` and the like.
pub(crate) const RATELIMIT_PREFIX: &str = "tokenfall.ratelimit.";
