//! What Tokenfall derives: callee, stream, tokens, cost, sums.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use crate::money::Usd;

/// `tokenfall.*`: what Tokenfall derived from the event and its neighbours. Elastic's documents have no such fields.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TokenfallFields {
    /// The call that this span stands for in dependency tables. Absent if the span calls nobody.
    pub dependency: Option<Dependency>,
    /// Stream of the answer, on the span of a model call.
    pub stream: Option<TokenStream>,
    /// Model that tables and prices go by: the one that answered, else the one that was asked.
    pub model: Option<String>,
    /// What the user asked, by the label that the configuration names.
    pub question: Option<String>,
    /// Where the numbers of tokens come from, and their sum.
    pub usage: Option<TokenfallUsage>,
    /// Cost of the call.
    pub cost: Option<TokenfallCost>,
    /// Model calls that are counted with this event: all of a transaction, or one that came after its transaction.
    pub llm: Option<Box<LlmRollup>>,
    /// Attempts of the call, if there was more than one.
    pub attempts: Option<u64>,
    /// Time waited between attempts, in microseconds.
    #[serde(rename = "backoff.us")]
    pub backoff_us: Option<u64>,
    /// What the provider said of the limits of the account: `remaining.tokens`, `reset.requests` (in seconds) and the like.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub ratelimit: BTreeMap<String, f64>,
}

/// How numbers of tokens were got, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UsageSource {
    /// The provider, or the program, said so.
    Reported,
    /// Counted by the tokenizer of the model.
    Counted,
    /// From the number of chunks, less those of the protocol.
    Derived,
    /// From the number of characters.
    Estimated,
}

impl UsageSource {
    /// All of them, the best first.
    pub const ALL: [Self; 4] = [Self::Reported, Self::Counted, Self::Derived, Self::Estimated];

    /// The word in documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reported => "reported",
            Self::Counted => "counted",
            Self::Derived => "derived",
            Self::Estimated => "estimated",
        }
    }

    /// Reads the word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|source| source.as_str() == word)
    }
}

/// `tokenfall.usage.*`
#[skip_serializing_none]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenfallUsage {
    /// How the numbers were got.
    pub source: UsageSource,
    /// Tokens of question and answer together; absent if one of them is not known and nobody said the sum.
    pub total_tokens: Option<u64>,
}

/// Who said what a call cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CostSource {
    /// The sender.
    Reported,
    /// Tokenfall, from tokens and the price list.
    Computed,
}

impl CostSource {
    /// The word in documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reported => "reported",
            Self::Computed => "computed",
        }
    }
}

/// `tokenfall.cost.*`
#[skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenfallCost {
    /// The cost that figures are made of: what the sender reported, else what was computed.
    pub usd: Usd,
    /// The same in 10⁻¹² USD, which can be summed up.
    pub pico_usd: i64,
    /// Whose amount `usd` is.
    pub source: CostSource,
    /// What was computed, where the sender reported a cost too.
    pub computed_usd: Option<Usd>,
    /// Price that the computed cost was made with.
    pub price: Option<PriceReference>,
}

impl TokenfallCost {
    /// A cost that the sender reported.
    pub fn reported(usd: Usd) -> Self {
        Self { usd, pico_usd: usd.pico_i64(), source: CostSource::Reported, computed_usd: None, price: None }
    }

    /// A cost that was computed with a price.
    pub fn computed(usd: Usd, price: PriceReference) -> Self {
        Self { usd, pico_usd: usd.pico_i64(), source: CostSource::Computed, computed_usd: None, price: Some(price) }
    }

    /// Keeps what was computed beside what was reported.
    #[must_use]
    pub fn beside(mut self, computed: Usd, price: PriceReference) -> Self {
        self.computed_usd = Some(computed);
        self.price = Some(price);
        self
    }
}

/// `tokenfall.cost.price.*`: which row of the price list.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceReference {
    /// Name of the row: `provider/model`.
    pub id: String,
    /// First day on which it is valid (ISO 8601); absent if it always was.
    pub valid_from: Option<String>,
    /// List that the row is from: `embedded`, or the name of a file.
    pub list: String,
}

