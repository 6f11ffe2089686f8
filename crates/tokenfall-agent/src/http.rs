//! HTTP and gRPC: transactions of servers, exit spans of clients, one trace across both.
//!
//! - [`HttpServerLayer`] (feature `tower`) is for servers: axum, tonic, anything that is a service of HTTP requests.
//! - [`HttpClientLayer`] (feature `tower`) is for clients: hyper-util, channels of tonic.
//! - [`ReqwestMiddleware`] (feature `reqwest`) is for reqwest.
//!
//! A transaction or a span lasts until the *body* of the answer has ended, so that streams count in full. Names, results and
//! outcomes are those of Elastic's agent specification ("HTTP", "outcome").

#[cfg(any(feature = "tower", feature = "reqwest"))]
mod address;
#[cfg(any(feature = "tower", feature = "reqwest"))]
mod body;
#[cfg(any(feature = "tower", feature = "reqwest"))]
mod call;
#[cfg(feature = "tower")]
mod client;
#[cfg(any(feature = "tower", feature = "reqwest"))]
mod grpc;
#[cfg(feature = "reqwest")]
mod reqwest;
#[cfg(feature = "tower")]
mod server;
#[cfg(all(test, feature = "axum", feature = "reqwest"))]
mod tests;

#[cfg(any(feature = "tower", feature = "reqwest"))]
pub use body::TracedBody;
#[cfg(any(feature = "tower", feature = "reqwest"))]
pub use call::TracedFuture;
#[cfg(feature = "tower")]
pub use client::{HttpClient, HttpClientLayer};
#[cfg(feature = "reqwest")]
pub use reqwest::ReqwestMiddleware;
#[cfg(feature = "tower")]
pub use server::{HttpServer, HttpServerLayer};

#[cfg(any(feature = "tower", feature = "reqwest"))]
use crate::event::Text;

/// The method without an allocation for the usual ones.
#[cfg(any(feature = "tower", feature = "reqwest"))]
fn method_text(method: &::http::Method) -> Text {
    match method.as_str() {
        "GET" => "GET".into(),
        "POST" => "POST".into(),
        "PUT" => "PUT".into(),
        "DELETE" => "DELETE".into(),
        "HEAD" => "HEAD".into(),
        "OPTIONS" => "OPTIONS".into(),
        "PATCH" => "PATCH".into(),
        other => other.to_owned().into(),
    }
}
