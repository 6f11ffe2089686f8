//! `otel`: attributes that an agent's OpenTelemetry bridge passes on, translated as Elastic's server translates OTLP.
//!
//! Known attributes become fields; all others become labels with dots replaced. An attribute is taken out of the map when
//! it has been understood, so that nothing is lost and nothing is stored twice.

use serde_json::{Map, Value};
use tokenfall_model::Outcome;
use tokenfall_model::document::{
    Db, DestinationService, Document, Endpoint, GenAi, GenAiModel, Http, HttpRequest, HttpResponse, LabelValue,
    Message, Name, Network, NetworkConnection, ServiceTarget, Session, Span, SpanDestination, Transaction, Url,
    UserAgent,
};

use super::{owned, some, url};
use crate::wire::{Otel, sanitize_key};

const HTTP_METHOD: &[&str] = &["http.request.method", "http.method"];
const HTTP_STATUS: &[&str] = &["http.response.status_code", "http.status_code"];
const HTTP_HOST: &[&str] = &["http.host"];
const HTTP_SCHEME: &[&str] = &["url.scheme", "http.scheme"];
const DESTINATION_NAME: &[&str] = &["messaging.destination.name", "messaging.destination", "message_bus.destination"];

/// Translates the attributes of a transaction.
pub(super) fn transaction(document: &mut Document, from: Otel<'_>) {
    let mut attributes = Attributes(from.attributes.map(|a| a.0).unwrap_or_default());
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
        document.http = http;
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
    let outcome = decide(document, status.map(Outcome::of_server_status));
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

/// Settles an outcome that is not known yet: from the status, else success. True if it was the latter.
fn decide(document: &mut Document, from_status: Option<Outcome>) -> bool {
    // What the context said about HTTP counts before what the attributes say.
    let event = document.event.get_or_insert_default();
    if matches!(event.outcome, Some(Outcome::Success | Outcome::Failure)) {
        return false;
    }
    event.outcome = Some(from_status.unwrap_or(Outcome::Success));
    from_status.is_none()
}

/// Translates the attributes of a span.
pub(super) fn span(document: &mut Document, from: Otel<'_>) {
    let kind = owned(from.span_kind);
    let mut attributes = Attributes(from.attributes.map(|a| a.0).unwrap_or_default());
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
        document.url.get_or_insert_default().original = full;
        decide(document, status.map(Outcome::of_client_status));
    } else {
        decide(document, None);
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
        document.destination = Some(Box::new(Endpoint { address, port, ..Endpoint::default() }));
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
        span.action = None;
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
        span.action = None;
        let target = ServiceTarget { kind: system.or_else(|| Some("external".into())), name: service };
        self.named(host.clone(), host, target)
    }

    fn http(self, span: &mut Span, url: Option<&Url>, port: Option<i64>) -> Named {
        span.kind = Some("external".into());
        span.subtype = Some("http".into());
        span.action = None;
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
        span.action = None;
        self.named(None, None, ServiceTarget { kind: Some("genai".into()), name: None })
    }
}

struct Messaging {
    system: Option<String>,
    operation: Option<String>,
    destination: Option<String>,
    temporary: bool,
}

#[derive(Default)]
struct Peer {
    service: Option<String>,
    resource: Option<String>,
    address: Option<String>,
    port: Option<i64>,
}

struct Attributes(Map<String, Value>);

impl Attributes {
    /// Takes the first of these attributes that is a text, cut to the length of a keyword, and drops its other names.
    fn text(&mut self, keys: &[&str]) -> Option<String> {
        self.take(keys, |value| value.as_str().map(|text| url::cut(text).to_owned())).filter(|text| !text.is_empty())
    }

    fn int(&mut self, keys: &[&str]) -> Option<i64> {
        self.take(keys, |value| value.as_i64().or_else(|| value.as_str()?.parse().ok()))
    }

    fn take<T>(&mut self, keys: &[&str], read: impl Fn(&Value) -> Option<T>) -> Option<T> {
        let mut first = None;
        for key in keys {
            if let Some(value) = self.0.get(*key).and_then(&read) {
                self.0.remove(*key);
                first = first.or(Some(value));
            }
        }
        first
    }

    /// What transactions and spans have in common.
    fn common(&mut self, document: &mut Document) {
        if let Some(original) = self.text(&["user_agent.original", "http.user_agent"]) {
            document.user_agent = Some(UserAgent { original });
        }
        if let Some(id) = self.text(&["session.id"]) {
            document.session = Some(Session { id: Some(id), sequence: None });
        }
        if let Some(kind) = self.text(&["network.connection.type"]) {
            document.network = Some(Network { connection: NetworkConnection { kind } });
        }
        // Kept as labels too, as Elastic keeps them.
        let text = |key: &str| self.0.get(key).and_then(Value::as_str).filter(|t| !t.is_empty()).map(ToOwned::to_owned);
        let gen_ai = GenAi {
            provider: text("gen_ai.provider.name").or_else(|| text("gen_ai.system")).map(|name| Name { name }),
            operation: text("gen_ai.operation.name").map(|name| Name { name }),
            request: text("gen_ai.request.model").map(|model| GenAiModel { model }),
            response: text("gen_ai.response.model").map(|model| GenAiModel { model }),
        };
        document.gen_ai = some(gen_ai).map(Box::new);
    }

