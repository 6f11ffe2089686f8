//! Requests, chunks and answers of the crate `async-openai`.

use async_openai::types::chat::{
    ChatCompletionMessageToolCalls, CompletionUsage, CreateChatCompletionRequest, CreateChatCompletionResponse,
    CreateChatCompletionStreamResponse, FinishReason, StopConfiguration,
};

use super::answer::{Answer, CompletionChunk, TokenUsage};
use super::builder::GenerationBuilder;
use crate::event::Text;

impl<'a> GenerationBuilder<'a> {
    /// Takes over what a request of the crate `async-openai` says: model, parameters, messages (recorded only if content is
    /// captured). The provider is `openai` unless one was named.
    ///
    /// ```
    /// use async_openai::types::chat::{ChatCompletionRequestUserMessage, CreateChatCompletionRequest};
    /// use futures_util::StreamExt;
    /// use tokenfall_agent::{Agent, InContextExt};
    ///
    /// # mod async_openai_client {
    /// #     use async_openai::types::chat::{CreateChatCompletionRequest, CreateChatCompletionStreamResponse};
    /// #     use futures_util::Stream;
    /// #     pub type Error = std::io::Error;
    /// #     pub struct Client;
    /// #     impl Client {
    /// #         pub fn chat(&self) -> &Self { self }
    /// #         pub async fn create_stream(
    /// #             &self, _: CreateChatCompletionRequest,
    /// #         ) -> Result<impl Stream<Item = Result<CreateChatCompletionStreamResponse, Error>> + Unpin, Error> {
    /// #             let chunk = serde_json::from_str(r#"{"id":"c","object":"chat.completion.chunk","created":0,"model":"gpt-4o-mini",
    /// #                 "choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":"stop"}]}"#).expect("a chunk");
    /// #             Ok(futures_util::stream::iter([Ok(chunk)]))
    /// #         }
    /// #     }
    /// # }
    /// # use async_openai_client::{Client, Error};
    /// async fn answer(agent: &Agent, client: &Client, question: &str) -> Result<String, Error> {
    ///     let request = CreateChatCompletionRequest {
    ///         model: "gpt-4o-mini".to_owned(),
    ///         messages: vec![ChatCompletionRequestUserMessage::from(question).into()],
    ///         ..CreateChatCompletionRequest::default()
    ///     };
    ///     let mut generation = agent.generation().openai_request(&request).start();
    ///     let stream = match client.chat().create_stream(request).in_context(generation.context()).await {
    ///         Ok(stream) => stream,
    ///         Err(error) => {
    ///             generation.fail(&error);
    ///             return Err(error);
    ///         }
    ///     };
    ///     let mut stream = generation.wrap(stream);
    ///     let mut text = String::new();
    ///     while let Some(chunk) = stream.next().await {
    ///         for choice in chunk?.choices {
    ///             text.push_str(choice.delta.content.as_deref().unwrap_or_default());
    ///         }
    ///     }
    ///     Ok(text)
    /// }
    /// # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    /// # let text = runtime.block_on(answer(&Agent::disabled(), &Client, "What is 1 + 1?"))?;
    /// # assert_eq!(text, "Hi");
    /// # Ok::<(), Error>(())
    /// ```
    pub fn openai_request(mut self, request: &'a CreateChatCompletionRequest) -> Self {
        if !self.names_provider() {
            self = self.provider("openai");
        }
        self = self.model(request.model.clone());
        if !self.is_recorded() {
            return self;
        }
        #[expect(deprecated, reason = "programs still set them")]
        let (max_tokens, seed) = (request.max_completion_tokens.or(request.max_tokens), request.seed);
        if let Some(tokens) = max_tokens {
            self = self.max_tokens(tokens.into());
        }
        if let Some(seed) = seed {
            self = self.seed(seed);
        }
        if let Some(temperature) = request.temperature {
            self = self.temperature(as_written(temperature));
        }
        if let Some(top_p) = request.top_p {
            self = self.top_p(as_written(top_p));
        }
        if let Some(penalty) = request.frequency_penalty {
            self = self.frequency_penalty(as_written(penalty));
        }
        if let Some(penalty) = request.presence_penalty {
            self = self.presence_penalty(as_written(penalty));
        }
        if let Some(n) = request.n {
            self = self.choice_count(n.into());
        }
        self = match &request.stop {
            Some(StopConfiguration::String(stop)) => self.stop_sequences(vec![stop.clone().into()]),
            Some(StopConfiguration::StringArray(stop)) => {
                self.stop_sequences(stop.iter().cloned().map(Text::from).collect())
            }
            None => self,
        };
        if let Some(effort) = &request.reasoning_effort
            && let Ok(serde_json::Value::String(level)) = serde_json::to_value(effort)
        {
            self = self.reasoning_level(level);
        }
        self.stream(request.stream == Some(true)).input_messages(&request.messages)
    }
}

