//! What a failure says and the status it ends the program with.
//!
//! Every failure is one line on standard error: what, where, and what to do. With `--json` that line is an object.

use gesta::{
    AppendError, BackupError, CloseError, Damage, OpenError, ReadError, RemoteError, RepairError, RestoreError,
    SnapshotError, WaitError,
};
use gesta_client::ConnectError;
use serde::Serialize;
use std::fmt;
use std::io::{self, Write};

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// All was done.
    Done = 0,
    /// All was done that could be, but damage was found or lines failed.
    Damage = 1,
    /// The command line asks for something that makes no sense.
    Usage = 2,
    /// A condition of an append did not hold.
    Conflict = 3,
    /// The store cannot be opened or reached.
    Unreachable = 4,
    /// The store or the system refused: limits, permission, poisoned, full.
    Refused = 5,
}

/// Why a verb ended early.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Whoever read standard output has gone; nobody is left to tell.
    OutputClosed,
    /// To be told on standard error.
    Told {
        /// The exit status.
        status: Status,
        /// The name of the failure for programs.
        code: &'static str,
        /// The failure for people.
        message: String,
    },
}

impl Failure {
    /// A failure with these words.
    pub(crate) fn new(status: Status, code: &'static str, message: impl Into<String>) -> Self {
        Self::Told { status, code, message: message.into() }
    }

    /// The command line asks for something that makes no sense.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Status::Usage, "usage", message)
    }

    /// Writing to standard output failed.
    pub(crate) fn output(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::OutputClosed,
            _ => {
                let message = format!("cannot write to standard output: {error}: send it to where there is room");
                Self::new(Status::Refused, "output", message)
            }
        }
    }

    /// Says on standard error what failed, and tells the exit status.
    pub(crate) fn report(&self, is_json: bool) -> Status {
        match self {
            Self::OutputClosed => Status::Done,
            Self::Told { status, code, message } => {
                complain(is_json, &Complaint { code, message, file: None, line: None });
                *status
            }
        }
    }
}

impl fmt::Display for Failure {
    /// What it says to people.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutputClosed => formatter.write_str("standard output is closed"),
            Self::Told { message, .. } => formatter.write_str(message),
        }
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        let code = match error {
            OpenError::NotFound { .. } => "store_not_found",
            OpenError::Locked { .. } => "store_locked",
            _ => "store_open",
        };
        Self::new(Status::Unreachable, code, format!("cannot open the store: {error}"))
    }
}

impl From<BackupError> for Failure {
    fn from(error: BackupError) -> Self {
        let (status, code) = match error {
            BackupError::Open(error) => return error.into(),
            BackupError::Occupied { .. } => (Status::Refused, "occupied"),
            BackupError::OtherStore { .. } => (Status::Refused, "other_store"),
            BackupError::OtherCourse { .. } => (Status::Refused, "other_course"),
            BackupError::Busy { .. } => (Status::Refused, "busy"),
            BackupError::StorageFull { .. } => (Status::Refused, "storage_full"),
            BackupError::Damaged { .. } => (Status::Damage, "backup_damaged"),
            _ => (Status::Unreachable, "backup"),
        };
        Self::new(status, code, format!("cannot back up: {error}"))
    }
}

impl From<RestoreError> for Failure {
    fn from(error: RestoreError) -> Self {
        let (status, code) = match error {
            RestoreError::NotFound { .. } => (Status::Unreachable, "backup_not_found"),
            RestoreError::Partial { .. } => (Status::Damage, "backup_partial"),
            RestoreError::Damaged { .. } => (Status::Damage, "backup_damaged"),
            RestoreError::NotEmpty { .. } => (Status::Refused, "not_empty"),
            RestoreError::StorageFull { .. } => (Status::Refused, "storage_full"),
            _ => (Status::Unreachable, "backup"),
        };
        Self::new(status, code, format!("cannot use the backup: {error}"))
    }
}

impl From<RepairError> for Failure {
    fn from(error: RepairError) -> Self {
        let (status, code) = match error {
            RepairError::Open(error) => return error.into(),
            RepairError::NotEmpty { .. } => (Status::Refused, "not_empty"),
            RepairError::StorageFull { .. } => (Status::Refused, "storage_full"),
            RepairError::Revisions { .. } => (Status::Refused, "revisions"),
            RepairError::Unsteady { .. } => (Status::Refused, "unsteady"),
            _ => (Status::Unreachable, "repair"),
        };
        Self::new(status, code, format!("cannot repair: {error}"))
    }
}

impl From<RemoteError> for Failure {
    fn from(error: RemoteError) -> Self {
        let (status, code) = match error {
            RemoteError::Unreachable { .. } => (Status::Unreachable, "unreachable"),
            RemoteError::Unanswered { .. } => (Status::Unreachable, "unanswered"),
            RemoteError::UnknownStore { .. } => (Status::Unreachable, "store_not_found"),
            RemoteError::Protocol { .. } => (Status::Unreachable, "protocol"),
            RemoteError::Denied { .. } => (Status::Refused, "denied"),
            _ => (Status::Refused, "refused"),
        };
        Self::new(status, code, error.to_string())
    }
}

