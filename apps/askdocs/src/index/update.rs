//! A folder of files → an index. Unchanged files are left alone, and so are texts that were embedded before.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use xxhash_rust::xxh3::xxh3_128;

use super::lexical::LexicalWriter;
use super::vectors::{Vectors, VectorsWriter};
use super::{IndexError, text_folder, vectors_file};
use crate::corpus::{self, Format, ParseError, SplitOptions};
use crate::embed::{EmbedError, Embedder};
use crate::idle::Idle;
use crate::passage::{Passage, PassageId};

/// Changes when the same bytes would give other passages than before.
const VERSION: &str = "1";
/// Files that are larger are left out and reported, in bytes.
const MAX_FILE_BYTES: u64 = 100 << 20;
/// Texts that are embedded before they are written: about two seconds' work …
const EMBEDDED_AT_ONCE: usize = 64;
/// … and where a question may come in between, which then waits for them.
const EMBEDDED_BESIDE: usize = 8;

/// What to do.
#[derive(Clone, Debug, Default)]
pub struct UpdateOptions {
    /// How to cut documents.
    pub split: SplitOptions,
    /// What links begin with: an address or nothing.
    pub link_prefix: String,
    /// Stop after this many new vectors, for a beginning.
    pub embed_at_most: Option<usize>,
    /// Embed only while nobody waits for an answer.
    pub stand_back: Option<Idle>,
}

/// A file that could not be read.
#[derive(Debug)]
pub struct FileError {
    /// Which.
    pub path: PathBuf,
    /// Why.
    pub reason: String,
}

/// What was done.
#[derive(Debug, Default)]
pub struct Summary {
    /// Files in the folder that can be read.
    pub files: usize,
    /// Files that were new or had changed.
    pub changed: usize,
    /// Files that are gone.
    pub removed: usize,
    /// Passages in the index.
    pub passages: usize,
    /// Passages that were embedded now.
    pub embedded: usize,
    /// Passages that are still to be embedded.
    pub left: usize,
    /// Files that could not be read.
    pub errors: Vec<FileError>,
}

/// Where the work stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Files are read.
    Reading,
    /// Passages are embedded.
    Embedding,
}

/// Is told how the work goes on: the stage, how much is done, and how much there is.
pub type Progress<'a> = &'a mut (dyn FnMut(Stage, usize, usize) + Send);

