//! `git log` as a stream of commits with the files that each changed.
//!
//! ```text
//!  commit   \x01 hash NUL seconds NUL e-mail NUL subject NUL
//!  raw      [line feed] :mode mode blob blob letter NUL path NUL [path NUL]     a file; two paths for a rename
//!  numstat  added TAB removed TAB path NUL                                      the same files again, with counts
//!           added TAB removed TAB NUL path NUL path NUL                         a rename
//! ```
//!
//! A field is known by how it begins, and a path is only ever read where one must stand, so no name of a file and no text
//! of a commit is taken for anything else.

use super::repository::{Repository, git_failure, last_line, start_failure};
use crate::failure::Failure;
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout};
use std::thread::JoinHandle;

/// Lines added and removed.
type LineCounts = (u64, u64);

const ARGUMENTS: [&str; 17] = [
    "log",
    "--first-parent",
    "-m",
    "--reverse",
    "--raw",
    "--numstat",
    "--no-abbrev",
    "-M",
    "-z",
    "-O/dev/null",
    "--no-ext-diff",
    "--no-textconv",
    "--no-color",
    "--no-notes",
    "--ignore-submodules=none",
    "--encoding=UTF-8",
    "--format=%x01%H%x00%ct%x00%ae%x00%s",
];

/// A commit and what it changed, against its first parent.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Commit {
    pub(crate) hash: String,
    pub(crate) seconds: i64,
    pub(crate) email: Vec<u8>,
    pub(crate) subject: String,
    pub(crate) changes: Vec<Change>,
}

/// What a commit did to one file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) kind: ChangeKind,
    pub(crate) path: Vec<u8>,
    /// The object that the file is now; zeros when it is deleted.
    pub(crate) blob: String,
    /// Lines added and removed; `None` when the file is binary.
    pub(crate) line_counts: Option<(u64, u64)>,
}

/// The kinds of change.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ChangeKind {
    Added,
    Modified,
    TypeChanged,
    Deleted,
    Renamed { from: Vec<u8> },
}

/// The commits of a repository, oldest first.
pub(crate) struct History {
    child: Child,
    complaints: Option<JoinHandle<Vec<u8>>>,
    commits: Commits<BufReader<ChildStdout>>,
}

impl History {
    /// Starts to read the history up to the commit `head`.
    pub(crate) fn read(repository: &Repository, head: &str) -> Result<Self, Failure> {
        let arguments = [&ARGUMENTS[..], &[head, "--"]].concat();
        let mut child = repository.command(&arguments).spawn().map_err(|error| start_failure(&error))?;
        let (Some(output), Some(mut complaints)) = (child.stdout.take(), child.stderr.take()) else {
            unreachable!("both are pipes");
        };
        // Read all along, so that git never waits for room in the pipe.
        let complaints = std::thread::spawn(move || {
            let mut text = Vec::new();
            complaints.by_ref().take(64 * 1024).read_to_end(&mut text).ok();
            std::io::copy(&mut complaints, &mut std::io::sink()).ok();
            text
        });
        let commits = Commits::new(BufReader::with_capacity(256 * 1024, output));
        Ok(Self { child, complaints: Some(complaints), commits })
    }

    /// The next commit; `None` at the end.
    pub(crate) fn next_commit(&mut self) -> Result<Option<Commit>, Failure> {
        match self.commits.next_commit() {
            Ok(Some(commit)) => Ok(Some(commit)),
            Ok(None) => self.end().map(|()| None),
            // When git died, its own words say more than the cut line that it left.
            Err(what) => self.end().and(Err(git_failure(&what))),
        }
    }

    /// Waits for git to end and asks whether all went well.
    fn end(&mut self) -> Result<(), Failure> {
        let status = self.child.wait().map_err(|error| git_failure(&error.to_string()))?;
        let complaints = self.complaints.take().and_then(|thread| thread.join().ok()).unwrap_or_default();
        if status.success() { Ok(()) } else { Err(git_failure(&last_line(&complaints))) }
    }
}

impl Drop for History {
    /// Ends git, when it is still at work.
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// The commits in the output of git.
struct Commits<R> {
    fields: R,
    /// The first field of the next commit, read already.
    next: Option<Vec<u8>>,
}

impl<R: BufRead> Commits<R> {
    fn new(fields: R) -> Self {
        Self { fields, next: None }
    }

