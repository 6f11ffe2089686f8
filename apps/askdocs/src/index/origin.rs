//! Where the documents of an index are, so that they can be shown and read again.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::IndexError;

/// The folder that was indexed, and how its files are linked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// A folder, or one file.
    pub path: PathBuf,
    /// What links begin with.
    pub link_prefix: String,
}

impl Origin {
    /// The origin of the index in a folder, if it is known.
    pub fn read(index: &Path) -> Option<Self> {
        serde_json::from_slice(&std::fs::read(file(index)).ok()?).ok()
    }

    /// Remembers it.
    ///
    /// # Errors
    /// If the folder cannot be written to.
    pub fn write(&self, index: &Path) -> Result<(), IndexError> {
        let written = std::fs::create_dir_all(index)
            .and_then(|()| std::fs::write(file(index), serde_json::to_vec(self).map_err(std::io::Error::other)?));
        written.map_err(|source| IndexError::File { path: file(index), source })
    }
}

fn file(index: &Path) -> PathBuf {
    index.join("origin.json")
}
