//! Which crate may use which: the direction of the data, from `ARCHITECTURE.md`.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

/// Crates of ours that each crate may depend on (tests may use more), and foreign crates that it must not.
const LAYERS: &[(&str, &[&str], &[&str])] = &[
    ("tokenfall-model", &[], &["tokio", "axum", "tantivy"]),
    ("tokenfall-intake", &["tokenfall-model"], &["tokio", "axum", "hyper", "tantivy"]),
    ("tokenfall-price", &["tokenfall-model"], &["tokio", "axum", "hyper", "tantivy"]),
    ("tokenfall-enrich", &["tokenfall-model", "tokenfall-price"], &["tokio", "axum", "hyper", "tantivy"]),
    ("tokenfall-query", &["tokenfall-model"], &["tokio", "axum", "hyper", "tantivy"]),
    ("tokenfall-wal", &[], &["tokio", "axum", "hyper", "tantivy"]),
    ("tokenfall-store", &["tokenfall-model", "tokenfall-query", "tokenfall-wal"], &["tokio", "axum", "hyper"]),
    ("tokenfall-api", &["tokenfall-model", "tokenfall-query"], &["tokio", "axum", "hyper", "tantivy"]),
    (
        "tokenfall-analysis",
        &["tokenfall-model", "tokenfall-query", "tokenfall-store", "tokenfall-api"],
        &["tokio", "axum", "hyper", "tantivy"],
    ),
    (
        "tokenfall-server",
        &[
            "tokenfall-model",
            "tokenfall-intake",
            "tokenfall-enrich",
            "tokenfall-price",
            "tokenfall-query",
            "tokenfall-store",
            "tokenfall-analysis",
            "tokenfall-api",
        ],
        &["tantivy"],
    ),
    (
        "tokenfall",
        &["tokenfall-server", "tokenfall-store", "tokenfall-model", "tokenfall-price", "tokenfall-enrich"],
        &["tantivy"],
    ),
    ("tokenfall-agent", &[], &["tokio", "tantivy"]),
    ("tokenfall-testkit", &["tokenfall-model"], &["tantivy"]),
    // The reference application knows no more of Tokenfall than any other program.
    ("askdocs", &["tokenfall-agent"], &[]),
    ("askdocs-model", &[], &["tantivy", "reqwest"]),
    ("askdocs-llama", &[], &["tokio", "axum", "tantivy"]),
];

/// Dependencies that point the wrong way.
pub(crate) fn violations(root: &Path) -> Result<Vec<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1", "--locked"])
        .current_dir(root)
        .output()
        .context("cargo metadata")?;
    ensure!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).context("cargo metadata printed something else")?;
    let mut found = Vec::new();
    let layers: BTreeMap<_, _> = LAYERS.iter().map(|(name, ours, foreign)| (*name, (*ours, *foreign))).collect();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let name = package["name"].as_str().unwrap_or_default();
        let is_ours =
            package["manifest_path"].as_str().is_some_and(|path| path.contains("/crates/") || path.contains("/apps/"));
        let Some((ours, foreign)) = layers.get(name) else {
            if is_ours {
                found.push(format!("{name} has no row in xtask/src/layers.rs"));
            }
            continue;
        };
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let used = dependency["name"].as_str().unwrap_or_default();
            if !dependency["kind"].is_null() {
                continue;
            }
            if used.starts_with("tokenfall") && !ours.contains(&used) {
                found.push(format!("{name} must not depend on {used}: data flows the other way"));
            }
            if foreign.contains(&used) {
                found.push(format!("{name} must not depend on {used}: see ARCHITECTURE.md"));
            }
        }
    }
    Ok(found)
}
