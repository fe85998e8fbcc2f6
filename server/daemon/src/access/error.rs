//! Why somebody is turned away, and why tokens cannot be read, made or revoked.

use crate::settings::SecretFileError;
use std::io;

/// The one answer to everybody who may not. It does not say why: whoever guesses is not to learn from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("access denied: give a token that is good for this store and this operation")]
pub struct Denied;

/// Why a file of tokens is not used.
#[derive(Debug, thiserror::Error)]
pub enum TokenFileError {
    /// The file cannot be read, or others may read it.
    #[error(transparent)]
    File(#[from] SecretFileError),
    /// A line that is no token.
    #[error("{path}:{line}: not a token: {what}: mend the line, or take it out and make a new token")]
    Line {
        /// The file.
        path: String,
        /// Counted from 1.
        line: usize,
        /// What is wrong with it.
        what: String,
    },
}

/// Why a token is not made.
#[derive(Debug, thiserror::Error)]
pub enum CreateTokenError {
    /// The file as it is cannot be used.
    #[error(transparent)]
    File(#[from] TokenFileError),
    /// What was asked for is no token.
    #[error("cannot make the token: {what}")]
    Unfit {
        /// What is wrong with it, and what to give.
        what: String,
    },
    /// There is one of this name.
    #[error("{path}: there is a token {name:?} already: choose another name, or revoke that one first")]
    NameTaken {
        /// The file.
        path: String,
        /// The name.
        name: String,
    },
    /// The system has no randomness to give.
    #[error("cannot make the token: the system gives no random bytes ({what})")]
    Random {
        /// What the system says.
        what: String,
    },
    /// The file cannot be written.
    #[error("{path}: cannot write the token file ({source}): nothing was changed; check the directory")]
    Write {
        /// The file.
        path: String,
        /// What the system says.
        source: io::Error,
    },
}

/// Why a token is not revoked.
#[derive(Debug, thiserror::Error)]
pub enum RevokeTokenError {
    /// The file as it is cannot be used.
    #[error(transparent)]
    File(#[from] TokenFileError),
    /// There is none of this name.
    #[error("{path}: there is no token {name:?}: list them for the names")]
    NotFound {
        /// The file.
        path: String,
        /// The name.
        name: String,
    },
    /// The file cannot be written.
    #[error("{path}: cannot write the token file ({source}): nothing was changed; check the directory")]
    Write {
        /// The file.
        path: String,
        /// What the system says.
        source: io::Error,
    },
}
