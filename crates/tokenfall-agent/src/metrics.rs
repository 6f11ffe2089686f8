//! Metrics of the process and the system, taken every `metrics_interval` by the agent's thread.
//!
//! Names are those of the agent specification ("metrics"). What the platform does not tell is left out: processor and memory are
//! read from `/proc` and `/sys/fs/cgroup`, so only on Linux.

mod cgroup;
mod proc;

use std::path::PathBuf;
use std::sync::atomic::Ordering;

use serde_json::{Map, Value, json};

use crate::clock::wall_us;
use crate::config::Config;
use crate::queue::Queue;
use crate::wildcard::{WildcardMatcher, any_match};
use crate::worker::Counters;

use proc::CpuTimes;

/// Source of metrics.
#[derive(Debug)]
pub(crate) struct Metrics {
    disabled: Vec<WildcardMatcher>,
    /// `/`, but for tests.
    root: PathBuf,
    /// At the last report: shares of the processor are of the time since then.
    cpu: Option<CpuTimes>,
}

impl Metrics {
    pub(crate) fn new(config: &Config) -> Self {
        Self::of(config.disable_metrics.clone(), PathBuf::from("/"))
    }

    fn of(disabled: Vec<WildcardMatcher>, root: PathBuf) -> Self {
        let cpu = CpuTimes::read(&root);
        Self { disabled, root, cpu }
    }

    /// Appends a metric set, newline included, if anything is known.
    pub(crate) fn write(&mut self, queue: &Queue, counters: &Counters, out: &mut Vec<u8>) {
        let mut samples = Samples { disabled: &self.disabled, values: Map::new() };
        let now = CpuTimes::read(&self.root);
        if let (Some(before), Some(now)) = (self.cpu, now)
            && let Some(share) = now.since(before)
        {
            samples.set("system.cpu.total.norm.pct", share.system);
            samples.set("system.process.cpu.total.norm.pct", share.process);
        }
        self.cpu = now;
        if let Some(memory) = proc::system_memory(&self.root) {
            samples.set("system.memory.total", memory.total as f64);
            samples.set("system.memory.actual.free", memory.available as f64);
        }
        if let Some(memory) = proc::process_memory(&self.root) {
            samples.set("system.process.memory.size", memory.size as f64);
            samples.set("system.process.memory.rss.bytes", memory.resident as f64);
        }
        let cgroup = cgroup::memory(&self.root);
        if let Some(usage) = cgroup.usage {
            samples.set("system.process.cgroup.memory.mem.usage.bytes", usage as f64);
        }
        if let Some(limit) = cgroup.limit {
            samples.set("system.process.cgroup.memory.mem.limit.bytes", limit as f64);
        }
        samples.set("agent.events.total", queue.total() as f64);
        samples.set("agent.events.dropped", queue.dropped() as f64);
        samples.set("agent.events.queue.max_size.pct", queue.len() as f64 / queue.capacity() as f64);
        samples.set("agent.events.requests.count", counters.requests.load(Ordering::Relaxed) as f64);
        samples.set("agent.events.requests.bytes", counters.bytes.load(Ordering::Relaxed) as f64);
        if samples.values.is_empty() {
            return;
        }
        let line = json!({"metricset": { "timestamp": wall_us(), "samples": samples.values }});
        out.extend_from_slice(line.to_string().as_bytes());
        out.push(b'\n');
    }
}

struct Samples<'a> {
    disabled: &'a [WildcardMatcher],
    values: Map<String, Value>,
}

