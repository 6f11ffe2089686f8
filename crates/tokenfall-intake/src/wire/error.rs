//! `error` and stack frames.

use super::{Checked, Context, Int, JsonObject, Keyword, List, StrOrInt, Text, Time, Violation, wire};

wire! {
    /// A line with an error.
    ErrorRoot<'a> {
        "error" error: Box<Error<'a>> [required],
    }
}

wire! {
    /// A captured exception or logged error.
    Error<'a> {
        "timestamp" timestamp: Time,
        "log" log: Box<ErrorLog<'a>>,
        "culprit" culprit: Keyword<'a>,
        "id" id: Keyword<'a> [required],
        "parent_id" parent_id: Keyword<'a>,
        "trace_id" trace_id: Keyword<'a>,
        "transaction_id" transaction_id: Keyword<'a>,
        "exception" exception: Box<Exception<'a>>,
        "transaction" transaction: TransactionRef<'a>,
        "context" context: Box<Context<'a>>,
    } where check_error
}

fn check_error(error: &Error<'_>) -> Checked {
    let ids = [
        ("transaction_id", error.transaction_id.is_some()),
        ("trace_id", error.trace_id.is_some()),
        ("parent_id", error.parent_id.is_some()),
    ];
    for needed in ["parent_id", "trace_id"] {
        let missing = ids.iter().any(|(name, set)| *name == needed && !set);
        if let Some((given, _)) = ids.iter().find(|(_, set)| *set)
            && missing
        {
            return Err(Violation::Located(format!("'{needed}' required when '{given}' is set")));
        }
    }
    if error.exception.is_none() && error.log.is_none() {
        return Err(Violation::Located("requires at least one of the fields 'exception;log'".into()));
    }
    Ok(())
}

wire! {
    /// `error.exception` and its causes.
    Exception<'a> {
        "attributes" attributes: JsonObject,
        "code" code: StrOrInt<'a>,
        "cause" cause: List<Exception<'a>>,
        "stacktrace" stacktrace: List<Frame<'a>>,
        "message" message: Text<'a>,
        "module" module: Keyword<'a>,
        "type" kind: Keyword<'a>,
        "handled" handled: bool,
    } where check_exception
}

fn check_exception(exception: &Exception<'_>) -> Checked {
    if exception.message.is_none() && exception.kind.is_none() {
        return Err(Violation::Located("requires at least one of the fields 'message;type'".into()));
    }
    Ok(())
}

wire! {
    /// `error.log`
    ErrorLog<'a> {
        "level" level: Keyword<'a>,
        "logger_name" logger_name: Keyword<'a>,
        "message" message: Text<'a> [required],
        "param_message" param_message: Keyword<'a>,
        "stacktrace" stacktrace: List<Frame<'a>>,
    }
}

wire! {
    /// `error.transaction`
    TransactionRef<'a> {
        "name" name: Keyword<'a>,
        "type" kind: Keyword<'a>,
        "sampled" sampled: bool,
    }
}

wire! {
    /// One stack frame; of spans too.
    Frame<'a> {
        "vars" vars: JsonObject,
        "filename" filename: Text<'a>,
        "abs_path" abs_path: Text<'a>,
        "classname" classname: Text<'a>,
        "context_line" context_line: Text<'a>,
        "function" function: Text<'a>,
        "module" module: Text<'a>,
        "post_context" post_context: List<Text<'a>>,
        "pre_context" pre_context: List<Text<'a>>,
        "lineno" lineno: Int,
        "colno" colno: Int,
        "library_frame" library_frame: bool,
    } where check_frame
}

fn check_frame(frame: &Frame<'_>) -> Checked {
    if frame.classname.is_none() && frame.filename.is_none() {
        return Err(Violation::Located("requires at least one of the fields 'classname;filename'".into()));
    }
    Ok(())
}
