//! An orderly end.

use tokenfall_testkit::http::OpenRequest;

use crate::harness::{EVENTS, NDJSON, Running, accepted, messages, metadata, transaction, wait_until};

#[test]
fn running_requests_end_well() {
    let mut server = Running::start();
    let mut open = OpenRequest::begin(server.address, EVENTS, &NDJSON).unwrap();
    open.send((metadata() + &transaction("1", "t")).as_bytes()).unwrap();
    wait_until("the first event", || server.visible("t") == 1);
    server.begin_stop();
    wait_until("the end of listening", || std::net::TcpStream::connect(server.address).is_err());
    open.send(transaction("2", "t").as_bytes()).unwrap();
    let answer = open.finish().unwrap();
    assert_eq!((answer.status, accepted(&answer)), (202, Some(2)), "{}", answer.text());
    server.join();
    assert_eq!(server.store.stats().events.transaction, 2);
}

#[test]
fn open_requests_are_told() {
    let mut server = Running::start();
    let mut open = OpenRequest::begin(server.address, EVENTS, &NDJSON).unwrap();
    open.send((metadata() + &transaction("1", "t")).as_bytes()).unwrap();
    wait_until("the first event", || server.visible("t") == 1);
    server.begin_stop();
    let answer = open.answer().unwrap();
    assert_eq!((answer.status, accepted(&answer)), (503, Some(1)), "{}", answer.text());
    assert_eq!(messages(&answer), ["server is shutting down"]);
    server.join();
    assert_eq!(server.store.stats().events.transaction, 1);
}
