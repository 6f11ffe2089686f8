//! `otel`: attributes that an agent's OpenTelemetry bridge passes on, translated as Elastic's server translates OTLP.
//!
//! Known attributes become fields; all others become labels with dots replaced. An attribute is taken out of the map when
//! it has been understood, so that nothing is lost and nothing is stored twice.

mod attributes;
mod gen_ai;

use std::net::IpAddr;

use tokenfall_model::Outcome;
use tokenfall_model::document::{
    Db, DestinationService, Document, Endpoint, Message, Name, ServiceTarget, Span, SpanDestination, Transaction, Url,
};

use attributes::{Attributes, DESTINATION_NAME, HTTP_HOST, HTTP_SCHEME, Messaging};

use super::{owned, some, url};
use crate::wire::Otel;

/// Translates the attributes of a transaction.
pub(super) fn transaction(document: &mut Document, from: Otel<'_>) {
    let mut attributes = Attributes(from.attributes.map(|a| a.0).unwrap_or_default());
    outcome_of_context(document, Outcome::of_server_status);
    attributes.common(document);
    let n_before = attributes.0.len();
    let http = attributes.http();
    let target = attributes.text(&["url.full", "http.url", "http.target", "http.path"]);
    let path = attributes.text(&["url.path"]);
    let query = attributes.text(&["url.query"]);
    let host = attributes.text(HTTP_HOST);
    let scheme = attributes.text(HTTP_SCHEME);
    let version = attributes.text(&["http.flavor"]);
    let server = attributes.text(&["http.server_name"]);
    let is_http = attributes.0.len() < n_before;
    let host_name = attributes.text(&["server.address", "net.host.name"]);
    let host_port = attributes.int(&["server.port", "net.host.port"]);
    if is_http {
        let host = host.or_else(|| {
            let name = server.or(host_name).or_else(|| document.host.as_ref()?.hostname.clone())?;
            Some(join(&name, host_port))
        });
        let relative = || path.map(|path| query.map_or_else(|| path.clone(), |query| format!("{path}?{query}")));
        let target = target.or_else(relative).unwrap_or_default();
        document.url = Some(Box::new(url::parse(&target, host.as_deref(), scheme.as_deref())));
        if http.is_some() {
            document.http = http;
        }
        if let Some(version) = version {
            document.http.get_or_insert_default().version = Some(version);
        }
    }
    attributes.client(document);
    let queue = attributes.text(DESTINATION_NAME);
    let is_messaging = queue.is_some()
        || ["messaging.system", "messaging.operation", "messaging.operation.type", "messaging.operation.name"]
            .iter()
            .any(|key| attributes.0.contains_key(*key));
    let grpc_status = attributes.int(&["rpc.grpc.status_code"]);
    let rpc_system = attributes.text(&["rpc.system"]);
    let is_rpc = grpc_status.is_some() || rpc_system.is_some();
    drop((attributes.text(&["rpc.service"]), attributes.text(&["rpc.method"])));

    let status = document.http.as_ref().and_then(|h| h.response.as_ref()).and_then(|r| r.status_code);
    let status = status.filter(|_| is_http);
    let outcome = settle(document, status.map(Outcome::of_server_status));
    let transaction = document.transaction.get_or_insert_default();
    kind_and_result(transaction, attributes.text(&["type"]), Protocols { is_http, is_messaging, is_rpc });
    if is_messaging {
        transaction.message = queue.map(|name| Box::new(Message { queue: Some(Name { name }), ..Message::default() }));
    }
    if let Some(code) = grpc_status {
        transaction.result = Some(grpc_code(code));
    }
    if transaction.result.is_none() {
        transaction.result = match status {
            Some(status) => Some(format!("HTTP {}xx", status / 100)),
            None => outcome.then(|| "Success".into()),
        };
    }
    let kind = match transaction.kind.as_deref() {
        Some("messaging") => "CONSUMER",
        Some("request") => "SERVER",
        _ => "INTERNAL",
    };
    let span = document.span.get_or_insert_default();
    span.otel_kind = owned(from.span_kind).or_else(|| Some(kind.into()));
    attributes.labels(document);
}

#[derive(Clone, Copy)]
struct Protocols {
    is_http: bool,
    is_messaging: bool,
    is_rpc: bool,
}

fn kind_and_result(transaction: &mut Transaction, kind: Option<String>, protocols: Protocols) {
    if kind.is_some() {
        transaction.kind = kind;
    }
    if transaction.kind.is_none() {
        let kind = match protocols {
            Protocols { is_messaging: true, .. } => "messaging",
            Protocols { is_http, is_rpc, .. } if is_http || is_rpc => "request",
            Protocols { .. } => "unknown",
        };
        transaction.kind = Some(kind.into());
    }
}

