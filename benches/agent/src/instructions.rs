//! Instructions per operation, counted by callgrind: they repeat, also on a busy machine.
//!
//! The program runs itself under valgrind twice with different numbers of operations and takes the difference. Only what
//! happens inside of `measured` counts, so the agent's own thread does not.

use std::process::Command;

use agent_overhead::{BATCH, OPERATIONS, measured};
use anyhow::{Context as _, Result, ensure};

use crate::paths;

/// Operations of the longer run beyond those of the shorter one.
const COUNTED: u32 = 300;

pub(crate) fn run() -> Result<()> {
    let names: Vec<&str> = paths().iter().map(|(name, _)| *name).collect();
    println!("instructions per operation      tokenfall   opentelemetry   times fewer");
    for operation in OPERATIONS {
        print!("  {operation:<28}");
        let mut counts = Vec::new();
        for path in &names {
            let (short, long) = (count(path, operation, BATCH - COUNTED)?, count(path, operation, BATCH)?);
            let per_operation = long.saturating_sub(short) as f64 / f64::from(COUNTED);
            print!("{per_operation:>12.0}");
            counts.push(per_operation);
        }
        if let [ours, theirs] = counts.as_slice() {
            print!("{:>18.1}", theirs / ours);
        }
        println!();
    }
    Ok(())
}

/// What runs under valgrind.
pub(crate) fn repeat(path: &str, name: &str, n: u32) -> Result<()> {
    let paths = paths();
    let (_, make) = paths.iter().find(|(known, _)| *known == path).context("no such path")?;
    let mut operation = make(name).context("no such operation")?;
    measured(operation.as_mut(), n);
    Ok(())
}

fn count(path: &str, name: &str, n: u32) -> Result<u64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null", "--toggle-collect=*measured*"])
        .arg(std::env::current_exe()?)
        .args(["loop", path, name, &n.to_string()])
        .output()
        .context("valgrind")?;
    let log = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "valgrind failed: {log}");
    let collected = log.lines().find_map(|line| line.split_once("Collected :")).context("no count from callgrind")?.1;
    collected.trim().parse().context("count of instructions")
}
