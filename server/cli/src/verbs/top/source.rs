//! Where snapshots come from.
//!
//! [`Source::snapshot`] is the only way to one: what a snapshot is made from is nobody else's affair.

use crate::failure::{Failure, Status};
use gesta_client::BlockingClient;
use gesta_server::observe::Snapshot;
use serde::Deserialize;
use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

/// A server that can be asked for snapshots.
#[derive(Clone)]
pub(super) enum Source {
    /// Its operator's port, as `HOST:PORT`.
    Http(String),
    /// Its read plane, asked as an operator, and its address.
    Wire(BlockingClient, String),
}

/// The figures of a store, with those of its server for an operator.
#[derive(Deserialize)]
struct Statistics {
    server: Option<Snapshot>,
}

/// How long the server may be silent.
const PATIENCE: Duration = Duration::from_secs(10);
/// Longer than any snapshot: each store takes some 2 KiB and its subscribers at most 100 lines.
const ANSWER_BYTES_MAX: u64 = 64 * 1024 * 1024;

impl Source {
    /// What the server knows of itself now.
    pub(super) fn snapshot(&self) -> Result<Snapshot, Failure> {
        match self {
            Self::Http(address) => http(address),
            Self::Wire(client, address) => wire(client, address),
        }
    }

    /// The server, for people.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Http(address) | Self::Wire(_, address) => address,
        }
    }
}

fn wire(client: &BlockingClient, address: &str) -> Result<Snapshot, Failure> {
    let statistics: Statistics = serde_json::from_str(&client.statistics()?).map_err(|error| {
        let message =
            format!("the figures of {address} cannot be understood: {error}: use a gesta of the server's version");
        Failure::new(Status::Unreachable, "protocol", message)
    })?;
    statistics.server.ok_or_else(|| {
        let message = format!("{address} shows the whole server to operators only: give --token of one");
        Failure::new(Status::Refused, "denied", message)
    })
}

fn http(address: &str) -> Result<Snapshot, Failure> {
    let failed = |error: io::Error| unreachable(address, &error.to_string());
    let answer = ask(address, "/snapshot").map_err(failed)?;
    let body = body_of(&answer).map_err(|what| unreachable(address, &what))?;
    serde_json::from_slice(body)
        .map_err(|error| unreachable(address, &format!("it answers with what is no snapshot ({error})")))
}

fn unreachable(address: &str, what: &str) -> Failure {
    let message = format!(
        "cannot ask the server at {address}: {what}: check that it runs and that --http is the address of its operator's port"
    );
    Failure::new(Status::Unreachable, "unreachable", message)
}

/// One request of HTTP/1.0: the answer ends with the connection, and comes in one piece.
fn ask(address: &str, page: &str) -> io::Result<Vec<u8>> {
    let mut stream = connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    write!(stream, "GET {page} HTTP/1.0\r\nHost: {address}\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.take(ANSWER_BYTES_MAX).read_to_end(&mut answer).map_err(|error| match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
            io::Error::other(format!("nothing came for {} s", PATIENCE.as_secs()))
        }
        _ => error,
    })?;
    Ok(answer)
}

fn connect(address: &str) -> io::Result<TcpStream> {
    let mut failure = io::Error::other("the name has no address");
    for address in address.to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, PATIENCE) {
            Ok(stream) => return Ok(stream),
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

/// What an answer brings, when it is a good one and whole.
fn body_of(answer: &[u8]) -> Result<&[u8], String> {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").ok_or("what answers there does not speak HTTP")?;
    let head = String::from_utf8_lossy(&answer[..end]);
    let body = &answer[end + 4..];
    let mut lines = head.lines();
    let status = lines.next().unwrap_or_default();
    let Some(("HTTP/1.0" | "HTTP/1.1", status)) = status.split_once(' ') else {
        return Err("what answers there does not speak HTTP".to_owned());
    };
    if !status.starts_with("200") {
        let reason: String =
            String::from_utf8_lossy(body).lines().next().unwrap_or_default().chars().take(200).collect();
        return Err(format!("it answers {status}: {reason}"));
    }
    let length =
        lines.filter_map(|line| line.split_once(':')).find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    match length.and_then(|(_, length)| length.trim().parse::<usize>().ok()) {
        Some(length) if body.len() != length => Err("the connection ended before the answer did".to_owned()),
        _ => Ok(body),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_of_a_good_and_whole_answer_is_taken() {
        assert_eq!(body_of(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\nX: y\r\n\r\n{}"), Ok(&b"{}"[..]));
        assert_eq!(body_of(b"HTTP/1.1 200 OK\r\n\r\n{}"), Ok(&b"{}"[..]));
    }

    #[test]
    fn anything_else_is_refused_for_what_it_is() {
        let error = |answer: &[u8]| body_of(answer).unwrap_err();
        assert_eq!(
            error(b"HTTP/1.0 200 OK\r\ncontent-length: 3\r\n\r\n{}"),
            "the connection ended before the answer did"
        );
        assert_eq!(error(b"HTTP/1.0 503 Unavailable\r\n\r\ntoo slow\nmore"), "it answers 503 Unavailable: too slow");
        for strange in [&b""[..], b"HTTP/1.0 200 OK\r\n", b"SSH-2.0-x\r\n\r\n", b"\x15\x03\x01\r\n\r\n"] {
            assert_eq!(error(strange), "what answers there does not speak HTTP");
        }
    }
}
