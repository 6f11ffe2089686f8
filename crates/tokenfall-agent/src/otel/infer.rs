//! Type, subtype and callee from kind and attributes. Runs when a transaction or span ends.

use std::borrow::Cow;

use crate::event::{
    AttributeValue, Db, EventContext, HttpClient, Request, Response, ServiceTarget, SpanRecord, Target, Text,
};
use crate::otel::SpanKind;
use crate::span::without_credentials;
use crate::target::host_and_port;
use crate::trace::Facts;

/// The type that means: the program did not say.
const NO_TYPE: &str = "custom";

/// Gives a transaction with a span kind its type, unless the program did, and the request that its attributes describe.
pub(crate) fn infer_transaction(facts: &mut Facts) {
    let Some(span_kind) = facts.otel.span_kind else { return };
    let attributes = Attributes(&facts.otel.attributes);
    describe_request(&mut facts.context, &attributes);
    if facts.kind != NO_TYPE {
        return;
    }
    let inferred = match span_kind {
        SpanKind::Server if attributes.rpc_system().is_some() || attributes.is_http() => "request",
        SpanKind::Consumer if attributes.has("messaging.system") => "messaging",
        _ => "unknown",
    };
    facts.kind = Text::Borrowed(inferred);
}

fn describe_request(context: &mut EventContext, attributes: &Attributes<'_>) {
    if context.request.is_none()
        && let Some(method) = attributes.owned(METHOD)
    {
        context.request = Some(Box::new(Request { method, url: attributes.owned(URL), ..Request::default() }));
    }
    if context.response.is_none()
        && let Some(status_code) = attributes.status_code()
    {
        context.response = Some(Response { status_code: Some(status_code), headers: Vec::new() });
    }
}

/// Gives a span with a span kind its type and callee, unless the program said the type, and the call that its attributes
/// describe.
pub(crate) fn infer_span(span: &mut SpanRecord) {
    let Some(details) = span.details.as_deref_mut() else { return };
    let Some(span_kind) = details.otel.span_kind else { return };
    let attributes = Attributes(&details.otel.attributes);
    let peer = (attributes.owned(PEER), attributes.port());
    let call = attributes.call();
    let (db, http) = (attributes.db(), attributes.http_client(span_kind));
    details.db = details.db.take().or(db);
    details.http = details.http.take().or(http);
    if span.kind != NO_TYPE {
        return;
    }
    let Some(call) = call else {
        (span.kind, span.subtype) = match span_kind {
            SpanKind::Internal => (Text::Borrowed("app"), Some(Text::Borrowed("internal"))),
            _ => (Text::Borrowed("unknown"), None),
        };
        return;
    };
    span.kind = Text::Borrowed(call.kind);
    span.subtype = Some(call.subtype.clone());
    span.exit |= matches!(span_kind, SpanKind::Client | SpanKind::Producer);
    if details.target == Target::Inferred {
        details.target = Target::Set(ServiceTarget { kind: Some(call.subtype), name: call.callee });
    }
    if details.address.is_none()
        && let (Some(address), port) = peer
    {
        details.address = Some(address);
        details.port = details.port.or(port.and_then(|port| u16::try_from(port).ok()));
    }
}

/// Status of the answer to an HTTP request, by the attributes.
#[cfg(feature = "tracing")]
pub(crate) fn status_code(otel: &crate::event::OtelData) -> Option<u16> {
    Attributes(&otel.attributes).status_code()
}

/// Do the attributes describe a call that only a client makes?
#[cfg(feature = "tracing")]
pub(crate) fn is_call(otel: &crate::event::OtelData) -> bool {
    Attributes(&otel.attributes).call().is_some_and(|call| matches!(call.kind, "db" | "genai"))
}

/// Names of the host of the other side, the best first.
const PEER: &[&str] = &["server.address", "net.peer.name", "net.peer.ip", "network.peer.address", "net.sock.peer.addr"];
const PORT: &[&str] = &["server.port", "net.peer.port", "network.peer.port"];
const URL: &[&str] = &["url.full", "http.url"];
const METHOD: &[&str] = &["http.request.method", "http.method"];
const SCHEME: &[&str] = &["url.scheme", "http.scheme"];

/// A call to something else.
struct Call {
    kind: &'static str,
    subtype: Text,
    callee: Option<Text>,
}

struct Attributes<'a>(&'a [(Text, AttributeValue)]);

