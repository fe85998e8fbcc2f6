//! Why an index file is not believed. None of it says anything about the log.

use thiserror::Error;

/// A file that is damaged: it is thrown away and made anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{0}")]
pub(crate) struct Damaged(pub(crate) &'static str);

/// Why an index file was not opened.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum Rejected {
    /// There is no such file.
    #[error("there is no such index file")]
    Absent,
    /// The disk does not hand it out.
    #[error("the index file cannot be read: {0}")]
    Unreadable(String),
    /// Its header page is wrong.
    #[error("the index file is damaged: {0}")]
    Damaged(&'static str),
    /// It speaks of another log, or of this one before it was cut or rewritten.
    #[error("the index file was made from another log")]
    Foreign,
    /// A version of the format that is not known here, or one with features that are not.
    #[error("index format version {0}, or a feature of it, is newer than this program reads (1): use a newer gesta")]
    Unsupported(u32),
}

impl From<Damaged> for Rejected {
    fn from(damaged: Damaged) -> Self {
        Self::Damaged(damaged.0)
    }
}
