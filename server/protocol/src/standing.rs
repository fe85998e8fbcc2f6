//! Where the log and a stream stand, and whether a position is still what it was.
//!
//! ```text
//!  request   given_in u32 | position u64 | stream text16, empty: none is asked about
//!  answer    head u64 | incarnation u32 | is_lost bool | revision u64, all ones: no stream was asked about, or it has no events
//! ```

use crate::fields::{FieldError, FieldReader, FieldWriter};
use gesta_model::{Incarnation, Position, Revision, StreamName};

/// What is asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StandingRequest {
    /// Whether a position that was given out in an earlier life of the log was lost.
    pub given: Option<(Incarnation, Position)>,
    /// Where a stream stands.
    pub stream: Option<StreamName>,
}

/// What is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The first position not yet readable.
    pub head: Position,
    /// The life of the log that positions are given out in now.
    pub incarnation: Incarnation,
    /// The position asked about was lost with the unsynced end of the log.
    pub is_lost: bool,
    /// The last revision of the stream asked about.
    pub revision: Option<Revision>,
}

/// An incarnation that no position was given out in.
const NOT_ASKED: u32 = 0;
const NONE: u64 = u64::MAX;

impl StandingRequest {
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        let (given_in, position) = self.given.unwrap_or((Incarnation(NOT_ASKED), Position::START));
        out.put_u32(given_in.0);
        out.put_u64(position.0);
        out.put_text16(self.stream.as_ref().map_or("", StreamName::as_str));
    }

    pub(crate) fn read(fields: &mut FieldReader<'_>) -> Result<Self, FieldError> {
        let given = (Incarnation(fields.u32("given_in")?), Position(fields.u64("position")?));
        let stream = Some(fields.text16("stream")?).filter(|stream| !stream.is_empty());
        let stream = stream.map(StreamName::new).transpose();
        Ok(Self {
            given: Some(given).filter(|(given_in, _)| given_in.0 != NOT_ASKED),
            stream: stream.map_err(|error| FieldError::unacceptable("stream", error))?,
        })
    }
}

impl Standing {
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.put_u64(self.head.0);
        out.put_u32(self.incarnation.0);
        out.put_bool(self.is_lost);
        out.put_u64(self.revision.map_or(NONE, |revision| revision.0));
    }

    pub(crate) fn read(fields: &mut FieldReader<'_>) -> Result<Self, FieldError> {
        Ok(Self {
            head: Position(fields.u64("head")?),
            incarnation: Incarnation(fields.u32("incarnation")?),
            is_lost: fields.bool("is_lost")?,
            revision: Some(fields.u64("revision")?).filter(|revision| *revision != NONE).map(Revision),
        })
    }
}
