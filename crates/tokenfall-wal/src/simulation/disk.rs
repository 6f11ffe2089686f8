//! A disk in memory with the liberties that real ones take.
//!
//! - What is written is lost in a crash unless it was synced; of each write, any 512-byte sectors may have arrived.
//! - A name that was created or removed is as unsure until the folder is synced.
//! - Reads may be short. A full disk writes a part and then fails.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};

use crate::disk::{Disk, LogFile};

const SECTOR: usize = 512;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The machine stops; nothing works until [`SimulatedDisk::crash`].
    Crash,
    /// One sync fails, and forgets what it should have made durable, as Linux does.
    SyncFails,
}

#[derive(Clone)]
pub(super) struct SimulatedDisk(Arc<Mutex<State>>);

struct State {
    files: Vec<Inode>,
    names: BTreeMap<String, usize>,
    durable_names: BTreeMap<String, usize>,
    random: u64,
    fault: Option<(u64, Fault)>,
    stopped: bool,
    free: Option<u64>,
    lies: bool,
}

#[derive(Default)]
struct Inode {
    durable: Vec<u8>,
    current: Vec<u8>,
    unsynced: Vec<Change>,
}

enum Change {
    Write(usize, Vec<u8>),
    Len(usize),
}

struct SimulatedFile {
    disk: SimulatedDisk,
    inode: usize,
}

impl SimulatedDisk {
    pub(super) fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(State {
            files: Vec::new(),
            names: BTreeMap::new(),
            durable_names: BTreeMap::new(),
            random: seed | 1,
            fault: None,
            stopped: false,
            free: None,
            lies: false,
        })))
    }

    /// Lets a fault happen in the disk operation after `n` more.
    pub(super) fn fail_after(&self, n: u64, fault: Fault) {
        self.state().fault = Some((n, fault));
    }

    pub(super) fn set_free(&self, bytes: Option<u64>) {
        self.state().free = bytes;
    }

    /// Says that everything is synced, and syncs nothing.
    pub(super) fn set_lies(&self, lies: bool) {
        self.state().lies = lies;
    }

    pub(super) fn heal(&self) {
        let mut state = self.state();
        (state.fault, state.free, state.stopped) = (None, None, false);
    }

    /// Cuts the power and starts again.
    pub(super) fn crash(&self) {
        self.heal();
        let state = &mut *self.state();
        for file in &mut state.files {
            for change in std::mem::take(&mut file.unsynced) {
                change.apply_in_part(&mut file.durable, &mut state.random);
            }
            file.current.clone_from(&file.durable);
        }
        let all: Vec<String> = state.names.keys().chain(state.durable_names.keys()).cloned().collect();
        for name in all {
            if state.names.get(&name) != state.durable_names.get(&name) && random(&mut state.random).is_multiple_of(2) {
                match state.names.get(&name).copied() {
                    Some(inode) => state.durable_names.insert(name, inode),
                    None => state.durable_names.remove(&name),
                };
            }
        }
        state.names = state.durable_names.clone();
        state.lies = false;
    }

    /// Changes one bit somewhere. True if it is in the file of the last name.
    pub(super) fn flip_bit(&self, at: proptest::sample::Index, bit: u32) -> bool {
        let state = &mut *self.state();
        let total: usize = state.names.values().map(|inode| state.files[*inode].durable.len()).sum();
        let mut at = at.index(total);
        for (i, inode) in state.names.values().enumerate() {
            let file = &mut state.files[*inode];
            if at < file.durable.len() {
                file.durable[at] ^= 1 << bit;
                file.current.clone_from(&file.durable);
                return i + 1 == state.names.len();
            }
            at -= file.durable.len();
        }
        unreachable!("the index is below the total")
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }
}

impl State {
    /// Counts an operation that changes something. True if it is the one that the crash interrupts.
    fn step(&mut self) -> io::Result<bool> {
        if self.stopped {
            return Err(stopped());
        }
        match &mut self.fault {
            Some((0, Fault::Crash)) => {
                self.stopped = true;
                Ok(true)
            }
            Some((n, _)) => {
                *n = n.saturating_sub(1);
                Ok(false)
            }
            None => Ok(false),
        }
    }

    /// Counts a sync. True if it is to work.
    fn sync_step(&mut self) -> io::Result<bool> {
        if let Some((0, Fault::SyncFails)) = self.fault {
            self.fault = None;
            return Ok(false);
        }
        if self.step()? {
            return Err(stopped());
        }
        Ok(true)
    }
}

