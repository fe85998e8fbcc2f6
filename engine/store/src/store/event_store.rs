//! The store as any store of events: what code that does not care where the store is sees of it.

use super::Store;
use crate::append::Ticket;
use crate::disk::Disk;
use crate::read::{Cursor, Reader, Subscription};
use gesta_model::{
    AppendError, AppendRequest, AppendTicket, EventCursor, EventReader, EventStore, EventSubscription, Explanation,
    Incarnation, Loaded, NameCount, NameKind, Notice, Pace, Position, ProjectionBoard, ProjectionReport,
    ProjectionStatus, Read, ReadError, Receipt, Record, Revision, Selection, Snapshot, SnapshotError, SnapshotInfo,
    SnapshotKey, StoredEvent, StreamName, Timestamp, Uuid, WaitError,
};
use std::time::Duration;

impl<D: Disk> EventReader for Reader<D> {
    type Cursor = Cursor<D>;
    type Subscription = Subscription<D>;

    fn read(&self, read: Read) -> Result<Cursor<D>, ReadError> {
        Ok(Self::read(self, read))
    }

    fn subscribe(&self, read: Read, pace: Pace) -> Result<Subscription<D>, ReadError> {
        Ok(Self::subscribe(self, read).pace(pace))
    }

    fn head(&self) -> Result<Position, ReadError> {
        Ok(Self::head(self))
    }

    fn store_id(&self) -> Result<Uuid, ReadError> {
        Ok(self.id())
    }

    fn receipt(&self, request_id: Uuid) -> Result<Option<Receipt>, ReadError> {
        Self::receipt(self, request_id)
    }

    fn stream_revision(&self, stream: &StreamName) -> Result<Option<Revision>, ReadError> {
        Self::stream_revision(self, stream)
    }

    fn event(&self, id: Uuid) -> Result<Option<StoredEvent>, ReadError> {
        Self::event(self, id)
    }

    fn names(&self, kind: NameKind, prefix: &str) -> Result<Vec<NameCount>, ReadError> {
        Self::names(self, kind, prefix)
    }

    fn load(&self, key: &SnapshotKey, schema: u32, selection: Selection) -> Result<Loaded<Cursor<D>>, ReadError> {
        Ok(Self::load(self, key, schema, selection))
    }

    fn snapshots(&self, prefix: &str) -> Result<Vec<SnapshotInfo>, ReadError> {
        Ok(Self::snapshots(self, prefix))
    }
}

impl<D: Disk> EventReader for Store<D> {
    type Cursor = Cursor<D>;
    type Subscription = Subscription<D>;

    fn read(&self, read: Read) -> Result<Cursor<D>, ReadError> {
        Ok(Self::read(self, read))
    }

    fn subscribe(&self, read: Read, pace: Pace) -> Result<Subscription<D>, ReadError> {
        EventReader::subscribe(&self.reader, read, pace)
    }

    fn head(&self) -> Result<Position, ReadError> {
        EventReader::head(&self.reader)
    }

    fn store_id(&self) -> Result<Uuid, ReadError> {
        Ok(self.id())
    }

    fn receipt(&self, request_id: Uuid) -> Result<Option<Receipt>, ReadError> {
        self.reader.receipt(request_id)
    }

    fn stream_revision(&self, stream: &StreamName) -> Result<Option<Revision>, ReadError> {
        self.reader.stream_revision(stream)
    }

    fn event(&self, id: Uuid) -> Result<Option<StoredEvent>, ReadError> {
        self.reader.event(id)
    }

    fn names(&self, kind: NameKind, prefix: &str) -> Result<Vec<NameCount>, ReadError> {
        self.reader.names(kind, prefix)
    }

    fn load(&self, key: &SnapshotKey, schema: u32, selection: Selection) -> Result<Loaded<Cursor<D>>, ReadError> {
        Ok(self.reader.load(key, schema, selection))
    }

    fn snapshots(&self, prefix: &str) -> Result<Vec<SnapshotInfo>, ReadError> {
        Ok(self.reader.snapshots(prefix))
    }
}

impl<D: Disk> EventStore for Store<D> {
    type Ticket = Ticket<D>;

    fn append(&self, request: AppendRequest) -> Result<Receipt, AppendError> {
        Self::append(self, request)
    }

    fn submit(&self, request: AppendRequest) -> Result<Ticket<D>, AppendError> {
        Self::submit(self, request)
    }

    fn save_snapshot(&self, snapshot: Snapshot) -> Result<(), SnapshotError> {
        Self::save_snapshot(self, &snapshot)
    }

    fn drop_snapshots(&self, prefix: &str) -> Result<u64, SnapshotError> {
        Self::drop_snapshots(self, prefix)
    }

    fn is_lost(&self, given_in: Incarnation, position: Position) -> Result<bool, ReadError> {
        Ok(Self::is_lost(self, given_in, position))
    }
}

impl<D: Disk> AppendTicket for Ticket<D> {
    fn wait(self) -> Result<Receipt, AppendError> {
        Self::wait(self)
    }
}

impl<D: Disk> EventCursor for Cursor<D> {
    #[inline]
    fn next_record(&mut self) -> Option<Result<Record<'_>, ReadError>> {
        Self::next_record(self)
    }

    fn head(&self) -> Position {
        Self::head(self)
    }

    fn recorded_at(&self) -> Option<Timestamp> {
        Self::recorded_at(self)
    }

    fn explain(&self) -> Explanation {
        Self::explain(self)
    }
}

impl<D: Disk> EventSubscription for Subscription<D> {
    fn next(&mut self, timeout: Duration) -> Result<Notice<'_>, ReadError> {
        Self::next(self, timeout)
    }

    fn position(&self) -> Position {
        Self::position(self)
    }

    fn recorded_at(&self) -> Option<Timestamp> {
        Self::recorded_at(self)
    }
}

impl<D: Disk> ProjectionBoard for Reader<D> {
    fn tell_projections(&self, statuses: &[ProjectionStatus]) -> Result<Vec<String>, ReadError> {
        Ok(Self::tell_projections(self, statuses))
    }

    fn projections(&self, prefix: &str) -> Result<Vec<ProjectionReport>, ReadError> {
        Ok(Self::projections(self, prefix))
    }

    fn wait_for_projection(&self, name: &str, position: Position, timeout: Duration) -> Result<(), WaitError> {
        Self::wait_for_projection(self, name, position, timeout)
    }

    fn ask_to_replay_parked(&self, name: &str) -> Result<bool, ReadError> {
        Self::ask_to_replay_parked(self, name)
    }
}

impl<D: Disk> ProjectionBoard for Store<D> {
    fn tell_projections(&self, statuses: &[ProjectionStatus]) -> Result<Vec<String>, ReadError> {
        Ok(self.reader.tell_projections(statuses))
    }

    fn projections(&self, prefix: &str) -> Result<Vec<ProjectionReport>, ReadError> {
        Ok(self.reader.projections(prefix))
    }

    fn wait_for_projection(&self, name: &str, position: Position, timeout: Duration) -> Result<(), WaitError> {
        self.reader.wait_for_projection(name, position, timeout)
    }

    fn ask_to_replay_parked(&self, name: &str) -> Result<bool, ReadError> {
        self.reader.ask_to_replay_parked(name)
    }
}
