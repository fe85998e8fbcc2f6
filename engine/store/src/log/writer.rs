//! The tail of the log and the only code that writes to it.
//!
//! One `pwrite` a group, and one `fdatasync` when somebody waits for it. The first failure is the last thing that this
//! writer does: whoever holds it must not call it again.

use super::Log;
use super::recovery::TailScan;
use super::segment::Segment;
use super::spare::Spare;
use crate::disk::{Disk, DiskFile};
use crate::sabotage::{Bug, has};
use gesta_model::codec::{
    BatchHeader, BatchKind, CLOSING, HEADER_PAGE_BYTES, HEADERS_BYTES, PORTABLE_BYTES, SEAL_BODY_BYTES, Seal,
    SealDigest, SegmentHeader, body_crc,
};
use gesta_model::{Incarnation, Position, Timestamp, Uuid};
use std::io;
use std::sync::Arc;

/// Room for the header page of a segment and the headers of a batch, before the body of a group.
const ROOM_BYTES: usize = HEADER_PAGE_BYTES + HEADERS_BYTES;
/// What is kept free at the end of a segment, so that it can be sealed and the store closed.
const RESERVE_BYTES: u64 = SEAL_BYTES + 2 * HEADERS_BYTES as u64;
/// A whole seal: nothing else may take its place, however often the store is closed.
const SEAL_BYTES: u64 = (HEADERS_BYTES + SEAL_BODY_BYTES) as u64;

/// The device is told to write so many bytes at a time.
const WRITTEN_AHEAD_BYTES: u64 = 1 << 20;
const PAGE_BYTES: u64 = 4096;

/// The requests that one commit writes together: their bytes, with room in front for what the writer adds.
#[derive(Debug)]
pub(crate) struct Group {
    bytes: Vec<u8>,
    pub(crate) base: Position,
    /// Events.
    pub(crate) count: u32,
    pub(crate) request_count: u32,
}

impl Group {
    /// An empty group whose first event will stand at `base`.
    pub(crate) fn new(base: Position) -> Self {
        Self { bytes: vec![0; ROOM_BYTES], base, count: 0, request_count: 0 }
    }

    /// Adds a placed request.
    pub(crate) fn add(&mut self, request: &[u8], count: u32) {
        self.bytes.extend_from_slice(request);
        self.count += count;
        self.request_count += 1;
    }

    /// Empties the group for events from `base` on, keeping its memory unless it has grown out of proportion.
    pub(crate) fn reset(&mut self, base: Position, keep_bytes: usize) {
        self.bytes.truncate(ROOM_BYTES);
        self.bytes.shrink_to(keep_bytes);
        self.base = base;
        self.count = 0;
        self.request_count = 0;
    }

    /// Bytes of the requests.
    pub(crate) fn body(&self) -> &[u8] {
        &self.bytes[ROOM_BYTES..]
    }

    pub(crate) fn body_bytes(&self) -> usize {
        self.bytes.len() - ROOM_BYTES
    }

    /// The first position after its events.
    pub(crate) fn end(&self) -> Position {
        self.base.plus(u64::from(self.count))
    }
}

/// What never changes while a log is open.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Identity {
    pub(crate) store_id: Uuid,
    pub(crate) incarnation: Incarnation,
    pub(crate) unsynced_bytes_max: u64,
}

/// The open tail segment.
struct Tail<D: Disk> {
    segment: Arc<Segment<D>>,
    /// Where the next batch goes.
    offset: u64,
    /// The end of the last batch that is no mark: at most one mark follows it.
    unmarked_end: u64,
    /// Everything below it was synced.
    synced: u64,
    /// Everything below it the device has begun to write.
    begun: u64,
    bytes: u64,
    unsynced_bytes_max: u64,
    digest: SealDigest,
    batch_count: u64,
    event_count: u64,
    first_recorded_at: Option<Timestamp>,
}

/// What the next segment's header says of the log before it.
#[derive(Clone, Copy, Debug, Default)]
struct Link {
    number: u64,
    previous_seal: u128,
}

