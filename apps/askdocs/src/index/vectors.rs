//! Vectors in a file that only grows, and a search that looks at all of them.
//!
//! An exact search needs no graph that must be built, kept and tuned, and is fast enough for what one machine embeds.
//!
//! ```text
//! file:   "ASKVEC2\n" made:u64 dimensions:u32 length:u32 model:length bytes record*        (numbers are little-endian)
//! record: id:16 bytes, vector:dimensions × f32
//! ```
//!
//! `made` is a random number of the file, by which readers notice that another one has taken its place.
//! A record that was cut short by a crash is written over.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::IndexError;
use crate::passage::PassageId;

const MAGIC: &[u8; 8] = b"ASKVEC2\n";
/// How long what was read is taken for new.
const FRESH: Duration = Duration::from_millis(500);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Header {
    made: u64,
    model: String,
    dimensions: usize,
}

impl Header {
    fn bytes(&self) -> Vec<u8> {
        let (made, dimensions) = (self.made.to_le_bytes(), (self.dimensions as u32).to_le_bytes());
        let length = (self.model.len() as u32).to_le_bytes();
        [MAGIC.as_slice(), &made, &dimensions, &length, self.model.as_bytes()].concat()
    }

    /// `None` if this is no such file, or not yet a whole header.
    fn read(file: &mut File) -> Option<Self> {
        let mut fixed = [0; 24];
        file.read_exact(&mut fixed).ok()?;
        let (magic, rest) = fixed.split_first_chunk::<8>()?;
        let (made, rest) = rest.split_first_chunk::<8>()?;
        let number = |at: usize| rest[at..].first_chunk().map(|bytes| u32::from_le_bytes(*bytes) as usize);
        let (dimensions, length) = (number(0)?, number(4)?);
        if magic != MAGIC || dimensions == 0 || dimensions > 65_536 || length > 1_024 {
            return None;
        }
        let mut model = vec![0; length];
        file.read_exact(&mut model).ok()?;
        let model = String::from_utf8_lossy(&model).into_owned();
        Some(Self { made: u64::from_le_bytes(*made), model, dimensions })
    }

    /// Bytes of a record.
    const fn record(&self) -> usize {
        16 + self.dimensions * 4
    }
}

fn record(id: PassageId, vector: &[f32]) -> impl Iterator<Item = u8> {
    id.to_bytes().into_iter().chain(vector.iter().flat_map(|number| number.to_le_bytes()))
}

/// Vectors in memory.
pub(super) struct Vectors {
    path: PathBuf,
    header: Option<Header>,
    ids: Vec<PassageId>,
    numbers: Vec<f32>,
    /// Bytes of the file that were read.
    read: u64,
    looked: Instant,
}

impl Vectors {
    /// Reads a file. None is as good as an empty one.
    pub(super) fn open(path: &Path) -> Result<Self, IndexError> {
        let mut this = Self::empty(path);
        this.read_on().map_err(|source| IndexError::File { path: path.to_owned(), source })?;
        Ok(this)
    }

    fn empty(path: &Path) -> Self {
        let (ids, numbers) = (Vec::new(), Vec::new());
        Self { path: path.to_owned(), header: None, ids, numbers, read: 0, looked: Instant::now() }
    }

    pub(super) fn model(&self) -> Option<&str> {
        self.header.as_ref().map(|header| header.model.as_str())
    }

    pub(super) fn ids(&self) -> &[PassageId] {
        &self.ids
    }

    pub(super) fn is_stale(&self) -> bool {
        self.looked.elapsed() > FRESH
    }

    /// Reads what was appended. If that fails, it is tried again later.
    pub(super) fn refresh(&mut self) {
        self.looked = Instant::now();
        drop(self.read_on());
    }

    fn read_on(&mut self) -> io::Result<()> {
        let mut file = match File::open(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            other => other?,
        };
        let Some(header) = Header::read(&mut file) else { return Ok(()) };
        if self.header.as_ref() != Some(&header) {
            // The first one, or another one has taken its place.
            *self = Self { read: header.bytes().len() as u64, ..Self::empty(&self.path) };
        }
        file.seek(SeekFrom::Start(self.read))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        for record in bytes.chunks_exact(header.record()) {
            let Some((id, vector)) = record.split_first_chunk::<16>() else { continue };
            self.ids.push(PassageId::from_bytes(*id));
            self.numbers.extend(vector.as_chunks::<4>().0.iter().map(|number| f32::from_le_bytes(*number)));
            self.read += header.record() as u64;
        }
        self.header = Some(header);
        Ok(())
    }

