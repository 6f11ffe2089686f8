//! The log on a disk that crashes at any step, tears and forgets what was not synced, reads short, fails and fills up. Each property
//! runs 256 times; `PROPTEST_CASES=100000` runs more.

mod disk;

use std::collections::BTreeSet;
use std::sync::Arc;

use proptest::prelude::*;

use crate::log::Log;
use crate::scan::{ReadError, Record};
use disk::{Fault, SimulatedDisk};

type Owned = (u64, u32, Vec<u8>);

/// What a run does, one after the other.
#[derive(Clone, Debug)]
enum Step {
    /// Appends records of these counts and payload lengths with one sync.
    Append(Vec<(u32, usize)>),
    /// Cuts the log behind this part (in percent) of what is acknowledged.
    Truncate(u64),
    /// Closes and opens without a crash.
    Reopen,
    /// Crashes during the disk operation after so many more, then recovers; the recovery itself may crash too.
    CrashAfter(u64, Option<u64>),
    /// The disk has so many bytes left.
    Capacity(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => prop::collection::vec((1..4_u32, 0..300_usize), 1..6).prop_map(Step::Append),
        1 => prop::collection::vec((1..4_u32, 3_000..9_000_usize), 1..2).prop_map(Step::Append),
        1 => (0..=100_u64).prop_map(Step::Truncate),
        1 => Just(Step::Reopen),
        3 => (0..12_u64, prop::option::of(0..6_u64)).prop_map(|(n, again)| Step::CrashAfter(n, again)),
        1 => (0..4_000_u64).prop_map(Step::Capacity),
    ];
    prop::collection::vec(step, 1..40)
}

/// The log beside what it must hold.
struct Run {
    disk: SimulatedDisk,
    segment_bytes_max: u64,
    log: Option<Log>,
    /// Acknowledged records, in order.
    acknowledged: Vec<Owned>,
    /// Payloads of records that were refused or cut off by a crash: they may turn up, or not.
    attempted: BTreeSet<Vec<u8>>,
    /// Everything before this may be gone.
    truncated: u64,
    n_payloads: u64,
}

impl Run {
    fn new(seed: u64, segment_bytes_max: u64) -> Self {
        let mut run = Self {
            disk: SimulatedDisk::new(seed),
            segment_bytes_max,
            log: None,
            acknowledged: Vec::new(),
            attempted: BTreeSet::new(),
            truncated: 0,
            n_payloads: 0,
        };
        run.recover();
        run
    }

    fn open(&self) -> Result<(Log, Vec<Owned>), ReadError> {
        let mut found = Vec::new();
        let disk = Arc::new(self.disk.clone());
        let (log, _) = Log::open(disk, 0, self.segment_bytes_max, &mut |r: Record<'_>| {
            found.push((r.first_sequence, r.count, r.payload.to_vec()));
            Ok(())
        })?;
        Ok((log, found))
    }

    /// Opens the log and compares.
    fn recover(&mut self) {
        let (log, found) = self.open().expect("the log opens");
        let first = found.first().map_or(log.next_sequence(), |r| r.0);
        assert!(first <= self.truncated.max(self.acknowledged.first().map_or(0, |r| r.0)), "too much was cut off");
        let kept: Vec<_> = self.acknowledged.iter().filter(|r| r.0 >= first).cloned().collect();
        assert_eq!(found.get(..kept.len()), Some(&kept[..]), "acknowledged records come back in order");
        for extra in &found[kept.len()..] {
            assert!(self.attempted.contains(&extra.2), "nothing appears that was never appended");
        }
        let mut sequence = first;
        for record in &found {
            assert_eq!(record.0, sequence);
            sequence += u64::from(record.1);
        }
        assert_eq!(log.next_sequence(), sequence);
        self.acknowledged = found;
        self.attempted.clear();
        self.log = Some(log);
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::Append(records) => self.append(records),
            Step::Truncate(percent) => {
                let Some(log) = &mut self.log else { return };
                let sequence = log.next_sequence() * percent / 100;
                self.truncated = self.truncated.max(sequence);
                // A crash or a failure in here leaves more, never less.
                drop(log.truncate_before(sequence));
            }
            Step::Reopen => {
                self.log = None;
                self.disk.heal();
                self.recover();
            }
            Step::CrashAfter(n, again) => {
                self.disk.fail_after(*n, Fault::Crash);
                // Until it happens the run goes on.
                for i in 0..8 {
                    self.append(&[(1, 40), (2, i * 100)]);
                }
                self.log = None;
                self.disk.crash();
                if let Some(again) = again {
                    self.disk.fail_after(*again, Fault::Crash);
                    drop(self.open());
                    self.disk.crash();
                }
                self.recover();
            }
            Step::Capacity(bytes) => self.disk.set_free(Some(*bytes)),
        }
    }

    fn append(&mut self, records: &[(u32, usize)]) {
        let Some(log) = &mut self.log else { return };
        let batch: Vec<(u32, Vec<u8>)> = records
            .iter()
            .map(|(count, len)| {
                self.n_payloads += 1;
                let mut payload = self.n_payloads.to_le_bytes().to_vec();
                payload.resize(8 + len, self.n_payloads as u8);
                (*count, payload)
            })
            .collect();
        let borrowed: Vec<(u32, &[u8])> = batch.iter().map(|(count, payload)| (*count, payload.as_slice())).collect();
        let before = log.next_sequence();
        if let Ok(mut sequence) = log.append(&borrowed) {
            assert_eq!(sequence, before);
            for (count, payload) in batch {
                self.acknowledged.push((sequence, count, payload));
                sequence += u64::from(count);
            }
            assert_eq!(log.next_sequence(), sequence);
        } else {
            assert_eq!(log.next_sequence(), before);
            self.attempted.extend(batch.into_iter().map(|(_, payload)| payload));
        }
    }
}

