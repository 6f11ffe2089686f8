//! `context` of transactions and errors, and the parts that spans share.

use serde_json::Value as JsonValue;

use super::{Checked, Headers, Int, Json, JsonObject, Keyword, Labels, StrOrInt, Text, Violation, wire};

wire! {
    /// `context`
    Context<'a> {
        "custom" custom: JsonObject,
        "tags" tags: Labels<'a>,
        "service" service: ServiceOverride<'a>,
        "cloud" cloud: CloudContext<'a>,
        "user" user: User<'a>,
        "page" page: Page<'a>,
        "request" request: Box<Request<'a>>,
        "message" message: Message<'a>,
        "response" response: Response,
    }
}

wire! {
    /// `user`, of the metadata too.
    User<'a> {
        "domain" domain: Keyword<'a>,
        "id" id: StrOrInt<'a>,
        "email" email: Keyword<'a>,
        "username" username: Keyword<'a>,
    }
}

wire! {
    /// `context.cloud`
    CloudContext<'a> {
        "origin" origin: CloudOrigin<'a>,
    }
}

wire! {
    /// `context.cloud.origin`
    CloudOrigin<'a> {
        "account" account: CloudAccount<'a>,
        "provider" provider: Text<'a>,
        "region" region: Text<'a>,
        "service" service: CloudService<'a>,
    }
}

wire! {
    /// `context.cloud.origin.account`
    CloudAccount<'a> {
        "id" id: Text<'a>,
    }
}

wire! {
    /// `context.cloud.origin.service`
    CloudService<'a> {
        "name" name: Text<'a>,
    }
}

wire! {
    /// `context.page`
    Page<'a> {
        "referer" referer: Text<'a>,
        "url" url: Text<'a>,
    }
}

wire! {
    /// `context.request`
    Request<'a> {
        "cookies" cookies: JsonObject,
        "env" env: JsonObject,
        "body" body: Json,
        "headers" headers: Headers,
        "url" url: RequestUrl<'a>,
        "http_version" http_version: Keyword<'a>,
        "method" method: Keyword<'a> [required],
        "socket" socket: Socket<'a>,
    } where check_body
}

fn check_body(request: &Request<'_>) -> Checked {
    match &request.body {
        None | Some(Json(JsonValue::String(_) | JsonValue::Object(_))) => Ok(()),
        Some(_) => Err(Violation::rule("inputTypes(string;object)").at("body")),
    }
}

wire! {
    /// `context.request.url`
    RequestUrl<'a> {
        "port" port: StrOrInt<'a>,
        "full" full: Keyword<'a>,
        "hash" hash: Keyword<'a>,
        "hostname" hostname: Keyword<'a>,
        "pathname" pathname: Keyword<'a>,
        "protocol" protocol: Keyword<'a>,
        "raw" raw: Keyword<'a>,
        "search" search: Keyword<'a>,
    } where check_port
}

fn check_port(url: &RequestUrl<'_>) -> Checked {
    match &url.port {
        Some(port) if port.as_int().is_none() => Err(Violation::rule("targetType(int)").at("port")),
        _ => Ok(()),
    }
}

wire! {
    /// `context.request.socket`
    Socket<'a> {
        "remote_address" remote_address: Text<'a>,
        "encrypted" encrypted: bool,
    }
}

wire! {
    /// `context.response`
    Response {
        "headers" headers: Headers,
        "status_code" status_code: Int,
        "transfer_size" transfer_size: Int,
        "decoded_body_size" decoded_body_size: Int,
        "encoded_body_size" encoded_body_size: Int,
        "finished" finished: bool,
        "headers_sent" headers_sent: bool,
    }
}

wire! {
    /// `context.message`
    Message<'a> {
        "headers" headers: Headers,
        "body" body: Text<'a>,
        "queue" queue: Queue<'a>,
        "routing_key" routing_key: Text<'a>,
        "age" age: Age,
    }
}

wire! {
    /// `context.message.queue`
    Queue<'a> {
        "name" name: Keyword<'a>,
    }
}

wire! {
    /// `context.message.age`
    Age {
        "ms" ms: Int,
    }
}

wire! {
    /// `context.service`: what differs from the metadata.
    ServiceOverride<'a> {
        "agent" agent: AgentOverride<'a>,
        "environment" environment: Keyword<'a>,
        "framework" framework: NameVersion<'a>,
        "language" language: NameVersion<'a>,
        "name" name: Keyword<'a> [alphanumeric],
        "node" node: Node<'a>,
        "origin" origin: Origin<'a>,
        "runtime" runtime: NameVersion<'a>,
        "target" target: Target<'a>,
        "version" version: Keyword<'a>,
    }
}

wire! {
    /// `context.service.agent`
    AgentOverride<'a> {
        "ephemeral_id" ephemeral_id: Keyword<'a>,
        "name" name: Keyword<'a>,
        "version" version: Keyword<'a>,
    }
}

wire! {
    /// A name with a version, either alone allowed.
    NameVersion<'a> {
        "name" name: Keyword<'a>,
        "version" version: Keyword<'a>,
    }
}

wire! {
    /// `context.service.node`
    Node<'a> {
        "configured_name" configured_name: Keyword<'a>,
    }
}

wire! {
    /// `context.service.origin`
    Origin<'a> {
        "id" id: Text<'a>,
        "name" name: Text<'a>,
        "version" version: Text<'a>,
    }
}

wire! {
    /// `context.service.target`. One of the two is always there, because an empty object counts as absent.
    Target<'a> {
        "name" name: Text<'a>,
        "type" kind: Text<'a>,
    }
}
