//! The folder that holds everything.
//!
//! ```text
//! lock           held while a process has the folder open
//! format         version of what is in here
//! wal/           log segments
//! partitions/    one folder per partition
//! removed/       partitions on their way out
//! ```

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// What stands in the `format` file.
const FORMAT: &str = "tokenfall 1\n";

/// A data directory that cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The disk failed.
    #[error("cannot {step} {path}: {source}")]
    Io {
        /// What was tried.
        step: &'static str,
        /// On what.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// Another process has it open.
    #[error("the data directory {0} is in use by another process; stop it, or choose another directory")]
    Locked(PathBuf),
    /// It belongs to another version, or to something else.
    #[error("{path} is not a data directory of this version: {found}")]
    Format {
        /// Folder.
        path: PathBuf,
        /// What is there instead.
        found: String,
    },
    /// The log is damaged.
    #[error("cannot open the log: {0}")]
    Log(#[from] tokenfall_wal::ReadError),
    /// A partition is damaged.
    #[error("cannot open the partition {path}: {source}")]
    Partition {
        /// Folder.
        path: PathBuf,
        /// Why not.
        source: tantivy::TantivyError,
    },
}

/// An opened data directory. Others are locked out until it is dropped.
#[derive(Debug)]
pub(crate) struct DataDir {
    path: PathBuf,
    _lock: File,
}

impl DataDir {
    /// Opens a data directory, and makes it if it is not there.
    pub(crate) fn open_or_create(path: &Path) -> Result<Self, OpenError> {
        fs::create_dir_all(path).map_err(io_error("create", path))?;
        let dir = Self::lock(path)?;
        if !dir.path.join("format").exists() {
            let found = fs::read_dir(path).map_err(io_error("read", path))?.filter_map(Result::ok);
            if let Some(other) = found.map(|e| e.file_name()).find(|name| name != "lock" && name != "lost+found") {
                let found = format!("it has no format file, but {}", other.display());
                return Err(OpenError::Format { path: path.to_owned(), found });
            }
            dir.write_format().map_err(io_error("write the format of", path))?;
        }
        dir.check_format()?;
        for child in [dir.partitions(), dir.removed()] {
            fs::create_dir_all(&child).map_err(io_error("create", &child))?;
        }
        sync_dir(path).map_err(io_error("sync", path))?;
        Ok(dir)
    }

    /// Opens a data directory that is there.
    pub(crate) fn open(path: &Path) -> Result<Self, OpenError> {
        fs::metadata(path).map_err(io_error("open", path))?;
        if !path.join("format").exists() {
            return Err(OpenError::Format { path: path.to_owned(), found: "it has no format file".to_owned() });
        }
        let dir = Self::lock(path)?;
        dir.check_format()?;
        Ok(dir)
    }

    pub(crate) fn wal(&self) -> PathBuf {
        self.path.join("wal")
    }

    pub(crate) fn partitions(&self) -> PathBuf {
        self.path.join("partitions")
    }

    pub(crate) fn removed(&self) -> PathBuf {
        self.path.join("removed")
    }

    /// Bytes that files in here take.
    pub(crate) fn bytes(&self) -> u64 {
        bytes_below(&self.path)
    }

    /// Bytes that may still be written to this disk.
    pub(crate) fn free_bytes(&self) -> io::Result<u64> {
        free_bytes(&self.path)
    }

    fn lock(path: &Path) -> Result<Self, OpenError> {
        let name = path.join("lock");
        let lock = File::options().create(true).append(true).open(&name).map_err(io_error("open", &name))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(OpenError::Locked(path.to_owned())),
            Err(TryLockError::Error(source)) => Err(OpenError::Io { step: "lock", path: name, source }),
        }
    }

    fn write_format(&self) -> io::Result<()> {
        let new = self.path.join("format.new");
        fs::write(&new, FORMAT)?;
        File::open(&new)?.sync_all()?;
        fs::rename(&new, self.path.join("format"))
    }

    fn check_format(&self) -> Result<(), OpenError> {
        let name = self.path.join("format");
        let found = fs::read(&name).map_err(io_error("read", &name))?;
        if found == FORMAT.as_bytes() {
            return Ok(());
        }
        let found = String::from_utf8_lossy(&found[..found.len().min(100)]);
        Err(OpenError::Format { path: self.path.clone(), found: format!("its format is {:?}", found.trim()) })
    }
}

/// Bytes that may still be written to the disk of this folder.
pub fn free_bytes(path: &Path) -> io::Result<u64> {
    let disk = rustix::fs::statvfs(path)?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// Makes the names in a folder durable.
pub(crate) fn sync_dir(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

pub(crate) fn io_error(step: &'static str, path: &Path) -> impl FnOnce(io::Error) -> OpenError {
    move |source| OpenError::Io { step, path: path.to_owned(), source }
}

/// Files that vanish while we look (merges remove some) count as nothing.
fn bytes_below(path: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(path) else { return 0 };
    entries
        .filter_map(Result::ok)
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => bytes_below(&entry.path()),
            Ok(metadata) => metadata.len(),
            Err(_) => 0,
        })
        .sum()
}
