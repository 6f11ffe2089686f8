//! One answer: asked, streamed, and asked again if nothing came of it.

use std::time::{Duration, Instant};

use askdocs_model::chat::Message;
use futures_util::StreamExt as _;
use serde::Deserialize;
use serde_json::{Value, json};
use tokenfall_agent::Transaction;
use tokenfall_agent::generation::{
    EventReader, Generation, GenerationError, GenerationErrorKind, Prices, ProviderChunk, TokenUsage, UsageSource, Usd,
};

use crate::endpoint::{Endpoint, Failure, Parts, Provider};
use crate::prompt::Limits;
use crate::tokens::{TokenCounter, Tokens};

/// When to ask again after a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Most attempts, the first one included.
    pub attempts: u32,
    /// Wait after the first failure; twice as long after each further one.
    pub first_wait: Duration,
    /// Longest wait, unless the server asks for a longer one.
    pub longest_wait: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self { attempts: 5, first_wait: Duration::from_millis(500), longest_wait: Duration::from_secs(20) }
    }
}

/// Servers that want to be left alone for longer are not asked again.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(60);

impl RetryPolicy {
    /// How long to wait before the next attempt; `None` if there is none. `jitter` is a random number from 0 to 1: half of the wait
    /// is left to chance, so that those who failed together do not come back together.
    fn wait(&self, failed: u32, failure: &Failure, jitter: f64) -> Option<Duration> {
        if failed >= self.attempts || !failure.error.is_retryable() {
            return None;
        }
        let doubled = self.first_wait.saturating_mul(2_u32.saturating_pow(failed.saturating_sub(1)));
        let wait = doubled.min(self.longest_wait).mul_f64(0.5 + jitter / 2.0);
        match failure.retry_after {
            Some(asked) if asked > LONGEST_RETRY_AFTER => None,
            Some(asked) => Some(asked.max(wait)),
            None => Some(wait),
        }
    }
}

/// A model, and how it is asked.
#[derive(Clone)]
pub struct ChatClient {
    /// Where.
    pub endpoint: Endpoint,
    /// How much.
    pub limits: Limits,
    /// How often.
    pub retry: RetryPolicy,
    /// How its tokens are counted.
    pub counter: TokenCounter,
    /// What they cost.
    pub prices: Option<Prices>,
    /// How random answers are.
    pub temperature: f32,
}

/// What happens on the way to an answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// A piece of it.
    Text(String),
    /// An attempt failed, the next one comes after this time.
    Retry(GenerationError, Duration),
}

/// An answer that is complete.
#[derive(Clone, Debug, PartialEq)]
pub struct Finished {
    /// Tokens.
    pub tokens: Tokens,
    /// Cost, if prices are known.
    pub cost: Option<Usd>,
    /// Why it ended: `stop`, `length` …
    pub finish_reason: String,
    /// The model that answered, as the endpoint says.
    pub model: String,
    /// From asking to the first piece, failed attempts included.
    pub time_to_first_token: Duration,
    /// From asking to the end.
    pub duration: Duration,
}

