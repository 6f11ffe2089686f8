//! OpenAI's HTTP interface to the models of this machine: `/v1/chat/completions` (streamed or not), `/v1/embeddings`, `/v1/models`.
//!
//! What is read and written follows OpenAI's API reference; the parts that no model here can do are refused with status 400
//! rather than passed over in silence, unless leaving them out changes nothing that a client could miss.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Path, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use bytes::Bytes;
use futures_util::stream;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use subtle::ConstantTimeEq as _;
use tokio::sync::mpsc::UnboundedReceiver;

use crate::chat::{Message, Role, Sampling};
use crate::embedding::EmbeddingModel;
use crate::faults::{Fault, Faults, Struck};
use crate::scheduler::{Event, Refused, Scheduler};

/// Longest request body, in bytes.
const MAX_BODY_BYTES: usize = 4 << 20;
/// Most texts in one request for embeddings.
const MAX_EMBEDDING_INPUTS: usize = 2_048;

/// What is served.
#[derive(Default)]
pub struct Models {
    /// The language model, if there is one.
    pub chat: Option<Scheduler>,
    /// The embedding model, if there is one.
    pub embedding: Option<Arc<dyn EmbeddingModel>>,
    /// What goes wrong on purpose.
    pub faults: Faults,
    /// Who does not send this as a bearer token is refused.
    pub api_key: Option<String>,
}

type Shared = State<Arc<Models>>;

/// The routes.
pub fn router(models: Models) -> Router {
    let models = Arc::new(models);
    Router::new()
        .route("/v1/chat/completions", post(chat))
        .route("/v1/embeddings", post(embeddings))
        .route("/v1/models", get(list))
        .route("/v1/models/{id}", get(one))
        .layer(from_fn_with_state(Arc::clone(&models), authorized))
        .route("/health", get(async || Json(json!({ "status": "ok" }))))
        .fallback(async || Refusal::not_found("there is nothing here: see /v1/models"))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .with_state(models)
}

async fn authorized(State(models): Shared, request: Request, next: Next) -> Response {
    let Some(key) = &models.api_key else { return next.run(request).await };
    let sent = request.headers().get(header::AUTHORIZATION).and_then(|value| value.as_bytes().strip_prefix(b"Bearer "));
    if sent.is_some_and(|sent| bool::from(sent.ct_eq(key.as_bytes()))) {
        return next.run(request).await;
    }
    let message = "Incorrect API key provided. Send the one that the server was started with as a bearer token.";
    Refusal::new(StatusCode::UNAUTHORIZED, "invalid_request_error", Some("invalid_api_key"), message).into_response()
}

/// Why a request is not answered, in OpenAI's form.
#[derive(Debug)]
struct Refusal {
    status: StatusCode,
    kind: &'static str,
    code: Option<&'static str>,
    message: String,
    retry_after: Option<&'static str>,
}

impl Refusal {
    fn new(status: StatusCode, kind: &'static str, code: Option<&'static str>, message: impl Into<String>) -> Self {
        Self { status, kind, code, message: message.into(), retry_after: None }
    }

    fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_request_error", None, message)
    }

    fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "invalid_request_error", None, message)
    }

    fn no_model(id: &str) -> Self {
        let message = format!("The model `{id}` does not exist here. GET /v1/models lists those that do.");
        Self::new(StatusCode::NOT_FOUND, "invalid_request_error", Some("model_not_found"), message)
    }

    fn busy(message: impl Into<String>) -> Self {
        let refusal = Self::new(StatusCode::SERVICE_UNAVAILABLE, "server_error", Some("overloaded"), message);
        Self { retry_after: Some("1"), ..refusal }
    }

    fn failed(message: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "server_error", None, message)
    }

    fn body(&self) -> Value {
        json!({ "error": { "message": self.message, "type": self.kind, "param": null, "code": self.code } })
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.body())).into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(seconds));
        }
        response
    }
}

impl From<Refused> for Refusal {
    fn from(refused: Refused) -> Self {
        let message = refused.to_string();
        match refused {
            Refused::TooLong { .. } => {
                let code = Some("context_length_exceeded");
                Self::new(StatusCode::BAD_REQUEST, "invalid_request_error", code, message)
            }
            Refused::Busy => Self::busy(message),
            Refused::Stopped => Self::failed(message),
        }
    }
}

/// Reads a JSON body whatever its content type says, as OpenAI does.
fn parse<'a, T: Deserialize<'a>>(body: &'a Bytes) -> Result<T, Refusal> {
    serde_json::from_slice(body)
        .map_err(|error| Refusal::bad_request(format!("The body is not what is expected: {error}")))
}

