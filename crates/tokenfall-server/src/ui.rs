//! The web UI: files that were built into the binary.

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::elastic;

/// One file of the UI, with its compressed twins.
struct Asset {
    path: &'static str,
    etag: &'static str,
    plain: &'static [u8],
    brotli: Option<&'static [u8]>,
    gzip: Option<&'static [u8]>,
}

// static ASSETS: &[Asset]
include!(concat!(env!("OUT_DIR"), "/ui_assets.rs"));

/// What pages of the UI may do: load from this server, and nothing else.
const CONTENT_SECURITY_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; object-src 'none'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

/// Names of files under this path carry a hash of their content.
const HASHED: &str = "/assets/";

/// Shown where the UI was not built.
const NOT_BUILT: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Tokenfall</title>\
    <h1>Tokenfall is running</h1><p>This binary was built without the web UI. Build it with <code>make ui</code>, then build \
    the binary again. The <a href=\"/api/v1/openapi.json\">API</a> works.</p></html>";

/// True if the client is a browser that wants a page. The Java agent says so too: it leaves the header to the HTTP client of
/// its platform, which asks for `text/html` first.
pub(crate) fn is_wanted(headers: &HeaderMap) -> bool {
    let says =
        |name, wanted: fn(&str) -> bool| headers.get_all(name).iter().any(|value| value.to_str().is_ok_and(wanted));
    says(header::ACCEPT, |accept| accept.contains("text/html")) && !says(header::USER_AGENT, is_agent)
}

/// The names of Elastic's agents: `apm-agent-java/1.55.1 (shop)`, in earlier versions `elasticapm-java/1.27.0`.
fn is_agent(user_agent: &str) -> bool {
    user_agent.starts_with("apm-agent-") || user_agent.starts_with("elasticapm-")
}

/// Everything that is no other route: a file of the UI, or a view of it.
pub(crate) async fn serve(request: Request) -> Response {
    let path = request.uri().path();
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return elastic::not_found().await;
    }
    if let Some(asset) = find(path) {
        return respond(asset, request.headers());
    }
    let is_view = !path.starts_with("/v1/") && !path.starts_with(HASHED) && is_wanted(request.headers());
    if is_view { index(request.headers()) } else { elastic::not_found().await }
}

fn find(path: &str) -> Option<&'static Asset> {
    ASSETS.iter().find(|asset| asset.path == path)
}

/// The page that loads the UI; every view of it has its own address.
pub(crate) fn index(headers: &HeaderMap) -> Response {
    if let Some(asset) = find("/index.html") {
        return respond(asset, headers);
    }
    let mut response = NOT_BUILT.into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    guard(response)
}

fn respond(asset: &'static Asset, request: &HeaderMap) -> Response {
    let is_known = request
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .any(|etags| etags.to_str().is_ok_and(|etags| etags.contains(asset.etag)));
    let accepts = |encoding: &str| {
        request
            .get_all(header::ACCEPT_ENCODING)
            .iter()
            .any(|accept| accept.to_str().is_ok_and(|accept| accept.split(',').any(|one| is_accepted(one, encoding))))
    };
    let (body, encoding) = match asset {
        Asset { brotli: Some(bytes), .. } if accepts("br") => (*bytes, Some("br")),
        Asset { gzip: Some(bytes), .. } if accepts("gzip") => (*bytes, Some("gzip")),
        Asset { plain, .. } => (*plain, None),
    };
    let mut response =
        if is_known { StatusCode::NOT_MODIFIED.into_response() } else { Body::from(body).into_response() };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type(asset.path)));
    headers.insert(header::ETAG, HeaderValue::from_static(asset.etag));
    headers.insert(header::VARY, HeaderValue::from_static("Accept, Accept-Encoding"));
    let cache = if asset.path.starts_with(HASHED) { "public, max-age=31536000, immutable" } else { "no-cache" };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    if let (Some(encoding), false) = (encoding, is_known) {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    guard(response)
}

/// True if one entry of `Accept-Encoding` is this encoding, and not refused by `q=0`.
fn is_accepted(entry: &str, encoding: &str) -> bool {
    let mut parts = entry.split(';').map(str::trim);
    parts.next() == Some(encoding) && !parts.any(|q| q == "q=0" || q == "q=0.0")
}

/// Adds the headers that keep pages to themselves.
fn guard(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY);
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, ending)| ending) {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "webmanifest" => "application/manifest+json",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings() {
        assert!(is_accepted("br", "br"));
        assert!(is_accepted(" gzip;q=0.5", "gzip"));
        assert!(!is_accepted("gzip;q=0", "gzip"));
        assert!(!is_accepted("brotli", "br"));
    }

    #[test]
    fn types() {
        assert_eq!(content_type("/assets/a.b.js"), "text/javascript; charset=utf-8");
        assert_eq!(content_type("/LICENSE"), "application/octet-stream");
    }
}