impl From<ConnectError> for Failure {
    fn from(error: ConnectError) -> Self {
        let message = match error {
            ConnectError::PlainText { host } => format!(
                "cannot reach the server: {host} is another machine, and in plain text everything sent there could be read on \
                 the way: encrypt with --tls-ca FILE, or allow it with --plain-text"
            ),
            error => format!("cannot reach the server: {error}"),
        };
        Self::new(Status::Unreachable, "connect", message)
    }
}

impl From<AppendError> for Failure {
    fn from(error: AppendError) -> Self {
        let error = match error {
            AppendError::Remote(error) => return error.into(),
            error => error,
        };
        let (status, code) = match error {
            AppendError::Conflict(_) => (Status::Conflict, "conflict"),
            AppendError::Poisoned { .. } => (Status::Refused, "poisoned"),
            AppendError::StorageFull { .. } => (Status::Refused, "storage_full"),
            AppendError::Degraded { .. } => (Status::Refused, "degraded"),
            _ => (Status::Refused, "refused"),
        };
        Self::new(status, code, format!("cannot append: {error}"))
    }
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Self {
        let error = match error {
            ReadError::Remote(error) => return error.into(),
            error => error,
        };
        let code = if matches!(error, ReadError::Damaged(_)) { "damage" } else { "read" };
        Self::new(Status::Damage, code, format!("cannot read: {error}"))
    }
}

impl From<SnapshotError> for Failure {
    fn from(error: SnapshotError) -> Self {
        let code = match error {
            SnapshotError::Remote(error) => return error.into(),
            SnapshotError::ReadOnly => "degraded",
            _ => "refused",
        };
        Self::new(Status::Refused, code, format!("cannot change the snapshots: {error}"))
    }
}

impl From<WaitError> for Failure {
    fn from(error: WaitError) -> Self {
        let (code, what_to_do) = match error {
            WaitError::Store(error) => return error.into(),
            WaitError::TimedOut { .. } => {
                ("not_reached", ": wait longer, or see how it is doing with 'projections status'")
            }
            WaitError::Ended { .. } => ("projection_ended", ": mend what it fails at and run it again"),
            WaitError::Unknown { .. } => ("unknown_projection", ""),
        };
        Self::new(Status::Refused, code, format!("{error}{what_to_do}"))
    }
}

impl From<CloseError> for Failure {
    fn from(error: CloseError) -> Self {
        Self::new(Status::Refused, "close", format!("cannot close the store: {error}"))
    }
}

/// One thing said on standard error, in the order of its JSON form.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Complaint<'a> {
    /// The name of the failure for programs.
    pub(crate) code: &'static str,
    /// The failure for people, file and line included.
    pub(crate) message: &'a str,
    /// The file of the line at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) file: Option<&'a str>,
    /// The line at fault, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) line: Option<u64>,
}

/// A complaint in its JSON form.
#[derive(Serialize)]
struct Told<'a> {
    error: Complaint<'a>,
}

/// Says one thing on standard error, as one line. A standard error that is closed is no reason to fail.
pub(crate) fn complain(is_json: bool, complaint: &Complaint<'_>) {
    if is_json {
        tell(&Told { error: *complaint });
    } else {
        writeln!(io::stderr(), "gesta: {}", OneLine(complaint.message)).ok();
    }
}

/// Says which events a verb left out because of damage.
pub(crate) fn complain_of_damage(is_json: bool, damage: &Damage) {
    let message = format!("events left out: {damage}: restore the file from a backup");
    complain(is_json, &Complaint { code: "damage", message: &message, file: None, line: None });
}

/// Tells people something that is not a failure; programs that asked for JSON are not told.
pub(crate) fn remark(is_json: bool, message: &str) {
    if !is_json {
        writeln!(io::stderr(), "gesta: {}", OneLine(message)).ok();
    }
}

/// Tells programs something that is no result, as one line on standard error.
pub(crate) fn tell(value: &impl Serialize) {
    let line = serde_json::to_string(value).expect("text and numbers are always JSON");
    writeln!(io::stderr(), "{line}").ok();
}

/// Text with every control character escaped, so that it stays on its line and cannot steer a terminal.
pub(crate) struct OneLine<'a>(pub(crate) &'a str);

impl fmt::Display for OneLine<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write as _;
        for character in self.0.chars() {
            if character.is_control() || is_invisible(character) {
                write!(formatter, "{}", character.escape_default())?;
            } else {
                formatter.write_char(character)?;
            }
        }
        Ok(())
    }
}

/// Whether a character steers the direction of text, breaks lines or has no width, without being a control character.
fn is_invisible(character: char) -> bool {
    matches!(character, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stays_on_its_line_and_cannot_steer_a_terminal() {
        let text = "a\nb\u{1b}[2J\u{202e}c \u{e9}";
        assert_eq!(OneLine(text).to_string(), "a\\nb\\u{1b}[2J\\u{202e}c \u{e9}");
    }

    #[test]
    fn a_closed_pipe_is_no_failure() {
        let failure = Failure::output(&io::Error::from(io::ErrorKind::BrokenPipe));
        assert_eq!(failure.report(false), Status::Done);
    }
}
