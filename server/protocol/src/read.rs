//! What is to be read.
//!
//! ```text
//!  selection u8             0 everything, 1 a stream, 2 a query
//!  flags u16                1 backwards, 2 unsynced as well, 4 go on with what is appended later, 8 whole batches are welcome,
//!                           16 from, 32 from_revision, 64 since, 128 until, 256 given_in: these fields count;
//!                           512 a snapshot follows
//!  from u64                 the position to begin at, inclusive
//!  from_revision u64        the revision of the stream to begin at, inclusive
//!  since i64                nothing that the store took before
//!  until u64                the first position that is not read any more
//!  limit u64                how many events at most
//!  given_in u32             the incarnation that `from` was given out in
//!  progress_every_ms u32    of what goes on: how often to say how far it has come, at least 1; all ones: never
//!  behind_after u64         of what goes on: how many events behind the head it is worth saying
//!  credit u32               how many bytes of events may be sent before there is more credit
//!  text32                   the stream's name or the query; empty for everything
//!  schema u32, key text16   with flag 512 alone: the snapshot to begin after, for a read that goes forward from the start and ends
//! ```

use crate::fields::{FieldError, FieldReader, FieldWriter};
use crate::snapshots::read_key;
use gesta_model::{Incarnation, Pace, Position, Query, Read, Revision, Selection, SnapshotKey, StreamName, Timestamp};
use std::time::Duration;

/// A read, and how its answer is to come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadRequest {
    /// What is to be read.
    pub read: Read,
    /// Goes on with what is appended later, in this pace.
    pub follow: Option<Pace>,
    /// Whether the client takes whole batches, of which it needs a part.
    pub takes_batches: bool,
    /// The life of the log in which the position to begin at was given out, if that is to be checked.
    pub given_in: Option<Incarnation>,
    /// How many bytes of events may be sent before there is more credit.
    pub credit: u32,
    /// The key and schema of the snapshot to begin after, if there is one.
    pub snapshot: Option<(SnapshotKey, u32)>,
}

const IS_BACKWARD: u16 = 1;
const SEES_UNSYNCED: u16 = 2;
const FOLLOWS: u16 = 4;
const TAKES_BATCHES: u16 = 8;
const HAS_FROM: u16 = 16;
const HAS_FROM_REVISION: u16 = 32;
const HAS_SINCE: u16 = 64;
const HAS_UNTIL: u16 = 128;
const HAS_GIVEN_IN: u16 = 256;
const HAS_SNAPSHOT: u16 = 512;
const KNOWN: u16 = 1023;
/// What does not go with a snapshot: where the read begins is not known, or what is before that is asked for.
const WITHOUT_SNAPSHOT: u16 = IS_BACKWARD | FOLLOWS | HAS_FROM | HAS_FROM_REVISION | HAS_SINCE | HAS_GIVEN_IN;
const NEVER: u32 = u32::MAX;

impl ReadRequest {
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        let Read { selection, from, from_revision, since, until, limit, is_backward, sees_unsynced, .. } = &self.read;
        let flag = |is_set: bool, flag: u16| if is_set { flag } else { 0 };
        let (code, text) = match selection {
            Selection::Everything => (0, String::new()),
            Selection::Stream(stream) => (1, stream.as_str().to_owned()),
            Selection::Query(query) => (2, query.to_string()),
        };
        out.put_u8(code);
        out.put_u16(
            flag(*is_backward, IS_BACKWARD)
                | flag(*sees_unsynced, SEES_UNSYNCED)
                | flag(self.follow.is_some(), FOLLOWS)
                | flag(self.takes_batches, TAKES_BATCHES)
                | flag(from.is_some(), HAS_FROM)
                | flag(from_revision.is_some(), HAS_FROM_REVISION)
                | flag(since.is_some(), HAS_SINCE)
                | flag(until.is_some(), HAS_UNTIL)
                | flag(self.given_in.is_some(), HAS_GIVEN_IN)
                | flag(self.snapshot.is_some(), HAS_SNAPSHOT),
        );
        out.put_u64(from.map_or(0, |position| position.0));
        out.put_u64(from_revision.map_or(0, |revision| revision.0));
        out.put_i64(since.map_or(0, |since| since.0));
        out.put_u64(until.map_or(0, |position| position.0));
        out.put_u64(*limit);
        out.put_u32(self.given_in.map_or(0, |incarnation| incarnation.0));
        let pace = self.follow.unwrap_or(Pace { progress_every: Duration::MAX, behind_after: 0 });
        out.put_u32(u32::try_from(pace.progress_every.as_millis()).unwrap_or(NEVER).max(1));
        out.put_u64(pace.behind_after);
        out.put_u32(self.credit);
        out.put_text32(&text);
        if let Some((key, schema)) = &self.snapshot {
            out.put_u32(*schema);
            out.put_text16(key.as_str());
        }
    }

    pub(crate) fn read(fields: &mut FieldReader<'_>) -> Result<Self, FieldError> {
        let selection = fields.u8("selection")?;
        let flags = fields.u16("flags")?;
        if flags & !KNOWN != 0 {
            return Err(FieldError::not_allowed("flags", flags));
        }
        let is_set = |flag: u16| flags & flag != 0;
        if is_set(HAS_SNAPSHOT) && is_set(WITHOUT_SNAPSHOT) {
            return Err(FieldError::not_allowed("flags", flags));
        }
        let mut read = Read::all();
        read.from = Some(Position(fields.u64("from")?)).filter(|_| is_set(HAS_FROM));
        read.from_revision = Some(Revision(fields.u64("from_revision")?)).filter(|_| is_set(HAS_FROM_REVISION));
        read.since = Some(Timestamp(fields.i64("since")?)).filter(|_| is_set(HAS_SINCE));
        read.until = Some(Position(fields.u64("until")?)).filter(|_| is_set(HAS_UNTIL));
        read.limit = fields.u64("limit")?;
        read.is_backward = is_set(IS_BACKWARD);
        read.sees_unsynced = is_set(SEES_UNSYNCED);
        let given_in = Some(Incarnation(fields.u32("given_in")?)).filter(|_| is_set(HAS_GIVEN_IN));
        let progress_every = match fields.u32("progress_every_ms")? {
            NEVER => Duration::MAX,
            // Progress that is always due would never come to an end.
            0 if is_set(FOLLOWS) => return Err(FieldError::unacceptable("progress_every_ms", "0 is not an interval")),
            milliseconds => Duration::from_millis(u64::from(milliseconds)),
        };
        let behind_after = fields.u64("behind_after")?;
        let follow = Some(Pace { progress_every, behind_after }).filter(|_| is_set(FOLLOWS));
        let credit = fields.u32("credit")?;
        let text = fields.text32("text")?;
        read.selection = match selection {
            0 if text.is_empty() => Selection::Everything,
            1 => Selection::Stream(StreamName::new(text).map_err(|error| FieldError::unacceptable("text", error))?),
            2 => Read::query(text.parse::<Query>().map_err(|error| FieldError::unacceptable("text", error))?).selection,
            unknown => return Err(FieldError::not_allowed("selection", unknown)),
        };
        let mut snapshot = None;
        if is_set(HAS_SNAPSHOT) {
            let schema = fields.u32("schema")?;
            snapshot = Some((read_key(fields)?, schema));
        }
        Ok(Self { read, follow, takes_batches: is_set(TAKES_BATCHES), given_in, credit, snapshot })
    }
}
