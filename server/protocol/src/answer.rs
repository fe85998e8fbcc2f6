//! What a server sends.

use crate::events::{Batches, Events};
use crate::fields::{FieldError, FieldReader, FieldWriter};
use crate::frame::put_frame;
use crate::reports::{read_damage, read_texts, write_damage, write_texts};
use crate::snapshots::{SnapshotsPart, read_loaded, write_loaded};
use crate::{
    Frame, IndexFindings, Kind, LogFindings, NamesPart, ProjectionsPart, Refusal, Standing, Welcome, Work, conflict,
    receipt,
};
use gesta_model::{Conflict, Damage, Explanation, Incarnation, Position, Receipt};

/// What a server sends, one frame each.
///
/// Frames of events and batches are made with [`EventsEncoder`](crate::EventsEncoder).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Answer<'a> {
    /// Opens the connection.
    Welcome(Box<Welcome>),
    /// Asks for a sign of life.
    Ping,
    /// Is a sign of life.
    Pong,
    /// Says why a request or the connection ends.
    Refused(Refusal),
    /// Says that the server stops: what is under way is answered, nothing new is taken.
    Closing,
    /// Says that a request without an answer of its own is done.
    Done,
    /// Says how far long work has come.
    Working(Work),
    /// An append was made.
    Receipt(Receipt),
    /// An append's checks did not hold.
    Conflict(Conflict),
    /// A read begins.
    Begun(Begun),
    /// Events, each with its place.
    Events(Events<'a>),
    /// Whole batches.
    Batches(Batches<'a>),
    /// Positions of a read are damaged; it goes on beyond.
    Damaged(Damage),
    /// Everything up to the head was sent.
    CaughtUp(Position),
    /// What had caught up is behind again.
    FellBehind(Position),
    /// Everything below was sent, or does not match.
    Progress(Position),
    /// The reader was too slow; it may come again from here.
    TooSlow(Position),
    /// A read is complete.
    Ended(Ended),
    /// Where the log or a stream stands.
    Standing(Standing),
    /// Names, or some of them.
    Names(NamesPart),
    /// The figures of the store, as JSON.
    Statistics(&'a str),
    /// What reading the log found.
    LogFindings(LogFindings),
    /// What reading the index files found.
    IndexFindings(IndexFindings),
    /// The names of the stores.
    Stores(Vec<String>),
    /// How many snapshots were dropped.
    Dropped(u64),
    /// The position and data of the snapshot that a read asked for, if there is one.
    Snapshot(Option<(Position, &'a [u8])>),
    /// Which snapshots there are, or some of them.
    Snapshots(SnapshotsPart),
    /// The names of projections whose parked events are to be tried again.
    Told(Vec<String>),
    /// What was told of projections, or of some of them.
    Projections(ProjectionsPart),
}

/// What holds for the whole of a read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Begun {
    /// The first position that was not readable when the read began.
    pub head: Position,
    /// The life of the log that positions are given out in.
    pub incarnation: Incarnation,
}

/// How a read ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Everything below it was sent, or does not match.
    pub position: Position,
    /// What finding the events has cost.
    pub explanation: Explanation,
}

impl<'a> Answer<'a> {
    /// What the frame is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Welcome(_) => Kind::Welcome,
            Self::Ping => Kind::Ping,
            Self::Pong => Kind::Pong,
            Self::Refused(_) => Kind::Refused,
            Self::Closing => Kind::Closing,
            Self::Done => Kind::Done,
            Self::Working(_) => Kind::Working,
            Self::Receipt(_) => Kind::Receipt,
            Self::Conflict(_) => Kind::Conflict,
            Self::Begun(_) => Kind::Begun,
            Self::Events(_) => Kind::Events,
            Self::Batches(_) => Kind::Batches,
            Self::Damaged(_) => Kind::Damaged,
            Self::CaughtUp(_) => Kind::CaughtUp,
            Self::FellBehind(_) => Kind::FellBehind,
            Self::Progress(_) => Kind::Progress,
            Self::TooSlow(_) => Kind::TooSlow,
            Self::Ended(_) => Kind::Ended,
            Self::Standing(_) => Kind::Standing,
            Self::Names(_) => Kind::Names,
            Self::Statistics(_) => Kind::Statistics,
            Self::LogFindings(_) => Kind::LogFindings,
            Self::IndexFindings(_) => Kind::IndexFindings,
            Self::Stores(_) => Kind::Stores,
            Self::Dropped(_) => Kind::Dropped,
            Self::Snapshot(_) => Kind::Snapshot,
            Self::Snapshots(_) => Kind::Snapshots,
            Self::Told(_) => Kind::Told,
            Self::Projections(_) => Kind::Projections,
        }
    }

    /// The answer's frame alone.
    #[must_use]
    pub fn frame(&self, id: u64) -> Vec<u8> {
        let mut frame = Vec::new();
        self.encode(id, &mut frame);
        frame
    }

    /// Adds the answer's frame to `out`.
    pub fn encode(&self, id: u64, out: &mut Vec<u8>) {
        put_frame(out, self.kind() as u8, id, |out| self.write(out));
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Welcome(welcome) => welcome.write(out),
            Self::Refused(refusal) => refusal.write(out),
            Self::Working(work) => work.write(out),
            Self::Receipt(receipt) => receipt::write(out, receipt),
            Self::Conflict(conflict) => conflict::write(out, conflict),
            Self::Begun(begun) => {
                out.put_u64(begun.head.0);
                out.put_u32(begun.incarnation.0);
            }
            Self::Events(events) => out.put(events.body()),
            Self::Batches(batches) => out.put(batches.body()),
            Self::Damaged(damage) => write_damage(out, damage),
            Self::CaughtUp(position)
            | Self::FellBehind(position)
            | Self::Progress(position)
            | Self::TooSlow(position) => {
                out.put_u64(position.0);
            }
            Self::Ended(ended) => ended.write(out),
            Self::Standing(standing) => standing.write(out),
            Self::Names(part) => part.write(out),
            Self::Statistics(json) => out.put_text32(json),
            Self::LogFindings(findings) => findings.write(out),
            Self::IndexFindings(findings) => findings.write(out),
            Self::Stores(names) | Self::Told(names) => write_texts(out, names),
            Self::Dropped(count) => out.put_u64(*count),
            Self::Snapshot(found) => write_loaded(out, *found),
            Self::Snapshots(part) => part.write(out),
            Self::Projections(part) => part.write(out),
            Self::Ping | Self::Pong | Self::Closing | Self::Done => {}
        }
    }

    /// Reads a frame that a server sent.
    pub fn decode(frame: &Frame<'a>) -> Result<Self, FieldError> {
        let mut fields = FieldReader::new(frame.body);
        let unknown = || FieldError::UnknownKind { kind: frame.kind };
        let position = |fields: &mut FieldReader<'_>| fields.u64("position").map(Position);
        let answer = match Kind::of(frame.kind).ok_or_else(unknown)? {
            Kind::Welcome => Self::Welcome(Box::new(Welcome::read(&mut fields)?)),
            Kind::Ping => Self::Ping,
            Kind::Pong => Self::Pong,
            Kind::Refused => Self::Refused(Refusal::read(&mut fields)?),
            Kind::Closing => Self::Closing,
            Kind::Done => Self::Done,
            Kind::Working => Self::Working(Work::read(&mut fields)?),
            Kind::Receipt => Self::Receipt(receipt::read(&mut fields)?),
            Kind::Conflict => Self::Conflict(conflict::read(&mut fields)?),
            Kind::Begun => {
                let head = Position(fields.u64("head")?);
                Self::Begun(Begun { head, incarnation: Incarnation(fields.u32("incarnation")?) })
            }
            Kind::Events => Self::Events(Events::new(fields.rest())),
            Kind::Batches => Self::Batches(Batches::new(fields.rest())),
            Kind::Damaged => Self::Damaged(read_damage(&mut fields)?),
            Kind::CaughtUp => Self::CaughtUp(position(&mut fields)?),
            Kind::FellBehind => Self::FellBehind(position(&mut fields)?),
            Kind::Progress => Self::Progress(position(&mut fields)?),
            Kind::TooSlow => Self::TooSlow(position(&mut fields)?),
            Kind::Ended => Self::Ended(Ended::read(&mut fields)?),
            Kind::Standing => Self::Standing(Standing::read(&mut fields)?),
            Kind::Names => Self::Names(NamesPart::read(&mut fields)?),
            Kind::Statistics => Self::Statistics(fields.text32("json")?),
            Kind::LogFindings => Self::LogFindings(LogFindings::read(&mut fields)?),
            Kind::IndexFindings => Self::IndexFindings(IndexFindings::read(&mut fields)?),
            Kind::Stores => Self::Stores(read_texts(&mut fields)?),
            Kind::Dropped => Self::Dropped(fields.u64("count")?),
            Kind::Snapshot => Self::Snapshot(read_loaded(&mut fields)?),
            Kind::Snapshots => Self::Snapshots(SnapshotsPart::read(&mut fields)?),
            Kind::Told => Self::Told(read_texts(&mut fields)?),
            Kind::Projections => Self::Projections(ProjectionsPart::read(&mut fields)?),
            _ => return Err(unknown()),
        };
        fields.end(answer)
    }
}

impl Ended {
    fn write(&self, out: &mut Vec<u8>) {
        let Explanation { lists_read, segments_asked, segments_skipped, records_touched } = self.explanation;
        for number in [self.position.0, lists_read, segments_asked, segments_skipped, records_touched] {
            out.put_u64(number);
        }
    }

    fn read(fields: &mut FieldReader<'_>) -> Result<Self, FieldError> {
        Ok(Self {
            position: Position(fields.u64("position")?),
            explanation: Explanation {
                lists_read: fields.u64("lists_read")?,
                segments_asked: fields.u64("segments_asked")?,
                segments_skipped: fields.u64("segments_skipped")?,
                records_touched: fields.u64("records_touched")?,
            },
        })
    }
}
