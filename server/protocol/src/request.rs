//! What a client sends.

use crate::append::Append;
use crate::fields::{FieldError, FieldReader, FieldWriter};
use crate::frame::put_frame;
use crate::names::{read_kind, write_kind};
use crate::projections::{read_name, read_statuses, write_statuses};
use crate::{Frame, Hello, Kind, ReadRequest, SaveSnapshot, StandingRequest, WaitForProjection};
use gesta_model::{NameKind, ProjectionStatus, Uuid};
use std::borrow::Cow;

/// What a client sends, one frame each.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Request<'a> {
    /// Opens the connection.
    Hello(Hello<'a>),
    /// Asks for a sign of life.
    Ping,
    /// Is a sign of life.
    Pong,
    /// Lets the server send so many more bytes of a read.
    Credit(u32),
    /// Ends a read early.
    Cancel,
    /// Appends events.
    Append(Append<'a>),
    /// Makes a store.
    CreateStore(&'a str),
    /// Makes the index files anew.
    RebuildIndex,
    /// Reads events.
    Read(Box<ReadRequest>),
    /// Asks where the log or a stream stands.
    Standing(StandingRequest),
    /// Asks for the event with an id.
    FindEvent(Uuid),
    /// Asks for the names of a kind that begin with a prefix.
    Names(NameKind, &'a str),
    /// Asks for the figures of the store.
    Statistics,
    /// Reads every byte of the log; deep: each event's place and names as well.
    Verify {
        /// Whether each event's place and names are checked as well.
        is_deep: bool,
    },
    /// Reads every byte of the index files.
    VerifyIndex,
    /// Asks which stores there are.
    ListStores,
    /// Asks for the receipt of the append that was made under a request id.
    FindReceipt(Uuid),
    /// Saves a snapshot.
    SaveSnapshot(SaveSnapshot<'a>),
    /// Drops the snapshots whose keys begin with a prefix.
    DropSnapshots(&'a str),
    /// Asks for the snapshots whose keys begin with a prefix.
    Snapshots(&'a str),
    /// Tells how projections are doing.
    TellProjections(Cow<'a, [ProjectionStatus]>),
    /// Asks what was told of the projections whose names begin with a prefix.
    Projections(&'a str),
    /// Waits until a projection has folded everything below a position.
    WaitForProjection(WaitForProjection<'a>),
    /// Asks whoever folds the projection of a name to try its parked events again.
    ReplayParked(&'a str),
}

impl<'a> Request<'a> {
    /// What the frame is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Hello(_) => Kind::Hello,
            Self::Ping => Kind::Ping,
            Self::Pong => Kind::Pong,
            Self::Credit(_) => Kind::Credit,
            Self::Cancel => Kind::Cancel,
            Self::Append(_) => Kind::Append,
            Self::CreateStore(_) => Kind::CreateStore,
            Self::RebuildIndex => Kind::RebuildIndex,
            Self::Read(_) => Kind::Read,
            Self::Standing(_) => Kind::AskStanding,
            Self::FindEvent(_) => Kind::FindEvent,
            Self::Names(..) => Kind::AskNames,
            Self::Statistics => Kind::AskStatistics,
            Self::Verify { .. } => Kind::Verify,
            Self::VerifyIndex => Kind::VerifyIndex,
            Self::ListStores => Kind::ListStores,
            Self::FindReceipt(_) => Kind::FindReceipt,
            Self::SaveSnapshot(_) => Kind::SaveSnapshot,
            Self::DropSnapshots(_) => Kind::DropSnapshots,
            Self::Snapshots(_) => Kind::AskSnapshots,
            Self::TellProjections(_) => Kind::TellProjections,
            Self::Projections(_) => Kind::AskProjections,
            Self::WaitForProjection(_) => Kind::WaitForProjection,
            Self::ReplayParked(_) => Kind::ReplayParked,
        }
    }

    /// Adds the request's frame to `out`.
    pub fn encode(&self, id: u64, out: &mut Vec<u8>) {
        put_frame(out, self.kind() as u8, id, |out| self.write(out));
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Hello(hello) => hello.write(out),
            Self::Credit(bytes) => out.put_u32(*bytes),
            Self::Append(append) => append.write(out),
            Self::CreateStore(text)
            | Self::DropSnapshots(text)
            | Self::Snapshots(text)
            | Self::Projections(text)
            | Self::ReplayParked(text) => out.put_text16(text),
            Self::SaveSnapshot(snapshot) => snapshot.write(out),
            Self::TellProjections(statuses) => write_statuses(out, statuses),
            Self::WaitForProjection(wait) => wait.write(out),
            Self::Read(read) => read.write(out),
            Self::Standing(standing) => standing.write(out),
            Self::FindEvent(id) | Self::FindReceipt(id) => out.put_uuid(*id),
            Self::Names(kind, prefix) => {
                write_kind(out, *kind);
                out.put_text16(prefix);
            }
            Self::Verify { is_deep } => out.put_bool(*is_deep),
            Self::Ping
            | Self::Pong
            | Self::Cancel
            | Self::RebuildIndex
            | Self::Statistics
            | Self::VerifyIndex
            | Self::ListStores => {}
        }
    }

    /// Reads a frame that a client sent.
    pub fn decode(frame: &Frame<'a>) -> Result<Self, FieldError> {
        let mut fields = FieldReader::new(frame.body);
        let unknown = || FieldError::UnknownKind { kind: frame.kind };
        let request = match Kind::of(frame.kind).ok_or_else(unknown)? {
            Kind::Hello => Self::Hello(Hello::read(&mut fields)?),
            Kind::Ping => Self::Ping,
            Kind::Pong => Self::Pong,
            Kind::Credit => Self::Credit(fields.u32("bytes")?),
            Kind::Cancel => Self::Cancel,
            Kind::Append => Self::Append(Append::read(&mut fields)?),
            Kind::CreateStore => Self::CreateStore(fields.text16("name")?),
            Kind::RebuildIndex => Self::RebuildIndex,
            Kind::Read => Self::Read(Box::new(ReadRequest::read(&mut fields)?)),
            Kind::AskStanding => Self::Standing(StandingRequest::read(&mut fields)?),
            Kind::FindEvent => Self::FindEvent(fields.uuid("id")?),
            Kind::AskNames => Self::Names(read_kind(&mut fields)?, fields.text16("prefix")?),
            Kind::AskStatistics => Self::Statistics,
            Kind::Verify => Self::Verify { is_deep: fields.bool("is_deep")? },
            Kind::VerifyIndex => Self::VerifyIndex,
            Kind::ListStores => Self::ListStores,
            Kind::FindReceipt => Self::FindReceipt(fields.uuid("request_id")?),
            Kind::SaveSnapshot => Self::SaveSnapshot(SaveSnapshot::read(&mut fields)?),
            Kind::DropSnapshots => Self::DropSnapshots(fields.text16("prefix")?),
            Kind::AskSnapshots => Self::Snapshots(fields.text16("prefix")?),
            Kind::TellProjections => Self::TellProjections(Cow::Owned(read_statuses(&mut fields)?)),
            Kind::AskProjections => Self::Projections(fields.text16("prefix")?),
            Kind::WaitForProjection => Self::WaitForProjection(WaitForProjection::read(&mut fields)?),
            Kind::ReplayParked => Self::ReplayParked(read_name(&mut fields)?),
            _ => return Err(unknown()),
        };
        fields.end(request)
    }
}
