//! A client for tests: it sends exactly the bytes that a test wants, wrong ones included.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// How long a test waits for an answer.
const TIMEOUT: Duration = Duration::from_secs(30);

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// Status code.
    pub status: u16,
    /// Headers in lower case, as they came.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The first header of this name (lower case); empty if there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    /// Body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Body as JSON; null if it is none.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    fn parse(bytes: &[u8]) -> io::Result<Self> {
        let bad = || io::Error::new(io::ErrorKind::InvalidData, String::from_utf8_lossy(bytes).into_owned());
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").ok_or_else(bad)?;
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok()).ok_or_else(bad)?;
        let headers: Vec<_> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()))
            .collect();
        let mut answer = Self { status, headers, body: bytes[end + 4..].to_vec() };
        if answer.header("transfer-encoding") == "chunked" {
            answer.body = unchunk(&answer.body).ok_or_else(bad)?;
        }
        Ok(answer)
    }
}

fn unchunk(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = rest.windows(2).position(|window| window == b"\r\n")?;
        let length = usize::from_str_radix(std::str::from_utf8(&rest[..end]).ok()?, 16).ok()?;
        if length == 0 {
            return Some(body);
        }
        body.extend_from_slice(rest.get(end + 2..end + 2 + length)?);
        rest = rest.get(end + 4 + length..)?;
    }
}

/// A request whose body is sent piece by piece.
#[derive(Debug)]
pub struct OpenRequest(TcpStream);

impl OpenRequest {
    /// Sends the head of a request with a chunked body.
    pub fn begin(address: SocketAddr, path: &str, headers: &[(&str, &str)]) -> io::Result<Self> {
        let mut stream = connect(address)?;
        let head = head(address, "POST", path, headers) + "Transfer-Encoding: chunked\r\n\r\n";
        stream.write_all(head.as_bytes())?;
        Ok(Self(stream))
    }

    /// Sends a piece of the body.
    pub fn send(&mut self, piece: &[u8]) -> io::Result<()> {
        self.0.write_all(format!("{:x}\r\n", piece.len()).as_bytes())?;
        self.0.write_all(piece)?;
        self.0.write_all(b"\r\n")
    }

    /// Ends the body and reads the answer.
    pub fn finish(mut self) -> io::Result<Answer> {
        self.0.write_all(b"0\r\n\r\n")?;
        self.answer()
    }

    /// Reads the answer without ending the body.
    pub fn answer(mut self) -> io::Result<Answer> {
        read(&mut self.0)
    }
}

/// Sends a request and reads the answer. A `Host` among the headers replaces the usual one.
pub fn request(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> io::Result<Answer> {
    let mut stream = connect(address)?;
    let mut bytes = head(address, method, path, headers).into_bytes();
    bytes.extend_from_slice(format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes());
    bytes.extend_from_slice(body);
    // The server may answer before it has read everything; what it says counts.
    let sent = stream.write_all(&bytes);
    read(&mut stream).or_else(|error| sent.and(Err(error)))
}

fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    Ok(stream)
}

fn head(address: SocketAddr, method: &str, path: &str, headers: &[(&str, &str)]) -> String {
    let mut text = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
        text = text + "Host: " + &address.to_string() + "\r\n";
    }
    headers.iter().fold(text, |text, (name, value)| text + name + ": " + value + "\r\n")
}

fn read(stream: &mut TcpStream) -> io::Result<Answer> {
    let mut bytes = Vec::new();
    let result = stream.read_to_end(&mut bytes);
    // A connection that breaks after the answer has said all that it had to say.
    Answer::parse(&bytes).map_err(|error| result.err().unwrap_or(error))
}
