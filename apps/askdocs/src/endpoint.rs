//! Where a model is asked: OpenAI, Azure OpenAI, anything that speaks OpenAI's protocol, or the models of this process.

use std::pin::Pin;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode, header};
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, TryStreamExt as _};
use serde_json::Value;
use tokenfall_agent::generation::{GenerationError, GenerationErrorKind};
use tower::ServiceExt as _;

/// Until a connection stands.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Until the headers of an answer come: models that load or are asked by many take their time.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(120);
/// Between two parts of an answer.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);
/// Most that is read of an error's body, in bytes.
const MAX_ERROR_BYTES: usize = 64 << 10;
/// Most that is read of an answer that does not stream, in bytes.
const MAX_ANSWER_BYTES: usize = 256 << 20;

/// Who serves the model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Provider {
    /// OpenAI.
    OpenAi,
    /// Azure OpenAI: the model is a deployment, and the version of the interface is part of each request.
    Azure {
        /// `api-version`, such as `2024-10-21`.
        api_version: String,
    },
    /// Ollama, vLLM, llama.cpp, LiteLLM, `askdocs model serve` …
    Compatible,
    /// This process.
    Local,
}

impl Provider {
    /// OpenTelemetry's `gen_ai.provider.name`.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::OpenAi => "openai",
            Self::Azure { .. } => "azure.ai.openai",
            Self::Compatible => "openai-compatible",
            Self::Local => "askdocs-local",
        }
    }
}

#[derive(Clone)]
enum Transport {
    Http(reqwest::Client),
    /// Requests are served in this process, by the same routes.
    InProcess(Router),
}

/// One model at one address.
#[derive(Clone)]
pub struct Endpoint {
    provider: Provider,
    transport: Transport,
    /// Without a slash at the end.
    base: String,
    model: String,
    key: Option<String>,
}

impl std::fmt::Debug for Endpoint {
    /// Without the key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Endpoint")
            .field("provider", &self.provider)
            .field("base", &self.base)
            .field("model", &self.model)
            .finish_non_exhaustive()
    }
}

/// Why a request was not answered, in the words of the providers' libraries.
pub type RequestError = GenerationError;

/// An error, and after how long the server wishes to be asked again.
#[derive(Debug)]
pub struct Failure {
    /// The error.
    pub error: RequestError,
    /// `retry-after` or `retry-after-ms`.
    pub retry_after: Option<Duration>,
}

impl From<RequestError> for Failure {
    fn from(error: RequestError) -> Self {
        Self { error, retry_after: None }
    }
}

/// The parts of a body.
pub type Parts = Pin<Box<dyn Stream<Item = Result<Bytes, RequestError>> + Send>>;

impl Endpoint {
    /// A model at an address, such as `https://api.openai.com/v1`, for Azure `https://NAME.openai.azure.com`.
    ///
    /// # Errors
    /// If the address is none, or TLS cannot be set up.
    pub fn http(provider: Provider, base: &str, model: &str, key: Option<String>) -> Result<Self, RequestError> {
        let client = client_for(base).map_err(|why| GenerationError::new(GenerationErrorKind::BadRequest, why))?;
        let (base, model) = (base.trim_end_matches('/').to_owned(), model.to_owned());
        Ok(Self { provider, transport: Transport::Http(client), base, model, key })
    }

    /// A model of this process.
    pub fn local(router: Router, model: &str) -> Self {
        Self {
            provider: Provider::Local,
            transport: Transport::InProcess(router),
            base: "/v1".to_owned(),
            model: model.to_owned(),
            key: None,
        }
    }

    /// Who serves it.
    pub const fn provider(&self) -> &Provider {
        &self.provider
    }

    /// The model, with Azure the deployment.
    pub fn model(&self) -> &str {
        &self.model
    }

    /// The address, unless it is this process.
    pub fn address(&self) -> Option<&str> {
        matches!(self.transport, Transport::Http(_)).then_some(self.base.as_str())
    }

    fn url(&self, path: &str) -> String {
        match &self.provider {
            Provider::Azure { api_version } => {
                format!("{}/openai/deployments/{}/{path}?api-version={api_version}", self.base, self.model)
            }
            _ => format!("{}/{path}", self.base),
        }
    }

    /// Sends a request and waits for the headers. Dropping the parts cancels what is going on at the other end.
    ///
    /// # Errors
    /// If nothing, or something else than a success, is answered.
    pub async fn post(&self, path: &str, body: &Value) -> Result<(HeaderMap, Parts), Failure> {
        let sent = tokio::time::timeout(ANSWER_TIMEOUT, self.send(path, body.to_string())).await;
        let (status, headers, parts) = sent.map_err(|_| timeout("no answer came"))??;
        if status.is_success() {
            return Ok((headers, parts));
        }
        let body = collect(parts, MAX_ERROR_BYTES).await.unwrap_or_default();
        let error = GenerationError::from_response(status.as_u16(), &body);
        Err(Failure { error, retry_after: retry_after(&headers) })
    }

    /// Sends a request and reads the whole answer.
    ///
    /// # Errors
    /// If nothing, or something else than a success, is answered.
    pub async fn post_json(&self, path: &str, body: &Value) -> Result<Bytes, RequestError> {
        let (_, parts) = self.post(path, body).await.map_err(|failure| failure.error)?;
        collect(parts, MAX_ANSWER_BYTES).await
    }