proptest! {
    #[test]
    fn acknowledged_records_survive(seed: u64, segment_bytes_max in 64..2_000_u64, steps in steps()) {
        let mut run = Run::new(seed, segment_bytes_max);
        for step in &steps {
            run.take(step);
        }
        run.take(&Step::CrashAfter(0, None));
    }

    #[test]
    fn after_a_failed_sync_nothing_is_promised(seed: u64, n in 0..20_u64) {
        let mut run = Run::new(seed, 400);
        run.disk.fail_after(n, Fault::SyncFails);
        let mut failed = false;
        for _ in 0..30 {
            let before = run.acknowledged.len();
            run.append(&[(1, 50)]);
            prop_assert!(!failed || run.acknowledged.len() == before, "it acknowledged after a failed sync");
            failed = run.acknowledged.len() == before;
        }
        prop_assert!(failed);
        run.log = None;
        run.disk.crash();
        run.recover();
    }

    #[test]
    fn a_disk_that_lies_is_no_reason_to_panic(seed: u64, segment_bytes_max in 64..1_000_u64, n in 1..30_usize) {
        let mut run = Run::new(seed, segment_bytes_max);
        run.disk.set_lies(true);
        for i in 0..n {
            run.append(&[(1, i * 17), (3, 9)]);
        }
        run.log = None;
        run.disk.crash();
        // Acknowledged records may be gone. What is given must be what was written, in order; anything else is an error.
        if let Ok((_, found)) = run.open() {
            let mut sequence = found.first().map_or(0, |r| r.0);
            for record in &found {
                prop_assert_eq!(record.0, sequence);
                prop_assert!(run.acknowledged.contains(record));
                sequence += u64::from(record.1);
            }
        }
    }

    #[test]
    fn damage_is_found(seed: u64, at: prop::sample::Index, bit in 0..8_u32) {
        let mut run = Run::new(seed, 300);
        for i in 0..20 {
            run.append(&[(1, i * 13)]);
        }
        let n_segments = run.log.as_ref().map_or(0, |log| log.segments().len());
        prop_assert!(n_segments > 3);
        run.log = None;
        run.disk.crash();
        let is_last = run.disk.flip_bit(at, bit);
        match run.open() {
            Err(ReadError::Damaged { .. }) => {}
            Ok((_, found)) => {
                prop_assert!(is_last, "damage in the middle must be loud");
                prop_assert!(found.len() < run.acknowledged.len());
                prop_assert_eq!(&found[..], &run.acknowledged[..found.len()]);
            }
            Err(other) => prop_assert!(false, "{}", other),
        }
    }
}
