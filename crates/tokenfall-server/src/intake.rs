//! `POST /intake/v2/events`: Elastic's intake protocol v2 over HTTP.
//!
//! ```text
//! body ─unpack→ lines ─decode→ documents ─(≤ 500 events or 256 KiB)→ enrich → log ─durable→ counted in the answer
//! ```
//!
//! What a 202 promises: every event of the request is on disk and will be found exactly once, also after `kill -9`. A 400 says
//! how many events were accepted; for them the promise holds as well. Events of a request that stays open are stored as they
//! come: a pause of [`FLUSH_AFTER`] hands on what is there.
//!
//! Memory of one request: one line, one batch, one piece of unpacked body and [`session::BATCHES_IN_FLIGHT_MAX`] batches on their way
//! to the disk.

mod answer;
mod body;
mod session;

use std::net::IpAddr;
use std::time::Duration;

use axum::body::{BodyDataStream, Bytes};
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use futures_util::StreamExt as _;
use tokenfall_intake::{IntakeStream, StreamOptions};
use tokio::time::timeout;

use crate::app::App;
use crate::clock;
use crate::events::{LimitReached, Panicked};
use crate::metrics::Limit;
use answer::{Answer, Refusal};
use body::{BodyDecoder, BodyError};
use session::Session;

/// A pause of this length hands on the events that have arrived.
const FLUSH_AFTER: Duration = Duration::from_millis(50);

/// A stopping server waits this long for more of a body.
const SILENCE_WHILE_STOPPING: Duration = Duration::from_secs(1);

/// What is read of a body whose rest does not matter, so that the client comes to read the answer.
const DRAIN_BYTES_MAX: usize = 4 * 1024 * 1024;
/// How long that may take.
const DRAIN_TIME_MAX: Duration = Duration::from_secs(2);

/// Address of the client of a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ClientAddress(pub(crate) IpAddr);

/// Takes the events of one request.
pub(crate) async fn events(State(app): State<App>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let mut body = body.into_data_stream();
    let answer = match take(&app, &parts, &mut body).await {
        Ok(answer) => answer,
        Err(refusal) => Answer::refused(refusal),
    };
    if answer.status() >= StatusCode::BAD_REQUEST {
        // Time and length are bounded; whether the client is still there does not matter.
        drop(timeout(DRAIN_TIME_MAX, drain(&mut body)).await);
    }
    answer.emit(&app.metrics);
    answer.for_request(&parts).into_response()
}

/// Takes the body, or says why nothing of it was looked at.
async fn take(app: &App, parts: &Parts, body: &mut BodyDataStream) -> Result<Answer, Refusal> {
    if parts.method != Method::POST {
        return Err(Refusal::bad_request("only POST requests are supported"));
    }
    let text = |name| parts.headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    if let Some(content_type) = text(header::CONTENT_TYPE)
        && !content_type.contains("application/x-ndjson")
    {
        return Err(Refusal::bad_request(format!("invalid content type: '{content_type}'")));
    }
    if app.stopping.is_cancelled() {
        return Err(Refusal::stopping());
    }
    let limits = &app.config.limits;
    let decoder = BodyDecoder::new(text(header::CONTENT_ENCODING).as_deref(), limits)?;
    let Ok(Ok(_permit)) = timeout(limits.intake_wait, app.intake_permits.acquire()).await else {
        LimitReached { limit: Limit::IntakeRequests }.emit(&app.metrics);
        return Err(Refusal::unavailable("request timed out"));
    };
    let stream = IntakeStream::new(StreamOptions {
        received: clock::now(),
        client_ip: parts.extensions.get::<ClientAddress>().map(|client| client.0),
        event_bytes_max: limits.event_bytes_max,
        namespace: app.config.namespace.clone(),
        default_environment: app.config.default_environment.clone(),
    });
    let session = Session::new(app.clone(), stream);
    read(app, body, decoder, session).await
}