/// Appends batches to the log.
pub(crate) struct LogWriter<D: Disk> {
    identity: Identity,
    log: Arc<Log<D>>,
    tail: Option<Tail<D>>,
    link: Link,
    /// The check of the last batch.
    chain: u64,
    position: Position,
    durable: Position,
    /// What the last batch states to be durable.
    stated: Position,
    recorded_at: Timestamp,
}

impl<D: Disk> LogWriter<D> {
    /// A writer at the end of a recovered log, whose whole content is durable.
    pub(crate) fn new(identity: Identity, log: Arc<Log<D>>, recovered: Option<(SegmentHeader, TailScan)>) -> Self {
        let mut writer = Self {
            identity,
            log,
            tail: None,
            link: Link::default(),
            chain: 0,
            position: Position::START,
            durable: Position::START,
            stated: Position::START,
            recorded_at: Timestamp(i64::MIN),
        };
        if let Some((header, scan)) = recovered {
            writer.continue_after(&header, scan);
        }
        writer
    }

    fn continue_after(&mut self, header: &SegmentHeader, scan: TailScan) {
        self.position = scan.position;
        self.durable = scan.position;
        self.recorded_at = scan.last_recorded_at;
        self.chain = scan.chain.unwrap_or_default();
        self.link = Link { number: header.number, previous_seal: scan.seal.map_or(0, |seal| seal.fingerprint()) };
        if scan.seal.is_none() {
            let segment = self.log.segments.load().list.last().cloned();
            self.tail = segment.map(|segment| Tail {
                segment,
                offset: scan.offset,
                unmarked_end: scan.offset,
                synced: scan.offset,
                begun: scan.offset,
                bytes: header.segment_bytes,
                unsynced_bytes_max: header.unsynced_bytes_max,
                digest: scan.digest,
                batch_count: scan.batch_count,
                event_count: scan.event_count,
                first_recorded_at: scan.first_recorded_at,
            });
        }
    }

    /// Bytes of requests that the tail segment still takes in one batch.
    pub(crate) fn room(&self) -> u64 {
        self.tail.as_ref().map_or(0, |tail| {
            // One mark may be written before the next batch; once it is, that takes no room that was given out.
            let room = tail.bytes.saturating_sub(tail.unmarked_end + RESERVE_BYTES + 2 * HEADERS_BYTES as u64);
            room.min(tail.unsynced_bytes_max.saturating_sub(2 * RESERVE_BYTES))
        })
    }

    /// Bytes of requests that a new segment of `bytes` takes in its first batch.
    pub(crate) fn room_in_spare(bytes: u64) -> u64 {
        bytes.saturating_sub(HEADER_PAGE_BYTES as u64 + RESERVE_BYTES + HEADERS_BYTES as u64)
    }

    /// The length of a segment whose first batch has `body_bytes`.
    pub(crate) fn spare_bytes_for(body_bytes: u64) -> u64 {
        body_bytes + HEADER_PAGE_BYTES as u64 + RESERVE_BYTES + HEADERS_BYTES as u64
    }

    /// The number of the tail segment; `None` when the next write begins one.
    pub(crate) fn open_segment(&self) -> Option<u64> {
        self.tail.as_ref().map(|tail| tail.segment.number)
    }

    /// The number of the segment after the tail.
    pub(crate) fn next_number(&self) -> u64 {
        self.link.number + 1
    }

    /// Bytes of the tail segment file, 0 when there is none.
    pub(crate) fn segment_bytes(&self) -> u64 {
        self.tail.as_ref().map_or(0, |tail| tail.bytes)
    }

    /// Whether anything was written since the last sync.
    pub(crate) fn has_unsynced(&self) -> bool {
        self.durable < self.position
    }

    /// The first position not yet written.
    pub(crate) fn position(&self) -> Position {
        self.position
    }

