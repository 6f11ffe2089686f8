//! `log`

use crate::event::LogRecord;

use super::rules::Rules;
use super::writer::Object;
use super::{count, labels};

pub(super) fn write(o: &mut Object<'_>, log: &LogRecord, rules: Rules<'_>) {
    o.value("@timestamp", count(log.timestamp_us));
    o.text("message", log.message.as_ref(), rules.long_chars());
    o.keyword("log.level", log.level.as_ref());
    o.keyword("log.logger", log.logger.as_deref());
    o.keyword("log.origin.file.name", log.file.as_deref());
    o.value("log.origin.file.line", log.line);
    if let Some((trace_id, transaction_id, span_id)) = log.place {
        o.value("trace.id", trace_id);
        o.value("transaction.id", transaction_id);
        o.value("span.id", span_id);
    }
    labels::labels(o, "labels", &log.labels, 0, rules);
}