/// Reads the body to its end, or to the first thing after which the rest means nothing; then waits for the disk.
async fn read(
    app: &App,
    body: &mut BodyDataStream,
    mut decoder: BodyDecoder,
    mut session: Session,
) -> Result<Answer, Refusal> {
    let mut refusal = None;
    while !session.is_over() {
        let soon = timeout(FLUSH_AFTER, body.next()).await;
        if soon.is_err() && session.has_batch() {
            (session, ()) = on_blocking_thread(app, session, Session::flush).await?;
        }
        let chunk = match soon {
            Ok(chunk) => Ok(chunk),
            Err(_) => patiently(app, body).await,
        };
        let chunk = match chunk {
            Ok(Some(Ok(chunk))) => chunk,
            Ok(None) => {
                let ended;
                (session, ended) = on_blocking_thread(app, session, move |session| {
                    let result = decoder.finish(&mut |piece| session.feed(piece));
                    if result.is_ok() {
                        session.finish();
                    }
                    result
                })
                .await?;
                refusal = ended.err().map(|error| unreadable(app, &error));
                break;
            }
            Ok(Some(Err(error))) => {
                refusal = Some(Refusal::bad_request(format!("data read error: {error}")));
                break;
            }
            Err(reason) => {
                refusal = Some(reason);
                break;
            }
        };
        let pushed;
        (session, (decoder, pushed)) = on_blocking_thread(app, session, move |session| {
            let result = decoder.push(&chunk, &mut |piece| session.feed(piece));
            (decoder, result)
        })
        .await?;
        if let Err(error) = pushed {
            refusal = Some(unreadable(app, &error));
            break;
        }
    }
    (session, ()) = on_blocking_thread(app, session, Session::flush).await?;
    session.settle_all().await;
    Ok(session.answer(refusal))
}

/// Waits for the next chunk of a body whose client makes a pause.
async fn patiently(app: &App, body: &mut BodyDataStream) -> Result<Option<Result<Bytes, axum::Error>>, Refusal> {
    let stopping = async {
        app.stopping.cancelled().await;
        tokio::time::sleep(SILENCE_WHILE_STOPPING).await;
    };
    // `next` of a body is cancel-safe: a chunk is either returned or still to come.
    tokio::select! {
        chunk = body.next() => Ok(chunk),
        () = tokio::time::sleep(app.config.limits.body_silence) => {
            LimitReached { limit: Limit::BodySilence }.emit(&app.metrics);
            Err(Refusal::new(StatusCode::REQUEST_TIMEOUT, "request timed out"))
        }
        () = stopping => Err(Refusal::stopping()),
    }
}

/// Runs a step of a session where it may take its time.
async fn on_blocking_thread<T: Send + 'static>(
    app: &App,
    mut session: Session,
    step: impl FnOnce(&mut Session) -> T + Send + 'static,
) -> Result<(Session, T), Refusal> {
    let permit = app.decode_permits.acquire().await;
    let done = tokio::task::spawn_blocking(move || {
        let result = step(&mut session);
        (session, result)
    })
    .await;
    drop(permit);
    done.map_err(|_| {
        Panicked { during: "the intake" }.emit(&app.metrics);
        Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "internal error")
    })
}

/// Answers for a body that cannot be unpacked, and counts the limits that it broke.
fn unreadable(app: &App, error: &BodyError) -> Refusal {
    let limit = match error {
        BodyError::TooLong(_) => Some(Limit::RequestBytes),
        BodyError::TooDense(_) => Some(Limit::CompressionRatio),
        BodyError::Header(_) | BodyError::Corrupt(..) | BodyError::Truncated(_) | BodyError::Unsupported(_) => None,
    };
    if let Some(limit) = limit {
        LimitReached { limit }.emit(&app.metrics);
    }
    Refusal::from(error.clone())
}

impl From<BodyError> for Refusal {
    fn from(error: BodyError) -> Self {
        let status = match error {
            BodyError::TooLong(_) | BodyError::TooDense(_) => StatusCode::PAYLOAD_TOO_LARGE,
            BodyError::Header(_) | BodyError::Corrupt(..) | BodyError::Truncated(_) | BodyError::Unsupported(_) => {
                StatusCode::BAD_REQUEST
            }
        };
        Self::new(status, error.to_string())
    }
}

/// Reads and forgets some of the rest of a body.
async fn drain(body: &mut BodyDataStream) {
    let mut n = 0;
    while let Some(Ok(chunk)) = body.next().await {
        n += chunk.len();
        if n > DRAIN_BYTES_MAX {
            return;
        }
    }
}