    /// Writes a group as one batch, into `spare` when it is given; the group must fit.
    ///
    /// The bytes are in the operating system's cache afterwards; [`LogWriter::show`] lets readers see them. Returns where
    /// in the tail segment the batch begins, and when it was recorded.
    pub(crate) fn write(
        &mut self,
        group: &mut Group,
        spare: Option<Spare<D>>,
        now: Timestamp,
    ) -> io::Result<(u64, Timestamp)> {
        debug_assert_eq!(group.base, self.position);
        let bytes = (HEADERS_BYTES + group.body_bytes()) as u64;
        let opens = match spare {
            Some(spare) => Some(self.roll(spare, now)?),
            None => {
                self.bound_unsynced(bytes)?;
                None
            }
        };
        self.recorded_at = self.recorded_at.max(now);
        let header = BatchHeader {
            count: group.count,
            body_bytes: u32::try_from(group.body_bytes()).expect("the limits bound a group"),
            body_crc: body_crc(group.body()),
            ..self.header(BatchKind::Events)
        };
        let headers = group.bytes[HEADER_PAGE_BYTES..].first_chunk_mut().expect("room is kept for the headers");
        self.chain = header.encode(&self.log.origin.key, headers);
        let portable = BatchHeader::portable(headers);
        let from = if let Some(page) = opens {
            group.bytes[..HEADER_PAGE_BYTES].copy_from_slice(&page);
            0
        } else {
            HEADER_PAGE_BYTES
        };
        let tail = self.tail.as_mut().expect("the group fits into the tail");
        debug_assert!(tail.offset + bytes + RESERVE_BYTES <= tail.bytes);
        let at = tail.offset - (HEADER_PAGE_BYTES - from) as u64;
        tail.segment.file.write_at(&group.bytes[from..], at)?;
        let offset = tail.offset;
        self.position = header.end();
        self.wrote(&header, &portable);
        self.begin_writing();
        Ok((offset, header.recorded_at))
    }

    /// Where much is written and little synced, has the device write meanwhile: the sync that comes in the end would take as
    /// long as all of it.
    fn begin_writing(&mut self) {
        let Some(tail) = &mut self.tail else { return };
        let from = tail.begun.max(tail.synced);
        // What is written next goes to the last page as well.
        let to = tail.offset - tail.offset % PAGE_BYTES;
        if to >= from + WRITTEN_AHEAD_BYTES {
            tail.segment.file.begin_writing(from..to);
            tail.begun = to;
        }
    }

    /// Lets readers who ask for unsynced events see what was written.
    pub(crate) fn show(&self) {
        let readable = if has(Bug::PublishBeforeSync) { self.position } else { self.durable };
        self.log.watermarks.publish(self.position, readable);
    }

    /// Makes everything written durable and shows it to readers.
    pub(crate) fn sync(&mut self) -> io::Result<()> {
        if let Some(tail) = &mut self.tail
            && !has(Bug::AcknowledgeBeforeSync)
        {
            match tail.segment.file.sync_data() {
                Err(_) if has(Bug::RetryFailedSync) => tail.segment.file.sync_data()?,
                outcome => outcome?,
            }
            tail.synced = tail.offset;
        }
        self.durable = self.position;
        self.log.watermarks.publish(self.position, self.durable);
        Ok(())
    }

    /// Writes a mark, which states what is durable; without a sync, unless it closes the log.
    ///
    /// Does nothing when the last batch states it already, or when there is no room for it.
    pub(crate) fn mark(&mut self, is_closing: bool, now: Timestamp) -> io::Result<()> {
        let Some(tail) = &self.tail else { return Ok(()) };
        if !is_closing && self.stated == self.durable {
            return Ok(());
        }
        let end = tail.offset + HEADERS_BYTES as u64;
        let bound = tail.bytes - if is_closing { SEAL_BYTES } else { RESERVE_BYTES };
        if end > bound || end - tail.synced > tail.unsynced_bytes_max {
            return Ok(());
        }
        self.recorded_at = self.recorded_at.max(now);
        let flags = if is_closing { CLOSING } else { 0 };
        self.write_plain(BatchHeader { flags, ..self.header(BatchKind::Mark) }, &[])?;
        if is_closing { self.sync() } else { Ok(()) }
    }

