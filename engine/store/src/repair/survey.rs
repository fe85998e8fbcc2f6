//! The first reading of a damaged store: what is lost, and which revisions its streams miss.

use super::error::RepairError;
use super::placement::{Missing, Placement, Unplaced};
use crate::disk::Disk;
use crate::index::{Key, Keyring, Kind};
use crate::log::{Found, Remains};
use crate::read::visit_log;
use gesta_model::codec::Records;
use gesta_model::{Damage, Position, Record, Revision};
use std::collections::HashMap;

/// What a repair must know before it writes.
pub(super) struct Survey {
    /// What is damaged, in the order of the log.
    pub(super) damage: Vec<Damage>,
    pub(super) missing: Vec<Missing>,
    pub(super) salvaged: u64,
    pub(super) salvaged_bytes: u64,
}

impl Survey {
    /// Reads everything that is left.
    pub(super) fn of<D: Disk>(
        remains: &Remains<D>,
        path: &str,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Self, RepairError> {
        let keyring = Keyring::new(&remains.manifest.origin.key.0);
        let mut streams = Streams { keyring, heads: HashMap::new(), missing: Vec::new() };
        let mut salvaged_bytes = 0;
        let visit = |found: &Found, body: &[u8]| {
            salvaged_bytes += if found.header.count > 0 { found.header.bytes() as u64 } else { 0 };
            Records::new(&found.header, body).flatten().try_for_each(|record| streams.note(&record))
        };
        let report = visit_log(&remains.log, path, remains.head, (0, true), progress, visit)?;
        let mut damage = report.damage;
        damage.extend(remains.damage.iter().cloned());
        damage.sort_by_key(|damage| (damage.positions.start, damage.positions.end));
        let survey = Self { damage, missing: streams.missing, salvaged: report.events, salvaged_bytes };
        let lost = survey.lost().map(|damage| damage.positions.clone());
        Placement::check(&survey.missing, lost).map_err(RepairError::from)?;
        Ok(survey)
    }

    /// The damage by which positions are lost.
    pub(super) fn lost(&self) -> impl Iterator<Item = &Damage> {
        self.damage.iter().filter(|damage| !damage.positions.is_empty())
    }
}

/// The streams as far as they were read.
struct Streams {
    keyring: Keyring,
    heads: HashMap<Key, Head>,
    missing: Vec<Missing>,
}

/// After the last event of a stream that was read.
#[derive(Clone, Copy)]
struct Head {
    revision: u64,
    position: Position,
}

impl Streams {
    fn note(&mut self, record: &Record<'_>) -> Result<(), RepairError> {
        let (Some(stream), Some(Revision(revision))) = (record.stream(), record.revision()) else { return Ok(()) };
        let position = record.position();
        let head = self.heads.entry(self.keyring.key(Kind::Stream, stream.as_bytes()));
        let head = head.or_insert(Head { revision: 0, position: Position::START });
        if revision < head.revision {
            let (stream, expected) = (stream.to_owned(), Revision(head.revision));
            return Err(RepairError::Revisions { stream, position, revision: Revision(revision), expected });
        }
        if revision > head.revision {
            self.missing.push(Missing {
                stream: stream.into(),
                revisions: head.revision..revision,
                among: head.position..position,
            });
        }
        *head = Head { revision: revision + 1, position: position.plus(1) };
        Ok(())
    }
}

impl From<Unplaced> for RepairError {
    fn from(Unplaced { stream, before, revision, expected }: Unplaced) -> Self {
        Self::Revisions { stream, position: before, revision, expected }
    }
}
