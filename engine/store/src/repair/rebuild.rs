//! The second reading of a damaged store: what is left is written into a new log, with stand-ins for what is lost.
//!
//! The body of a batch is the same in every store. Only its headers are made anew, under the new store's secret.

use super::error::RepairError;
use super::placement::Placement;
use super::stand_in::stand_ins;
use super::survey::Survey;
use crate::disk::Disk;
use crate::environment::Environment;
use crate::log::{
    Found, Group, Identity, Log, LogWriter, Manifest, Remains, Segments, build_spare, next_segment_bytes,
};
use crate::options::Options;
use crate::read::visit_log;
use gesta_model::codec::StoreKey;
use gesta_model::{Damage, Position, Timestamp};
use std::io;
use std::ops::Range;
use std::sync::Arc;

/// Stand-ins that one batch holds at most.
const STAND_INS_MAX: u64 = 512;

/// Writes the new store but for its manifest, which makes it one; durable. Tells how many stand-ins have a stream.
pub(super) fn rebuild<D: Disk>(
    remains: &Remains<D>,
    survey: &Survey,
    (path, into): (&str, &D),
    progress: &mut dyn FnMut(u64, u64),
) -> Result<(Manifest, u64), RepairError> {
    let environment = Environment::default();
    let manifest = new_manifest(remains, &environment);
    let mut rebuild = Rebuild {
        path,
        disk: into,
        writer: new_writer(remains, &manifest),
        group: Group::new(Position::START),
        segment_bytes: remains.segment_bytes,
        lost: survey.lost().collect::<Vec<_>>().into_iter(),
        placement: Placement::new(&survey.missing),
        in_streams: 0,
        recorded_at: None,
        environment,
    };
    let report = visit_log(&remains.log, path, remains.head, (0, true), progress, |found, body| {
        if found.header.count > 0 { rebuild.keep(found, body) } else { Ok(()) }
    })?;
    rebuild.fill_up_to(remains.head, None)?;
    if report.events != survey.salvaged {
        return Err(rebuild.unsteady());
    }
    rebuild.close()?;
    Ok((manifest, rebuild.in_streams))
}

/// The manifest of another store, whose life begins where the log ends: what was given out beyond is lost.
fn new_manifest<D: Disk>(remains: &Remains<D>, environment: &Environment) -> Manifest {
    let old = &remains.manifest;
    let store_id = uuid::Builder::from_random_bytes(environment.random()).into_uuid();
    let mut manifest = Manifest::new(store_id, StoreKey(environment.random()), old.indexes_event_ids);
    manifest.incarnation = old.incarnation;
    manifest.origin.lives.clone_from(&old.origin.lives);
    manifest.begin_life(remains.head, true);
    manifest
}

fn new_writer<D: Disk>(remains: &Remains<D>, manifest: &Manifest) -> LogWriter<D> {
    let identity = Identity {
        store_id: manifest.store_id,
        incarnation: manifest.incarnation,
        unsynced_bytes_max: remains.unsynced_bytes_max.max(Options::default().unsynced_bytes_max()),
    };
    let store = (manifest.store_id, manifest.origin.clone());
    LogWriter::new(identity, Arc::new(Log::new(store, Segments { list: Vec::new() }, Position::START)), None)
}

struct Rebuild<'r, D: Disk> {
    /// The damaged store.
    path: &'r str,
    disk: &'r D,
    writer: LogWriter<D>,
    group: Group,
    /// The lengths of the first and of the longest segment.
    segment_bytes: (u64, u64),
    /// What is lost further on.
    lost: std::vec::IntoIter<&'r Damage>,
    placement: Placement<'r>,
    in_streams: u64,
    /// When the last event was recorded.
    recorded_at: Option<Timestamp>,
    environment: Environment,
}

impl<D: Disk> Rebuild<'_, D> {
    /// Writes a batch that is left, after what stands for what was lost before it.
    fn keep(&mut self, found: &Found, body: &[u8]) -> Result<(), RepairError> {
        self.fill_up_to(found.header.base, Some(found.header.recorded_at))?;
        self.recorded_at = Some(found.header.recorded_at);
        self.write(body, found.header.count, found.header.recorded_at)
    }

    /// Writes stand-ins for all positions below `end`; `next_at`: when the event there was recorded.
    fn fill_up_to(&mut self, end: Position, next_at: Option<Timestamp>) -> Result<(), RepairError> {
        while self.writer.position() < end {
            let position = self.writer.position();
            let lost = self.lost.next().filter(|lost| lost.positions.start == position && lost.positions.end <= end);
            self.fill(lost.ok_or_else(|| self.unsteady())?, next_at)?;
        }
        if self.writer.position() == end { Ok(()) } else { Err(self.unsteady()) }
    }

    fn fill(&mut self, lost: &Damage, next_at: Option<Timestamp>) -> Result<(), RepairError> {
        let Range { mut start, end } = lost.positions;
        let recorded_at = self.recorded_at.or(next_at).unwrap_or_else(|| self.environment.now());
        while start < end {
            let count = STAND_INS_MAX.min(end.since(start));
            let positions = start..start.plus(count);
            let (body, in_streams) = stand_ins(&positions, lost, &mut self.placement, &self.environment);
            self.in_streams += in_streams;
            self.write(&body, u32::try_from(count).expect("a batch of stand-ins is small"), recorded_at)?;
            start = positions.end;
        }
        Ok(())
    }

    fn write(&mut self, body: &[u8], count: u32, recorded_at: Timestamp) -> Result<(), RepairError> {
        self.group.reset(self.writer.position(), body.len());
        self.group.add(body, count);
        let outcome = self.write_group(recorded_at);
        outcome.map_err(RepairError::io(self.disk.describe(""), "cannot write the new store"))
    }

    /// Writes the group, into a new segment where the last one has no room for it.
    fn write_group(&mut self, recorded_at: Timestamp) -> io::Result<()> {
        let body_bytes = self.group.body_bytes() as u64;
        let is_open = self.writer.open_segment().is_some();
        let spare = if is_open && self.writer.room() >= body_bytes {
            None
        } else {
            let (first, longest) = self.segment_bytes;
            let before = if is_open { self.writer.segment_bytes() } else { first / 2 };
            let bytes = next_segment_bytes(before, longest, LogWriter::<D>::spare_bytes_for(body_bytes));
            Some(build_spare(self.disk, self.writer.next_number(), bytes)?)
        };
        self.writer.write(&mut self.group, spare, recorded_at)?;
        Ok(())
    }

    /// Closes the log as a clean close does.
    fn close(&mut self) -> Result<(), RepairError> {
        let at = self.recorded_at.unwrap_or(Timestamp(i64::MIN));
        let outcome = self.writer.sync().and_then(|()| self.writer.mark(true, at));
        outcome.map_err(RepairError::io(self.disk.describe(""), "cannot make the new store durable"))
    }

    fn unsteady(&self) -> RepairError {
        RepairError::Unsteady { path: self.path.to_owned(), position: self.writer.position() }
    }
}