    /// Seals the tail and makes the spare the new one. Returns the new segment's header page, which is written together
    /// with its first batch.
    fn roll(&mut self, spare: Spare<D>, now: Timestamp) -> io::Result<[u8; HEADER_PAGE_BYTES]> {
        self.seal(now)?;
        debug_assert_eq!(spare.number, self.next_number());
        let header = SegmentHeader {
            store_id: self.identity.store_id,
            number: spare.number,
            generation: 0,
            incarnation: self.identity.incarnation,
            base: self.position,
            previous: self.chain,
            previous_seal: self.link.previous_seal,
            unsynced_bytes_max: self.identity.unsynced_bytes_max,
            segment_bytes: spare.bytes,
        };
        let segment = Arc::new(Segment::new(spare.number, self.position, spare.path, spare.file, 0));
        self.tail = Some(Tail {
            segment,
            offset: HEADER_PAGE_BYTES as u64,
            unmarked_end: HEADER_PAGE_BYTES as u64,
            synced: 0,
            begun: 0,
            bytes: spare.bytes,
            unsynced_bytes_max: self.identity.unsynced_bytes_max,
            digest: SealDigest::default(),
            batch_count: 0,
            event_count: 0,
            first_recorded_at: None,
        });
        self.link.number = spare.number;
        Ok(header.encode())
    }

    /// Ends the tail segment, durably; does nothing when there is none.
    fn seal(&mut self, now: Timestamp) -> io::Result<()> {
        self.bound_unsynced(SEAL_BYTES)?;
        let Some(tail) = &self.tail else { return Ok(()) };
        self.recorded_at = self.recorded_at.max(now);
        let seal = Seal {
            batch_count: tail.batch_count,
            event_count: tail.event_count,
            first_recorded_at: tail.first_recorded_at.unwrap_or(self.recorded_at),
            last_recorded_at: self.recorded_at,
            written_bytes: tail.offset,
            digest: tail.digest.value(),
        };
        self.write_plain(self.header(BatchKind::Seal), &seal.encode())?;
        self.sync()?;
        self.link.previous_seal = seal.fingerprint();
        if let Some(tail) = self.tail.take() {
            tail.segment.sealed_with(seal.fingerprint());
        }
        Ok(())
    }

    /// Syncs first when a write of `bytes` would leave more unsynced than the segment's header allows.
    fn bound_unsynced(&mut self, bytes: u64) -> io::Result<()> {
        let exceeds = self.tail.as_ref().is_some_and(|tail| {
            // A mark may follow without a sync of its own.
            tail.offset + bytes + HEADERS_BYTES as u64 - tail.synced > tail.unsynced_bytes_max
        });
        if exceeds { self.sync() } else { Ok(()) }
    }

    /// Writes a batch without events.
    fn write_plain(&mut self, header: BatchHeader, body: &[u8]) -> io::Result<()> {
        let header = BatchHeader {
            body_bytes: u32::try_from(body.len()).expect("such a body is small"),
            body_crc: body_crc(body),
            ..header
        };
        let mut headers = [0; HEADERS_BYTES];
        self.chain = header.encode(&self.log.origin.key, &mut headers);
        let bytes = [&headers, body].concat();
        let tail = self.tail.as_ref().expect("only an open tail is written to");
        tail.segment.file.write_at(&bytes, tail.offset)?;
        self.wrote(&header, &BatchHeader::portable(&headers));
        Ok(())
    }

    /// Notes a batch that is in place.
    fn wrote(&mut self, header: &BatchHeader, portable: &[u8; PORTABLE_BYTES]) {
        let tail = self.tail.as_mut().expect("a batch was written to it");
        tail.offset += header.bytes() as u64;
        if header.kind != BatchKind::Mark {
            tail.unmarked_end = tail.offset;
        }
        self.stated = header.durable;
        tail.digest.add(portable);
        tail.batch_count += 1;
        tail.event_count += u64::from(header.count);
        tail.first_recorded_at.get_or_insert(header.recorded_at);
        tail.segment.publish_bytes(tail.offset);
        let segments = self.log.segments.load();
        if segments.list.last().is_none_or(|last| last.number < tail.segment.number) {
            self.log.segments.store(Arc::new(segments.with(Arc::clone(&tail.segment))));
        }
    }

    fn header(&self, kind: BatchKind) -> BatchHeader {
        BatchHeader {
            previous: self.chain,
            durable: self.durable,
            incarnation: self.identity.incarnation,
            base: self.position,
            reign: 0,
            index: 0,
            recorded_at: self.recorded_at,
            count: 0,
            body_bytes: 0,
            body_crc: body_crc(&[]),
            kind,
            flags: 0,
        }
    }
}
