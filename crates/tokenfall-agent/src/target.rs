//! Whom an exit span calls: `service.target` and `destination.service.resource` (agent specification, "exit spans").

use crate::event::{ServiceTarget, SpanRecord, Target, Text};

/// `context.service.target`. `None` if the span is no exit span or the user said that it calls nobody.
pub(crate) fn service_target(span: &SpanRecord) -> Option<ServiceTarget> {
    if !span.exit {
        return None;
    }
    let details = span.details.as_deref();
    let set = match details.map(|details| &details.target) {
        Some(Target::None) => return None,
        Some(Target::Set(target)) => target.clone(),
        Some(Target::Inferred) | None => ServiceTarget::default(),
    };
    let kind = set.kind.unwrap_or_else(|| span.subtype.clone().unwrap_or_else(|| span.kind.clone()));
    let name = set.name.or_else(|| {
        let details = details?;
        let instance = details.db.as_ref().and_then(|db| db.instance.clone());
        let url = || details.http.as_ref()?.url.as_deref().and_then(host_and_port);
        instance.or_else(|| details.queue.clone()).or_else(|| url().map(Text::from))
    });
    // An empty text from the user means: not this part.
    let some = |text: Text| (!text.is_empty()).then_some(text);
    let target = ServiceTarget { kind: some(kind), name: name.and_then(some) };
    (target != ServiceTarget::default()).then_some(target)
}

/// `context.destination.service.resource` of a span with this target.
pub(crate) fn resource(span: &SpanRecord, target: &ServiceTarget) -> Option<Text> {
    if let Some(resource) = span.details.as_deref().and_then(|details| details.resource.clone()) {
        return Some(resource);
    }
    match (&target.kind, &target.name) {
        (None, None) => None,
        (Some(only), None) | (None, Some(only)) => Some(only.clone()),
        (Some(_), Some(name)) if span.kind == "external" => Some(name.clone()),
        (Some(kind), Some(name)) => Some(format!("{kind}/{name}").into()),
    }
}

/// `host:port` of an address, the port filled in for `http` and `https`. Brackets of IPv6 stay.
pub(crate) fn host_and_port(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    if host.is_empty() {
        return None;
    }
    let has_port =
        host.rsplit_once(':').is_some_and(|(_, port)| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()));
    if has_port {
        return Some(host.to_owned());
    }
    let host = host.trim_end_matches(':');
    let port = match scheme.to_ascii_lowercase().as_str() {
        "https" | "wss" => 443,
        "http" | "ws" => 80,
        _ => return Some(host.to_owned()),
    };
    Some(format!("{host}:{port}"))
}
