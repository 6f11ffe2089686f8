//! Which data stream a document belongs to.

use tokenfall_model::document::StreamType;
use tokenfall_model::{Document, EventKind};

/// Agents that run where the user is.
const RUM_AGENTS: [&str; 3] = ["rum-js", "js-base", "iOS/swift"];

/// Sets type and dataset; the namespace stays.
pub(crate) fn assign(document: &mut Document) {
    let (kind, dataset) = match document.kind() {
        EventKind::Transaction | EventKind::Span => {
            (StreamType::Traces, if is_rum(document) { "apm.rum".into() } else { "apm".into() })
        }
        EventKind::Error => (StreamType::Logs, "apm.error".into()),
        EventKind::Log => (StreamType::Logs, app_dataset(document)),
        EventKind::Metricset => {
            let dataset = if is_internal(document) { "apm.internal".into() } else { app_dataset(document) };
            (StreamType::Metrics, dataset)
        }
    };
    document.data_stream.kind = kind;
    document.data_stream.dataset = dataset;
}

fn is_rum(document: &Document) -> bool {
    let name = document.agent.as_ref().and_then(|agent| agent.name.as_deref());
    name.is_some_and(|name| RUM_AGENTS.contains(&name))
}

/// `apm.app.` and the service, in characters that a data stream may have.
fn app_dataset(document: &Document) -> String {
    let name = document.service.name.as_str();
    let name = if name.is_empty() { "unknown" } else { name };
    let reserved = ['\\', '/', '*', '?', '"', '<', '>', '|', ' ', ',', '#', ':', '-'];
    format!("apm.app.{}", name.to_lowercase().replace(reserved, "_"))
}

/// Metrics that are the same in every service share a stream.
fn is_internal(document: &Document) -> bool {
    document.transaction.is_some()
        || document.span.is_some()
        || document.service.name.as_str().is_empty()
        || document.samples.keys().all(|name| INTERNAL_METRICS.binary_search(&name.as_str()).is_ok())
}

/// What Elastic's agents report about machine, process and runtime, sorted.
const INTERNAL_METRICS: &[&str] = &[
    "agent.background.cpu.overhead.pct",
    "agent.background.cpu.total.pct",
    "agent.background.memory.allocation.bytes",
    "agent.events.dropped",
    "agent.events.queue.max_size.pct",
    "agent.events.queue.min_size.pct",
    "agent.events.requests.bytes",
    "agent.events.requests.count",
    "agent.events.total",
    "clr.gc.count",
    "clr.gc.gen0size",
    "clr.gc.gen1size",
    "clr.gc.gen2size",
    "clr.gc.gen3size",
    "clr.gc.time",
    "faas.billed_duration",
    "faas.coldstart_duration",
    "faas.duration",
    "faas.timeout",
    "golang.goroutines",
    "golang.heap.allocations.active",
    "golang.heap.allocations.allocated",
    "golang.heap.allocations.frees",
    "golang.heap.allocations.idle",
    "golang.heap.allocations.mallocs",
    "golang.heap.allocations.objects",
    "golang.heap.allocations.total",
    "golang.heap.gc.cpu_fraction",
    "golang.heap.gc.next_gc_limit",
    "golang.heap.gc.total_count",
    "golang.heap.gc.total_pause.ns",
    "golang.heap.system.obtained",
    "golang.heap.system.released",
    "golang.heap.system.stack",
    "golang.heap.system.total",
    "jvm.fd.max",
    "jvm.fd.used",
    "jvm.gc.alloc",
    "jvm.gc.count",
    "jvm.gc.time",
    "jvm.memory.heap.committed",
    "jvm.memory.heap.max",
    "jvm.memory.heap.pool.committed",
    "jvm.memory.heap.pool.max",
    "jvm.memory.heap.pool.used",
    "jvm.memory.heap.used",
    "jvm.memory.non_heap.committed",
    "jvm.memory.non_heap.max",
    "jvm.memory.non_heap.pool.committed",
    "jvm.memory.non_heap.pool.max",
    "jvm.memory.non_heap.pool.used",
    "jvm.memory.non_heap.used",
    "jvm.thread.count",
    "nodejs.eventloop.delay.avg.ms",
    "nodejs.handles.active",
    "nodejs.memory.arrayBuffers.bytes",
    "nodejs.memory.external.bytes",
    "nodejs.memory.heap.allocated.bytes",
    "nodejs.memory.heap.used.bytes",
    "nodejs.requests.active",
    "ruby.gc.count",
    "ruby.gc.time",
    "ruby.heap.allocations.total",
    "ruby.heap.slots.free",
    "ruby.heap.slots.live",
    "ruby.threads",
    "system.cpu.total.norm.pct",
    "system.memory.actual.free",
    "system.memory.total",
    "system.process.cgroup.cpu.cfs.period.us",
    "system.process.cgroup.cpu.cfs.quota.us",
    "system.process.cgroup.cpu.stats.periods",
    "system.process.cgroup.cpu.stats.throttled.ns",
    "system.process.cgroup.cpu.stats.throttled.periods",
    "system.process.cgroup.cpuacct.total.ns",
    "system.process.cgroup.memory.mem.limit.bytes",
    "system.process.cgroup.memory.mem.usage.bytes",
    "system.process.cgroup.memory.stats.inactive_file.bytes",
    "system.process.cpu.system.norm.pct",
    "system.process.cpu.total.norm.pct",
    "system.process.cpu.user.norm.pct",
    "system.process.memory.rss.bytes",
    "system.process.memory.size",
];

#[cfg(test)]
mod tests {
    use tokenfall_model::document::{Agent, Sample};
    use tokenfall_model::{ServiceName, Timestamp};

    use super::*;

    fn check(kind: EventKind, sample: Option<&str>, agent: &str, stream: StreamType, dataset: &str) {
        let mut document = Document::new(Timestamp::default(), kind, ServiceName::new("My Shop-1"));
        document.agent = Some(Agent { name: Some(agent.into()), ..Agent::default() });
        document.samples.extend(sample.map(|name| (name.to_owned(), Sample::Value(1.0))));
        assign(&mut document);
        assert_eq!((document.data_stream.kind, document.data_stream.dataset.as_str()), (stream, dataset));
    }

    #[test]
    fn streams_by_kind() {
        check(EventKind::Span, None, "python", StreamType::Traces, "apm");
        check(EventKind::Transaction, None, "rum-js", StreamType::Traces, "apm.rum");
        check(EventKind::Error, None, "rum-js", StreamType::Logs, "apm.error");
        check(EventKind::Log, None, "java", StreamType::Logs, "apm.app.my_shop_1");
        check(EventKind::Metricset, Some("system.memory.total"), "go", StreamType::Metrics, "apm.internal");
        check(EventKind::Metricset, Some("cpython.gc"), "python", StreamType::Metrics, "apm.app.my_shop_1");
    }

    #[test]
    fn the_list_is_sorted() {
        assert!(INTERNAL_METRICS.is_sorted());
    }
}