impl<'a> Attributes<'a> {
    fn get(&self, key: &str) -> Option<&'a AttributeValue> {
        self.0.iter().find(|(known, _)| known == key).map(|(_, value)| value)
    }

    fn has(&self, key: &str) -> bool {
        self.text(&[key]).is_some()
    }

    /// The first of `keys` that is there and not empty.
    fn text(&self, keys: &[&str]) -> Option<Cow<'a, str>> {
        let value = |key: &&str| match self.get(key)? {
            AttributeValue::Text(text) if text.is_empty() => None,
            AttributeValue::Text(text) => Some(Cow::Borrowed(&**text)),
            AttributeValue::Integer(n) => Some(Cow::Owned(n.to_string())),
            AttributeValue::Bool(_) | AttributeValue::Number(_) | AttributeValue::Texts(_) => None,
        };
        keys.iter().find_map(value)
    }

    fn owned(&self, keys: &[&str]) -> Option<Text> {
        self.text(keys).map(|text| Text::Owned(text.into_owned()))
    }

    fn rpc_system(&self) -> Option<Text> {
        self.owned(&["rpc.system.name", "rpc.system"])
    }

    fn is_http(&self) -> bool {
        let is_http_scheme = |text: Cow<'_, str>| text.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("http"));
        ["http.url", "http.scheme", "http.method", "http.request.method"].into_iter().any(|key| self.has(key))
            || self.text(&["url.full"]).is_some_and(is_http_scheme)
            || self.text(&["url.scheme"]).is_some_and(is_http_scheme)
    }

    fn port(&self) -> Option<u32> {
        self.text(PORT).and_then(|port| port.parse().ok()).filter(|port| *port > 0)
    }

    /// What is called, if the attributes tell.
    fn call(&self) -> Option<Call> {
        if let Some(provider) = self.owned(&["gen_ai.provider.name", "gen_ai.system"]) {
            return Some(Call { kind: "genai", subtype: provider, callee: None });
        }
        if let Some(system) = self.owned(&["db.system.name", "db.system"]) {
            let callee = self.owned(&["db.namespace", "db.name"]);
            return Some(Call { kind: "db", subtype: system, callee });
        }
        if let Some(system) = self.owned(&["messaging.system"]) {
            let callee = self.owned(&["messaging.destination.name", "messaging.destination"]);
            return Some(Call { kind: "messaging", subtype: system, callee });
        }
        if let Some(system) = self.rpc_system() {
            let callee = self.server().or_else(|| self.owned(&["rpc.service"]));
            return Some(Call { kind: "external", subtype: system, callee });
        }
        if self.is_http() {
            let subtype = Text::Borrowed("http");
            return Some(Call { kind: "external", subtype, callee: self.http_server() });
        }
        None
    }

    fn status_code(&self) -> Option<u16> {
        self.text(&["http.response.status_code", "http.status_code"])?.parse().ok()
    }

    /// The statement that a database was given.
    fn db(&self) -> Option<Db> {
        let statement = self.owned(&["db.query.text", "db.statement"]);
        let (instance, user) = (self.owned(&["db.namespace", "db.name"]), self.owned(&["db.user"]));
        let is_known = statement.is_some() || instance.is_some();
        is_known.then_some(Db { instance, user, statement, kind: Some(Text::Borrowed("sql")), rows_affected: None })
    }

    /// The HTTP request that a client made.
    fn http_client(&self, span_kind: SpanKind) -> Option<HttpClient> {
        let url = || self.owned(URL).map(without_credentials);
        let is_client = span_kind == SpanKind::Client && self.is_http();
        is_client.then(|| HttpClient { method: self.owned(METHOD), url: url(), status_code: self.status_code() })
    }

    /// `host` or `host:port` of the other side.
    fn server(&self) -> Option<Text> {
        Some(with_port(&self.text(PEER)?, self.port()).into())
    }

    /// The same for HTTP: from host and scheme, else from the address.
    fn http_server(&self) -> Option<Text> {
        let host = self.text(&["http.host"]).or_else(|| self.text(PEER));
        let Some(host) = host else {
            return self.text(URL).and_then(|url| host_and_port(&url)).map(Text::from);
        };
        let scheme = self.text(SCHEME).or_else(|| self.text(URL));
        let port_of_scheme = match scheme.as_deref().map(|scheme| scheme.split(':').next().unwrap_or_default()) {
            Some("http") => Some(80),
            Some("https") => Some(443),
            _ => None,
        };
        Some(with_port(&host, self.port().or(port_of_scheme)).into())
    }
}