/// Why an update stopped. What was done until then stays.
#[derive(Debug, thiserror::Error)]
pub enum UpdateError {
    /// The index.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// The model.
    #[error(transparent)]
    Embed(#[from] EmbedError),
    /// The folder.
    #[error("{}: {source}", path.display())]
    Folder {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Nothing to read.
    #[error("{} holds no file that can be read: HTML, Markdown, text or PDF", .0.display())]
    Empty(PathBuf),
}

/// Brings the index in `folder` up to date with the files below `source`. Without an embedder only words are searched.
///
/// # Errors
/// If the folder, the index or the model fails. Files that cannot be read are in the summary.
pub async fn update(
    folder: &Path,
    source: &Path,
    embedder: Option<&Embedder>,
    options: &UpdateOptions,
    progress: Progress<'_>,
) -> Result<Summary, UpdateError> {
    let files = files_below(source)?;
    if files.is_empty() {
        return Err(UpdateError::Empty(source.to_owned()));
    }
    let mut writer = LexicalWriter::open(&text_folder(folder))?;
    let mut summary = Summary { files: files.len(), ..Summary::default() };
    let known = writer.files()?;
    let mut seen = HashSet::new();
    for (done, path) in files.iter().enumerate() {
        progress(Stage::Reading, done, files.len());
        let name = name_of(source, path);
        match read(path, &name, known.get(&name), options) {
            Ok(Some((hash, passages))) => {
                writer.put(&name, &hash, &passages)?;
                summary.changed += 1;
            }
            Ok(None) => {}
            Err(reason) => summary.errors.push(FileError { path: path.clone(), reason }),
        }
        seen.insert(name);
    }
    progress(Stage::Reading, files.len(), files.len());
    for name in known.keys().filter(|name| !seen.contains(*name)) {
        writer.remove(name);
        summary.removed += 1;
    }
    writer.commit()?;
    let passages = writer.passages()?;
    summary.passages = passages.len();
    if let Some(embedder) = embedder {
        embed(&vectors_file(folder), passages, embedder, options, &mut summary, progress).await?;
    }
    Ok(summary)
}

/// Passages of all files below a folder, for an index elsewhere. With the files that could not be read.
///
/// # Errors
/// If the folder cannot be read or holds nothing.
pub fn passages_below(source: &Path, options: &UpdateOptions) -> Result<(Vec<Passage>, Vec<FileError>), UpdateError> {
    let (mut passages, mut errors) = (Vec::new(), Vec::new());
    for path in files_below(source)? {
        match read(&path, &name_of(source, &path), None, options) {
            Ok(some) => passages.extend(some.into_iter().flat_map(|(_, passages)| passages)),
            Err(reason) => errors.push(FileError { path, reason }),
        }
    }
    if passages.is_empty() { Err(UpdateError::Empty(source.to_owned())) } else { Ok((passages, errors)) }
}

fn files_below(source: &Path) -> Result<Vec<PathBuf>, UpdateError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| UpdateError::Folder { path, source }
    };
    if fs::metadata(source).map_err(failed(source))?.is_file() {
        return Ok(vec![source.to_owned()]);
    }
    let mut files = Vec::new();
    let mut folders = vec![source.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).map_err(failed(&folder))? {
            let entry = entry.map_err(failed(&folder))?;
            let (path, kind) = (entry.path(), entry.file_type().map_err(failed(&folder))?);
            let is_hidden = entry.file_name().to_string_lossy().starts_with('.');
            // Links to folders are not followed: they may lead back.
            if kind.is_dir() && !is_hidden {
                folders.push(path);
            } else if !kind.is_dir() && !is_hidden && Format::of_path(&path).is_some() {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

/// Path below the folder, with `/` everywhere.
fn name_of(source: &Path, path: &Path) -> String {
    let below = path.strip_prefix(source).ok().filter(|below| !below.as_os_str().is_empty());
    let below = below.or_else(|| path.file_name().map(Path::new)).unwrap_or(path);
    below.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}

/// A file's hash and passages; `None` if it is as it was.
fn read(
    path: &Path,
    name: &str,
    known: Option<&String>,
    options: &UpdateOptions,
) -> Result<Option<(String, Vec<Passage>)>, String> {
    let length = fs::metadata(path).map_err(|error| error.to_string())?.len();
    if length > MAX_FILE_BYTES {
        return Err(format!("it is larger than {} MB", MAX_FILE_BYTES >> 20));
    }
    let bytes = fs::read(path).map_err(|error| error.to_string())?;
    let SplitOptions { max_words, overlap_words } = options.split;
    let how = format!("{VERSION} {max_words} {overlap_words} {}", options.link_prefix);
    let hash = format!("{:032x}{:032x}", xxh3_128(&bytes), xxh3_128(how.as_bytes()));
    if known == Some(&hash) {
        return Ok(None);
    }
    let passages = passages_of(path, name, &bytes, options).map_err(|error| error.to_string())?;
    Ok(Some((hash, passages)))
}

fn passages_of(path: &Path, name: &str, bytes: &[u8], options: &UpdateOptions) -> Result<Vec<Passage>, ParseError> {
    let Some(format) = Format::of_path(path) else { return Ok(Vec::new()) };
    let file_name = path.file_name().map_or_else(|| name.to_owned(), |name| name.to_string_lossy().into_owned());
    let document = corpus::parse(format, &file_name, bytes)?;
    let link = |anchor: Option<String>| {
        let anchor = anchor.map(|anchor| format!("#{anchor}")).unwrap_or_default();
        format!("{}{name}{anchor}", options.link_prefix)
    };
    let passages = corpus::split(&document, &options.split).into_iter();
    Ok(passages.map(|p| Passage { title: p.title, section: p.section, link: link(p.anchor), text: p.text }).collect())
}

async fn embed(
    path: &Path,
    passages: Vec<Passage>,
    embedder: &Embedder,
    options: &UpdateOptions,
    summary: &mut Summary,
    progress: Progress<'_>,
) -> Result<(), UpdateError> {
    let mut writer = VectorsWriter::open(path, embedder.model(), embedder.dimensions().await?)?;
    let there = Vectors::open(path)?;
    let passages: Vec<(PassageId, Passage)> = passages.into_iter().map(|p| (PassageId::of(&p), p)).collect();
    let wanted: HashSet<PassageId> = passages.iter().map(|(id, _)| *id).collect();
    if there.ids().iter().filter(|id| wanted.contains(id)).count() * 2 < there.ids().len() {
        writer.keep(|id| wanted.contains(&id))?;
    }
    let mut known: HashSet<PassageId> = there.ids().iter().copied().collect();
    let missing: Vec<(PassageId, Passage)> = passages.into_iter().filter(|(id, _)| known.insert(*id)).collect();
    let now = missing.len().min(options.embed_at_most.unwrap_or(usize::MAX));
    progress(Stage::Embedding, 0, now);
    let at_once = if options.stand_back.is_some() { EMBEDDED_BESIDE } else { EMBEDDED_AT_ONCE };
    for some in missing[..now].chunks(at_once) {
        if let Some(idle) = &options.stand_back {
            idle.wait().await;
        }
        let texts: Vec<String> = some.iter().map(|(_, passage)| passage.embedded_text()).collect();
        let vectors = embedder.embed(texts).await?;
        let with_ids: Vec<_> = some.iter().map(|(id, _)| *id).zip(vectors).collect();
        writer.append(&with_ids)?;
        summary.embedded += some.len();
        progress(Stage::Embedding, summary.embedded, now);
    }
    summary.left = missing.len() - now;
    Ok(())
}
