//! What a subscription says.

use crate::{Position, Record};

/// An event, or how far a subscription has come.
///
/// Every notice has a position, and means the same by it: everything below it was handed out, or is not of this
/// subscription. A checkpoint may be taken there, and a subscription that begins there gets exactly the rest.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Notice<'s> {
    /// The next event.
    Event(Record<'s>),
    /// Everything up to the head has been handed out: from now on events come as they are appended. Said once, and once
    /// more after each [`Notice::FellBehind`].
    CaughtUp(Position),
    /// Having caught up, the subscription is behind again: the event that comes next is further below the head than
    /// [`Pace::behind_after`](crate::Pace::behind_after) says.
    FellBehind(Position),
    /// Nothing matched for a while; see [`Pace::progress_every`](crate::Pace::progress_every).
    Progress(Position),
    /// Nothing was to be said before the timeout came.
    TimedOut(Position),
    /// As many events have been handed out as the read asked for, or it has come to where the read ends: nothing else will
    /// come.
    Ended(Position),
}

impl Notice<'_> {
    /// Everything below it was handed out, this event included, or is not of this subscription.
    #[must_use]
    pub fn position(&self) -> Position {
        match self {
            Self::Event(record) => record.position().plus(1),
            Self::CaughtUp(position)
            | Self::FellBehind(position)
            | Self::Progress(position)
            | Self::TimedOut(position)
            | Self::Ended(position) => *position,
        }
    }
}
