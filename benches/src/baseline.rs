//! The least that a durable server could do with the same bytes: parse each line as JSON, append the body to one file, sync.

use std::fs::File;
use std::io::Write as _;
use std::time::Instant;

use anyhow::Result;
use serde_json::Value;

use crate::payload::Template;
use crate::server::cpu_seconds;

/// CPU seconds and wall seconds for `requests` bodies of `copies` traces, in this process, one after the other.
pub(crate) fn run(template: &Template, requests: u64, copies: u64, start_us: i64) -> Result<(f64, f64)> {
    let folder = tempfile::tempdir()?;
    let mut file = File::create(folder.path().join("log"))?;
    let mut body = Vec::new();
    let (mut cpu, mut wall) = (0.0, 0.0);
    for request in 0..requests {
        template.write(request, copies, start_us, &mut body);
        let (cpu_before, begin) = (cpu_seconds("/proc/self/stat")?, Instant::now());
        for line in body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            std::hint::black_box(serde_json::from_slice::<Value>(line)?);
        }
        file.write_all(&body)?;
        file.sync_data()?;
        wall += begin.elapsed().as_secs_f64();
        cpu += cpu_seconds("/proc/self/stat")? - cpu_before;
    }
    Ok((cpu, wall))
}
