//! How many tokens a text has, and how well one knows it.

use std::sync::Arc;

use askdocs_model::chat::ChatModel;
use serde::Serialize;
use tokenfall_agent::generation::UsageSource;

/// Counts tokens.
#[derive(Clone)]
pub enum TokenCounter {
    /// The tokenizer of an OpenAI model.
    OpenAi(&'static bpe_openai::Tokenizer),
    /// The model of this process.
    Local(Arc<dyn ChatModel>),
    /// Four characters are a token: the article's approximation, good to a third for English text.
    Approximate,
}

impl TokenCounter {
    /// The counter for a model of a provider.
    pub fn for_model(model: &str) -> Self {
        // Azure's deployments are often called gpt-35-turbo.
        let is = |prefixes: &[&str]| prefixes.iter().any(|prefix| model.starts_with(prefix));
        if is(&["gpt-4o", "gpt-4.1", "gpt-4.5", "gpt-5", "chatgpt-", "o1", "o3", "o4", "gpt-oss"]) {
            Self::OpenAi(bpe_openai::o200k_base())
        } else if is(&["gpt-4", "gpt-3.5", "gpt-35"]) {
            Self::OpenAi(bpe_openai::cl100k_base())
        } else {
            Self::Approximate
        }
    }

    /// Tokens of a text.
    pub fn count(&self, text: &str) -> usize {
        match self {
            Self::OpenAi(tokenizer) => tokenizer.count(text),
            Self::Local(model) => model.count_tokens(text),
            Self::Approximate => text.chars().count().div_ceil(4),
        }
    }

    /// What its numbers are worth.
    pub const fn source(&self) -> UsageSource {
        match self {
            Self::OpenAi(_) | Self::Local(_) => UsageSource::Counted,
            Self::Approximate => UsageSource::Estimated,
        }
    }
}

/// Tokens of a question and its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Tokens {
    /// Of the question.
    pub input: u64,
    /// Of the answer.
    pub output: u64,
    /// `reported` by the endpoint, `counted` by the model's tokenizer, or `estimated`.
    pub source: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_model_has_its_tokenizer() {
        let text = "Tokenization splits internationalization.";
        let counts = |model| {
            let counter = TokenCounter::for_model(model);
            (counter.count(text), counter.source().as_str())
        };
        assert_eq!(counts("gpt-4o-mini").1, "counted");
        assert_eq!(counts("gpt-3.5-turbo"), counts("gpt-35-turbo-0613"));
        assert_eq!(counts("llama3:8b"), (text.len().div_ceil(4), "estimated"));
    }
}
