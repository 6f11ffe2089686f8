//! Who reports: the first line of every request.
//!
//! Made once, in the agent's thread, before the first request. No program is started to find things out.

mod cloud;
mod container;

use std::path::PathBuf;

use serde_json::{Map, Value, json};

use crate::config::{Config, Environment};
use crate::event::LabelValue;
use crate::limits::{KEYWORD_CHARS, truncate};

/// Where facts of this machine come from.
struct Host<'a> {
    environment: &'a Environment,
    /// `/`, but for tests.
    root: PathBuf,
}

impl Host<'_> {
    fn read(&self, path: &str) -> Option<String> {
        std::fs::read_to_string(self.root.join(path)).ok()
    }
}

/// The line, newline included.
pub(crate) fn line(config: &Config, environment: &Environment) -> Vec<u8> {
    let host = Host { environment, root: PathBuf::from("/") };
    let mut metadata = json!({
        "service": service(config),
        "process": process(),
        "system": system(config, &host),
    });
    if let Some(cloud) = cloud::find(config.cloud_provider, &host) {
        metadata["cloud"] = cloud;
    }
    let labels: Map<String, Value> =
        config.global_labels.iter().map(|(key, value)| (label_key(key), label(value))).collect();
    if !labels.is_empty() {
        metadata["labels"] = Value::Object(labels);
    }
    let mut line = json!({ "metadata": metadata }).to_string().into_bytes();
    line.push(b'\n');
    line
}

fn service(config: &Config) -> Value {
    let mut service = json!({
        "name": config.service_name,
        "agent": { "name": "rust", "version": env!("CARGO_PKG_VERSION") },
        "language": { "name": "rust" },
    });
    for (key, value) in [("version", &config.service_version), ("environment", &config.environment)] {
        if let Some(value) = value {
            service[key] = keyword(value);
        }
    }
    if let Some(name) = &config.service_node_name {
        service["node"] = json!({ "configured_name": keyword(name) });
    }
    service
}

/// Arguments are left out: they can hold secrets.
fn process() -> Value {
    let mut process = json!({ "pid": std::process::id() });
    #[cfg(unix)]
    {
        process["ppid"] = std::os::unix::process::parent_id().into();
    }
    let file = std::env::current_exe().ok();
    if let Some(title) = file.as_deref().and_then(|file| file.file_name()?.to_str()) {
        process["title"] = keyword(title);
    }
    process
}

fn system(config: &Config, host: &Host<'_>) -> Value {
    let mut system = json!({ "architecture": std::env::consts::ARCH, "platform": std::env::consts::OS });
    let detected = hostname(host);
    if let Some(name) = &config.hostname {
        system["configured_hostname"] = keyword(name);
    }
    if let Some(name) = &detected {
        system["detected_hostname"] = keyword(name);
    }
    let found = container::find(
        host.read("proc/self/cgroup").as_deref().unwrap_or_default(),
        host.read("proc/self/mountinfo").as_deref().unwrap_or_default(),
    );
    if let Some(id) = &found.container_id {
        system["container"] = json!({ "id": id });
    }
    if let Some(kubernetes) = kubernetes(host, found.pod_id, detected.as_deref()) {
        system["kubernetes"] = kubernetes;
    }
    system
}

/// Name of this machine (agent specification, "metadata"; the kernel is asked instead of the program `hostname`).
fn hostname(host: &Host<'_>) -> Option<String> {
    let names = [
        host.read("proc/sys/kernel/hostname"),
        host.environment.get("COMPUTERNAME"),
        host.environment.get("HOSTNAME"),
        host.environment.get("HOST"),
        host.read("etc/hostname"),
    ];
    names.into_iter().flatten().map(|name| name.trim().to_lowercase()).find(|name| !name.is_empty())
}

/// The pod, from `KUBERNETES_*` and the control group. A pod without a name is called like the host, which is how Kubernetes does it.
fn kubernetes(host: &Host<'_>, pod_id: Option<String>, hostname: Option<&str>) -> Option<Value> {
    let variable = |name: &str| host.environment.get(&format!("KUBERNETES_{name}"));
    let (namespace, node) = (variable("NAMESPACE"), variable("NODE_NAME"));
    let (name, uid) = (variable("POD_NAME"), variable("POD_UID").or(pod_id));
    if [&namespace, &node, &name, &uid].iter().all(|fact| fact.is_none()) {
        return None;
    }
    let mut kubernetes = json!({});
    if let Some(namespace) = namespace {
        kubernetes["namespace"] = keyword(&namespace);
    }
    if let Some(node) = node {
        kubernetes["node"] = json!({ "name": keyword(&node) });
    }
    if let Some(name) = name.as_deref().or(hostname) {
        kubernetes["pod"]["name"] = keyword(name);
    }
    if let Some(uid) = uid {
        kubernetes["pod"]["uid"] = keyword(&uid);
    }
    Some(kubernetes)
}

fn keyword(text: &str) -> Value {
    truncate(text, KEYWORD_CHARS).into()
}

/// `.`, `*` and `"` are not allowed in keys (intake protocol).
fn label_key(key: &str) -> String {
    key.replace(['.', '*', '"'], "_")
}

fn label(value: &LabelValue) -> Value {
    match value {
        LabelValue::Text(text) => keyword(text),
        LabelValue::Bool(value) => (*value).into(),
        LabelValue::Number(value) => (*value).into(),
    }
}

#[cfg(test)]
mod tests;
