//! Whom it was about and over which protocol: user, session, endpoints, HTTP, URL, network.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use super::{Headers, Json};

/// `user.*`
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Id.
    pub id: Option<String>,
    /// Name.
    pub name: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
    /// Domain.
    pub domain: Option<String>,
}

/// `user_agent.*`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserAgent {
    /// As sent.
    pub original: String,
}

/// `session.*`
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Id.
    pub id: Option<String>,
    /// Position in the session, from 1.
    pub sequence: Option<u64>,
}

/// `client.*`, `source.*`, `destination.*`
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// Address as given.
    pub address: Option<String>,
    /// Domain name.
    pub domain: Option<String>,
    /// IP address.
    pub ip: Option<String>,
    /// Port.
    pub port: Option<i64>,
    /// Address before translation.
    pub nat: Option<Nat>,
}

/// `source.nat.*`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nat {
    /// IP address.
    pub ip: String,
}

/// `http.*`
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Http {
    /// Version of the protocol.
    pub version: Option<String>,
    /// Request.
    pub request: Option<Box<HttpRequest>>,
    /// Response.
    pub response: Option<Box<HttpResponse>>,
}

/// `http.request.*`
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HttpRequest {
    /// Id.
    pub id: Option<String>,
    /// Method.
    pub method: Option<String>,
    /// Referrer.
    pub referrer: Option<String>,
    /// Body.
    pub body: Option<HttpBody>,
    /// Headers.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: Headers,
    /// Cookies.
    pub cookies: Option<Json>,
    /// Environment of the request.
    pub env: Option<Json>,
}

/// `http.request.body.*`
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HttpBody {
    /// As sent: text or any JSON.
    pub original: Json,
}

/// `http.response.*`
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HttpResponse {
    /// Status code.
    pub status_code: Option<i64>,
    /// True once the response was complete.
    pub finished: Option<bool>,
    /// True once the headers were out.
    pub headers_sent: Option<bool>,
    /// Bytes on the wire.
    pub transfer_size: Option<i64>,
    /// Bytes of the body as encoded.
    pub encoded_body_size: Option<i64>,
    /// Bytes of the body once decoded.
    pub decoded_body_size: Option<i64>,
    /// Headers.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: Headers,
}

/// `url.*`
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Url {
    /// As sent.
    pub original: Option<String>,
    /// In full.
    pub full: Option<String>,
    /// Scheme.
    pub scheme: Option<String>,
    /// Host.
    pub domain: Option<String>,
    /// Port.
    pub port: Option<i64>,
    /// Path.
    pub path: Option<String>,
    /// Query.
    pub query: Option<String>,
    /// Fragment.
    pub fragment: Option<String>,
}

/// `network.*`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Network {
    /// `network.connection.*`
    pub connection: NetworkConnection,
}

/// `network.connection.*`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkConnection {
    /// Type.
    #[serde(rename = "type")]
    pub kind: String,
}