/// `tokenfall.llm.*`: model calls, summed up where they are counted. Each call is in exactly one of these sums.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LlmRollup {
    /// Model calls, attempts that failed included.
    pub generations: u64,
    /// Of them failed.
    pub failed_generations: u64,
    /// Tokens of the questions; absent if one of the calls that succeeded does not say.
    pub input_tokens: Option<u64>,
    /// Tokens of the answers; absent if one of the calls that succeeded does not say.
    pub output_tokens: Option<u64>,
    /// Tokens of questions and answers, of the calls that say.
    pub total_tokens: Option<u64>,
    /// Of `total_tokens` reported.
    pub reported_tokens: Option<u64>,
    /// Of `total_tokens` counted.
    pub counted_tokens: Option<u64>,
    /// Of `total_tokens` derived.
    pub derived_tokens: Option<u64>,
    /// Of `total_tokens` estimated.
    pub estimated_tokens: Option<u64>,
    /// Cost of the calls whose cost is known, in 10⁻¹² USD; absent if none is.
    pub cost_pico_usd: Option<i64>,
    /// Of it for calls that failed.
    pub failed_cost_pico_usd: Option<i64>,
    /// Model calls that succeeded and whose cost is not known.
    pub unpriced_generations: u64,
}

/// `tokenfall.dependency.*`. The rule is written down in `docs/dependencies.md`.
#[skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dependency {
    /// Callee: the provider of a model call, else what the agent names.
    pub resource: String,
    /// Kind of callee for display: `genai`, `db`, `messaging`, `storage`, `external`.
    #[serde(rename = "type")]
    pub kind: String,
    /// What the span is to the call.
    pub role: DependencyRole,
    /// Calls that this span adds to the table: the representative count times the composite count, less the calls
    /// of the transport spans that it takes the place of (so that the sum over all spans counts each call once).
    pub count: f64,
    /// Time of those calls in microseconds, corrected in the same way.
    #[serde(rename = "duration.sum.us")]
    pub sum_us: f64,
    /// Time of one call in microseconds: until the last token for a streamed answer, the mean for a composite.
    #[serde(rename = "duration.us")]
    pub duration_us: u64,
}

/// What a span is to the call that it stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DependencyRole {
    /// The call itself.
    Call,
    /// A model call, from the question to the last token.
    Generation,
    /// The HTTP request of a model call; it ends with the headers when the answer is streamed.
    Transport,
}

impl DependencyRole {
    /// The value of `tokenfall.dependency.role`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Call => "call",
            Self::Generation => "generation",
            Self::Transport => "transport",
        }
    }
}

/// `tokenfall.stream.*`: how an answer came in.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenStream {
    /// Chunks seen. By token spans: tokens and the protocol's role, finish and usage chunks. By an agent that measures the
    /// stream: chunks with content.
    pub chunks: u64,
    /// From the start of the call to its first chunk, in microseconds.
    #[serde(rename = "time_to_first_chunk.us")]
    pub time_to_first_chunk_us: u64,
    /// From the start of the call to the end of its last chunk, in microseconds.
    #[serde(rename = "time_to_last_chunk.us")]
    pub time_to_last_chunk_us: u64,
    /// Median of the gaps between chunks in microseconds.
    #[serde(rename = "inter_token.p50.us")]
    pub inter_token_p50_us: Option<u64>,
    /// 95th percentile of the gaps between chunks in microseconds.
    #[serde(rename = "inter_token.p95.us")]
    pub inter_token_p95_us: Option<u64>,
    /// Longest gap between chunks in microseconds.
    #[serde(rename = "inter_token.max.us")]
    pub inter_token_max_us: Option<u64>,
    /// Mean time from one token of the answer to the next in microseconds; absent for fewer than two tokens.
    #[serde(rename = "time_per_output_token.us")]
    pub time_per_output_token_us: Option<u64>,
    /// Gaps that are stalls: longer than 250 ms and than five median gaps. Absent if no gaps are known.
    #[serde(rename = "stalls.count")]
    pub stall_count: Option<u64>,
    /// Time in stalls, in microseconds.
    #[serde(rename = "stalls.sum.us")]
    pub stall_sum_us: Option<u64>,
    /// When the chunks came, as the agent wrote it: read it with [`TokenTimeline`](crate::TokenTimeline).
    pub timeline: Option<String>,
}
