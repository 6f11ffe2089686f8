//! HTTPS to a server with a certificate of its own.
//!
//! `tests/fixtures/tls` was made for this test and is trusted by nobody:
//! `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 36500 -subj "/CN=Tokenfall test"
//! -addext subjectAltName=IP:127.0.0.1,DNS:localhost -addext basicConstraints=critical,CA:FALSE`

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::logged;
use crate::server::{EVENTS, PATIENCE, Server};

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tls").join(name)
}

/// Takes the encryption off and hands on to `server`. Returns its address.
fn encrypt(server: &Server) -> SocketAddr {
    let certificate = CertificateDer::from_pem_file(fixture("certificate.pem")).expect("a certificate");
    let key = PrivateKeyDer::from_pem_file(fixture("key-for-tests-only.pem")).expect("a key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .expect("a pair");
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let (address, to) = (listener.local_addr().expect("an address"), server.address());
    // Ends with the test's process.
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let connection = ServerConnection::new(Arc::clone(&config)).expect("a connection");
            // A handshake that fails is what one of the tests wants.
            std::thread::spawn(move || drop(relay(StreamOwned::new(connection, stream), to)));
        }
    });
    address
}

fn relay(mut outside: StreamOwned<ServerConnection, TcpStream>, to: SocketAddr) -> io::Result<()> {
    let mut inside = TcpStream::connect(to)?;
    let short = Some(Duration::from_millis(5));
    outside.sock.set_read_timeout(short)?;
    inside.set_read_timeout(short)?;
    loop {
        if !copy(&mut outside, &mut inside)? || !copy(&mut inside, &mut outside)? {
            return Ok(());
        }
    }
}

/// Hands on what has come. False at the end.
fn copy(from: &mut impl Read, to: &mut impl Write) -> io::Result<bool> {
    let mut buffer = [0; 16 << 10];
    match from.read(&mut buffer) {
        Ok(0) => Ok(false),
        Ok(n) => {
            to.write_all(&buffer[..n])?;
            to.flush()?;
            Ok(true)
        }
        Err(why) if matches!(why.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => Ok(true),
        Err(why) => Err(why),
    }
}

#[test]
fn a_certificate_that_was_configured_is_trusted() {
    let server = Server::start();
    let url = format!("https://{}", encrypt(&server));
    let file = fixture("certificate.pem");
    let agent = server.agent().server_url(url).option("server_ca_cert_file", file.to_string_lossy()).start();
    for _ in 0..2 {
        agent.begin_transaction("t", "custom").end();
        assert!(agent.flush(PATIENCE));
    }
    // A streaming request is readable before it ends here too.
    agent.begin_transaction("t", "custom").end();
    server.wait_for_events("transaction", 3);
    assert!(!server.requests(EVENTS).last().expect("a request").complete);
}

#[test]
fn a_certificate_of_nobody_is_refused_unless_that_is_wanted() {
    logged::collect();
    let server = Server::start();
    let url = format!("https://{}", encrypt(&server));
    let agent = server.agent().server_url(&url).start();
    agent.begin_transaction("t", "custom").end();
    assert!(!agent.flush(PATIENCE));
    assert_eq!(server.events("transaction").len(), 0);
    let lines = logged::lines(&url);
    assert!(lines[0].to_lowercase().contains("certificate"), "{lines:?}");

    let agent = server.agent().server_url(&url).option("verify_server_cert", "false").start();
    agent.begin_transaction("t", "custom").end();
    assert!(agent.flush(PATIENCE));
    assert_eq!(server.events("transaction").len(), 1);
}
