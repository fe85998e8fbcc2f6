//! Where queries are answered from.

use super::{Checkpoint, CommitError, Parked, Part, ProjectError, Role, Serving, Step};
use gesta_model::ProjectionId;
use std::error::Error;

/// Writes rows of a read model, told what the version is to those who ask.
pub type Work<'w, M> = dyn FnMut(&mut <M as ReadModel>::Rows<'_>, Role) -> Result<(), ProjectError> + 'w;

/// Rows that answer queries, and how far they have come: both change in one transaction.
///
/// What must stay true of each implementation: after a crash at any moment the rows are those of the checkpoint; and of two
/// runners that both hold a projection for theirs, one commits and the other is told [`CommitError::Moved`].
pub trait ReadModel: Send + 'static {
    /// What a projection writes its rows through: a transaction.
    type Rows<'t>;
    /// Why the read model fails.
    type Error: Error + Send + Sync + 'static;

    /// Takes a projection for this runner alone, until the read model is dropped; `false` while another one has it.
    fn claim(&mut self, projection: &ProjectionId) -> Result<bool, Self::Error>;

    /// How far a projection has come; `None` before its first step.
    fn checkpoint(&mut self, projection: &ProjectionId) -> Result<Option<Checkpoint>, Self::Error>;

    /// Which version of a projection serves, and how far that one has come; `None` before the first. A read model that holds
    /// one version alone says `None` always.
    fn serving(&mut self, name: &str) -> Result<Option<Serving>, Self::Error> {
        let _ = name;
        Ok(None)
    }

    /// The parts of a rebuild that have begun, and how far they have come. A read model that cannot be rebuilt in parts has
    /// none ever.
    fn parts(&mut self, projection: &ProjectionId) -> Result<Vec<(Part, Checkpoint)>, Self::Error> {
        let _ = projection;
        Ok(Vec::new())
    }

    /// How many events are worth a step. One, where what was begun cannot be undone.
    fn events_at_once(&self) -> usize {
        usize::MAX
    }

    /// Has `work` write rows, told what this version is to those who ask ([`Step::role`]), and commits them with the step, or
    /// neither. A version that takes over serves with that same commit.
    fn commit(&mut self, step: &Step<'_>, work: &mut Work<'_, Self>) -> Result<Role, CommitError<Self::Error>>;

    /// The events of a projection that are parked, in their order.
    fn parked(&mut self, projection: &ProjectionId) -> Result<Vec<Parked>, Self::Error>;
}
