//! `log`: ECS logging fields, flat (`"log.level"`) or nested (`"log": {"level"}`).

use super::{Faas, Int, Keyword, Labels, Text, Time, wire};

wire! {
    /// A line with a log record.
    LogRoot<'a> {
        "log" log: Box<Log<'a>> [required],
    }
}

wire! {
    /// A log record.
    Log<'a> {
        "labels" labels: Labels<'a>,
        "@timestamp" timestamp: Time,
        "service" service: Service<'a>,
        "service.name" service_name: Keyword<'a>,
        "service.version" service_version: Keyword<'a>,
        "service.environment" service_environment: Keyword<'a>,
        "service.node.name" service_node_name: Keyword<'a>,
        "error" error: Error<'a>,
        "error.type" error_type: Text<'a>,
        "error.message" error_message: Text<'a>,
        "error.stack_trace" error_stack_trace: Text<'a>,
        "event" event: Event<'a>,
        "event.dataset" event_dataset: Keyword<'a>,
        "process" process: Process<'a>,
        "process.thread.name" process_thread_name: Keyword<'a>,
        "trace.id" trace_id: Keyword<'a>,
        "transaction.id" transaction_id: Keyword<'a>,
        "span.id" span_id: Keyword<'a>,
        "message" message: Text<'a>,
        "faas" faas: Box<Faas<'a>>,
        "log" log: LogFields<'a>,
        "log.level" level: Keyword<'a>,
        "log.logger" logger: Keyword<'a>,
        "log.origin.file.name" origin_file_name: Keyword<'a>,
        "log.origin.function" origin_function: Text<'a>,
        "log.origin.file.line" origin_file_line: Int,
    }
}

wire! {
    /// `log.service`
    Service<'a> {
        "name" name: Keyword<'a>,
        "version" version: Keyword<'a>,
        "environment" environment: Keyword<'a>,
        "node" node: Name<'a>,
    }
}

wire! {
    /// `log.error`
    Error<'a> {
        "type" kind: Text<'a>,
        "message" message: Text<'a>,
        "stack_trace" stack_trace: Text<'a>,
    }
}

wire! {
    /// `log.event`
    Event<'a> {
        "dataset" dataset: Keyword<'a>,
    }
}

wire! {
    /// `log.process`
    Process<'a> {
        "thread" thread: Name<'a>,
    }
}

wire! {
    /// An object that holds a name alone.
    Name<'a> {
        "name" name: Keyword<'a>,
    }
}

wire! {
    /// `log.log`
    LogFields<'a> {
        "level" level: Keyword<'a>,
        "logger" logger: Keyword<'a>,
        "origin" origin: Origin<'a>,
    }
}

wire! {
    /// `log.log.origin`
    Origin<'a> {
        "function" function: Text<'a>,
        "file" file: OriginFile<'a>,
    }
}

wire! {
    /// `log.log.origin.file`
    OriginFile<'a> {
        "name" name: Keyword<'a>,
        "line" line: Int,
    }
}
