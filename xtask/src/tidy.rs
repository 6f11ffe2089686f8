//! Rules for files.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

/// Longest source file in lines; a longer one is several things in one.
const LINES_MAX: usize = 700;

/// The shape of stored documents is one flat list of types and has no natural seam.
const LONG_ON_PURPOSE: &[&str] = &["crates/tokenfall-model/src/document.rs"];

/// Files against the rules.
pub(crate) fn violations(root: &Path) -> Result<Vec<String>> {
    let output = Command::new("git").args(["ls-files", "-z"]).current_dir(root).output().context("git ls-files")?;
    ensure!(output.status.success(), "git ls-files: {}", String::from_utf8_lossy(&output.stderr));
    let listing = String::from_utf8(output.stdout).context("a file name is not UTF-8")?;
    let mut found = Vec::new();
    for file in listing.split_terminator('\0') {
        let path = Path::new(file);
        let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
        if path.file_name().is_some_and(|name| name == "mod.rs") {
            found.push(format!("{file}: name the module's file after the module"));
        }
        if !matches!(extension, "rs" | "ts" | "tsx" | "py" | "mjs") || file.ends_with(".d.ts") {
            continue;
        }
        // A file that is staged for deletion is listed but gone.
        let Ok(text) = std::fs::read_to_string(root.join(path)) else { continue };
        let lines = text.lines().count();
        if lines > LINES_MAX && !LONG_ON_PURPOSE.contains(&file) {
            found.push(format!("{file}: {lines} lines; split it by responsibility (at most {LINES_MAX})"));
        }
        for (index, line) in text.lines().enumerate() {
            // Spelled in two parts so that this file keeps its own rule.
            for word in
                [concat!("todo", "!("), concat!("unimplemented", "!("), concat!("#[", "ignore"), concat!("FIX", "ME")]
            {
                if line.contains(word) {
                    found.push(format!("{file}:{}: {word}", index + 1));
                }
            }
        }
    }
    Ok(found)
}
