//! `span`

use super::{
    Checked, Frame, Headers, Int, Json, Keyword, Labels, List, Message, Otel, OutcomeWord, ServiceOverride, SpanLink,
    Text, Time, Violation, wire,
};

wire! {
    /// A line with a span.
    SpanRoot<'a> {
        "span" span: Box<Span<'a>> [required],
    }
}

wire! {
    /// Work inside a transaction.
    Span<'a> {
        "timestamp" timestamp: Time,
        "otel" otel: Otel<'a>,
        "id" id: Keyword<'a> [required],
        "trace_id" trace_id: Keyword<'a> [required],
        "action" action: Keyword<'a>,
        "name" name: Keyword<'a> [required],
        "outcome" outcome: OutcomeWord<'a>,
        "child_ids" child_ids: List<Keyword<'a>>,
        "parent_id" parent_id: Keyword<'a> [required],
        "links" links: List<SpanLink<'a>>,
        "stacktrace" stacktrace: List<Frame<'a>>,
        "type" kind: Keyword<'a> [required],
        "subtype" subtype: Keyword<'a>,
        "transaction_id" transaction_id: Keyword<'a>,
        "composite" composite: Composite<'a>,
        "context" context: Box<SpanContext<'a>>,
        "start" start: f64,
        "sample_rate" sample_rate: f64,
        "duration" duration: f64 [required, at_least(0)],
        "sync" sync: bool,
    } where check_start
}

fn check_start(span: &Span<'_>) -> Checked {
    if span.start.is_none() && span.timestamp.is_none() {
        return Err(Violation::Located("requires at least one of the fields 'start;timestamp'".into()));
    }
    Ok(())
}

wire! {
    /// `span.composite`
    Composite<'a> {
        "compression_strategy" compression_strategy: Text<'a> [required],
        "count" count: Int [required, at_least(2)],
        "sum" sum: f64 [required, at_least(0)],
    }
}

wire! {
    /// `span.context`
    SpanContext<'a> {
        "tags" tags: Labels<'a>,
        "service" service: ServiceOverride<'a>,
        "message" message: Message<'a>,
        "db" db: Db<'a>,
        "destination" destination: Destination<'a>,
        "http" http: Http<'a>,
    }
}

wire! {
    /// `span.context.db`
    Db<'a> {
        "instance" instance: Text<'a>,
        "link" link: Keyword<'a>,
        "statement" statement: Text<'a>,
        "type" kind: Text<'a>,
        "user" user: Text<'a>,
        "rows_affected" rows_affected: Int,
    }
}

wire! {
    /// `span.context.destination`
    Destination<'a> {
        "service" service: DestinationService<'a>,
        "address" address: Keyword<'a>,
        "port" port: Int,
    }
}

wire! {
    /// `span.context.destination.service`
    DestinationService<'a> {
        "name" name: Keyword<'a>,
        "resource" resource: Keyword<'a> [required],
        "type" kind: Keyword<'a>,
    }
}

wire! {
    /// `span.context.http`
    Http<'a> {
        "request" request: HttpRequest<'a>,
        "method" method: Keyword<'a>,
        "url" url: Text<'a>,
        "response" response: HttpResponse,
        "status_code" status_code: Int,
    }
}

wire! {
    /// `span.context.http.request`
    HttpRequest<'a> {
        "body" body: Json,
        "id" id: Text<'a>,
    }
}

wire! {
    /// `span.context.http.response`
    HttpResponse {
        "headers" headers: Headers,
        "decoded_body_size" decoded_body_size: Int,
        "encoded_body_size" encoded_body_size: Int,
        "status_code" status_code: Int,
        "transfer_size" transfer_size: Int,
    }
}
