//! What a commit did to one file, as an event.
//!
//! The id is the UUIDv5 of the commit's hash and the path's bytes, one behind the other, in the namespace of URLs: whoever
//! imports the same history gets the same ids. Authors are known by a hash of their address only.

use super::path_text::{hash_digits, path_text, shortened};
use super::{Change, ChangeKind, Commit};
use crate::json::{Incoming, write_string};
use gesta::codec::RECORD_HEADER_BYTES;
use gesta::limits::{STREAM_NAME_BYTES_MAX, TAG_BYTES_MAX};
use gesta::{Event, EventType, StreamName, Tag, Timestamp, Uuid};

/// Bytes of a commit's subject that are kept.
const SUBJECT_BYTES_MAX: usize = 16 * 1024;
const AUTHOR_DIGITS: usize = 12;

/// The event of one change.
pub(crate) fn change_event(commit: &Commit, change: &Change) -> Incoming {
    let path = path_text(&change.path);
    let stream = shortened(format!("file-{path}"), STREAM_NAME_BYTES_MAX);
    let directory = path.split('/').next().unwrap_or(&path).to_owned();
    let data = data(commit, change, &path);
    let id = Uuid::new_v5(&Uuid::NAMESPACE_URL, &[commit.hash.as_bytes(), &change.path].concat());
    // Names, tags and the header come on top of the data; this needs to be about right only.
    let record_bytes = RECORD_HEADER_BYTES + stream.len() + directory.len() + data.len() + 128;
    let mut event = Event::new(EventType::new(type_name(&change.kind)).expect("a type name is short"))
        .stream(StreamName::new(stream).expect("a stream name was shortened"))
        .id(id)
        .json(data);
    if let Some(nanoseconds) = commit.seconds.checked_mul(1_000_000_000) {
        event = event.time(Timestamp(nanoseconds));
    }
    let author = hash_digits(&commit.email, AUTHOR_DIGITS);
    let tags = [format!("commit:{}", commit.hash), format!("author:{author}"), format!("dir:{directory}")];
    for tag in tags {
        // A folder whose name holds a control character has no tag.
        event = Tag::new(shortened(tag, TAG_BYTES_MAX)).into_iter().fold(event, Event::tag);
    }
    Incoming { event, id: Some(id), record_bytes }
}

fn type_name(kind: &ChangeKind) -> &'static str {
    match kind {
        ChangeKind::Added => "FileAdded",
        ChangeKind::Modified => "FileModified",
        ChangeKind::TypeChanged => "FileTypeChanged",
        ChangeKind::Deleted => "FileDeleted",
        ChangeKind::Renamed { .. } => "FileRenamed",
    }
}

/// `{"path", "commit", "subject", "blob", "added", "removed"}`, and `from` for a rename, which has no counts of lines.
fn data(commit: &Commit, change: &Change, path: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    let subject = shortened(commit.subject.clone(), SUBJECT_BYTES_MAX);
    let fields = [
        ("{\"path\":", path),
        (",\"commit\":", &commit.hash),
        (",\"subject\":", &subject),
        (",\"blob\":", &change.blob),
    ];
    for (key, text) in fields {
        out.extend_from_slice(key.as_bytes());
        write_string(&mut out, text);
    }
    let counts = match change {
        Change { kind: ChangeKind::Renamed { .. }, .. } | Change { line_counts: None, .. } => {
            ",\"added\":null,\"removed\":null".to_owned()
        }
        Change { line_counts: Some((added, removed)), .. } => format!(",\"added\":{added},\"removed\":{removed}"),
    };
    out.extend_from_slice(counts.as_bytes());
    if let ChangeKind::Renamed { from } = &change.kind {
        out.extend_from_slice(b",\"from\":");
        write_string(&mut out, &path_text(from));
    }
    out.push(b'}');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commit(subject: &str) -> Commit {
        Commit {
            hash: "9593a3f24833c10a75b25c4bac87793184d3b0cb".to_owned(),
            seconds: 1_560_376_248,
            email: b"a@b".to_vec(),
            subject: subject.to_owned(),
            changes: Vec::new(),
        }
    }

    fn change(kind: ChangeKind, path: &[u8]) -> Change {
        Change { kind, path: path.to_vec(), blob: "dc73".to_owned(), line_counts: Some((6, 0)) }
    }

    #[test]
    fn an_event_is_shaped_like_the_public_sample() {
        let incoming = change_event(&commit("Initial commit."), &change(ChangeKind::Added, b".gitignore"));
        let data = br#"{"path":".gitignore","commit":"9593a3f24833c10a75b25c4bac87793184d3b0cb","subject":"Initial commit.","blob":"dc73","added":6,"removed":0}"#;
        let id = Uuid::try_parse("aef884f9-33fc-5d8c-8b2b-abeb2df318d8").expect("a good id");
        let tag = |text: &str| Tag::new(text).expect("a good tag");
        let expected = Event::new(EventType::new("FileAdded").expect("a good name"))
            .stream(StreamName::new("file-.gitignore").expect("a good name"))
            .id(id)
            .time(Timestamp(1_560_376_248_000_000_000))
            .tag(tag("commit:9593a3f24833c10a75b25c4bac87793184d3b0cb"))
            .tag(tag(&format!("author:{}", hash_digits(b"a@b", 12))))
            .tag(tag("dir:.gitignore"))
            .json(*data);
        assert_eq!(incoming.event, expected);
    }

    #[test]
    fn a_rename_names_both_paths_and_counts_no_lines() {
        let renamed = change(ChangeKind::Renamed { from: b"a\xff".to_vec() }, b"b");
        let data = String::from_utf8(data(&commit("s"), &renamed, "b")).expect("data is UTF-8");
        assert!(data.ends_with(r#""added":null,"removed":null,"from":"\"a\\377\""}"#), "{data}");
    }

    #[test]
    fn no_path_and_no_subject_fails_the_import() {
        let long = [b"d".repeat(3000), b"/f".to_vec()].concat();
        for path in [&long[..], b"line\nfeed/x", b"\xff/\xfe", b" ", b"\"", b"a:b/c"] {
            change_event(&commit(&"s".repeat(1 << 20)), &change(ChangeKind::Modified, path));
        }
    }
}
