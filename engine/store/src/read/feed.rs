//! A replay in parts: several feeds that together give every event once, so that a rebuild can use several threads.
//!
//! Each feed walks over the whole log for itself. It verifies every batch, and of the records that belong to other feeds it
//! looks at the names alone.

use super::reader::{Library, Reader};
use super::sweep::Sweep;
use crate::disk::{Disk, RealDisk};
use crate::index::Kind;
use gesta_model::codec::Record;
use gesta_model::{Damage, PartitionKey, Position, ReadError, Timestamp};
use std::ops::{Bound, Range, RangeBounds};
use std::sync::Arc;

/// The events of some of the keys, in the order of the log, up to a cut that all feeds of a replay share.
pub struct Feed<D: Disk = RealDisk> {
    sweep: Sweep<D>,
    share: Share<D>,
    cut: Position,
    /// Damage that is told once all else has been read.
    missing_end: Option<Damage>,
}

/// Which events a feed gives.
struct Share<D: Disk> {
    library: Arc<Library<D>>,
    by: PartitionKey,
    /// Which of the feeds it is.
    number: u64,
    feed_count: u64,
}

impl<D: Disk> Share<D> {
    fn holds(&self, record: &Record<'_>) -> bool {
        let kind = if self.by == PartitionKey::Stream { Kind::Stream } else { Kind::Tag };
        let number = self.by.of(record).map_or(0, |name| {
            let hash = self.library.index.keyring.key(kind, name.as_bytes()).0 & u128::from(u64::MAX);
            u64::try_from(hash).unwrap_or_default() % self.feed_count
        });
        number == self.number
    }
}

impl<D: Disk> Reader<D> {
    /// Replays the events of a range of positions in `feed_count` feeds (at least one), to be read on as many threads.
    ///
    /// Each event is in exactly one feed, all events of one key are in the same, and those without the key in the first.
    /// A range without an end goes to the head as of now, the same for all feeds; none goes beyond.
    ///
    /// ```
    /// # use gesta::{AppendRequest, Event, EventType, Options, PartitionKey, Store};
    /// # let directory = tempfile::tempdir()?;
    /// # let store = Store::open(directory.path(), Options::default())?;
    /// # store.append(AppendRequest::new().event(Event::new(EventType::new("Placed")?)))?;
    /// let counts = std::thread::scope(|scope| {
    ///     let feeds = store.reader().replay(.., 2, &PartitionKey::Stream).into_iter();
    ///     let threads = feeds.map(|mut feed| {
    ///         scope.spawn(move || {
    ///             let mut count = 0;
    ///             while let Some(event) = feed.next_record() {
    ///                 count += usize::from(!event?.event_type().is_empty());
    ///             }
    ///             Ok::<usize, gesta::ReadError>(count)
    ///         })
    ///     });
    ///     let threads: Vec<_> = threads.collect();
    ///     threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Result<Vec<_>, _>>()
    /// })?;
    /// assert_eq!(counts.iter().sum::<usize>(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn replay(&self, positions: impl RangeBounds<Position>, feed_count: usize, by: &PartitionKey) -> Vec<Feed<D>> {
        let head = self.head();
        let positions = half_open(&positions, head);
        let feed_count = feed_count.max(1) as u64;
        let feed = |number| Feed {
            sweep: Sweep::new(self.share_library(), positions.clone(), false),
            share: Share { library: self.share_library(), by: by.clone(), number, feed_count },
            cut: positions.end,
            missing_end: self.library().missing_end().filter(|_| positions.end == head),
        };
        (0..feed_count).map(feed).collect()
    }
}

/// The positions of a range below the head.
fn half_open(positions: &impl RangeBounds<Position>, head: Position) -> Range<Position> {
    let start = match positions.start_bound() {
        Bound::Included(start) => *start,
        Bound::Excluded(before) => before.plus(1),
        Bound::Unbounded => Position::START,
    };
    let end = match positions.end_bound() {
        Bound::Included(last) => last.plus(1).min(head),
        Bound::Excluded(end) => (*end).min(head),
        Bound::Unbounded => head,
    };
    start.min(end)..end
}

impl<D: Disk> Feed<D> {
    /// The next record of this feed; `None` when all have been read.
    ///
    /// After [`ReadError::Damaged`] the next call goes on beyond the damage. Every feed tells all damage: nobody knows
    /// whose events it took.
    pub fn next_record(&mut self) -> Option<Result<Record<'_>, ReadError>> {
        let Self { sweep, share, missing_end, .. } = self;
        match sweep.advance_to(|record| share.holds(record)) {
            Ok(true) => Some(sweep.take()),
            Ok(false) => missing_end.take().map(|damage| Err(ReadError::Damaged(damage))),
            Err(error) => Some(Err(error)),
        }
    }

    /// When the store took the event that was read last.
    #[must_use]
    pub fn recorded_at(&self) -> Option<Timestamp> {
        self.sweep.recorded_at()
    }

    /// Every event of this feed below it was read.
    #[must_use]
    pub fn position(&self) -> Position {
        self.sweep.remaining_positions().start
    }

    /// Where all feeds of this replay end: what a subscription that goes on from here begins at.
    #[must_use]
    pub fn cut(&self) -> Position {
        self.cut
    }
}