/// What is read of a chunk.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Chunk {
    model: Option<String>,
    choices: Vec<Choice>,
    usage: Option<Usage>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Choice {
    delta: Delta,
    finish_reason: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Delta {
    content: Option<String>,
}

#[derive(Clone, Copy, Deserialize)]
struct Usage {
    prompt_tokens: u64,
    completion_tokens: u64,
}

/// What has come of an answer.
#[derive(Default)]
struct Received {
    text: String,
    first: Option<Instant>,
    finish_reason: Option<String>,
    is_done: bool,
    usage: Option<Usage>,
    model: Option<String>,
}

impl ChatClient {
    fn request(&self, messages: &[Message]) -> Value {
        let limit = match self.endpoint.provider() {
            // Reasoning models know only this name, older servers only the other.
            Provider::OpenAi => "max_completion_tokens",
            _ => "max_tokens",
        };
        json!({
            "model": self.endpoint.model(),
            "messages": messages,
            limit: self.limits.max_tokens,
            "temperature": self.temperature,
            "stream": true,
            "stream_options": { "include_usage": true },
        })
    }

    fn begin(&self, transaction: &Transaction, messages: &[Message]) -> Generation {
        let endpoint = &self.endpoint;
        let mut call = transaction
            .capture_generation("openaiChatCompletion")
            .provider(endpoint.provider().as_str())
            .model(endpoint.model().to_owned())
            .stream(true)
            .max_tokens(self.limits.max_tokens as u64)
            .temperature(f64::from(self.temperature))
            .input_messages(messages);
        if let Some(address) = endpoint.address() {
            call = call.server(address);
        }
        if let Some(prices) = self.prices {
            call = call.prices(prices);
        }
        if self.counter.source() == UsageSource::Estimated {
            return call.estimate_tokens().start();
        }
        let counter = self.counter.clone();
        call.count_tokens(move |text| counter.count(text) as u64).start()
    }

    /// Asks, and tells each step. After the first piece was told nothing is asked again: nobody should see an answer change under their
    /// eyes.
    ///
    /// # Errors
    /// If the last attempt fails.
    pub async fn complete(
        &self,
        transaction: &Transaction,
        messages: &[Message],
        tell: &(dyn Fn(Step) + Sync),
    ) -> Result<Finished, GenerationError> {
        let begin = Instant::now();
        let request = self.request(messages);
        let mut generation = self.begin(transaction, messages);
        let mut failed = 0;
        loop {
            let mut received = Received::default();
            let outcome = self.attempt(&request, &mut generation, &mut received, tell).await;
            let Err(failure) = outcome else {
                generation.finish();
                return Ok(self.finished(messages, received, begin));
            };
            failed += 1;
            let wait = if received.text.is_empty() { self.retry.wait(failed, &failure, fastrand::f64()) } else { None };
            let Some(wait) = wait else {
                generation.fail(&failure.error);
                return Err(failure.error);
            };
            generation.retry(&failure.error, wait);
            tell(Step::Retry(failure.error, wait));
            tokio::time::sleep(wait).await;
        }
    }

    async fn attempt(
        &self,
        request: &Value,
        generation: &mut Generation,
        received: &mut Received,
        tell: &(dyn Fn(Step) + Sync),
    ) -> Result<(), Failure> {
        let (headers, parts) = self.endpoint.post("chat/completions", request).await?;
        generation
            .response_headers(headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?))));
        read(parts, generation, received, tell).await?;
        if received.is_done || received.finish_reason.is_some() {
            return Ok(());
        }
        // Libraries pass this over in silence; the person at the page would take half an answer for a whole one.
        let message = "the connection was closed in the middle of the answer";
        Err(GenerationError::new(GenerationErrorKind::ApiConnection, message).into())
    }

    fn finished(&self, messages: &[Message], received: Received, begin: Instant) -> Finished {
        let count = |text: &str| self.counter.count(text) as u64;
        let tokens = match received.usage {
            Some(Usage { prompt_tokens, completion_tokens }) => {
                Tokens { input: prompt_tokens, output: completion_tokens, source: UsageSource::Reported.as_str() }
            }
            None => Tokens {
                input: messages.iter().map(|message| count(&message.content)).sum(),
                output: count(&received.text),
                source: self.counter.source().as_str(),
            },
        };
        let usage = TokenUsage { input: Some(tokens.input), output: Some(tokens.output), ..TokenUsage::default() };
        Finished {
            tokens,
            cost: self.prices.and_then(|prices| prices.cost(&usage)),
            finish_reason: received.finish_reason.unwrap_or_else(|| "unknown".to_owned()),
            model: received.model.unwrap_or_else(|| self.endpoint.model().to_owned()),
            time_to_first_token: received.first.map_or_else(|| begin.elapsed(), |first| first - begin),
            duration: begin.elapsed(),
        }
    }
}

async fn read(
    mut parts: Parts,
    generation: &mut Generation,
    received: &mut Received,
    tell: &(dyn Fn(Step) + Sync),
) -> Result<(), Failure> {
    let mut events = EventReader::new();
    let mut error = None;
    while let Some(part) = parts.next().await {
        events.read(&part?, |data| {
            if error.is_none() {
                error = chunk(data, generation, received, tell).err();
            }
        });
        if let Some(error) = error.take() {
            return Err(error);
        }
        if received.is_done {
            break;
        }
    }
    Ok(())
}

fn chunk(
    data: &[u8],
    generation: &mut Generation,
    received: &mut Received,
    tell: &(dyn Fn(Step) + Sync),
) -> Result<(), Failure> {
    if data == b"[DONE]" {
        received.is_done = true;
        return Ok(());
    }
    if let Some(error) = GenerationError::from_event(data) {
        return Err(error.into());
    }
    let chunk: Chunk = serde_json::from_slice(data)
        .map_err(|error| GenerationError::new(GenerationErrorKind::Api, format!("a chunk cannot be read: {error}")))?;
    if let Some(told) = ProviderChunk::parse(data) {
        generation.chunk(&told);
    }
    received.model = chunk.model.filter(|model| !model.is_empty()).or_else(|| received.model.take());
    received.usage = chunk.usage.or(received.usage);
    for choice in chunk.choices {
        received.finish_reason = choice.finish_reason.or_else(|| received.finish_reason.take());
        if let Some(text) = choice.delta.content.filter(|text| !text.is_empty()) {
            received.first.get_or_insert_with(Instant::now);
            received.text.push_str(&text);
            tell(Step::Text(text));
        }
    }
    generation.token_done();
    Ok(())
}

#[cfg(test)]
mod tests;
