//! Why settings are refused. Every text names the file and line, the variable or the flag, and what is allowed there.

use super::origin::Origin;
use super::secret_file::SecretFileError;
use std::io;

/// Why the server does not start with these settings.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The settings file cannot be read.
    #[error("{path}: cannot read the settings ({source}): check the path and its permissions")]
    Unreadable {
        /// The file.
        path: String,
        /// What the system says.
        source: io::Error,
    },
    /// The settings file is longer than any settings are.
    #[error("{path}: longer than {bytes_max} bytes, which no settings file is: check the path")]
    TooLarge {
        /// The file.
        path: String,
        /// How long it may be.
        bytes_max: u64,
    },
    /// The settings file is not TOML.
    #[error("{path}:{line}: not valid TOML: {what}")]
    NotToml {
        /// The file.
        path: String,
        /// Counted from 1.
        line: usize,
        /// What the parser expected.
        what: String,
    },
    /// A key that no setting has.
    #[error("{origin}: there is no setting `{key}`: {hint}")]
    UnknownKey {
        /// Where it stands.
        origin: Origin,
        /// The key, or the variable.
        key: String,
        /// What to write in its place.
        hint: String,
    },
    /// A value of the wrong type or out of range.
    #[error("{origin}: {key} cannot be {found}: give {allowed}")]
    Value {
        /// Where it stands.
        origin: Origin,
        /// The key.
        key: String,
        /// What was given.
        found: String,
        /// What may be given.
        allowed: String,
    },
    /// Values that are allowed, but not together.
    #[error("{origin}: {key} = {found}: {what}")]
    Contradiction {
        /// Where the value that is to blame came from.
        origin: Origin,
        /// Its key.
        key: &'static str,
        /// The value.
        found: String,
        /// What is wrong with it, and what to do.
        what: String,
    },
    /// A file with secrets in it is not safe.
    #[error("{origin}: {key}: {source}")]
    Secret {
        /// Where its path came from.
        origin: Origin,
        /// The key.
        key: &'static str,
        /// What is wrong with it.
        source: SecretFileError,
    },
    /// The server does not know where its stores are.
    #[error("no directory for the stores: say which with --dir DIR, in GESTA_DIR, or as `dir` in the settings file")]
    NoDirectory,
}