    /// Ids of the nearest vectors, the nearest first.
    pub(super) fn nearest(&self, vector: &[f32], count: usize) -> Vec<PassageId> {
        let Some(header) = self.header.as_ref().filter(|header| header.dimensions == vector.len() && count > 0) else {
            return Vec::new();
        };
        let mut best: Vec<(f32, usize)> = Vec::with_capacity(count + 1);
        for (at, other) in self.numbers.chunks_exact(header.dimensions).enumerate() {
            let likeness = dot(vector, other);
            if best.len() < count || best.last().is_some_and(|(worst, _)| likeness > *worst) {
                let place = best.partition_point(|(other, _)| *other >= likeness);
                best.insert(place, (likeness, at));
                best.truncate(count);
            }
        }
        best.into_iter().map(|(_, at)| self.ids[at]).collect()
    }
}

/// Sixteen sums at a time, which the compiler turns into vector instructions.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<16>(), b.as_chunks::<16>());
    let mut sums = [0.0_f32; 16];
    for (a, b) in a.iter().zip(b) {
        for lane in 0..16 {
            sums[lane] += a[lane] * b[lane];
        }
    }
    sums.iter().sum::<f32>() + a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum::<f32>()
}

/// Appends vectors.
pub(super) struct VectorsWriter {
    path: PathBuf,
    file: File,
    header: Header,
}

impl VectorsWriter {
    /// Opens a file after its last whole record. Vectors of another model are thrown away.
    pub(super) fn open(path: &Path, model: &str, dimensions: usize) -> Result<Self, IndexError> {
        let there = Vectors::open(path)?;
        let known = there.header.filter(|header| header.model == model && header.dimensions == dimensions);
        let is_known = known.is_some();
        let header = known.unwrap_or_else(|| Header { made: fastrand::u64(..), model: model.to_owned(), dimensions });
        let opened = if is_known {
            OpenOptions::new().write(true).open(path).and_then(|mut file| {
                file.set_len(there.read)?;
                file.seek(SeekFrom::End(0))?;
                Ok(file)
            })
        } else {
            File::create(path).and_then(|mut file| {
                file.write_all(&header.bytes())?;
                Ok(file)
            })
        };
        let file = opened.map_err(|source| IndexError::File { path: path.to_owned(), source })?;
        Ok(Self { path: path.to_owned(), file, header })
    }

    /// Appends some, and returns when they are on disk.
    pub(super) fn append(&mut self, vectors: &[(PassageId, Vec<f32>)]) -> Result<(), IndexError> {
        let whole = vectors.iter().filter(|(_, vector)| vector.len() == self.header.dimensions);
        let bytes: Vec<u8> = whole.flat_map(|(id, vector)| record(*id, vector)).collect();
        let written = self.file.write_all(&bytes).and_then(|()| self.file.sync_data());
        written.map_err(|source| IndexError::File { path: self.path.clone(), source })
    }

    /// Writes the file anew, without those that nobody wants any more.
    pub(super) fn keep(&mut self, is_wanted: impl Fn(PassageId) -> bool) -> Result<(), IndexError> {
        let there = Vectors::open(&self.path)?;
        self.header.made = fastrand::u64(..);
        let kept = there.ids.iter().zip(there.numbers.chunks_exact(self.header.dimensions));
        let records = kept.filter(|(id, _)| is_wanted(**id)).flat_map(|(id, vector)| record(*id, vector));
        let bytes: Vec<u8> = self.header.bytes().into_iter().chain(records).collect();
        let unfinished = self.path.with_extension("unfinished");
        let written = std::fs::write(&unfinished, bytes).and_then(|()| std::fs::rename(&unfinished, &self.path));
        let reopened = written.and_then(|()| OpenOptions::new().append(true).open(&self.path));
        self.file = reopened.map_err(|source| IndexError::File { path: self.path.clone(), source })?;
        Ok(())
    }
}