/// What is read of a request for a completion.
#[derive(Deserialize)]
struct ChatRequest {
    model: String,
    messages: Vec<ChatMessage>,
    #[serde(default)]
    stream: bool,
    #[serde(default)]
    stream_options: StreamOptions,
    max_tokens: Option<usize>,
    max_completion_tokens: Option<usize>,
    temperature: Option<f32>,
    top_p: Option<f32>,
    seed: Option<i64>,
    stop: Option<OneOrMany>,
    n: Option<u32>,
    /// Not OpenAI's, but of llama.cpp's and others' servers.
    repeat_penalty: Option<f32>,
    tools: Option<Value>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct StreamOptions {
    include_usage: bool,
}

#[derive(Deserialize)]
struct ChatMessage {
    role: Role,
    content: Content,
}

/// A text, or parts of which the texts are taken.
#[derive(Deserialize)]
#[serde(untagged)]
enum Content {
    Text(String),
    Parts(Vec<Part>),
}

#[derive(Deserialize)]
struct Part {
    text: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl OneOrMany {
    fn into_vec(self) -> Vec<String> {
        match self {
            Self::One(text) => vec![text],
            Self::Many(texts) => texts,
        }
    }
}

impl ChatRequest {
    fn messages(&mut self) -> Result<Vec<Message>, Refusal> {
        let messages: Vec<_> = std::mem::take(&mut self.messages)
            .into_iter()
            .map(|message| {
                let content = match message.content {
                    Content::Text(text) => text,
                    Content::Parts(parts) => parts.into_iter().map(|part| part.text).collect::<Vec<_>>().join("\n"),
                };
                Message { role: message.role, content }
            })
            .collect();
        if messages.is_empty() {
            return Err(Refusal::bad_request("`messages` must not be empty"));
        }
        Ok(messages)
    }

    fn sampling(&mut self, default_max_tokens: usize) -> Result<Sampling, Refusal> {
        let refuse = |what: &str| Err(Refusal::bad_request(what));
        let default = Sampling::default();
        let temperature = self.temperature.unwrap_or(1.0);
        let top_p = self.top_p.unwrap_or(1.0);
        let repeat_penalty = self.repeat_penalty.unwrap_or(default.repeat_penalty);
        if !(0.0..=2.0).contains(&temperature) {
            return refuse("`temperature` must be between 0 and 2");
        }
        if !(top_p > 0.0 && top_p <= 1.0) {
            return refuse("`top_p` must be above 0 and at most 1");
        }
        if !(0.1..=10.0).contains(&repeat_penalty) {
            return refuse("`repeat_penalty` must be between 0.1 and 10");
        }
        if self.n.is_some_and(|n| n != 1) {
            return refuse("`n` must be 1: ask again for another answer");
        }
        if self.tools.as_ref().is_some_and(|tools| tools.as_array().is_none_or(|tools| !tools.is_empty())) {
            return refuse("`tools` cannot be used with this model");
        }
        let stop = self.stop.take().map(OneOrMany::into_vec).unwrap_or_default();
        if stop.len() > 4 || stop.iter().any(String::is_empty) {
            return refuse("`stop` must be at most 4 texts, none of them empty");
        }
        Ok(Sampling {
            max_tokens: self.max_completion_tokens.or(self.max_tokens).unwrap_or(default_max_tokens),
            temperature,
            top_p,
            repeat_penalty,
            seed: self.seed.map_or_else(|| fastrand::u32(..), |seed| seed as u32),
            stop,
        })
    }
}

async fn chat(State(models): Shared, body: Bytes) -> Result<Response, Refusal> {
    let mut request: ChatRequest = parse(&body)?;
    let scheduler = models.chat.as_ref().filter(|chat| chat.model().info().id == request.model);
    let scheduler = scheduler.ok_or_else(|| Refusal::no_model(&request.model))?;
    let messages = request.messages()?;
    let struck = models.faults.strike(messages.last().map_or("", |message| &message.content));
    match struck.map(|struck| struck.fault) {
        Some(Fault::RateLimit) => {
            let message = "Rate limit reached for requests. Please try again in 1s.";
            let refusal = Refusal::new(StatusCode::TOO_MANY_REQUESTS, "requests", Some("rate_limit_exceeded"), message);
            return Err(Refusal { retry_after: Some("1"), ..refusal });
        }
        Some(Fault::ServerError) => return Err(Refusal::busy("The server is overloaded. Please try again later.")),
        _ => {}
    }
    let model = Arc::clone(scheduler.model());
    let prompt = model.prompt(&messages);
    let prompt_tokens = prompt.len();
    let room = model.info().context_tokens.saturating_sub(prompt_tokens);
    let sampling = request.sampling(room)?;
    let answer = Answer {
        head: Head::new(&request.model),
        prompt_tokens,
        pace: Pace::new(struck),
        events: scheduler.ask(prompt, sampling)?,
    };
    if request.stream { Ok(answer.streamed(request.stream_options.include_usage)) } else { answer.whole().await }
}

/// What all parts of an answer have in common.
#[derive(Clone)]
struct Head {
    id: String,
    created: u64,
    model: String,
}

impl Head {
    fn new(model: &str) -> Self {
        let created = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        Self { id: format!("chatcmpl-{:016x}", fastrand::u64(..)), created, model: model.to_owned() }
    }