/// Takes the outcome from the status that the context of the event knows, before the attributes change it.
fn outcome_of_context(document: &mut Document, of_status: fn(i64) -> Outcome) {
    let response = document.http.as_ref().and_then(|http| http.response.as_ref());
    let status = response.and_then(|response| response.status_code);
    let event = document.event.get_or_insert_default();
    event.outcome = event.outcome.or_else(|| status.map(of_status));
}

/// Settles an outcome that the sender did not tell: from the status, else success. True if it was the latter. A sender that says
/// `unknown`, because the work was given up, is believed.
fn settle(document: &mut Document, from_status: Option<Outcome>) -> bool {
    let event = document.event.get_or_insert_default();
    if event.outcome.is_some() {
        return false;
    }
    event.outcome = Some(from_status.unwrap_or(Outcome::Success));
    from_status.is_none()
}

/// Translates the attributes of a span.
pub(super) fn span(document: &mut Document, from: Otel<'_>) {
    let kind = owned(from.span_kind);
    let mut attributes = Attributes(from.attributes.map(|a| a.0).unwrap_or_default());
    outcome_of_context(document, Outcome::of_client_status);
    attributes.common(document);
    attributes.text(&["span.kind"]);

    let n_before = attributes.0.len();
    let http = attributes.http();
    let host = attributes.text(HTTP_HOST);
    let scheme = attributes.text(HTTP_SCHEME);
    let target = attributes.text(&["http.target"]);
    let path = attributes.text(&["url.path"]);
    let query = attributes.text(&["url.query"]);
    let full = attributes.text(&["url.full", "http.url"]);
    let is_http = attributes.0.len() < n_before;

    let db = attributes.db();
    let message = attributes.messaging();
    let n_before = attributes.0.len();
    let grpc = attributes.int(&["rpc.grpc.status_code"]).map(|_| "grpc".to_owned());
    let rpc_system = grpc.or_else(|| attributes.text(&["rpc.system"]));
    let rpc_service = attributes.text(&["rpc.service"]);
    let is_rpc = attributes.0.len() < n_before;
    attributes.text(&["rpc.method"]);

    let peer = attributes.peer();
    let target = target.or_else(|| path.map(|p| query.map_or_else(|| p.clone(), |q| format!("{p}?{q}"))));
    let full = full.or_else(|| {
        let host = host.or_else(|| peer.address.as_ref().map(|a| join(a, peer.port)))?;
        Some(format!("{}://{host}{}", scheme.as_deref().unwrap_or("http"), target?))
    });
    let parsed = full.as_deref().map(|text| url::parse(text, None, None));
    let mut address = peer.address;
    let mut port = peer.port;
    if let Some(parsed) = &parsed {
        address.clone_from(&parsed.domain);
        port = parsed.port.or_else(|| default_port(parsed.scheme.as_deref())).or(port);
    }
    if is_http {
        let status = http.as_ref().and_then(|h| h.response.as_ref()).and_then(|r| r.status_code);
        if http.is_some() {
            document.http = http;
        }
        if full.is_some() {
            document.url.get_or_insert_default().original = full;
        }
        settle(document, status.map(Outcome::of_client_status));
    } else {
        settle(document, None);
    }

    let gen_ai_provider = document.gen_ai.as_ref().and_then(|g| g.provider.as_ref()).map(|p| p.name.clone());
    let span = document.span.get_or_insert_default();
    let callee = Callee { service: peer.service, resource: peer.resource };
    let callee = if let Some(db) = db {
        callee.db(span, db)
    } else if let Some(message) = message {
        callee.messaging(span, message, kind.as_deref())
    } else if is_rpc {
        callee.rpc(span, rpc_system, rpc_service, address.as_deref().map(|a| join(a, port)))
    } else if is_http {
        callee.http(span, parsed.as_ref(), port)
    } else if let Some(provider) = gen_ai_provider {
        callee.gen_ai(span, provider)
    } else {
        if span.kind.is_none() && kind.as_deref() == Some("INTERNAL") {
            span.kind = Some("app".into());
            span.subtype = Some("internal".into());
        }
        callee.plain()
    };
    if address.is_some() {
        let ip = address.as_deref().and_then(|a| a.parse::<IpAddr>().ok()).map(|ip| ip.to_string());
        document.destination = Some(Box::new(Endpoint { address, ip, port, ..Endpoint::default() }));
    }
    if let Some(mut service) = callee.destination {
        service.kind = service.kind.or_else(|| span.kind.clone());
        span.destination = Some(SpanDestination { service: Some(service) });
    }
    if callee.target.is_some() {
        document.service.target = callee.target;
    }
    let known = matches!(kind.as_deref(), Some("INTERNAL" | "SERVER" | "CLIENT" | "PRODUCER" | "CONSUMER"));
    span.otel_kind = kind.filter(|_| known).or_else(|| {
        let calls = matches!(span.kind.as_deref(), Some("db" | "external" | "storage"));
        Some(if calls { "CLIENT".into() } else { "INTERNAL".into() })
    });
    attributes.labels(document);
}

