//! Writes a table of the files of the built web UI (`ui/dist`), for `src/ui.rs`. Never runs npm: without a built UI the table
//! is empty, and the server shows a page that says how to build it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let ui = root.join("../../ui");
    let dist = ui.join("dist");
    if ui.is_dir() && !dist.is_dir() {
        // Cargo watches only what exists; the empty folder is what makes it notice the first build of the UI.
        fs::create_dir(&dist)?;
    }
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={}", dist.display());

    let mut files = BTreeMap::new();
    if dist.is_dir() {
        collect(&dist, &dist, &mut files)?;
    }
    let mut table = String::from("static ASSETS: &[Asset] = &[\n");
    for (name, path) in &files {
        if is_twin(name, &files) {
            continue;
        }
        let bytes = fs::read(path)?;
        let twin = |ending: &str| {
            files
                .get(&format!("{name}.{ending}"))
                .map_or_else(|| "None".to_owned(), |path| format!("Some({})", include(path)))
        };
        writeln!(
            table,
            "    Asset {{ path: {:?}, etag: {:?}, plain: {}, brotli: {}, gzip: {} }},",
            format!("/{name}"),
            format!("\"{:016x}\"", fnv1a(&bytes)),
            include(path),
            twin("br"),
            twin("gz"),
        )?;
    }
    table.push_str("];\n");
    fs::write(Path::new(&env::var("OUT_DIR")?).join("ui_assets.rs"), table)?;
    Ok(())
}

/// Files below `folder`, by their name relative to `dist`.
fn collect(dist: &Path, folder: &Path, files: &mut BTreeMap<String, PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(dist, &path, files)?;
        } else if let Ok(name) = path.strip_prefix(dist) {
            files.insert(name.to_string_lossy().replace('\\', "/"), path.canonicalize()?);
        }
    }
    Ok(())
}

/// True if this is the compressed form of another file.
fn is_twin(name: &str, files: &BTreeMap<String, PathBuf>) -> bool {
    [".br", ".gz"].iter().any(|ending| name.strip_suffix(ending).is_some_and(|plain| files.contains_key(plain)))
}

fn include(path: &Path) -> String {
    format!("include_bytes!({:?})", path.display().to_string())
}

/// 64-bit FNV-1a: enough to tell two builds of a file apart.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