    fn object(&self, object: &'static str, choices: &Value, usage: Option<Value>) -> Value {
        let mut value = json!({
            "id": self.id, "object": object, "created": self.created, "model": self.model, "choices": choices,
        });
        if let Some(usage) = usage {
            value["usage"] = usage;
        }
        value
    }
}

fn usage(prompt: usize, completion: usize) -> Value {
    json!({ "prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion })
}

/// An answer that is being produced.
struct Answer {
    head: Head,
    prompt_tokens: usize,
    pace: Pace,
    events: UnboundedReceiver<Event>,
}

impl Answer {
    /// Waits for the whole of it.
    async fn whole(mut self) -> Result<Response, Refusal> {
        let mut text = String::new();
        loop {
            if self.pace.wait().await.is_err() {
                return Ok(broken_off());
            }
            match self.events.recv().await {
                Some(Event::Text(piece)) => text.push_str(&piece),
                Some(Event::Finished { reason, tokens }) => {
                    let choices = json!([{
                        "index": 0,
                        "message": { "role": "assistant", "content": text, "refusal": null },
                        "finish_reason": reason.as_str(),
                        "logprobs": null,
                    }]);
                    let usage = usage(self.prompt_tokens, tokens);
                    return Ok(Json(self.head.object("chat.completion", &choices, Some(usage))).into_response());
                }
                Some(Event::Failed(message)) => return Err(Refusal::failed(message)),
                None => return Err(Refusal::failed("the model has stopped; see the log")),
            }
        }
    }

    /// Server-sent events: role, pieces of text, finish reason, usage if it was asked for, `[DONE]`.
    fn streamed(self, include_usage: bool) -> Response {
        let chunk = move |head: &Head, delta: Value, reason: Option<&str>| {
            let choices = json!([{ "index": 0, "delta": delta, "logprobs": null, "finish_reason": reason }]);
            // With usage asked for, all chunks but the last say that they have none.
            event(&head.object("chat.completion.chunk", &choices, include_usage.then_some(Value::Null)))
        };
        let first = chunk(&self.head, json!({ "role": "assistant", "content": "" }), None);
        let pieces = stream::unfold(Some((self, Some(first))), move |state| async move {
            let (mut answer, first) = state?;
            if let Some(first) = first {
                return Some((Ok(first), Some((answer, None))));
            }
            if let Err(error) = answer.pace.wait().await {
                return Some((Err(error), None));
            }
            match answer.events.recv().await {
                Some(Event::Text(text)) => {
                    let bytes = chunk(&answer.head, json!({ "content": text }), None);
                    Some((Ok(bytes), Some((answer, None))))
                }
                Some(Event::Finished { reason, tokens }) => {
                    let mut bytes = chunk(&answer.head, json!({}), Some(reason.as_str())).to_vec();
                    if include_usage {
                        let usage = usage(answer.prompt_tokens, tokens);
                        bytes.extend(event(&answer.head.object("chat.completion.chunk", &json!([]), Some(usage))));
                    }
                    bytes.extend_from_slice(b"data: [DONE]\n\n");
                    Some((Ok(bytes.into()), None))
                }
                Some(Event::Failed(message)) => Some((Ok(event(&Refusal::failed(message).body())), None)),
                None => Some((Ok(event(&Refusal::failed("the model has stopped").body())), None)),
            }
        });
        let headers = [(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-cache")];
        (headers, Body::from_stream(pieces)).into_response()
    }
}

fn event(data: &Value) -> Bytes {
    format!("data: {data}\n\n").into()
}

fn broken_off() -> Response {
    let error = std::io::Error::new(std::io::ErrorKind::ConnectionReset, "broken off on purpose");
    Body::from_stream(stream::iter([Err::<Bytes, _>(error)])).into_response()
}

/// When the pieces of an answer come, if something is wrong on purpose.
struct Pace {
    struck: Option<Struck>,
    /// The piece at which it happens.
    at: usize,
    pieces: usize,
}

impl Pace {
    fn new(struck: Option<Struck>) -> Self {
        let place = struck.map_or(0.0, |struck| struck.place);
        let at = match struck.map(|struck| struck.fault) {
            // The first half before the first token.
            Some(Fault::Disconnect) if place < 0.5 => 0,
            Some(Fault::Disconnect) => 1 + ((place - 0.5) * 40.0) as usize,
            _ => 1 + (place * 8.0) as usize,
        };
        Self { struck, at, pieces: 0 }
    }

    /// Called before each piece.
    async fn wait(&mut self) -> Result<(), std::io::Error> {
        let piece = self.pieces;
        self.pieces += 1;
        match self.struck.map(|struck| struck.fault) {
            Some(Fault::Disconnect) if piece == self.at => {
                Err(std::io::Error::new(std::io::ErrorKind::ConnectionReset, "broken off on purpose"))
            }
            Some(Fault::Slow(lasting)) => {
                tokio::time::sleep(lasting).await;
                Ok(())
            }
            Some(Fault::Stall(lasting)) if piece == self.at => {
                tokio::time::sleep(lasting).await;
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

#[derive(Deserialize)]
struct EmbeddingRequest {
    model: String,
    input: OneOrMany,
    dimensions: Option<usize>,
    encoding_format: Option<String>,
}

async fn embeddings(State(models): Shared, body: Bytes) -> Result<Json<Value>, Refusal> {
    let request: EmbeddingRequest = parse(&body)?;
    let model = models.embedding.as_ref().filter(|model| model.id() == request.model);
    let model = Arc::clone(model.ok_or_else(|| Refusal::no_model(&request.model))?);
    if request.dimensions.is_some_and(|dimensions| dimensions != model.dimensions()) {
        return Err(Refusal::bad_request(format!("`dimensions` must be {} with this model", model.dimensions())));
    }
    let as_base64 = match request.encoding_format.as_deref() {
        None | Some("float") => false,
        Some("base64") => true,
        Some(_) => return Err(Refusal::bad_request("`encoding_format` must be float or base64")),
    };
    let input = request.input.into_vec();
    if input.is_empty() || input.len() > MAX_EMBEDDING_INPUTS || input.iter().any(String::is_empty) {
        return Err(Refusal::bad_request(format!(
            "`input` must be 1 to {MAX_EMBEDDING_INPUTS} texts, none of them empty"
        )));
    }
    let embedded = tokio::task::spawn_blocking(move || {
        let texts: Vec<&str> = input.iter().map(String::as_str).collect();
        let tokens: usize = texts.iter().map(|text| model.count_tokens(text)).sum();
        model.embed(&texts).map(|vectors| (vectors, tokens))
    });
    let (vectors, tokens) = embedded
        .await
        .map_err(|error| Refusal::failed(error.to_string()))?
        .map_err(|error| Refusal::failed(error.to_string()))?;
    let encoded = |vector: &[f32]| {
        if as_base64 { json!(base64(vector)) } else { json!(vector) }
    };
    let data: Vec<Value> = vectors
        .iter()
        .enumerate()
        .map(|(index, vector)| json!({ "object": "embedding", "index": index, "embedding": encoded(vector) }))
        .collect();
    Ok(Json(json!({
        "object": "list",
        "data": data,
        "model": request.model,
        "usage": { "prompt_tokens": tokens, "total_tokens": tokens },
    })))
}

/// Little-endian numbers, as OpenAI's own clients ask for.
fn base64(vector: &[f32]) -> String {
    use base64::Engine as _;
    let bytes: Vec<u8> = vector.iter().flat_map(|number| number.to_le_bytes()).collect();
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

#[derive(Serialize)]
struct ModelObject {
    id: String,
    object: &'static str,
    created: u64,
    owned_by: &'static str,
}

impl Models {
    fn objects(&self) -> Vec<ModelObject> {
        let chat = self.chat.iter().map(|chat| chat.model().info().id.clone());
        let embedding = self.embedding.iter().map(|model| model.id().to_owned());
        let object = |id| ModelObject { id, object: "model", created: 0, owned_by: "askdocs" };
        chat.chain(embedding).map(object).collect()
    }
}

async fn list(State(models): Shared) -> Json<Value> {
    Json(json!({ "object": "list", "data": models.objects() }))
}

async fn one(State(models): Shared, Path(id): Path<String>) -> Result<Json<ModelObject>, Refusal> {
    models.objects().into_iter().find(|model| model.id == id).map(Json).ok_or_else(|| Refusal::no_model(&id))
}

/// Serves a router on a socket until `stop` is done; streams that are running then are broken off after `grace`.
///
/// # Errors
/// If the socket fails.
pub async fn serve(
    listener: tokio::net::TcpListener,
    router: Router,
    stop: impl Future<Output = ()> + Send + 'static,
    grace: Duration,
) -> std::io::Result<()> {
    let (stopping, stopped) = tokio::sync::oneshot::channel::<Infallible>();
    let served = axum::serve(listener, router).with_graceful_shutdown(async move {
        stop.await;
        drop(stopping);
    });
    tokio::select! {
        served = std::future::IntoFuture::into_future(served) => served,
        () = async { _ = stopped.await; tokio::time::sleep(grace).await } => Ok(()),
    }
}

#[cfg(test)]
mod tests;