    fn next_commit(&mut self) -> Result<Option<Commit>, String> {
        let first = match self.next.take() {
            Some(field) => field,
            None => match self.field()? {
                Some(field) => field,
                None => return Ok(None),
            },
        };
        let mut commit = self.commit(&first)?;
        let mut places = HashMap::new();
        while let Some(field) = self.field()? {
            match field.first() {
                Some(1) => {
                    self.next = Some(field);
                    break;
                }
                Some(b':') => {
                    let change = self.change(&field)?;
                    places.insert(change.path.clone(), commit.changes.len());
                    commit.changes.push(change);
                }
                Some(_) => {
                    let (path, line_counts) = self.line_counts(&field)?;
                    if let Some(place) = places.get(&path) {
                        commit.changes[*place].line_counts = line_counts;
                    }
                }
                None => {}
            }
        }
        Ok(Some(commit))
    }

    fn commit(&mut self, first: &[u8]) -> Result<Commit, String> {
        let hash = first.strip_prefix(&[1]).ok_or_else(|| unexpected("a commit", first))?;
        let seconds = self.required("a time")?;
        let email = self.required("an address")?;
        let subject = self.required("a subject")?;
        Ok(Commit {
            hash: String::from_utf8_lossy(hash).into_owned(),
            seconds: parse(&seconds).ok_or_else(|| unexpected("a time", &seconds))?,
            email,
            subject: String::from_utf8_lossy(&subject).into_owned(),
            changes: Vec::new(),
        })
    }

    /// `:100644 100644 <blob before> <blob after> M`, and the paths after it.
    fn change(&mut self, field: &[u8]) -> Result<Change, String> {
        let text = str::from_utf8(field).map_err(|_| unexpected("a change", field))?;
        let mut words = text.split(' ').skip(3);
        let (Some(blob), Some(letter)) = (words.next(), words.next().and_then(|word| word.chars().next())) else {
            return Err(unexpected("a change", field));
        };
        let path = self.required("a path")?;
        let (kind, path) = match letter {
            'A' => (ChangeKind::Added, path),
            'M' => (ChangeKind::Modified, path),
            'T' => (ChangeKind::TypeChanged, path),
            'D' => (ChangeKind::Deleted, path),
            'R' => (ChangeKind::Renamed { from: path }, self.required("a path")?),
            // The file it was copied from is left as it was.
            'C' => (ChangeKind::Added, self.required("a path")?),
            _ => return Err(unexpected("a change", field)),
        };
        Ok(Change { kind, path, blob: blob.to_owned(), line_counts: None })
    }

    /// `added TAB removed TAB path`, or the path after the one it was renamed from.
    fn line_counts(&mut self, field: &[u8]) -> Result<(Vec<u8>, Option<LineCounts>), String> {
        let mut parts = field.splitn(3, |byte| *byte == b'\t');
        let (Some(added), Some(removed), Some(path)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(unexpected("counts of lines", field));
        };
        let path = if path.is_empty() {
            self.required("a path")?;
            self.required("a path")?
        } else {
            path.to_vec()
        };
        Ok((path, parse(added).zip(parse(removed))))
    }

    /// The next field, without the line feed that git puts before the first change; `None` at the end.
    fn field(&mut self) -> Result<Option<Vec<u8>>, String> {
        Ok(self.raw_field()?.map(|mut field| {
            if field.starts_with(b"\n") {
                field.remove(0);
            }
            field
        }))
    }

    fn required(&mut self, what: &str) -> Result<Vec<u8>, String> {
        self.raw_field()?.ok_or_else(|| format!("its output ends where {what} was expected"))
    }

    fn raw_field(&mut self) -> Result<Option<Vec<u8>>, String> {
        let mut field = Vec::new();
        self.fields.read_until(0, &mut field).map_err(|error| error.to_string())?;
        match field.pop() {
            Some(0) => Ok(Some(field)),
            // The last subject of an empty commit has nothing behind it.
            Some(byte) => {
                field.push(byte);
                Ok(Some(field))
            }
            None => Ok(None),
        }
    }
}

fn parse<N: std::str::FromStr>(text: &[u8]) -> Option<N> {
    str::from_utf8(text).ok()?.parse().ok()
}

fn unexpected(what: &str, field: &[u8]) -> String {
    let shown = String::from_utf8_lossy(&field[..field.len().min(80)]).into_owned();
    format!("it printed {shown:?} where {what} was expected")
}

#[cfg(test)]
#[path = "history_test.rs"]
mod tests;
