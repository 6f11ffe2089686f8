//! `error`, and stack traces.

use crate::event::{ErrorKind, ErrorRecord, Exception};
use crate::settings::CaptureBody;
use crate::stacktrace::Frame;

use super::rules::Rules;
use super::writer::Object;
use super::{context, count, or};

pub(super) fn write(o: &mut Object<'_>, error: &ErrorRecord, rules: Rules<'_>) {
    o.value("id", error.id);
    o.value("timestamp", count(error.timestamp_us));
    if let Some(place) = &error.place {
        o.value("trace_id", place.trace_id);
        o.value("transaction_id", place.transaction_id);
        o.value("parent_id", place.parent_id);
        o.object("transaction", |o| {
            o.value("sampled", place.sampled);
            o.keyword("name", or(&place.transaction_name, "unnamed"));
            o.keyword("type", or(&place.transaction_kind, "custom"));
        });
    }
    let mut culprit = error.culprit.as_deref().map(str::to_owned);
    match &error.what {
        ErrorKind::Exception(exception) => {
            // The culprit is looked for in all frames, not only in those that are written.
            let mut frames = exception.stack.as_ref().map_or_else(Vec::new, |stack| stack.frames(usize::MAX));
            if culprit.is_none() {
                culprit = frames.iter().find(|frame| !frame.is_library()).map(Frame::culprit);
            }
            frames.truncate(rules.n_frames());
            let causes = exception.causes.get(..rules.n_causes()).unwrap_or(&exception.causes);
            o.object("exception", |o| self::exception(o, exception, &frames, causes, rules));
        }
        ErrorKind::Log { message, level, logger } => o.object("log", |o| {
            o.text("message", message.as_ref(), rules.long_chars());
            o.keyword("level", level.as_ref());
            o.keyword("logger_name", logger.as_deref());
        }),
    }
    o.keyword("culprit", culprit.as_deref());
    let captures_body = matches!(rules.settings.capture_body, CaptureBody::Errors | CaptureBody::All);
    o.object("context", |o| context::write(o, &error.context, 0, captures_body, rules));
}

/// An exception, the first of its causes in it, and so on.
fn exception(o: &mut Object<'_>, exception: &Exception, frames: &[Frame], causes: &[Exception], rules: Rules<'_>) {
    o.text("message", exception.message.as_ref(), rules.long_chars());
    o.keyword("type", exception.kind.as_deref());
    o.keyword("module", exception.module.as_deref());
    o.keyword("code", exception.code.as_deref());
    o.value("handled", exception.handled);
    stack_trace(o, frames);
    if let Some((cause, causes)) = causes.split_first() {
        let frames = cause.stack.as_ref().map_or_else(Vec::new, |stack| stack.frames(rules.n_frames()));
        o.list("cause", [cause], |o, cause| self::exception(o, cause, &frames, causes, rules));
    }
}

/// `stacktrace`, innermost first.
pub(super) fn stack_trace(o: &mut Object<'_>, frames: &[Frame]) {
    o.list("stacktrace", frames, |o, frame| {
        match &frame.filename {
            Some(filename) => o.keyword("filename", filename.as_str()),
            // The protocol wants either.
            None => o.keyword("classname", frame.module.as_deref().unwrap_or(&frame.path)),
        }
        o.keyword("abs_path", frame.abs_path.as_deref());
        o.keyword("function", frame.function.as_str());
        o.keyword("module", frame.module.as_deref());
        o.value("lineno", frame.line);
        o.value("colno", frame.column);
        o.value("library_frame", frame.is_library());
    });
}