impl Samples<'_> {
    fn set(&mut self, name: &str, value: f64) {
        if !any_match(self.disabled, name) {
            self.values.insert(name.to_owned(), json!({ "value": value }));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn metrics_of(files: &[(&str, &str)], disabled: &str) -> (tempfile::TempDir, Metrics) {
        let root = tempfile::tempdir().expect("a folder");
        write(&root, files);
        let metrics = Metrics::of(WildcardMatcher::list(disabled), root.path().to_owned());
        (root, metrics)
    }

    fn write(root: &tempfile::TempDir, files: &[(&str, &str)]) {
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            fs::write(path, text).expect("written");
        }
    }

    fn samples(metrics: &mut Metrics) -> Value {
        let mut out = Vec::new();
        metrics.write(&Queue::new(8), &Counters::default(), &mut out);
        assert_eq!(out.last(), Some(&b'\n'));
        let line: Value = serde_json::from_slice(&out).expect("JSON");
        line["metricset"]["samples"].clone()
    }

    const PROCESS: &str = "42 (a (b) c) S 1 42 42 0 -1 4194560 1 0 0 0";

    #[test]
    fn shares_of_the_processor_are_of_the_time_since_the_last_report() {
        let (root, mut metrics) = metrics_of(
            &[
                ("proc/stat", "cpu  100 0 100 700 100 0 0 0 0 0\ncpu0 1\n"),
                ("proc/self/stat", &format!("{PROCESS} 10 5 0")),
            ],
            "",
        );
        write(
            &root,
            &[
                ("proc/stat", "cpu  150 0 150 750 150 0 0 0 0 0\ncpu0 1\n"),
                ("proc/self/stat", &format!("{PROCESS} 30 25 0")),
            ],
        );
        let samples = samples(&mut metrics);
        // 200 ticks passed, of which 50 + 50 were idle or waiting, and 40 were this process.
        assert_eq!(samples["system.cpu.total.norm.pct"]["value"], 0.5);
        assert_eq!(samples["system.process.cpu.total.norm.pct"]["value"], 0.2);
    }

    #[test]
    fn memory_of_system_process_and_container() {
        let (_root, mut metrics) = metrics_of(
            &[
                ("proc/meminfo", "MemTotal:       1000 kB\nMemFree:  10 kB\nMemAvailable:    400 kB\n"),
                ("proc/self/status", "Name:\tx\nVmSize:\t  300 kB\nVmRSS:\t  200 kB\n"),
                ("proc/self/cgroup", "0::/some/slice\n"),
                ("sys/fs/cgroup/some/slice/memory.current", "5000\n"),
                ("sys/fs/cgroup/some/slice/memory.max", "max\n"),
            ],
            "system.process.memory.*",
        );
        let samples = samples(&mut metrics);
        assert_eq!(samples["system.memory.total"]["value"], 1_024_000.0);
        assert_eq!(samples["system.memory.actual.free"]["value"], 409_600.0);
        assert_eq!(samples["system.process.memory.size"], Value::Null, "it was disabled");
        assert_eq!(samples["system.process.cgroup.memory.mem.usage.bytes"]["value"], 5000.0);
        assert_eq!(samples["system.process.cgroup.memory.mem.limit.bytes"], Value::Null, "there is no limit");
    }

    #[test]
    fn a_container_of_the_older_kind() {
        let (_root, mut metrics) = metrics_of(
            &[
                ("proc/self/cgroup", "5:cpu:/x\n4:memory:/docker/abc\n"),
                // In a container its own folder is the root of the mount.
                ("sys/fs/cgroup/memory/memory.usage_in_bytes", "7000\n"),
                ("sys/fs/cgroup/memory/memory.limit_in_bytes", "9000\n"),
            ],
            "",
        );
        let samples = samples(&mut metrics);
        assert_eq!(samples["system.process.cgroup.memory.mem.usage.bytes"]["value"], 7000.0);
        assert_eq!(samples["system.process.cgroup.memory.mem.limit.bytes"]["value"], 9000.0);
    }

    #[test]
    fn nothing_but_the_agent_is_known_where_there_is_no_proc() {
        let (_root, mut metrics) = metrics_of(&[], "");
        let samples = samples(&mut metrics);
        let names: Vec<_> = samples.as_object().expect("an object").keys().cloned().collect();
        assert!(names.iter().all(|name| name.starts_with("agent.events.")), "{names:?}");
        assert_eq!(names.len(), 5);
    }
}
