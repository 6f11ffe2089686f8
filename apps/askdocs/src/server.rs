//! The page, and what it talks to.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use bytes::Bytes;
use futures_util::StreamExt as _;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tower_http::services::ServeDir;
use tower_http::set_header::SetResponseHeaderLayer;

use crate::ask::{Application, Question};
use crate::feedback::Thumb;
use crate::retrieval::Source;

/// Longest question, in characters.
const MAX_QUESTION_CHARS: usize = 1_000;
/// Longest body, in bytes.
const MAX_BODY_BYTES: usize = 16 << 10;

/// The page's files. Nothing is fetched from elsewhere.
const FILES: [(&str, &str, &str); 3] = [
    ("/", "text/html; charset=utf-8", include_str!("page/index.html")),
    ("/askdocs.js", "text/javascript; charset=utf-8", include_str!("page/askdocs.js")),
    ("/askdocs.css", "text/css; charset=utf-8", include_str!("page/askdocs.css")),
];

/// What is served.
pub struct Site {
    /// The application.
    pub application: Arc<Application>,
    /// Where traces can be looked at, such as `http://127.0.0.1:8200`.
    pub tokenfall_url: Option<String>,
    /// The folder with the documents, so that links lead somewhere.
    pub documents: Option<PathBuf>,
    /// Questions that the page offers.
    pub examples: Vec<String>,
    /// What is said about the documents, such as their licence.
    pub about: Option<String>,
}

type Shared = State<Arc<Site>>;

/// The routes.
pub fn router(site: Site) -> Router {
    let documents = site.documents.clone();
    let mut router = Router::new()
        .route("/api/about", get(about))
        .route("/api/ask", post(ask))
        .route("/api/feedback", post(feedback))
        .route("/trace/{id}", get(trace))
        // Browsers ask for it beside documents, which have none.
        .route("/favicon.ico", get(async || StatusCode::NO_CONTENT))
        .route("/health", get(async || Json(json!({ "status": "ok" }))));
    for (path, kind, text) in FILES {
        router = router.route(path, get(async move || ([(header::CONTENT_TYPE, kind)], text)));
    }
    let router = router.layer(DefaultBodyLimit::max(MAX_BODY_BYTES)).with_state(Arc::new(site));
    let policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; \
                  form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
    let router = router.layer(always(header::CONTENT_SECURITY_POLICY, policy));
    // Documents are somebody else's pages: they run no scripts and see nothing of this one.
    let policy = "sandbox allow-top-navigation-by-user-activation; default-src 'none'; img-src 'self' data:; \
                  style-src 'self' 'unsafe-inline'; font-src 'self'";
    let router = match documents {
        Some(folder) => {
            let documents = Router::new().fallback_service(ServeDir::new(folder));
            router.nest("/docs", documents.layer(always(header::CONTENT_SECURITY_POLICY, policy)))
        }
        None => router,
    };
    router
        .layer(always(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(always(header::REFERRER_POLICY, "same-origin"))
}

fn always(name: HeaderName, value: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value))
}

#[derive(Serialize)]
struct About {
    model: String,
    provider: &'static str,
    embedding_model: Option<String>,
    /// Passages in the index, and how many of them can be found by their meaning; not known for search engines.
    passages: Option<usize>,
    embedded: Option<usize>,
    examples: Vec<String>,
    has_traces: bool,
    has_documents: bool,
    /// Prices are given: costs are shown.
    has_prices: bool,
    licence: Option<String>,
}

async fn about(State(site): Shared) -> Json<About> {
    let application = &site.application;
    let (passages, embedded) = match &application.retriever.source {
        Source::Embedded(index) => (index.passages().ok(), index.embedded().ok()),
        Source::SearchEngine(_) => (None, None),
    };
    Json(About {
        model: application.chat.endpoint.model().to_owned(),
        provider: application.chat.endpoint.provider().as_str(),
        embedding_model: application.retriever.embedder.as_ref().map(|embedder| embedder.model().to_owned()),
        passages,
        embedded,
        examples: site.examples.clone(),
        has_traces: site.tokenfall_url.is_some(),
        has_documents: site.documents.is_some(),
        has_prices: application.chat.prices.is_some(),
        licence: site.about.clone(),
    })
}

#[derive(Deserialize)]
struct AskRequest {
    question: String,
    session: Option<String>,
    /// Will somebody be able to give a thumb?
    #[serde(default)]
    awaits_feedback: bool,
}

fn refuse(status: StatusCode, message: &str) -> Response {
    (status, Json(json!({ "error": { "message": message } }))).into_response()
}

/// Server-sent events, each an [`Update`](crate::ask::Update) as JSON. Who closes the connection stops the answers.
async fn ask(State(site): Shared, Json(request): Json<AskRequest>) -> Response {
    let text = request.question.trim();
    if text.is_empty() {
        return refuse(StatusCode::BAD_REQUEST, "the question is empty");
    }
    if text.chars().count() > MAX_QUESTION_CHARS {
        return refuse(
            StatusCode::BAD_REQUEST,
            &format!("the question is longer than {MAX_QUESTION_CHARS} characters"),
        );
    }
    let session = request.session.filter(|session| session.len() <= 64);
    let question = Question { text: text.to_owned(), session, awaits_feedback: request.awaits_feedback };
    let events = site.application.ask(question).map(|update| {
        let data = serde_json::to_string(&update).map_err(std::io::Error::other)?;
        Ok::<_, std::io::Error>(Bytes::from(format!("data: {data}\n\n")))
    });
    let headers = [(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-cache")];
    (headers, Body::from_stream(events)).into_response()
}

#[derive(Deserialize)]
struct FeedbackRequest {
    id: String,
    answer: usize,
    thumb: Thumb,
}

async fn feedback(State(site): Shared, Json(request): Json<FeedbackRequest>) -> Response {
    if request.answer < crate::ask::HITS && site.application.feedback.thumb(&request.id, request.answer, request.thumb)
    {
        return StatusCode::NO_CONTENT.into_response();
    }
    refuse(StatusCode::NOT_FOUND, "this question is not known any more: ask it again")
}

/// Sends what is held of a trace and leads to its picture.
async fn trace(State(site): Shared, Path(id): Path<String>) -> Result<Redirect, Response> {
    let Some(url) = &site.tokenfall_url else {
        return Err(refuse(StatusCode::NOT_FOUND, "no Tokenfall was named: start askdocs with --tokenfall-url"));
    };
    if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(refuse(StatusCode::NOT_FOUND, "there is no such trace"));
    }
    site.application.feedback.send(&id);
    let agent = site.application.agent.clone();
    // If it takes longer, the page of the trace says that it is not there yet.
    drop(tokio::task::spawn_blocking(move || agent.flush(Duration::from_secs(2))).await);
    Ok(Redirect::to(&format!("{}/traces/{id}", url.trim_end_matches('/'))))
}

/// Serves until `stop` is done; answers that are streaming then have a moment to end.
///
/// # Errors
/// If the socket fails.
pub async fn serve(
    listener: tokio::net::TcpListener,
    site: Site,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let application = Arc::clone(&site.application);
    let served = askdocs_model::server::serve(listener, router(site), stop, Duration::from_secs(3)).await;
    application.feedback.send_all();
    served
}

/// Done when the process is asked to end.
pub async fn asked_to_end() {
    let interrupted = async { drop(tokio::signal::ctrl_c().await) };
    #[cfg(unix)]
    let terminated = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => drop(signal.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminated = std::future::pending::<()>();
    tokio::select! { () = interrupted => {}, () = terminated => {} }
}

#[cfg(test)]
mod tests;
