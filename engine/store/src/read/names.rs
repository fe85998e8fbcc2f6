//! The names that events have: streams, categories, types and tags, with how many events each has.

use super::error::ReadError;
use super::reader::Reader;
use crate::disk::Disk;
use crate::index::{IndexReport, Kind};
use gesta_model::{Category, Position, Record, Revision};

/// What names are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NameKind {
    /// Names of streams.
    Stream,
    /// The parts of stream names before their first `-`.
    Category,
    /// Names of kinds of events.
    Type,
    /// Tags.
    Tag,
}

/// A name that events have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameCount {
    /// The name.
    pub name: String,
    /// How many events have it.
    pub count: u64,
    /// The position of the last of them.
    pub last: Position,
    /// Of a stream: the revision of its last event.
    pub last_revision: Option<Revision>,
}

impl<D: Disk> Reader<D> {
    /// All names of a kind that begin with `prefix`, in the order of their bytes.
    ///
    /// Costs a look at one event for each name of the kind. Where events are damaged, the damage is the answer: nobody
    /// knows the names that they had.
    pub fn names(&self, kind: NameKind, prefix: &str) -> Result<Vec<NameCount>, ReadError> {
        let index = &self.library().index;
        let head = self.head();
        if let Some(damage) = index.first_gap(head) {
            return Err(ReadError::Damaged(damage));
        }
        let mut names = Vec::new();
        for term in index.terms(kind.in_index(), head) {
            let (event, _) = index.fetch(term.first, head).map_err(ReadError::Damaged)?;
            let record = event.record();
            let is_meant = |name: &&str| index.keyring.key(kind.in_index(), name.as_bytes()) == term.key;
            if let Some(name) = kind.names_of(&record).find(is_meant).filter(|name| name.starts_with(prefix)) {
                let last_revision = term.last_revision();
                names.push(NameCount { name: name.to_owned(), count: term.count, last: term.last, last_revision });
            }
        }
        names.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        Ok(names)
    }

    /// Reads every byte of the index files to see whether they are what was written; `progress` is told how many of how many
    /// files were read. The log itself is read by [`Reader::verify`].
    pub fn verify_index(&self, progress: &mut dyn FnMut(u64, u64)) -> IndexReport {
        self.library().index.verify(progress)
    }

    /// How many names of a kind there are.
    #[must_use]
    pub fn name_count(&self, kind: NameKind) -> u64 {
        self.library().index.count(kind.in_index(), self.head())
    }
}

impl NameKind {
    fn in_index(self) -> Kind {
        match self {
            Self::Stream => Kind::Stream,
            Self::Category => Kind::Category,
            Self::Type => Kind::Type,
            Self::Tag => Kind::Tag,
        }
    }

    /// The names of this kind that an event has.
    fn names_of<'r>(self, record: &Record<'r>) -> Box<dyn Iterator<Item = &'r str> + 'r> {
        match self {
            Self::Stream => Box::new(record.stream().into_iter()),
            Self::Category => Box::new(record.stream().and_then(Category::of).into_iter()),
            Self::Type => Box::new(std::iter::once(record.event_type())),
            Self::Tag => Box::new(record.tags()),
        }
    }
}
