//! Reads known attributes out of the map.

use std::net::IpAddr;

use serde_json::{Map, Value};
use tokenfall_model::document::{
    Db, Document, Endpoint, Http, HttpRequest, HttpResponse, LabelValue, Name, Network, NetworkConnection, Session,
    UserAgent,
};

use super::super::{some, url};
use crate::wire::sanitize_key;

pub(super) const HTTP_METHOD: &[&str] = &["http.request.method", "http.method"];
pub(super) const HTTP_STATUS: &[&str] = &["http.response.status_code", "http.status_code"];
pub(super) const HTTP_HOST: &[&str] = &["http.host"];
pub(super) const HTTP_SCHEME: &[&str] = &["url.scheme", "http.scheme"];
pub(super) const DESTINATION_NAME: &[&str] =
    &["messaging.destination.name", "messaging.destination", "message_bus.destination"];

/// What `messaging.*` says.
pub(super) struct Messaging {
    pub(super) system: Option<String>,
    pub(super) operation: Option<String>,
    pub(super) destination: Option<String>,
    pub(super) temporary: bool,
}

/// Whom `peer.*` and the addresses name.
#[derive(Default)]
pub(super) struct Peer {
    pub(super) service: Option<String>,
    pub(super) resource: Option<String>,
    pub(super) address: Option<String>,
    pub(super) port: Option<i64>,
}

/// The attributes that nobody has understood yet.
pub(super) struct Attributes(pub(super) Map<String, Value>);

impl Attributes {
    /// Takes the first of these attributes that is a text, cut to the length of a keyword, and drops its other names.
    pub(super) fn text(&mut self, keys: &[&str]) -> Option<String> {
        self.take(keys, |value| value.as_str().map(|text| url::cut(text).to_owned())).filter(|text| !text.is_empty())
    }

    pub(super) fn int(&mut self, keys: &[&str]) -> Option<i64> {
        self.take(keys, |value| value.as_i64().or_else(|| value.as_str()?.parse().ok()))
    }

    pub(super) fn take<T>(&mut self, keys: &[&str], read: impl Fn(&Value) -> Option<T>) -> Option<T> {
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
    pub(super) fn common(&mut self, document: &mut Document) {
        if let Some(original) = self.text(&["user_agent.original", "http.user_agent"]) {
            document.user_agent = Some(UserAgent { original });
        }
        if let Some(id) = self.text(&["session.id"]) {
            document.session = Some(Session { id: Some(id), sequence: None });
        }
        if let Some(kind) = self.text(&["network.connection.type"]) {
            document.network = Some(Network { connection: NetworkConnection { kind } });
        }
        self.gen_ai(document);
    }

    pub(super) fn http(&mut self) -> Option<Box<Http>> {
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

    pub(super) fn db(&mut self) -> Option<Db> {
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

    pub(super) fn messaging(&mut self) -> Option<Messaging> {
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

    pub(super) fn peer(&mut self) -> Peer {
        let service = self.text(&["peer.service"]);
        let peer_address = self.text(&["peer.address"]);
        let name = self.text(&["server.address", "net.peer.name", "peer.hostname"]);
        let ip = self.text(&["network.peer.address", "net.sock.peer.addr", "net.peer.ip", "peer.ipv4", "peer.ipv6"]);
        // `peer.address` may be a connection string; one with a colon counts only if it is an IPv6 address.
        let plain = peer_address.clone().filter(|a| !a.contains(':') || a.parse::<IpAddr>().is_ok());
        Peer {
            resource: peer_address.or_else(|| service.clone()),
            service,
            address: name.or(plain).or(ip),
            port: self.int(&["server.port", "net.peer.port", "peer.port"]),
        }
    }

    /// Client of a transaction.
    pub(super) fn client(&mut self, document: &mut Document) {
        let ip = |text: Option<String>| text.filter(|t| t.parse::<IpAddr>().is_ok());
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
    pub(super) fn labels(self, document: &mut Document) {
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
