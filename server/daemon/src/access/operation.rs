//! Everything that a client can ask for, as far as it matters who may.

/// Something that a client asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// To say who it is.
    Hello,
    /// To append.
    Append,
    /// To append, and to be shown the events that it missed when a check fails.
    AppendReturningMissed,
    /// To read events.
    Read,
    /// To be sent events as they come.
    Subscribe,
    /// How far things stand: the head, the revision of a stream, the event of an id, the receipt of a request.
    Standing,
    /// The names of streams and types.
    Names,
    /// Counts and sizes.
    Statistics,
    /// To have the log read and checked.
    Verify,
    /// To have the index checked against the log.
    VerifyIndex,
    /// To have the index made anew.
    RebuildIndex,
    /// To make a store.
    CreateStore,
    /// Which stores there are.
    ListStores,
    /// To save a snapshot. To load one is to read.
    SaveSnapshot,
    /// Which snapshots there are.
    ListSnapshots,
    /// To drop snapshots.
    DropSnapshots,
    /// To tell how projections are doing.
    TellProjections,
    /// What was told of projections.
    ListProjections,
    /// To wait until a projection has come to a position.
    WaitForProjection,
    /// To have a projection's parked events tried again.
    ReplayParked,
}

impl Operation {
    /// Every operation.
    pub const ALL: [Self; 20] = [
        Self::Hello,
        Self::Append,
        Self::AppendReturningMissed,
        Self::Read,
        Self::Subscribe,
        Self::Standing,
        Self::Names,
        Self::Statistics,
        Self::Verify,
        Self::VerifyIndex,
        Self::RebuildIndex,
        Self::CreateStore,
        Self::ListStores,
        Self::SaveSnapshot,
        Self::ListSnapshots,
        Self::DropSnapshots,
        Self::TellProjections,
        Self::ListProjections,
        Self::WaitForProjection,
        Self::ReplayParked,
    ];
}
