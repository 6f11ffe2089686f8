//! `context` of transactions and errors.

use serde_json::Value;

use crate::event::{EventContext, Request, Text};
use crate::limits::{CUSTOM_DEPTH, KEYWORD_CHARS};

use super::rules::Rules;
use super::writer::{Object, elements, json, object};
use super::{labels, sanitize, url};

pub(super) fn write(
    o: &mut Object<'_>,
    context: &EventContext,
    n_attributes: usize,
    captures_body: bool,
    rules: Rules<'_>,
) {
    labels::labels(o, "tags", &context.labels, n_attributes, rules);
    if rules.has_custom() {
        o.object("custom", |o| {
            for (key, value) in &context.custom {
                o.named(&labels::label_key(key), |out| custom(out, value, CUSTOM_DEPTH));
            }
        });
    }
    if let Some(user) = &context.user {
        o.object("user", |o| {
            o.keyword("id", user.id.as_deref());
            o.keyword("username", user.username.as_deref());
            o.keyword("email", user.email.as_deref());
        });
    }
    if let Some(from) = &context.request {
        o.object("request", |o| request(o, from, captures_body, rules));
    }
    if let Some(response) = &context.response {
        o.object("response", |o| {
            o.value("status_code", response.status_code);
            o.object("headers", |o| sanitize::headers(o, &response.headers, rules));
        });
    }
    o.object("message", |o| o.object("queue", |o| o.keyword("name", context.queue.as_deref())));
    if let Some((name, version)) = &context.framework {
        o.object("service", |o| {
            o.object("framework", |o| {
                o.keyword("name", name.as_ref());
                o.keyword("version", version.as_deref());
            });
        });
    }
}

fn request(o: &mut Object<'_>, request: &Request, captures_body: bool, rules: Rules<'_>) {
    o.keyword("method", request.method.as_ref());
    o.keyword("http_version", request.http_version.as_deref());
    if let Some(address) = &request.url {
        o.object("url", |o| url::request_url(o, address));
    }
    o.object("headers", |o| sanitize::headers(o, &request.headers, rules));
    o.object("cookies", |o| sanitize::cookies(o, &request.headers, rules));
    o.object("socket", |o| o.keyword("remote_address", request.remote_address.as_deref()));
    if captures_body && rules.has_body() {
        let is_form = |(name, value): &(Text, Text)| {
            name.eq_ignore_ascii_case("content-type")
                && value.trim_start().to_ascii_lowercase().starts_with("application/x-www-form-urlencoded")
        };
        let body = request.body.as_deref().map(|body| {
            if request.headers.iter().any(is_form) { sanitize::form(body, rules.settings) } else { body.into() }
        });
        o.text("body", body.as_deref(), rules.long_chars());
    }
}

/// Appends a value of `custom`, down to a depth that the server takes.
fn custom(out: &mut Vec<u8>, value: &Value, depth: usize) -> bool {
    match value {
        Value::Array(_) | Value::Object(_) if depth == 0 => return json(out, "…"),
        Value::Array(list) => drop(elements(out, list, |out, value| custom(out, value, depth - 1))),
        Value::Object(map) => drop(object(out, |o| {
            for (key, value) in map {
                o.named(&crate::limits::truncate(key, KEYWORD_CHARS), |out| custom(out, value, depth - 1));
            }
        })),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return json(out, value),
    }
    true
}
