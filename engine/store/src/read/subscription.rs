//! An unbounded read: what is there, then what comes.

use super::cursor::{Cursor, Step};
use super::reader::Reader;
use crate::disk::{Disk, RealDisk};
use crate::sync::{Instant, thread};
use gesta_model::{Explanation, Notice, Pace, Position, Read, ReadError, Timestamp};
use std::time::Duration;

/// Events from a place on, without end, unless the read has one.
///
/// It costs what matches: when the head rises by events that do not, the index is asked and no event is read. While there
/// is nothing to do it sleeps; beside another process's writer it looks every ten milliseconds.
///
/// ```
/// # use gesta::{AppendRequest, Event, EventType, Notice, Options, Position, Query, QueryItem, Read, Store};
/// # use std::time::Duration;
/// # let directory = tempfile::tempdir()?;
/// # let store = Store::open(directory.path(), Options::default())?;
/// # let paid = EventType::new("Paid")?;
/// # store.append(AppendRequest::new().event(Event::new(EventType::new("Placed")?)).event(Event::new(paid.clone())))?;
/// let mut checkpoint = Position::START;
/// let query = Query::from(QueryItem::new().event_type(paid));
/// let mut subscription = store.subscribe(Read::query(query).from(checkpoint));
/// loop {
///     let notice = subscription.next(Duration::MAX)?;
///     checkpoint = notice.position();
///     match notice {
///         Notice::Event(event) => println!("{} at {}", event.event_type(), event.position()),
///         Notice::CaughtUp(_) => break, // or go on for ever
///         _ => {}
///     }
/// }
/// assert_eq!(checkpoint, Position(2));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Subscription<D: Disk = RealDisk> {
    reader: Reader<D>,
    cursor: Cursor<D>,
    /// No event below it is asked for.
    from: Position,
    since: Option<Timestamp>,
    /// No event from it on is asked for.
    until: Option<Position>,
    sees_unsynced: bool,
    pace: Pace,
    /// It has caught up, and not fallen behind since.
    is_live: bool,
    /// When it was first found that there is nothing to hand out, since the last notice.
    quiet_since: Option<Instant>,
}

/// How often another process's log is looked at.
const OBSERVE_EVERY: Duration = Duration::from_millis(10);

impl<D: Disk> Subscription<D> {
    pub(super) fn new(reader: Reader<D>, mut read: Read) -> Self {
        let sees_unsynced = std::mem::take(&mut read.sees_unsynced);
        read.is_backward = false;
        let (from, since, until) = (read.from.unwrap_or_default(), read.since, read.until);
        Self {
            cursor: reader.read(read),
            reader,
            from,
            since,
            until,
            sees_unsynced,
            pace: Pace::default(),
            is_live: false,
            quiet_since: None,
        }
    }

    /// Sets when it says how far it has come.
    #[must_use]
    pub fn pace(mut self, pace: Pace) -> Self {
        self.pace = pace;
        self
    }

    /// Says [`Notice::Progress`] when nothing matched for so long, even if nothing was appended: one second unless said
    /// otherwise. [`Duration::MAX`] means never.
    #[must_use]
    pub fn progress_every(mut self, interval: Duration) -> Self {
        self.pace.progress_every = interval;
        self
    }

    /// Says [`Notice::FellBehind`] when the head is more than so many events beyond the event that comes next, matching
    /// or not: 10,000 unless said otherwise.
    #[must_use]
    pub fn behind_after(mut self, event_count: u64) -> Self {
        self.pace.behind_after = event_count;
        self
    }

    /// The next event, or what else there is to say, waiting for it as long as `timeout`.
    ///
    /// The timeout cuts short only the waiting: what is there already is looked through, however long that takes.
    /// After [`ReadError::Damaged`] the next call goes on beyond the damage.
    pub fn next(&mut self, timeout: Duration) -> Result<Notice<'_>, ReadError> {
        if self.sees_unsynced {
            return Err(ReadError::UnsyncedSubscription);
        }
        let mut deadline = None;
        loop {
            let mut is_idle = false;
            match self.cursor.step()? {
                Step::Stands if self.has_fallen_behind() => {
                    (self.is_live, self.quiet_since) = (false, None);
                    return Ok(Notice::FellBehind(self.position()));
                }
                Step::Stands => {
                    self.quiet_since = None;
                    return self.cursor.take().map(Notice::Event);
                }
                Step::Over if self.has_ended() => return Ok(Notice::Ended(self.position())),
                Step::Passed => {}
                Step::Over if self.look_further()? => {}
                Step::Over if !self.is_live => {
                    (self.is_live, self.quiet_since) = (true, None);
                    return Ok(Notice::CaughtUp(self.position()));
                }
                Step::Over => is_idle = true,
            }
            let now = Instant::now();
            let deadline = *deadline.get_or_insert_with(|| now.checked_add(timeout));
            let progress_at = self.quiet_since.get_or_insert(now).checked_add(self.pace.progress_every);
            if progress_at.is_some_and(|progress_at| progress_at <= now) {
                self.quiet_since = Some(now);
                return Ok(Notice::Progress(self.position()));
            }
            if is_idle && deadline.is_some_and(|deadline| deadline <= now) {
                return Ok(Notice::TimedOut(self.position()));
            }
            if is_idle {
                self.wait(deadline.into_iter().chain(progress_at).min());
            }
        }
    }

    /// Everything below it was handed out, or is not of this subscription: where one that takes over begins.
    #[must_use]
    pub fn position(&self) -> Position {
        self.cursor.remaining_positions().start.max(self.from)
    }

    /// When the store took the event that was handed out last.
    #[must_use]
    pub fn recorded_at(&self) -> Option<Timestamp> {
        self.cursor.recorded_at()
    }

    /// What finding events has cost so far.
    #[must_use]
    pub fn explain(&self) -> Explanation {
        self.cursor.explain()
    }

    /// Whether everything that was asked for has been handed out.
    fn has_ended(&self) -> bool {
        self.cursor.is_spent() || self.until.is_some_and(|until| self.position() >= until)
    }

    /// Whether the head has run away from a subscription that had caught up.
    fn has_fallen_behind(&self) -> bool {
        self.is_live && self.reader.head().since(self.position()) > self.pace.behind_after
    }

    /// Goes on to the head as of now; `false` when everything up to it has been looked at.
    fn look_further(&mut self) -> Result<bool, ReadError> {
        self.reader.refresh()?;
        let head = self.until.map_or(self.reader.head(), |until| until.min(self.reader.head()));
        if head <= self.cursor.head() {
            return Ok(false);
        }
        let library = self.reader.library();
        let since = self.since.map_or(Position::START, |since| library.index.first_since(since, head));
        self.cursor.extend(&(self.from.max(since)..head), library.missing_end());
        Ok(true)
    }

    /// Sleeps until there may be more, or the time has come.
    fn wait(&self, until: Option<Instant>) {
        let library = self.reader.library();
        if library.observed.is_none() {
            library.log.watermarks.wait_beyond(self.cursor.head(), until);
        } else {
            let left = until.map_or(Duration::MAX, |until| until.saturating_duration_since(Instant::now()));
            thread::sleep(OBSERVE_EVERY.min(left));
        }
    }
}