/// The number that the program wrote: 0.2 and not 0.20000000298.
fn as_written(number: f32) -> f64 {
    number.to_string().parse().unwrap_or(f64::from(number))
}

impl CompletionChunk for CreateChatCompletionStreamResponse {
    fn tell(&self, answer: &mut Answer) {
        answer.must_finish = true;
        answer.model(&self.model);
        answer.id(&self.id);
        for choice in &self.choices {
            let (index, delta) = (choice.index, &choice.delta);
            answer.text(index, delta.content.as_deref().unwrap_or_default());
            answer.text(index, delta.refusal.as_deref().unwrap_or_default());
            for call in delta.tool_calls.iter().flatten() {
                let function = call.function.as_ref();
                let name = function.and_then(|function| function.name.as_deref());
                let arguments = function.and_then(|function| function.arguments.as_deref()).unwrap_or_default();
                answer.tool_call(index, call.index, call.id.as_deref(), name, arguments);
            }
            if let Some(reason) = choice.finish_reason {
                answer.finish_reason(index, word(reason));
            }
        }
        if let Some(usage) = &self.usage {
            answer.usage(tokens(usage));
        }
    }
}

impl CompletionChunk for CreateChatCompletionResponse {
    fn tell(&self, answer: &mut Answer) {
        answer.model(&self.model);
        answer.id(&self.id);
        for choice in &self.choices {
            let (index, message) = (choice.index, &choice.message);
            answer.text(index, message.content.as_deref().unwrap_or_default());
            answer.text(index, message.refusal.as_deref().unwrap_or_default());
            for (call, number) in message.tool_calls.iter().flatten().zip(0..) {
                if let ChatCompletionMessageToolCalls::Function(call) = call {
                    let function = &call.function;
                    answer.tool_call(index, number, Some(&call.id), Some(&function.name), &function.arguments);
                }
            }
            if let Some(reason) = choice.finish_reason {
                answer.finish_reason(index, word(reason));
            }
        }
        if let Some(usage) = &self.usage {
            answer.usage(tokens(usage));
        }
    }
}

fn word(reason: FinishReason) -> &'static str {
    match reason {
        FinishReason::Stop => "stop",
        FinishReason::Length => "length",
        FinishReason::ToolCalls => "tool_calls",
        FinishReason::ContentFilter => "content_filter",
        FinishReason::FunctionCall => "function_call",
    }
}

fn tokens(usage: &CompletionUsage) -> TokenUsage {
    let cached = usage.prompt_tokens_details.as_ref().and_then(|details| details.cached_tokens);
    let reasoning = usage.completion_tokens_details.as_ref().and_then(|details| details.reasoning_tokens);
    TokenUsage {
        input: Some(usage.prompt_tokens.into()),
        output: Some(usage.completion_tokens.into()),
        cache_read: cached.map(Into::into),
        cache_creation: None,
        reasoning: reasoning.map(Into::into),
    }
}
