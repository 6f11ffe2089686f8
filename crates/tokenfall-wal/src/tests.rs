use std::fs;
use std::sync::mpsc;
use std::time::Duration;

use tempfile::TempDir;

use super::*;

const DEADLINE: Duration = Duration::from_secs(20);

fn open(dir: &TempDir, options: Options) -> (Wal, Vec<Vec<u8>>) {
    let mut found = Vec::new();
    let disk = Arc::new(Directory::new(dir.path().join("wal")).unwrap());
    let (wal, torn) = Wal::open(disk, options, &mut |record| {
        found.push(record.payload.to_vec());
        Ok(())
    })
    .unwrap();
    assert_eq!(torn, None);
    (wal, found)
}

fn append(wal: &Wal, payload: &[u8]) -> Result<Appended, AppendError> {
    let (sender, receiver) = mpsc::channel();
    wal.append(1, payload.to_vec(), Box::new(move |result| sender.send(result).unwrap()));
    receiver.recv_timeout(DEADLINE).unwrap()
}

fn segments(dir: &TempDir) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(dir.path().join("wal")).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn many_threads_share_the_log() {
    let dir = TempDir::new().unwrap();
    let (wal, _) = open(&dir, Options { segment_bytes_max: 2_000, ..Options::default() });
    let (sender, receiver) = mpsc::channel();
    thread::scope(|scope| {
        for t in 0..4_u8 {
            let (wal, sender) = (&wal, sender.clone());
            scope.spawn(move || {
                for i in 0..100_u8 {
                    let sender = sender.clone();
                    wal.append(2, vec![t, i], Box::new(move |result| sender.send(result.unwrap()).unwrap()));
                }
            });
        }
    });
    drop(sender);
    let appended: Vec<Appended> = receiver.iter().collect();
    assert_eq!(appended.len(), 400);
    let sequences: Vec<u64> = appended.iter().map(|a| a.first_sequence).collect();
    assert_eq!(sequences, (0..400).map(|i| i * 2).collect::<Vec<_>>(), "callbacks come in the order of the log");
    assert_eq!(wal.next_sequence(), 800);

    let mut read = Vec::new();
    wal.read(700, &mut |record| {
        read.push(record.payload.to_vec());
        Ok(())
    })
    .unwrap();
    let payloads: Vec<_> = appended.into_iter().map(|a| a.payload).collect();
    assert_eq!(read, payloads[350..]);
    drop(wal);
    assert_eq!(open(&dir, Options::default()).1, payloads);
}

#[test]
fn the_log_is_cut_by_whole_segments() {
    let dir = TempDir::new().unwrap();
    let options = Options { segment_bytes_max: 100, ..Options::default() };
    let (wal, _) = open(&dir, options);
    for i in 0..10_u8 {
        append(&wal, &[i; 60]).unwrap();
    }
    assert_eq!(segments(&dir).len(), 10);
    wal.truncate_before(7).unwrap();
    assert_eq!(segments(&dir).len(), 3);
    assert!(wal.read(0, &mut |_| Ok(())).is_ok());
    wal.truncate_before(u64::MAX).unwrap();
    assert_eq!(segments(&dir).len(), 1);
    drop(wal);
    let (wal, found) = open(&dir, options);
    assert_eq!((found.len(), wal.next_sequence()), (1, 10));
}

#[test]
fn sequences_never_come_again() {
    let dir = TempDir::new().unwrap();
    drop(open(&dir, Options::default()));
    let (wal, _) = open(&dir, Options { first_sequence: 90, ..Options::default() });
    assert_eq!(append(&wal, b"a").unwrap().first_sequence, 90);
    drop(wal);
    let (wal, found) = open(&dir, Options { first_sequence: 50, ..Options::default() });
    assert_eq!((found.len(), wal.next_sequence()), (1, 91));
}

#[test]
fn a_torn_tail_is_reported_and_a_missing_segment_is_an_error() {
    let dir = TempDir::new().unwrap();
    let (wal, _) = open(&dir, Options { segment_bytes_max: 100, ..Options::default() });
    for i in 0..4_u8 {
        append(&wal, &[i; 60]).unwrap();
    }
    drop(wal);
    let names = segments(&dir);
    let last = dir.path().join("wal").join(&names[3]);
    let bytes = fs::read(&last).unwrap();
    fs::write(&last, &bytes[..bytes.len() - 1]).unwrap();
    let disk = Directory::existing(dir.path().join("wal"));
    let mut n = 0;
    let mut count = |_: Record<'_>| {
        n += 1;
        Ok(())
    };
    let torn = scan(&disk, &mut count).unwrap().unwrap();
    assert_eq!((torn.path, torn.offset, torn.bytes), (last.clone(), 32, 79));
    assert_eq!(n, 3);
    assert_eq!(fs::read(&last).unwrap().len(), bytes.len() - 1, "a scan changes nothing");

    fs::remove_file(dir.path().join("wal").join(&names[1])).unwrap();
    let error = scan(&disk, &mut |_| Ok(())).unwrap_err().to_string();
    assert!(error.contains(&names[2]) && error.contains("missing"), "{error}");
}

#[test]
fn refusals_come_at_once() {
    let dir = TempDir::new().unwrap();
    let (wal, _) = open(&dir, Options { waiting_bytes_max: 100, ..Options::default() });
    // The log's thread stands still in the first callback, so the others wait.
    let (begin, began) = mpsc::channel();
    let (go, gate) = mpsc::channel::<()>();
    let (done, results) = mpsc::channel();
    let callback = {
        let done = done.clone();
        Box::new(move |result| {
            begin.send(()).unwrap();
            gate.recv_timeout(DEADLINE).unwrap();
            done.send(result).unwrap();
        })
    };
    wal.append(1, vec![0; 500], callback);
    began.recv_timeout(DEADLINE).unwrap();
    assert!(matches!(append(&wal, b"one more"), Err(AppendError::QueueFull)));
    assert!(matches!(append(&wal, &vec![0; PAYLOAD_BYTES_MAX + 1]), Err(AppendError::Size)));
    go.send(()).unwrap();
    assert!(results.recv_timeout(DEADLINE).unwrap().is_ok(), "a single long record is taken");
    wal.close();
    assert!(matches!(append(&wal, b"late"), Err(AppendError::Closed)));
}

#[test]
fn a_callback_that_panics_leaves_nobody_waiting() {
    let dir = TempDir::new().unwrap();
    let (wal, _) = open(&dir, Options::default());
    wal.append(1, b"a".to_vec(), Box::new(|_| panic!("on purpose")));
    let begin = std::time::Instant::now();
    loop {
        assert!(begin.elapsed() < DEADLINE);
        let (sender, receiver) = mpsc::channel();
        wal.append(1, b"b".to_vec(), Box::new(move |result| sender.send(result).unwrap()));
        match receiver.recv_timeout(DEADLINE) {
            Ok(Err(AppendError::Closed)) => break,
            // It was in the same batch, so its callback went down with the other one.
            Err(mpsc::RecvTimeoutError::Disconnected) => {}
            other => panic!("{other:?}"),
        }
    }
    drop(wal);
    assert_eq!(open(&dir, Options::default()).1.first(), Some(&b"a".to_vec()));
}
