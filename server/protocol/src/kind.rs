//! What the body of a frame is. The numbers are for ever.

macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $name:ident = $code:literal,)+) => {
        /// What the body of a frame is.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        #[non_exhaustive]
        pub enum Kind {
            $($(#[doc = $doc])+ $name = $code,)+
        }

        impl Kind {
            /// The kind with a number, if this version knows it.
            #[must_use]
            pub fn of(code: u8) -> Option<Self> {
                match code {
                    $($code => Some(Self::$name),)+
                    _ => None,
                }
            }
        }
    };
}

kinds! {
    /// Opens a connection, by the client.
    Hello = 0x01,
    /// Asks for a sign of life, by either end.
    Ping = 0x02,
    /// Is a sign of life, by either end.
    Pong = 0x03,
    /// Lets the server send more of a read.
    Credit = 0x04,
    /// Ends a read early.
    Cancel = 0x05,
    /// Appends events.
    Append = 0x10,
    /// Makes a store, by an operator.
    CreateStore = 0x11,
    /// Makes the index files anew, by an operator.
    RebuildIndex = 0x12,
    /// Saves a snapshot.
    SaveSnapshot = 0x13,
    /// Drops snapshots, by an operator.
    DropSnapshots = 0x14,
    /// Reads events, once or for good.
    Read = 0x20,
    /// Asks where the log or a stream stands.
    AskStanding = 0x21,
    /// Asks for the event with an id.
    FindEvent = 0x22,
    /// Asks for the names that events have.
    AskNames = 0x23,
    /// Asks for the figures of the store.
    AskStatistics = 0x24,
    /// Reads every byte of the log, by an operator.
    Verify = 0x25,
    /// Reads every byte of the index files, by an operator.
    VerifyIndex = 0x26,
    /// Asks which stores there are, by an operator.
    ListStores = 0x27,
    /// Asks for the receipt of the append that was made under a request id.
    FindReceipt = 0x28,
    /// Asks which snapshots there are.
    AskSnapshots = 0x29,
    /// Tells how projections are doing, by whoever folds them.
    TellProjections = 0x2a,
    /// Asks what was told of projections.
    AskProjections = 0x2b,
    /// Waits until a projection has folded everything below a position.
    WaitForProjection = 0x2c,
    /// Asks whoever folds a projection to try its parked events again.
    ReplayParked = 0x2d,
    /// Opens a connection, by the server.
    Welcome = 0x81,
    /// Says why a request or the connection ends.
    Refused = 0x82,
    /// Says that the server stops: no new requests, connect again later.
    Closing = 0x83,
    /// Says that a request without an answer of its own is done.
    Done = 0x84,
    /// Says how far long work has come.
    Working = 0x85,
    /// Answers an append that was made.
    Receipt = 0x90,
    /// Answers an append whose checks did not hold.
    Conflict = 0x91,
    /// Says how many snapshots were dropped.
    Dropped = 0x92,
    /// Begins the answer to a read.
    Begun = 0xa0,
    /// Holds events, each with its place.
    Events = 0xa1,
    /// Holds whole batches as they lie in the log.
    Batches = 0xa2,
    /// Says that positions of a read are damaged; the read goes on beyond.
    Damaged = 0xa3,
    /// Says that everything up to the head was sent.
    CaughtUp = 0xa4,
    /// Says that a subscription that had caught up is behind again.
    FellBehind = 0xa5,
    /// Says how far a subscription has come although nothing matched.
    Progress = 0xa6,
    /// Ends a subscription whose reader was too slow.
    TooSlow = 0xa7,
    /// Ends a read that is complete.
    Ended = 0xa8,
    /// Holds the snapshot that a read asked for, or says that there is none.
    Snapshot = 0xa9,
    /// Says where the log or a stream stands.
    Standing = 0xb0,
    /// Holds names, or some of them.
    Names = 0xb1,
    /// Holds the figures of the store.
    Statistics = 0xb2,
    /// Says what reading the log found.
    LogFindings = 0xb3,
    /// Says what reading the index files found.
    IndexFindings = 0xb4,
    /// Holds the names of the stores.
    Stores = 0xb5,
    /// Says which snapshots there are, or some of them.
    Snapshots = 0xb6,
    /// Says which projections' parked events are to be tried again.
    Told = 0xb7,
    /// Says what was told of projections, or of some of them.
    Projections = 0xb8,
}
