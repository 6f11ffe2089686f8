//! Memory of the container, from Linux's control groups, versions 1 and 2 (cgroups(7)).

use std::fs;
use std::path::{Path, PathBuf};

/// What version 1 says when there is no limit is near 2⁶³.
const NO_LIMIT: u64 = 1 << 60;

/// Bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct CgroupMemory {
    pub(super) usage: Option<u64>,
    /// `None` if there is no limit.
    pub(super) limit: Option<u64>,
}

pub(super) fn memory(root: &Path) -> CgroupMemory {
    let Ok(groups) = fs::read_to_string(root.join("proc/self/cgroup")) else { return CgroupMemory::default() };
    let mount = root.join("sys/fs/cgroup");
    for line in groups.lines() {
        let mut fields = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (fields.next(), fields.next()) else { continue };
        if controllers.is_empty() {
            let found = read(&mount, path, "memory.current", "memory.max");
            if found.usage.is_some() {
                return found;
            }
        } else if controllers.split(',').any(|controller| controller == "memory") {
            return read(&mount.join("memory"), path, "memory.usage_in_bytes", "memory.limit_in_bytes");
        }
    }
    CgroupMemory::default()
}

/// In a container the group of the process may be the root of what is mounted.
fn read(mount: &Path, path: &str, usage: &str, limit: &str) -> CgroupMemory {
    let own = mount.join(path.trim_start_matches('/'));
    let folder: PathBuf = if own.join(usage).exists() { own } else { mount.to_owned() };
    let number = |name: &str| fs::read_to_string(folder.join(name)).ok()?.trim().parse::<u64>().ok();
    CgroupMemory { usage: number(usage), limit: number(limit).filter(|limit| *limit < NO_LIMIT) }
}