/// `host:port`; a host that has a port keeps it, an IPv6 address gets brackets.
fn with_port(host: &str, port: Option<u32>) -> String {
    let Some(port) = port else { return host.to_owned() };
    match host.bytes().filter(|byte| *byte == b':').count() {
        0 => format!("{host}:{port}"),
        _ if host.ends_with(']') => format!("{host}:{port}"),
        1 => host.to_owned(),
        _ if host.starts_with('[') => host.to_owned(),
        _ => format!("[{host}]:{port}"),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::event::{OtelData, SpanDetails};
    use crate::id::{SpanId, TraceId};
    use crate::target::{resource, service_target};

    fn span(kind: SpanKind, attributes: &[(&'static str, AttributeValue)]) -> SpanRecord {
        let attributes = attributes.iter().map(|(key, value)| (Text::Borrowed(*key), value.clone())).collect();
        let details = SpanDetails { otel: OtelData { span_kind: Some(kind), attributes }, ..SpanDetails::default() };
        let mut span = SpanRecord {
            trace_id: TraceId::random(),
            transaction_id: SpanId::random(),
            parent_id: SpanId::random(),
            id: SpanId::random(),
            name: "span".into(),
            kind: NO_TYPE.into(),
            subtype: None,
            timestamp_us: 0,
            duration_ns: 0,
            start: Instant::now(),
            outcome: None,
            sample_rate: None,
            exit: false,
            propagated: false,
            composite: None,
            covered_ns: 0,
            details: Some(Box::new(details)),
        };
        infer_span(&mut span);
        span
    }

    fn facts(kind: &'static str, span_kind: SpanKind, attributes: Vec<(Text, AttributeValue)>) -> Facts {
        let otel = OtelData { span_kind: Some(span_kind), attributes };
        Facts { kind: kind.into(), otel, ..Facts::default() }
    }

    /// Type, subtype, name of the callee, resource.
    fn summary(span: &SpanRecord) -> [String; 4] {
        let target = service_target(span).unwrap_or_default();
        let resource = resource(span, &target);
        [Some(span.kind.clone()), span.subtype.clone(), target.name, resource]
            .map(|part| part.unwrap_or_default().into_owned())
    }

    #[test]
    fn current_attribute_names_are_understood() {
        let check = |attributes: &[(&'static str, AttributeValue)], expect: [&str; 4]| {
            assert_eq!(summary(&span(SpanKind::Client, attributes)), expect, "{attributes:?}");
        };
        check(&[("db.system.name", "postgresql".into())], ["db", "postgresql", "", "postgresql"]);
        check(
            &[("db.system.name", "postgresql".into()), ("db.namespace", "shop".into())],
            ["db", "postgresql", "shop", "postgresql/shop"],
        );
        check(
            &[("http.request.method", "GET".into()), ("url.full", "https://a.example/x".into())],
            ["external", "http", "a.example:443", "a.example:443"],
        );
        check(
            &[("url.full", "http://a.example/".into()), ("server.address", "::1".into()), ("server.port", 81.into())],
            ["external", "http", "[::1]:81", "[::1]:81"],
        );
        check(
            &[("http.scheme", "http".into()), ("http.host", "a.example:8080".into())],
            ["external", "http", "a.example:8080", "a.example:8080"],
        );
        check(
            &[("messaging.system", "kafka".into()), ("messaging.destination.name", "orders".into())],
            ["messaging", "kafka", "orders", "kafka/orders"],
        );
        check(
            &[("rpc.system", "grpc".into()), ("server.address", "a.example".into()), ("server.port", "90".into())],
            ["external", "grpc", "a.example:90", "a.example:90"],
        );
        check(&[("gen_ai.provider.name", "openai".into())], ["genai", "openai", "", "openai"]);
        check(&[("url.full", "file:///x".into())], ["unknown", "", "", ""]);
    }

    #[test]
    fn only_clients_and_producers_call() {
        let attributes = [("db.system", AttributeValue::from("mysql"))];
        assert!(span(SpanKind::Client, &attributes).exit);
        assert!(!span(SpanKind::Internal, &attributes).exit);
    }

    #[test]
    fn the_other_side_is_the_destination() {
        let span = span(
            SpanKind::Client,
            &[("db.system", "mysql".into()), ("server.address", "db.example".into()), ("server.port", 3306.into())],
        );
        let details = span.details.expect("it has attributes");
        assert_eq!((details.address.as_deref(), details.port), (Some("db.example"), Some(3306)));
    }

    #[test]
    fn types_of_transactions() {
        let check = |kind, key: &'static str, expect: &str| {
            let mut facts = facts(NO_TYPE, kind, vec![(key.into(), "x".into())]);
            infer_transaction(&mut facts);
            assert_eq!(facts.kind, expect, "{kind:?} {key}");
        };
        check(SpanKind::Server, "http.request.method", "request");
        check(SpanKind::Server, "rpc.system", "request");
        check(SpanKind::Server, "other", "unknown");
        check(SpanKind::Consumer, "messaging.system", "messaging");
        check(SpanKind::Client, "http.url", "unknown");
        let mut set = facts("job", SpanKind::Server, Vec::new());
        infer_transaction(&mut set);
        assert_eq!(set.kind, "job");
    }

    #[test]
    fn attributes_describe_the_request() {
        let attributes = vec![
            ("http.request.method".into(), "GET".into()),
            ("url.full".into(), "http://a.example/".into()),
            ("http.response.status_code".into(), 204.into()),
        ];
        let mut facts = facts(NO_TYPE, SpanKind::Server, attributes);
        infer_transaction(&mut facts);
        let request = facts.context.request.expect("a request");
        assert_eq!((&*request.method, request.url.as_deref()), ("GET", Some("http://a.example/")));
        assert_eq!(facts.context.response.expect("a response").status_code, Some(204));
    }

    #[test]
    fn attributes_describe_the_call() {
        let span = span(
            SpanKind::Client,
            &[
                ("db.system.name", "sqlite".into()),
                ("db.namespace", "shop".into()),
                ("db.query.text", "SELECT 1".into()),
            ],
        );
        let db = span.details.expect("it has attributes").db.expect("a database");
        assert_eq!((db.instance.as_deref(), db.statement.as_deref()), (Some("shop"), Some("SELECT 1")));
    }
}
