//! Where Tokenfall differs from Elastic's server on purpose. `docs/intake-differences.md` has the same rows with their
//! reasons; a test keeps the two in step, and another fails if a row is no longer needed.

use std::collections::BTreeSet;

use tokenfall_testkit::repository_root;

/// Which comparison a difference shows up in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// Documents before Elasticsearch's ingest pipelines.
    BeforeIndexing,
    /// Documents as a search returns them.
    Stored,
}

/// Fields that differ, by the name in the table.
pub(crate) const FIELDS: &[(Seen, &str)] = &[
    (Seen::BeforeIndexing, "labels.int_array.*"),
    (Seen::BeforeIndexing, "latency_distribution.type"),
    (Seen::BeforeIndexing, "latency_distribution.unit"),
    (Seen::BeforeIndexing, "numeric_labels.int_array.*"),
    (Seen::BeforeIndexing, "span.composite.compression_strategy"),
    (Seen::BeforeIndexing, "transaction.experience.longtask.*"),
    (Seen::BeforeIndexing, "transaction.root"),
    (Seen::Stored, "client.geo.*"),
    (Seen::Stored, "event.dataset"),
    (Seen::Stored, "labels.elastic_profiler_stack_trace_ids"),
    (Seen::Stored, "transaction.profiler_stack_trace_ids"),
    (Seen::Stored, "transaction.root"),
    (Seen::Stored, "user_agent.device.name"),
    (Seen::Stored, "user_agent.name"),
    (Seen::Stored, "user_agent.os.*"),
    (Seen::Stored, "user_agent.version"),
];

/// Collects the differences that were met, so that rows without a use are noticed.
#[derive(Default)]
pub(crate) struct Met(BTreeSet<&'static str>);

impl Met {
    /// True if the difference of `field` is in the table.
    pub(crate) fn allows(&mut self, seen: Seen, field: &str) -> bool {
        let row = FIELDS.iter().find(|(at, name)| *at == seen && covers(name, field));
        self.0.extend(row.map(|(_, name)| name));
        row.is_some()
    }

    pub(crate) fn assert_all_met(&self, seen: Seen) {
        let unused: Vec<_> = FIELDS.iter().filter(|(at, name)| *at == seen && !self.0.contains(name)).collect();
        assert!(unused.is_empty(), "differences that do not exist any more: {unused:?}");
    }
}

/// A name that ends in `*` covers everything that begins like it.
fn covers(name: &str, field: &str) -> bool {
    name.strip_suffix('*').map_or(name == field, |prefix| field.starts_with(prefix))
}

#[test]
fn every_difference_is_documented() {
    let table = std::fs::read_to_string(repository_root().join("docs/intake-differences.md")).unwrap();
    for (_, name) in FIELDS {
        assert!(table.contains(&format!("| `{name}` |")), "{name} is not in docs/intake-differences.md");
    }
}