    fn http(&mut self) -> Option<Box<Http>> {
        let method = self.text(HTTP_METHOD);
        let status_code = self.int(HTTP_STATUS);
        some(Http {
            version: None,
            request: method.map(|m| Box::new(HttpRequest { method: Some(m), ..HttpRequest::default() })),
            response: status_code
                .map(|code| Box::new(HttpResponse { status_code: Some(code), ..HttpResponse::default() })),
        })
        .map(Box::new)
    }

    fn db(&mut self) -> Option<Db> {
        let sql = self.take(&["sql.query"], |v| v.as_str().map(ToOwned::to_owned));
        // A statement is not cut.
        let statement = self.take(&["db.query.text", "db.statement"], |v| v.as_str().map(ToOwned::to_owned));
        let kind =
            self.text(&["db.system.name", "db.system", "db.type"]).or_else(|| sql.as_ref().map(|_| "sql".into()));
        some(Db {
            instance: self.text(&["db.namespace", "db.name", "db.instance", "db.elasticsearch.cluster.name"]),
            kind,
            statement: statement.or(sql),
            user: self.text(&["db.user"]).map(|name| Name { name }),
            link: None,
            rows_affected: None,
        })
    }

    fn messaging(&mut self) -> Option<Messaging> {
        let system = self.text(&["messaging.system"]);
        let operation = self.text(&["messaging.operation.type", "messaging.operation"]);
        let destination = self.text(DESTINATION_NAME);
        let has_name = self.0.contains_key("messaging.operation.name");
        let is = |key: &str| self.0.get(key).and_then(Value::as_bool).unwrap_or_default();
        let temporary = is("messaging.destination.temporary") || is("messaging.temp_destination");
        (has_name || system.is_some() || operation.is_some() || destination.is_some()).then_some(Messaging {
            system,
            operation,
            destination,
            temporary,
        })
    }

    fn peer(&mut self) -> Peer {
        let service = self.text(&["peer.service"]);
        let peer_address = self.text(&["peer.address"]);
        let name = self.text(&["server.address", "net.peer.name", "peer.hostname"]);
        let ip = self.text(&["network.peer.address", "net.sock.peer.addr", "net.peer.ip", "peer.ipv4", "peer.ipv6"]);
        // `peer.address` may be a connection string; one with a colon counts only if it is an IPv6 address.
        let plain = peer_address.clone().filter(|a| !a.contains(':') || a.parse::<std::net::IpAddr>().is_ok());
        Peer {
            resource: peer_address.or_else(|| service.clone()),
            service,
            address: name.or(plain).or(ip),
            port: self.int(&["server.port", "net.peer.port", "peer.port"]),
        }
    }

    /// Client of a transaction.
    fn client(&mut self, document: &mut Document) {
        let ip = |text: Option<String>| text.filter(|t| t.parse::<std::net::IpAddr>().is_ok());
        let client_ip = ip(self.text(&["http.client_ip"]));
        let source = Endpoint {
            domain: self.text(&["client.address", "net.peer.name"]),
            ip: ip(self.text(&["net.sock.peer.addr", "net.peer.ip"])),
            port: self.int(&["client.port", "net.peer.port"]),
            ..Endpoint::default()
        };
        if let Some(ip) = client_ip {
            document.client = Some(Box::new(Endpoint { ip: Some(ip), ..Endpoint::default() }));
        }
        if let Some(source) = some(source) {
            document.client.get_or_insert_with(|| Box::new(source.clone()));
            document.source = Some(Box::new(source));
        }
    }

    /// Whatever has not been understood becomes labels.
    fn labels(self, document: &mut Document) {
        for (key, value) in self.0 {
            let key = sanitize_key(&key).into_owned();
            match value {
                Value::String(text) => drop(document.labels.insert(key, LabelValue::One(url::cut(&text).into()))),
                Value::Bool(value) => drop(document.labels.insert(key, LabelValue::One(value.to_string()))),
                Value::Number(number) => {
                    document.numeric_labels.extend(number.as_f64().map(|number| (key, number)));
                }
                Value::Array(values) => {
                    let texts: Vec<String> = values.iter().filter_map(element).collect();
                    if !texts.is_empty() {
                        document.labels.insert(key, LabelValue::Many(texts));
                    }
                }
                Value::Null | Value::Object(_) => {}
            }
        }
    }
}

fn element(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(url::cut(text).to_owned()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
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
