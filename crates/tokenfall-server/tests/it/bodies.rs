//! Bodies in every encoding, in one piece and over time.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use tokenfall_server::{Config, Limits};
use tokenfall_testkit::http::OpenRequest;

use crate::harness::{EVENTS, NDJSON, Running, accepted, messages, metadata, transaction, wait_until};

pub(crate) fn gzipped(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn zlibbed(body: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

/// A body with this many transactions of one trace.
fn body(trace_id: &str, n: usize) -> String {
    (0..n).fold(metadata(), |body, i| body + &transaction(&format!("{i:016x}"), trace_id))
}

#[test]
fn every_encoding_is_understood_and_visible() {
    let server = Running::start();
    for (trace_id, headers, bytes) in [
        ("a1", &[][..], body("a1", 3).into_bytes()),
        ("a2", &[("Content-Encoding", "gzip")], gzipped(body("a2", 3).as_bytes())),
        ("a3", &[("Content-Encoding", "deflate")], zlibbed(body("a3", 3).as_bytes())),
        ("a4", &[], gzipped(body("a4", 3).as_bytes())),
        ("a5", &[], zlibbed(body("a5", 3).as_bytes())),
        ("a6", &[("Content-Encoding", "identity")], body("a6", 3).into_bytes()),
    ] {
        let answer = server.post(headers, &bytes);
        assert_eq!((answer.status, accepted(&answer)), (202, Some(3)), "{trace_id}: {}", answer.text());
        wait_until(trace_id, || server.visible(trace_id) == 3);
    }
}

#[test]
fn events_of_an_open_request_are_visible() {
    let server = Running::start();
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let mut request =
        OpenRequest::begin(server.address, EVENTS, &[&NDJSON[..], &[("Content-Encoding", "gzip")]].concat()).unwrap();
    for n in 1..=3 {
        let line = transaction(&format!("{n:016x}"), "b1");
        encoder.write_all(if n == 1 { metadata() + &line } else { line }.as_bytes()).unwrap();
        encoder.flush().unwrap();
        request.send(&std::mem::take(encoder.get_mut())).unwrap();
        wait_until("an event of the open request", || server.visible("b1") == n);
        assert_eq!(server.store.stats().events.transaction, n as u64);
    }
    encoder.try_finish().unwrap();
    request.send(encoder.get_ref()).unwrap();
    let answer = request.finish().unwrap();
    assert_eq!((answer.status, accepted(&answer)), (202, Some(3)));
}

#[test]
fn large_requests_are_taken_whole() {
    let server = Running::start();
    let n = 20_000;
    let answer = server.post(&[("Content-Encoding", "gzip")], &gzipped(body("c1", n).as_bytes()));
    assert_eq!((answer.status, accepted(&answer)), (202, Some(n as u64)), "{}", answer.text());
    assert_eq!(server.store.stats().events.transaction, n as u64);
}

#[test]
fn a_gzip_header_alone_is_an_empty_request() {
    let server = Running::start();
    let answer = server.post(&[("Content-Encoding", "gzip")], &gzipped(b"")[..10]);
    assert_eq!((answer.status, accepted(&answer)), (202, Some(0)), "{}", answer.text());
}

#[test]
fn a_cut_gzip_body_keeps_its_good_lines() {
    let server = Running::start();
    // The first part is flushed, so its lines can be unpacked although the end is missing.
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body("d1", 3).as_bytes()).unwrap();
    encoder.flush().unwrap();
    let cut = encoder.get_ref().clone();
    let answer = server.post(&[("Content-Encoding", "gzip")], &cut);
    assert_eq!((answer.status, accepted(&answer)), (400, Some(3)), "{}", answer.text());
    assert!(messages(&answer)[0].contains("unexpected end"), "{}", answer.text());
    wait_until("the good lines", || server.visible("d1") == 3);
}

#[test]
fn bombs_are_stopped() {
    let server = Running::start();
    let mut bomb = body("e1", 2).into_bytes();
    bomb.resize(200 * 1024 * 1024, b'\n');
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&bomb).unwrap();
    let answer = server.post(&[("Content-Encoding", "gzip")], &encoder.finish().unwrap());
    assert_eq!((answer.status, accepted(&answer)), (413, Some(2)), "{}", answer.text());
    assert_eq!(server.metric("tokenfall_limit_reached_total{limit=\"compression_ratio\"}"), 1);
    assert_eq!(server.post(&[], body("e2", 1).as_bytes()).status, 202);
}

#[test]
fn requests_have_a_length() {
    let limits = Limits { request_bytes_max: 1000, ..Limits::default() };
    let server = Running::with(Config { limits, ..Config::default() });
    assert_eq!(server.post(&[], body("f1", 1).as_bytes()).status, 202);
    let answer = server.post(&[], body("f2", 100).as_bytes());
    assert_eq!(answer.status, 413, "{}", answer.text());
    assert!(messages(&answer)[0].contains("1000 bytes"), "{}", answer.text());
    assert_eq!(server.metric("tokenfall_limit_reached_total{limit=\"request_bytes\"}"), 1);
}

#[test]
fn open_requests_are_limited() {
    let limits =
        Limits { intake_requests_max: 1, intake_wait: std::time::Duration::from_millis(20), ..Limits::default() };
    let server = Running::with(Config { limits, ..Config::default() });
    let mut open = OpenRequest::begin(server.address, EVENTS, &NDJSON).unwrap();
    open.send(body("g1", 1).as_bytes()).unwrap();
    wait_until("the open request", || server.visible("g1") == 1);

    let answer = server.post(&[], body("g2", 1).as_bytes());
    assert_eq!((answer.status, messages(&answer)), (503, vec!["request timed out".to_owned()]));
    assert!(!answer.header("retry-after").is_empty());
    assert_eq!(server.metric("tokenfall_limit_reached_total{limit=\"intake_requests\"}"), 1);

    assert_eq!(open.finish().unwrap().status, 202);
    wait_until("a free place", || server.post(&[], body("g2", 1).as_bytes()).status == 202);
}

#[test]
fn silent_clients_are_sent_away_and_keep_what_they_sent() {
    let limits = Limits { body_silence: std::time::Duration::from_millis(50), ..Limits::default() };
    let server = Running::with(Config { limits, ..Config::default() });
    let mut open = OpenRequest::begin(server.address, EVENTS, &NDJSON).unwrap();
    open.send(body("h1", 2).as_bytes()).unwrap();
    let answer = open.answer().unwrap();
    assert_eq!((answer.status, accepted(&answer)), (408, Some(2)), "{}", answer.text());
    wait_until("what was sent", || server.visible("h1") == 2);
}
