//! Is the published crate fit to be published? Every feature alone, the oldest supported compiler, the package itself.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

const CRATE: &str = "tokenfall-agent";

/// Runs all checks and prints how many passed, in the form that the test runner counts.
///
/// # Errors
/// If one of them fails.
pub(crate) fn check(root: &Path) -> Result<()> {
    let package = package(root)?;
    let features = package["features"].as_object().context("the crate has features")?;
    let minimum = package["rust_version"].as_str().context("the crate states rust-version")?;
    let mut checks: Vec<(String, Command)> = Vec::new();
    checks.push(("no feature".into(), cargo(root, &["check", "--no-default-features"])));
    for feature in features.keys().filter(|name| *name != "default") {
        let command = cargo(root, &["check", "--no-default-features", "--features", feature]);
        checks.push((format!("feature {feature} alone"), command));
    }
    if installed(minimum) {
        let mut command = Command::new("rustup");
        command.args(["run", minimum, "cargo", "check", "--locked", "-p", CRATE, "--all-features"]);
        // The toolchain of this process is in the environment and would win.
        command
            .env_remove("RUSTUP_TOOLCHAIN")
            .env("CARGO_TARGET_DIR", root.join("target/minimum-rust"))
            .current_dir(root);
        checks.push((format!("Rust {minimum}"), command));
    } else {
        skipped(minimum)?;
    }
    checks.push(("cargo package".into(), cargo(root, &["package", "--allow-dirty"])));
    checks.push(("documentation".into(), documentation(root)));
    let mut failed = Vec::new();
    for (name, command) in &mut checks {
        let status = command.status().with_context(|| format!("{name}: {command:?}"))?;
        say(&format!("{name}: {}", if status.success() { "ok" } else { "FAILED" }));
        if !status.success() {
            failed.push(name.clone());
        }
    }
    say(&format!("{} passed, {} failed", checks.len() - failed.len(), failed.len()));
    if !failed.is_empty() {
        bail!("not fit to be published: {}", failed.join(", "));
    }
    Ok(())
}

fn cargo(root: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO"));
    command.args(arguments).args(["--quiet", "--locked", "-p", CRATE]).current_dir(root);
    // A feature that leaves something unused is a feature that was not thought through.
    command.env("RUSTFLAGS", "-D warnings").env("CARGO_TARGET_DIR", root.join("target/features"));
    command
}

fn documentation(root: &Path) -> Command {
    let mut command = Command::new(env!("CARGO"));
    command.args(["doc", "--quiet", "--locked", "--no-deps", "--all-features", "-p", CRATE]).current_dir(root);
    command.env("RUSTDOCFLAGS", "-D warnings").env("CARGO_TARGET_DIR", root.join("target/features"));
    command
}

/// The crate in the words of `cargo metadata`.
fn package(root: &Path) -> Result<Value> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1", "--locked"])
        .current_dir(root)
        .output()
        .context("cargo metadata")?;
    ensure!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    let mut metadata: Value =
        serde_json::from_slice(&output.stdout).context("cargo metadata printed something else")?;
    let packages = metadata["packages"].as_array_mut().context("packages")?;
    let at = packages.iter().position(|package| package["name"] == CRATE).context("the agent is in the workspace")?;
    Ok(packages.swap_remove(at))
}

/// Is this toolchain there, or can it be had?
fn installed(toolchain: &str) -> bool {
    let works = |arguments: &[&str]| {
        Command::new("rustup")
            .args(arguments)
            .env_remove("RUSTUP_TOOLCHAIN")
            .output()
            .is_ok_and(|output| output.status.success())
    };
    works(&["run", toolchain, "cargo", "--version"])
        || works(&["toolchain", "install", toolchain, "--profile", "minimal", "--no-self-update"])
}

fn skipped(toolchain: &str) -> Result<()> {
    use std::io::Write as _;
    let line = format!("Rust {toolchain}: the toolchain is not here and could not be fetched");
    say(&format!("skipped: {line}"));
    if let Some(path) = std::env::var_os("TOKENFALL_SKIPPED_LOG") {
        let mut file =
            std::fs::OpenOptions::new().create(true).append(true).open(path).context("log of skipped tests")?;
        writeln!(file, "{line}").context("log of skipped tests")?;
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the lines are the result of the command")]
fn say(line: &str) {
    println!("{line}");
}