    async fn send(&self, path: &str, body: String) -> Result<(StatusCode, HeaderMap, Parts), RequestError> {
        match &self.transport {
            Transport::Http(client) => {
                let request = client.post(self.url(path)).header(header::CONTENT_TYPE, "application/json");
                let request = match (&self.key, &self.provider) {
                    (Some(key), Provider::Azure { .. }) => request.header("api-key", key),
                    (Some(key), _) => request.bearer_auth(key),
                    (None, _) => request,
                };
                let response = request.body(body).send().await.map_err(|error| of_reqwest(&error))?;
                let (status, headers) = (response.status(), response.headers().clone());
                let parts = response.bytes_stream().map_err(|error| of_reqwest(&error));
                Ok((status, headers, watched(parts)))
            }
            Transport::InProcess(router) => {
                let request = Request::post(self.url(path)).body(Body::from(body)).map_err(connection)?;
                let response = router.clone().oneshot(request).await.map_err(connection)?;
                let (head, body) = response.into_parts();
                let parts = body.into_data_stream().map_err(connection);
                Ok((head.status, head.headers, watched(parts)))
            }
        }
    }
}

/// A client for a server at this address, or what is wrong with the address. It is not repeated there: it may hold a password.
pub(crate) fn client_for(address: &str) -> Result<reqwest::Client, String> {
    let url = reqwest::Url::parse(address).map_err(|error| format!("this is no address: {error}"))?;
    match url.scheme() {
        "http" => {}
        "https" if cfg!(feature = "tls") => {}
        "https" => return Err("this askdocs was built without HTTPS: build it with `--features tls`".to_owned()),
        _ => return Err("an address must begin with http:// or https://".to_owned()),
    }
    // Fails if it was done before, which is as good.
    #[cfg(feature = "tls")]
    drop(rustls::crypto::ring::default_provider().install_default());
    reqwest::Client::builder().connect_timeout(CONNECT_TIMEOUT).build().map_err(|error| with_causes(&error))
}

/// Ends a body that stands still for too long.
fn watched(parts: impl Stream<Item = Result<Bytes, RequestError>> + Send + 'static) -> Parts {
    let parts = Box::pin(parts);
    Box::pin(futures_util::stream::unfold(Some(parts), |parts| async move {
        let mut parts: Pin<Box<_>> = parts?;
        match tokio::time::timeout(IDLE_TIMEOUT, parts.next()).await {
            Ok(part) => part.map(|part| (part, Some(parts))),
            Err(_) => Some((Err(timeout("the answer stood still")), None)),
        }
    }))
}

async fn collect(mut parts: Parts, most: usize) -> Result<Bytes, RequestError> {
    let mut bytes = Vec::new();
    while let Some(part) = parts.next().await {
        bytes.extend_from_slice(&part?);
        if bytes.len() > most {
            return Err(GenerationError::new(
                GenerationErrorKind::Api,
                format!("the answer is larger than {most} bytes"),
            ));
        }
    }
    Ok(bytes.into())
}

fn timeout(what: &str) -> RequestError {
    GenerationError::new(GenerationErrorKind::ApiTimeout, format!("{what} within the time"))
}

fn connection(error: impl std::error::Error) -> RequestError {
    GenerationError::new(GenerationErrorKind::ApiConnection, with_causes(&error))
}

fn of_reqwest(error: &reqwest::Error) -> RequestError {
    let kind = if error.is_timeout() { GenerationErrorKind::ApiTimeout } else { GenerationErrorKind::ApiConnection };
    GenerationError::new(kind, with_causes(error))
}

/// The message of an error and of those behind it, which say what really happened.
pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let message = error.to_string();
        if !text.contains(&message) {
            text = format!("{text}: {message}");
        }
        cause = error.source();
    }
    text
}

/// Seconds or, as OpenAI and Azure also send, milliseconds. A date is not understood and not needed by any of them.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<f64>().ok().filter(|n| *n >= 0.0);
    let seconds = number("retry-after-ms").map(|ms| ms / 1_000.0).or_else(|| number("retry-after"))?;
    Duration::try_from_secs_f64(seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn azure_has_deployments_and_versions() {
        let azure = Provider::Azure { api_version: "2024-10-21".to_owned() };
        let endpoint = Endpoint::http(azure, "http://x.openai.azure.com/", "gpt-35", None).expect("an address");
        assert_eq!(
            endpoint.url("chat/completions"),
            "http://x.openai.azure.com/openai/deployments/gpt-35/chat/completions?api-version=2024-10-21"
        );
        let openai = Endpoint::http(Provider::OpenAi, "http://api.openai.com/v1", "gpt-4o", None).expect("an address");
        assert_eq!(openai.url("chat/completions"), "http://api.openai.com/v1/chat/completions");
        let error = Endpoint::http(Provider::OpenAi, "api.openai.com", "x", None).expect_err("no address").to_string();
        assert!(error.contains("is no address"), "{error}");
        let https = Endpoint::http(Provider::OpenAi, "https://api.openai.com/v1", "x", None);
        assert_eq!(https.is_ok(), cfg!(feature = "tls"));
    }

    #[test]
    fn keys_are_not_shown() {
        let endpoint = Endpoint::http(Provider::OpenAi, "http://a.b/v1", "m", Some("sk-secret".to_owned()));
        assert!(!format!("{:?}", endpoint.expect("an address")).contains("secret"));
    }

    #[test]
    fn servers_say_when_to_come_back() {
        let headers = |name: &'static str, value: &'static str| {
            HeaderMap::from_iter([(header::HeaderName::from_static(name), header::HeaderValue::from_static(value))])
        };
        assert_eq!(retry_after(&headers("retry-after", "2")), Some(Duration::from_secs(2)));
        assert_eq!(retry_after(&headers("retry-after-ms", "250")), Some(Duration::from_millis(250)));
        assert_eq!(retry_after(&headers("retry-after", "-1")), None);
        assert_eq!(retry_after(&headers("retry-after", "Wed, 21 Oct 2026 07:28:00 GMT")), None);
    }
}
