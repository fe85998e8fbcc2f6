//! The names that events have: streams, categories, types and tags, with how many events each has.

use super::reader::Reader;
use crate::disk::Disk;
use crate::index::{IndexReport, Kind};
use gesta_model::{Category, NameCount, NameKind, ReadError, Record};

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
        for term in index.terms(in_index(kind), head) {
            let (event, _) = index.fetch(term.first, head).map_err(ReadError::Damaged)?;
            let record = event.record();
            let is_meant = |name: &&str| index.keyring.key(in_index(kind), name.as_bytes()) == term.key;
            if let Some(name) = names_of(kind, &record).find(is_meant).filter(|name| name.starts_with(prefix)) {
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
        self.library().index.count(in_index(kind), self.head())
    }
}

/// Where the index keeps names of a kind.
fn in_index(kind: NameKind) -> Kind {
    match kind {
        NameKind::Stream => Kind::Stream,
        NameKind::Category => Kind::Category,
        NameKind::Type => Kind::Type,
        NameKind::Tag => Kind::Tag,
    }
}

/// The names of a kind that an event has.
fn names_of<'r>(kind: NameKind, record: &Record<'r>) -> Box<dyn Iterator<Item = &'r str> + 'r> {
    match kind {
        NameKind::Stream => Box::new(record.stream().into_iter()),
        NameKind::Category => Box::new(record.stream().and_then(Category::of).into_iter()),
        NameKind::Type => Box::new(std::iter::once(record.event_type())),
        NameKind::Tag => Box::new(record.tags()),
    }
}
