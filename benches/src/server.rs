//! A server process under load, and what it costs.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

/// A running `tokenfall serve`, killed when dropped.
pub(crate) struct Server {
    process: Child,
    pub(crate) base: String,
    data: PathBuf,
}

impl Server {
    /// Starts the release binary on a free port.
    pub(crate) fn start(data: &Path) -> Result<Self> {
        let binary = std::env::var_os("TOKENFALL_BIN")
            .map_or_else(|| tokenfall_testkit::repository_root().join("target/release/tokenfall"), PathBuf::from);
        ensure!(binary.exists(), "{} is not there; run `make build` first", binary.display());
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let listen = format!("127.0.0.1:{port}");
        let process = Command::new(&binary)
            .args(["serve", "--listen", &listen, "--data"])
            .arg(data)
            .stderr(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .with_context(|| binary.display().to_string())?;
        let server = Self { process, base: format!("http://{listen}"), data: data.to_owned() };
        let deadline = Instant::now() + Duration::from_secs(30);
        while ureq::get(format!("{}/readyz", server.base)).call().is_err() {
            ensure!(Instant::now() < deadline, "the server did not become ready");
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(server)
    }

    /// Asks the API.
    pub(crate) fn get(&self, path: &str) -> Result<Value> {
        let mut response = ureq::get(format!("{}/api/v1/{path}", self.base)).call().with_context(|| path.to_owned())?;
        Ok(response.body_mut().with_config().limit(1 << 30).read_json()?)
    }

    /// Waits until everything that was acknowledged can be searched.
    pub(crate) fn wait_until_searchable(&self, transactions: u64) -> Result<()> {
        let deadline = Instant::now() + Duration::from_secs(120);
        while self.get("traces?from=now-30d&to=now%2B1d&size=1")?["total"].as_u64() < Some(transactions) {
            ensure!(Instant::now() < deadline, "acknowledged events are not searchable");
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// CPU time of the server so far in seconds, user and system, from `/proc` (clock ticks of 10 ms).
    pub(crate) fn cpu_seconds(&self) -> Result<f64> {
        cpu_seconds(&format!("/proc/{}/stat", self.process.id()))
    }

    /// Largest resident memory so far in MiB.
    pub(crate) fn peak_memory_mib(&self) -> Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("VmHWM")?;
        Ok(line.trim().trim_end_matches("kB").trim().parse::<f64>()? / 1024.0)
    }

    /// Bytes of the data directory.
    pub(crate) fn disk_bytes(&self) -> Result<u64> {
        fn size(path: &Path) -> std::io::Result<u64> {
            let mut bytes = 0;
            for entry in std::fs::read_dir(path)? {
                let entry = entry?;
                bytes += if entry.file_type()?.is_dir() { size(&entry.path())? } else { entry.metadata()?.len() };
            }
            Ok(bytes)
        }
        Ok(size(&self.data)?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The process may have ended by itself; there is nothing left to do then.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// User and system CPU time in a `/proc/…/stat` file, in seconds.
pub(crate) fn cpu_seconds(stat: &str) -> Result<f64> {
    let text = std::fs::read_to_string(stat)?;
    // The second field is the command in parentheses and may hold spaces.
    let fields: Vec<&str> = text.rsplit_once(')').context("stat")?.1.split_whitespace().collect();
    let ticks = |index: usize| fields.get(index).and_then(|field| field.parse::<f64>().ok()).context("stat");
    Ok((ticks(11)? + ticks(12)?) / 100.0)
}
