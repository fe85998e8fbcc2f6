//! What git prints, byte for byte, and what is understood of it.

use super::*;

fn commits(output: &str) -> Result<Vec<Commit>, String> {
    let mut commits = Commits::new(output.as_bytes());
    let mut all = Vec::new();
    while let Some(commit) = commits.next_commit()? {
        all.push(commit);
    }
    Ok(all)
}

fn change(kind: ChangeKind, path: &str, blob: &str, line_counts: Option<(u64, u64)>) -> Change {
    Change { kind, path: path.as_bytes().to_vec(), blob: blob.to_owned(), line_counts }
}

#[test]
fn every_kind_of_change_is_understood() {
    let output = "\x01c1\x0017\0a@b\0first\0\n:000000 100644 0 f1 A\0:odd\0:100644 100644 e2 f2 R100\0b c\0d\"e\0\
                  :100644 120000 e3 f3 T\x001\t2\tlink\0:100644 000000 e4 0 D\0gone\0:100644 100644 e5 f5 M\0bin\0\
                  6\t0\t:odd\x000\t0\t\0b c\0d\"e\x001\t1\t1\t2\tlink\x000\t9\tgone\0-\t-\tbin\0";
    let commits = commits(output).expect("git prints this");
    let expected = vec![
        change(ChangeKind::Added, ":odd", "f1", Some((6, 0))),
        change(ChangeKind::Renamed { from: b"b c".to_vec() }, "d\"e", "f2", Some((0, 0))),
        change(ChangeKind::TypeChanged, "1\t2\tlink", "f3", Some((1, 1))),
        change(ChangeKind::Deleted, "gone", "0", Some((0, 9))),
        change(ChangeKind::Modified, "bin", "f5", None),
    ];
    assert_eq!(commits.len(), 1);
    assert_eq!(commits[0].changes, expected);
    assert_eq!((commits[0].hash.as_str(), commits[0].seconds, commits[0].subject.as_str()), ("c1", 17, "first"));
}

#[test]
fn commits_without_files_or_subjects_stand_between_others() {
    let output = "\x01c1\x001\0e\0\0\x01c2\x002\0e\0\0\n:000000 100644 0 f A\0a\x001\t0\ta\0\x01c3\x003\0e\0last\0";
    let commits = commits(output).expect("git prints this");
    let shapes: Vec<_> = commits.iter().map(|commit| (commit.hash.as_str(), commit.changes.len())).collect();
    assert_eq!(shapes, [("c1", 0), ("c2", 1), ("c3", 0)]);
    assert_eq!(commits[2].subject, "last");
}

#[test]
fn output_that_breaks_off_is_an_error() {
    for output in ["\x01c1\x001\0e", "\x01c1\x001\0e\0s\0\n:000000 100644 0 f A\0", "nonsense\0"] {
        assert!(commits(output).is_err(), "{output:?}");
    }
    assert_eq!(commits(""), Ok(vec![]));
}
