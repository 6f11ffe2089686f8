//! The embedded search index: text in Tantivy, vectors beside it, both in one folder.
//!
//! ```text
//! index/text/       Tantivy: one document for each passage, one for each file (its hash, so that unchanged files are left alone)
//! index/vectors     vectors by the hash of what was embedded: a text that is known is never embedded again
//! index/origin.json where the documents are
//! ```
//!
//! A passage is found by its words as soon as its file was read, and by its meaning as soon as it was embedded, which takes much
//! longer.

mod lexical;
mod origin;
mod update;
mod vectors;

use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};

pub(crate) use lexical::analyzer;
pub use origin::Origin;
pub use update::{FileError, Progress, Stage, Summary, UpdateError, UpdateOptions, passages_below, update};

use crate::passage::{Passage, PassageId};
use lexical::Lexical;
use vectors::Vectors;

/// An index that is searched.
pub struct Index {
    lexical: Lexical,
    vectors: RwLock<Vectors>,
}

/// Why an index cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// There is none.
    #[error("there is no index at {}: make one with `askdocs index PATH`", .0.display())]
    Missing(PathBuf),
    /// Somebody else writes.
    #[error("another `askdocs index` is writing to {}; wait until it is done", .0.display())]
    Locked(PathBuf),
    /// Tantivy.
    #[error("the index cannot be used: {0}")]
    Engine(#[from] tantivy::TantivyError),
    /// Files.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl Index {
    /// Opens an index for searching. What is added later is found, too.
    ///
    /// # Errors
    /// If there is none.
    pub fn open(folder: &Path) -> Result<Self, IndexError> {
        let lexical = Lexical::open(&text_folder(folder))?;
        Ok(Self { lexical, vectors: RwLock::new(Vectors::open(&vectors_file(folder))?) })
    }

    /// Number of passages.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub fn passages(&self) -> Result<usize, IndexError> {
        self.lexical.count()
    }

    /// Number of passages that were embedded. The same text in several files is embedded once and counts for each.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub fn embedded(&self) -> Result<usize, IndexError> {
        self.refreshed(|vectors| self.lexical.count_of(vectors.ids()))
    }

    /// The model of the vectors, if there are any.
    pub fn embedding_model(&self) -> Option<String> {
        self.refreshed(|vectors| vectors.model().map(str::to_owned))
    }

    /// The best passages by BM25.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub fn by_words(&self, question: &str, count: usize) -> Result<Vec<Passage>, IndexError> {
        self.lexical.search(question, count)
    }

    /// The best passages by the angle between their vectors and this one.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub fn by_meaning(&self, vector: &[f32], count: usize) -> Result<Vec<Passage>, IndexError> {
        // Some may be of passages that are gone since.
        let ids: Vec<PassageId> = self.refreshed(|vectors| vectors.nearest(vector, 2 * count));
        let mut found = Vec::new();
        for id in ids {
            found.extend(self.lexical.get(id)?);
            if found.len() >= count {
                break;
            }
        }
        Ok(found)
    }

    /// Reads what was appended since the last time. A file that cannot be read leaves what was there.
    fn refreshed<T>(&self, work: impl FnOnce(&Vectors) -> T) -> T {
        let is_stale = self.vectors.read().unwrap_or_else(PoisonError::into_inner).is_stale();
        if is_stale {
            self.vectors.write().unwrap_or_else(PoisonError::into_inner).refresh();
        }
        work(&self.vectors.read().unwrap_or_else(PoisonError::into_inner))
    }
}

fn text_folder(folder: &Path) -> PathBuf {
    folder.join("text")
}

fn vectors_file(folder: &Path) -> PathBuf {
    folder.join("vectors")
}

#[cfg(test)]
mod tests;