/// What `peer.*` says about the callee of a span.
struct Callee {
    service: Option<String>,
    resource: Option<String>,
}

/// The callee as a dependency.
struct Named {
    destination: Option<DestinationService>,
    target: Option<ServiceTarget>,
}

impl Callee {
    /// The destination and target, after `name` and `resource` have stood in for a peer that was not named.
    fn named(self, name: Option<String>, resource: Option<String>, target: ServiceTarget) -> Named {
        let known = self.service.is_some();
        let destination = DestinationService {
            name: self.service.clone().or(name),
            resource: if known { self.resource } else { resource.or(self.resource) },
            kind: None,
        };
        let target = ServiceTarget { name: target.name.or(self.service), kind: target.kind };
        let target = target.name.is_some().then_some(()).or(target.kind.as_ref().map(|_| ())).map(|()| ServiceTarget {
            // Present even if empty, so that nothing is inferred from the resource later.
            kind: target.kind.or_else(|| Some(String::new())),
            name: target.name,
        });
        Named { destination: some(destination), target }
    }

    fn plain(self) -> Named {
        self.named(None, None, ServiceTarget::default())
    }

    fn db(self, span: &mut Span, db: Db) -> Named {
        span.kind = Some("db".into());
        span.subtype.clone_from(&db.kind);
        let target = ServiceTarget { kind: db.kind.clone().or_else(|| Some("db".into())), name: db.instance.clone() };
        let system = db.kind.clone();
        span.db = Some(Box::new(db));
        self.named(system.clone(), system, target)
    }

    fn messaging(self, span: &mut Span, message: Messaging, kind: Option<&str>) -> Named {
        span.kind = Some("messaging".into());
        span.subtype.clone_from(&message.system);
        span.action = message.operation.or_else(|| (kind == Some("PRODUCER")).then(|| "send".into()));
        let named = message.destination.clone().filter(|_| !message.temporary);
        let target = ServiceTarget { kind: message.system.clone().or_else(|| Some("messaging".into())), name: named };
        let queue = message.destination;
        span.message =
            some(Message { queue: queue.clone().map(|name| Name { name }), ..Message::default() }).map(Box::new);
        let mut named = self.named(message.system.clone(), message.system, target);
        if let Some(resource) = named.destination.as_mut().and_then(|d| d.resource.as_mut())
            && let Some(queue) = queue
        {
            resource.push('/');
            resource.push_str(&queue);
        }
        named
    }

    fn rpc(self, span: &mut Span, system: Option<String>, service: Option<String>, host: Option<String>) -> Named {
        span.kind = Some("external".into());
        span.subtype.clone_from(&system);
        let target = ServiceTarget { kind: system.or_else(|| Some("external".into())), name: service };
        self.named(host.clone(), host, target)
    }

    fn http(self, span: &mut Span, url: Option<&Url>, port: Option<i64>) -> Named {
        span.kind = Some("external".into());
        span.subtype = Some("http".into());
        let host = url.and_then(|u| u.domain.as_deref());
        let resource = host.map(|host| join(host, port));
        let name = url.zip(host).map(|(url, host)| {
            let scheme = url.scheme.as_deref();
            let port = url.port.filter(|port| Some(*port) != default_port(scheme));
            format!("{}://{}", scheme.unwrap_or("http"), join(host, port))
        });
        let target = ServiceTarget { kind: Some("http".into()), name: resource.clone() };
        self.named(name, resource, target)
    }

    fn gen_ai(self, span: &mut Span, provider: String) -> Named {
        span.kind = Some("genai".into());
        span.subtype = Some(provider);
        self.named(None, None, ServiceTarget { kind: Some("genai".into()), name: None })
    }
}

fn join(host: &str, port: Option<i64>) -> String {
    match port {
        Some(port) if host.contains(':') => format!("[{host}]:{port}"),
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

fn default_port(scheme: Option<&str>) -> Option<i64> {
    match scheme? {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

/// Name of a gRPC status code, as Elastic writes it.
fn grpc_code(code: i64) -> String {
    const NAMES: [&str; 17] = [
        "OK",
        "Canceled",
        "Unknown",
        "InvalidArgument",
        "DeadlineExceeded",
        "NotFound",
        "AlreadyExists",
        "PermissionDenied",
        "ResourceExhausted",
        "FailedPrecondition",
        "Aborted",
        "OutOfRange",
        "Unimplemented",
        "Internal",
        "Unavailable",
        "DataLoss",
        "Unauthenticated",
    ];
    let name = usize::try_from(code).ok().and_then(|code| NAMES.get(code));
    name.map_or_else(|| format!("Code({code})"), |name| (*name).to_owned())
}
