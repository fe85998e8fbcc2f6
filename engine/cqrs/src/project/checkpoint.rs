//! How far a projection has come, in which store, and what that is to those who ask.

use super::Parked;
use gesta_model::{Position, ProjectionId, Uuid};
use std::cmp::Ordering;

/// How far a projection has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The store whose events were folded.
    pub store_id: Uuid,
    /// Every event below it was folded or parked, or is not of the projection.
    pub position: Position,
}

impl Checkpoint {
    /// Whether nothing is folded yet.
    #[must_use]
    pub fn is_start(self) -> bool {
        self.position == Position::START
    }
}

/// The version of a projection that queries are answered from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Serving {
    /// The version.
    pub version: u32,
    /// How far it has come.
    pub checkpoint: Checkpoint,
}

/// A share of the events in a rebuild: what belongs together is in one part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Part {
    /// Which part, from 0 on.
    pub ordinal: u32,
    /// How many there are.
    pub count: u32,
    /// What keeps events together, as a number: the same for the same key.
    pub key: u32,
}

/// Whose checkpoint a step moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The projection's.
    Whole,
    /// That of a part of a rebuild. The projection's own stays where it is, which is at the start.
    Part(Part),
    /// The projection's, to where all parts have come, which are parts no longer.
    Join,
}

/// What a read model commits beside the rows.
#[derive(Clone, Copy, Debug)]
pub struct Step<'s> {
    /// Whose rows these are.
    pub projection: &'s ProjectionId,
    /// Whose checkpoint is moved.
    pub scope: Scope,
    /// Where it stands before; `None` when it has not begun.
    pub from: Option<Checkpoint>,
    /// Where it stands after.
    pub to: Checkpoint,
    /// Events that were passed by for the time being.
    pub parked: &'s [Parked],
    /// Positions of events that are parked no longer: their rows are in this step.
    pub unparked: &'s [Position],
}

/// What a version is to those who ask, as of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It serves: what it folds is seen.
    Serves,
    /// An earlier version serves, and has come further than this step; or it is a step of a part.
    Builds,
    /// No version serves yet, or this step comes to where the earlier one stands that does: from here on, this one serves.
    TakesOver,
}

impl Step<'_> {
    /// What the version of this step is, beside the one that serves; the error is a later version, which has taken over.
    ///
    /// A read model asks it within the transaction of the step, while nobody can move the checkpoint of either.
    pub fn role(&self, serving: Option<Serving>) -> Result<Role, u32> {
        if matches!(self.scope, Scope::Part(_)) {
            return Ok(Role::Builds);
        }
        let Some(Serving { version, checkpoint }) = serving else { return Ok(Role::TakesOver) };
        match version.cmp(&self.projection.version) {
            Ordering::Equal => Ok(Role::Serves),
            Ordering::Greater => Err(version),
            Ordering::Less if checkpoint.position <= self.to.position => Ok(Role::TakesOver),
            Ordering::Less => Ok(Role::Builds),
        }
    }
}
