//! Container and pod from the files of the kernel (agent specification, "container metadata").

/// What the files say.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) container_id: Option<String>,
    pub(super) pod_id: Option<String>,
}

/// Looks into `/proc/self/cgroup`, and for the container then into `/proc/self/mountinfo`.
pub(super) fn find(cgroup: &str, mountinfo: &str) -> Found {
    let mut found = Found::default();
    for line in cgroup.lines() {
        let Some(path) = line.splitn(3, ':').nth(2) else { continue };
        let (folder, name) = path.trim().rsplit_once('/').unwrap_or(("", path.trim()));
        let id = container_id(unit_name(name));
        // Users' own sessions look alike, but their units have other names.
        if id.is_some() {
            found.pod_id = found.pod_id.or_else(|| folder.split('/').find_map(pod_id));
            found.container_id = found.container_id.or(id);
        }
    }
    if found.container_id.is_none() {
        found.container_id = mountinfo.lines().find_map(mounted_hostname);
    }
    found
}

/// `docker-ID.scope` → `ID`
fn unit_name(name: &str) -> &str {
    let Some(name) = name.strip_suffix(".scope") else { return name };
    name.split_once('-').map_or(name, |(runtime, rest)| {
        // `cri-containerd-ID`: the id has no dash of its own.
        if runtime.is_empty() { name } else { rest.rsplit_once('-').map_or(rest, |(_, id)| id) }
    })
}

/// 64 hexadecimal digits; a UUID without its last digits, as Garden names containers; or 32 digits, a dash and a number, as ECS does.
fn container_id(name: &str) -> Option<String> {
    let parts: Vec<&str> = name.split('-').collect();
    let is_id = match parts.as_slice() {
        [id] => id.len() == 64 && is_hex(id),
        [id, task] => {
            id.len() == 32 && is_hex(id) && !task.is_empty() && task.bytes().all(|byte| byte.is_ascii_digit())
        }
        [first, middle @ .., last] if middle.len() == 3 => {
            first.len() == 8
                && is_hex(first)
                && middle.iter().all(|part| part.len() == 4 && is_hex(part))
                && last.len() >= 4
                && is_hex(last)
        }
        _ => false,
    };
    is_id.then(|| name.to_owned())
}

/// Pod of a folder: `podUID`, or `kubepods…-podUID.slice` with `_` for `-`.
fn pod_id(folder: &str) -> Option<String> {
    let uid = match folder.strip_suffix(".slice") {
        Some(unit) if unit.starts_with("kubepods") => unit.rsplit_once("-pod")?.1,
        Some(_) => return None,
        None => folder.strip_prefix("pod")?,
    };
    let uid = uid.replace('_', "-");
    (uid.len() == 36 && uid.split('-').all(is_hex)).then_some(uid)
}

/// The container's folder in the line of `/etc/hostname`.
fn mounted_hostname(line: &str) -> Option<String> {
    let mut fields = line.split(' ').skip(3);
    let (source, target) = (fields.next()?, fields.next()?);
    if target != "/etc/hostname" {
        return None;
    }
    source.split('/').find(|part| part.len() == 64 && is_hex(part)).map(str::to_owned)
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