impl Disk for SimulatedDisk {
    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.state().names.keys().cloned().chain(["lost+found".to_owned()]).collect())
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn LogFile>> {
        let mut state = self.state();
        let interrupted = state.step()?;
        let inode = if let Some(inode) = state.names.get(name).copied() {
            state.files[inode].change(Change::Len(0));
            inode
        } else {
            state.files.push(Inode::default());
            let inode = state.files.len() - 1;
            state.names.insert(name.to_owned(), inode);
            inode
        };
        if interrupted {
            return Err(stopped());
        }
        Ok(Box::new(SimulatedFile { disk: self.clone(), inode }))
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn LogFile>> {
        let inode = self.state().names.get(name).copied().ok_or(io::ErrorKind::NotFound)?;
        Ok(Box::new(SimulatedFile { disk: self.clone(), inode }))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut state = self.state();
        let interrupted = state.step()?;
        state.names.remove(name).ok_or(io::ErrorKind::NotFound)?;
        if interrupted { Err(stopped()) } else { Ok(()) }
    }

    fn sync_names(&self) -> io::Result<()> {
        let mut state = self.state();
        if !state.sync_step()? {
            return Err(io::Error::other("the sync failed"));
        }
        if !state.lies {
            state.durable_names = state.names.clone();
        }
        Ok(())
    }

    fn path(&self) -> &Path {
        Path::new("simulated")
    }
}

impl LogFile for SimulatedFile {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let state = &mut *self.disk.state();
        if state.stopped {
            return Err(stopped());
        }
        let current = &state.files[self.inode].current;
        let rest = current.get(offset as usize..).unwrap_or_default();
        let n = rest.len().min(buffer.len());
        let n = if n > 1 { 1 + random(&mut state.random) as usize % n } else { n };
        buffer[..n].copy_from_slice(&rest[..n]);
        Ok(n)
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let state = &mut *self.disk.state();
        let interrupted = state.step()?;
        let fits = state.free.map_or(bytes.len(), |free| bytes.len().min(free as usize));
        if let Some(free) = &mut state.free {
            *free -= fits as u64;
        }
        state.files[self.inode].change(Change::Write(offset as usize, bytes[..fits].to_vec()));
        if interrupted {
            return Err(stopped());
        }
        if fits < bytes.len() { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }

    fn sync(&mut self) -> io::Result<()> {
        let state = &mut *self.disk.state();
        let works = state.sync_step()?;
        let file = &mut state.files[self.inode];
        if !works {
            // The pages are clean now, and were never written.
            file.unsynced.clear();
            return Err(io::Error::other("the sync failed"));
        }
        if !state.lies {
            file.unsynced.clear();
            file.durable.clone_from(&file.current);
        }
        Ok(())
    }

    fn set_len(&mut self, len: u64) -> io::Result<()> {
        let state = &mut *self.disk.state();
        let interrupted = state.step()?;
        state.files[self.inode].change(Change::Len(len as usize));
        if interrupted { Err(stopped()) } else { Ok(()) }
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.disk.state().files[self.inode].current.len() as u64)
    }
}

impl Inode {
    fn change(&mut self, change: Change) {
        change.apply(&mut self.current);
        self.unsynced.push(change);
    }
}

impl Change {
    fn apply(&self, content: &mut Vec<u8>) {
        match self {
            Self::Len(len) => content.resize(*len, 0),
            Self::Write(at, bytes) => {
                content.resize(content.len().max(at + bytes.len()), 0);
                content[*at..at + bytes.len()].copy_from_slice(bytes);
            }
        }
    }

    fn apply_in_part(self, content: &mut Vec<u8>, seed: &mut u64) {
        let luck = random(seed) % 4;
        match self {
            _ if luck == 0 => {}
            Self::Write(at, bytes) if luck == 1 => {
                for (i, sector) in bytes.chunks(SECTOR).enumerate() {
                    if random(seed).is_multiple_of(2) {
                        // A short last sector may itself arrive in part.
                        let n = if sector.len() < SECTOR { random(seed) as usize % (sector.len() + 1) } else { SECTOR };
                        Self::Write(at + i * SECTOR, sector[..n].to_vec()).apply(content);
                    }
                }
            }
            whole => whole.apply(content),
        }
    }
}

fn stopped() -> io::Error {
    io::Error::other("the machine has stopped")
}

/// SplitMix64.
fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
