//! Who may come in: secrets, and protection of the loopback interface from web pages.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use tokenfall_api::ErrorCode;

use crate::app::App;
use crate::elastic;
use crate::events::IntakeAnswered;
use crate::metrics::IntakeResult;
use crate::problem::ApiError;
use crate::secret::AuthError;

/// Middleware of the agents' endpoints: lets only those in who know a secret, and no page of another site.
pub(crate) async fn agents(State(app): State<App>, request: Request, next: Next) -> Response {
    let refused = if let Err(error) = authorize(&app, &request) {
        (StatusCode::UNAUTHORIZED, error.to_string())
    } else if let Some(origin) = foreign_origin(request.headers()) {
        (StatusCode::FORBIDDEN, format!("forbidden request: origin: '{origin}' is not allowed"))
    } else {
        return next.run(request).await;
    };
    let (status, message) = refused;
    IntakeAnswered { result: IntakeResult::Unauthorized, status: status.as_u16(), accepted: 0, error: Some(&message) }
        .emit(&app.metrics);
    let mut response = elastic::error(status, &message);
    response.headers_mut().insert(header::CONNECTION, header::HeaderValue::from_static("Close"));
    response
}

/// Middleware of the API and of `/metrics`.
pub(crate) async fn api(State(app): State<App>, request: Request, next: Next) -> Response {
    match authorize(&app, &request) {
        Ok(()) => next.run(request).await,
        Err(error) => ApiError::new(ErrorCode::Unauthorized, error.to_string()).into_response(),
    }
}

fn authorize(app: &App, request: &Request) -> Result<(), AuthError> {
    let authorization = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    app.config.secrets.check(authorization)
}

/// Middleware of everything: without a secret only loopback is served, and a web page could reach it under its own name by
/// pointing that at 127.0.0.1 (DNS rebinding). So the name that was asked for must be one of ours.
pub(crate) async fn host(State(app): State<App>, request: Request, next: Next) -> Response {
    if app.config.secrets.required() {
        return next.run(request).await;
    }
    match host_name(request.headers(), request.uri()) {
        Some(name) if !is_ours(name, &app.config.hosts) => elastic::error(
            StatusCode::FORBIDDEN,
            &format!(
                "forbidden request: host '{name}' is not allowed; call the server localhost, or add the name to the option \
                 hosts"
            ),
        ),
        _ => next.run(request).await,
    }
}

/// The host that was asked for, without port. Browsers always send it.
fn host_name<'a>(headers: &'a HeaderMap, uri: &'a Uri) -> Option<&'a str> {
    let host = match headers.get(header::HOST) {
        Some(value) => value.to_str().unwrap_or("?"),
        None => uri.authority()?.as_str(),
    };
    let after_brackets = host.rfind(']').map_or(0, |end| end + 1);
    let end = host.get(after_brackets..).and_then(|rest| rest.rfind(':')).map_or(host.len(), |at| after_brackets + at);
    host.get(..end)
}

fn is_ours(name: &str, configured: &[String]) -> bool {
    ["localhost", "127.0.0.1", "[::1]"].into_iter().any(|ours| name.eq_ignore_ascii_case(ours))
        || configured.iter().any(|ours| name.eq_ignore_ascii_case(ours))
}

/// The origin of a request that a page of another site makes. A page can send events without asking first (they need no
/// header that browsers guard), so looking at answers is not all that must be kept from it.
fn foreign_origin(headers: &HeaderMap) -> Option<String> {
    let origin = headers.get(header::ORIGIN)?.to_str().unwrap_or("?");
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok())?;
    let name = origin.split_once("://").map_or(origin, |(_, name)| name);
    (!name.eq_ignore_ascii_case(host)).then(|| origin.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_this_machine() {
        let check = |host: &str, ours: bool| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, host.parse().unwrap());
            let uri = Uri::from_static("/");
            let name = host_name(&headers, &uri).unwrap();
            assert_eq!(is_ours(name, &["apm.example".into()]), ours, "{host} is {name}");
        };
        for ours in ["localhost", "LOCALHOST:8200", "127.0.0.1:8200", "[::1]", "[::1]:8200", "apm.example:80"] {
            check(ours, true);
        }
        for foreign in ["evil.example", "evil.example:8200", "localhost.evil.example", "[::2]:8200", "127.0.0.1.nip.io"]
        {
            check(foreign, false);
        }
    }

    #[test]
    fn pages_of_other_sites() {
        let check = |origin: Option<&str>, foreign: bool| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, "localhost:8200".parse().unwrap());
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, origin.parse().unwrap());
            }
            assert_eq!(foreign_origin(&headers).is_some(), foreign, "{origin:?}");
        };
        check(None, false);
        check(Some("http://localhost:8200"), false);
        check(Some("http://evil.example"), true);
        check(Some("null"), true);
        check(Some("http://localhost:9999"), true);
    }
}
