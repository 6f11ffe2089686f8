//! Processor and memory from Linux's `/proc` (proc(5)).

use std::fs;
use std::path::Path;

/// Processor time in ticks, whose length cancels out.
#[derive(Clone, Copy, Debug)]
pub(super) struct CpuTimes {
    total: u64,
    idle: u64,
    process: u64,
}

/// Shares of all processors, 0 to 1.
#[derive(Clone, Copy, Debug)]
pub(super) struct CpuShares {
    pub(super) system: f64,
    pub(super) process: f64,
}

/// Bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct SystemMemory {
    pub(super) total: u64,
    pub(super) available: u64,
}

/// Bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct ProcessMemory {
    pub(super) size: u64,
    pub(super) resident: u64,
}

impl CpuTimes {
    pub(super) fn read(root: &Path) -> Option<Self> {
        let stat = fs::read_to_string(root.join("proc/stat")).ok()?;
        // user nice system idle iowait irq softirq steal; guest time is part of user time.
        let line = stat.lines().find_map(|line| line.strip_prefix("cpu "))?;
        let ticks: Vec<u64> = line.split_whitespace().take(8).map_while(|field| field.parse().ok()).collect();
        let idle = ticks.get(3)? + ticks.get(4).unwrap_or(&0);
        let process = fs::read_to_string(root.join("proc/self/stat")).ok()?;
        // The name in brackets may hold blanks and brackets; utime and stime are the 14th and 15th field, it is the 2nd.
        let (_, fields) = process.rsplit_once(')')?;
        let mut fields = fields.split_whitespace().skip(11).map_while(|field| field.parse::<u64>().ok());
        Some(Self { total: ticks.iter().sum(), idle, process: fields.next()? + fields.next()? })
    }

    /// Shares since `before`. `None` if no time has passed.
    pub(super) fn since(self, before: Self) -> Option<CpuShares> {
        let total = self.total.checked_sub(before.total).filter(|total| *total > 0)? as f64;
        let idle = self.idle.saturating_sub(before.idle) as f64;
        let process = self.process.saturating_sub(before.process) as f64;
        Some(CpuShares { system: (1.0 - idle / total).clamp(0.0, 1.0), process: (process / total).clamp(0.0, 1.0) })
    }
}

pub(super) fn system_memory(root: &Path) -> Option<SystemMemory> {
    let text = fs::read_to_string(root.join("proc/meminfo")).ok()?;
    Some(SystemMemory { total: kilobytes(&text, "MemTotal:")?, available: kilobytes(&text, "MemAvailable:")? })
}

pub(super) fn process_memory(root: &Path) -> Option<ProcessMemory> {
    let text = fs::read_to_string(root.join("proc/self/status")).ok()?;
    Some(ProcessMemory { size: kilobytes(&text, "VmSize:")?, resident: kilobytes(&text, "VmRSS:")? })
}

/// Bytes of a line such as `VmRSS:   200 kB`.
fn kilobytes(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}
