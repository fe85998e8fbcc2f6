//! docs/PROTOCOL.md, held against the server: its conversation is spoken, and a client that was written from it works.

use crate::support::{Host, Wire};
use gesta_protocol::{FRAME_HEADER_BYTES, FrameHeader, Plane};
use std::io::{Read, Write};
use std::path::Path;
use std::process::Command;

const PAGE: &str = include_str!("../../../../docs/PROTOCOL.md");

/// A frame of the conversation at the end of the page.
struct Shown {
    is_clients: bool,
    kind: String,
    bytes: Vec<u8>,
}

fn conversation() -> Vec<Shown> {
    let section = PAGE.split_once("## A whole conversation").expect("the page ends with a conversation").1;
    let mut frames: Vec<Shown> = Vec::new();
    for line in section.lines().map(str::trim) {
        if let Some((end, rest)) = line.split_once(": ").filter(|(end, _)| ["client", "server"].contains(end)) {
            let kind = rest.split_once(", id ").expect("a frame's line names its kind and id").0.to_owned();
            frames.push(Shown { is_clients: end == "client", kind, bytes: Vec::new() });
        } else if let Some((offset, rest)) = line.split_once("  ")
            && usize::from_str_radix(offset, 16).is_ok()
        {
            let bytes = rest.split("   ").next().unwrap().split_whitespace();
            let bytes = bytes.map(|byte| u8::from_str_radix(byte, 16).unwrap());
            frames.last_mut().expect("bytes belong to a frame").bytes.extend(bytes);
        }
    }
    frames
}

/// Puts zeros where each server has its own: the store's id, and when the event was recorded.
fn without_own(kind: &str, mut bytes: Vec<u8>) -> Vec<u8> {
    let own = match kind {
        "Welcome" => FRAME_HEADER_BYTES + 10..FRAME_HEADER_BYTES + 26,
        "Events" => FRAME_HEADER_BYTES + 8..FRAME_HEADER_BYTES + 16,
        _ => 0..0,
    };
    bytes[own].fill(0);
    bytes
}

fn receive_frame(wire: &mut Wire) -> Vec<u8> {
    let mut header = [0; FRAME_HEADER_BYTES];
    wire.stream.read_exact(&mut header).unwrap();
    let body_bytes = FrameHeader::decode(&header, u32::MAX).unwrap().body_bytes as usize;
    let mut bytes = header.to_vec();
    bytes.resize(FRAME_HEADER_BYTES + body_bytes, 0);
    wire.stream.read_exact(&mut bytes[FRAME_HEADER_BYTES..]).unwrap();
    bytes
}

#[test]
fn the_conversation_of_the_page_is_the_one_that_the_server_has() {
    let host = Host::new();
    let mut planes = [Plane::Append, Plane::Read].into_iter();
    let mut wire = None;
    let frames = conversation();
    assert_eq!(frames.len(), 10);
    for Shown { is_clients, kind, bytes } in frames {
        if kind == "Hello" {
            wire = Some(Wire::open(host.address(planes.next().unwrap())));
        }
        let wire = wire.as_mut().expect("a connection begins with a hello");
        if is_clients {
            wire.stream.write_all(&bytes).unwrap();
        } else {
            assert_eq!(without_own(&kind, receive_frame(wire)), without_own(&kind, bytes), "{kind}");
        }
    }
}

#[test]
fn a_client_that_was_written_from_the_page_alone_appends_reads_back_and_verifies() {
    let client = Path::new(env!("CARGO_MANIFEST_DIR")).join("../protocol/examples/client.py");
    let lines = std::fs::read_to_string(&client).unwrap().lines().count();
    assert!(lines < 150, "{lines} lines");
    let host = Host::new();
    let port = |plane| host.address(plane).port().to_string();
    let mut command = Command::new("python3");
    command.arg(&client).args(["127.0.0.1", &port(Plane::Append), &port(Plane::Read)]);
    let output = match command.output() {
        Ok(output) => output,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && std::env::var_os("CI").is_none() => {
            eprintln!("skipped: there is no python3");
            return;
        }
        Err(error) => panic!("python3: {error}"),
    };
    let (said, complaint) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}{complaint}");
    assert!(said.contains("appended 3, read back 3, checksums ok"), "{said}");
}
