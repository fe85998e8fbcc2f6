//! The bytes of one frame of each kind: whoever changes them changes the protocol.

use crate::hearing::take;
use crate::samples::{End, Sample, samples};
use gesta_protocol::Kind;
use std::collections::BTreeSet;
use std::fmt::Write;

const GOLDEN: &str = include_str!("golden_frames.txt");

fn written(samples: &[Sample]) -> String {
    let mut text =
        String::from("# One frame of each kind, in hexadecimal. Checked by golden.rs, and by examples/client.py.\n");
    for Sample { end, name, frame } in samples {
        let end = if *end == End::Client { "client" } else { "server" };
        write!(text, "\n{end} {name}\n").unwrap();
        for line in frame.chunks(16) {
            let bytes: Vec<_> = line.iter().map(|byte| format!("{byte:02x}")).collect();
            writeln!(text, " {}", bytes.join(" ")).unwrap();
        }
    }
    text
}

#[test]
fn the_bytes_of_every_kind_are_those_of_this_version() {
    let found = written(&samples());
    let Some(line) = found.lines().zip(GOLDEN.lines()).position(|(found, golden)| found != golden) else {
        assert_eq!(found.len(), GOLDEN.len(), "there are more or fewer frames than in golden_frames.txt:\n{found}");
        return;
    };
    let before: Vec<_> = found.lines().take(line).collect();
    let name = before.iter().rfind(|line| !line.starts_with([' ', '#']) && !line.is_empty());
    panic!("line {} of golden_frames.txt differs (after {name:?}); all frames as they are now:\n{found}", line + 1);
}

#[test]
fn every_frame_is_read_and_encodes_to_its_own_bytes() {
    for Sample { end, name, frame } in samples() {
        let said = take(end, &frame).unwrap_or_else(|fault| panic!("{name}: {fault:?}"));
        assert_eq!((said.id, &said.again), (crate::samples::ID, &frame), "{name}");
        assert!(name.starts_with(&format!("{:?}", said.kind)), "{name} is a {:?}", said.kind);
        assert_eq!(Kind::of(frame[4]), Some(said.kind));
    }
}

#[test]
fn every_kind_has_a_golden_frame_from_the_end_that_sends_it() {
    let found: BTreeSet<_> = samples().iter().map(|sample| (sample.end == End::Client, sample.frame[4])).collect();
    for code in 0..=u8::MAX {
        let Some(kind) = Kind::of(code) else { continue };
        let by_either = matches!(kind, Kind::Ping | Kind::Pong);
        assert_eq!(found.contains(&(true, code)), code < 0x80, "{kind:?} by a client");
        assert_eq!(found.contains(&(false, code)), code >= 0x80 || by_either, "{kind:?} by a server");
    }
}
