//! The side of a read model that queries see.

use gesta_model::Position;
use std::error::Error;

/// The side of a read model that queries see: rows, and how far they have come, of one moment.
pub trait ReadView {
    /// What questions look at.
    type Rows: ?Sized;
    /// Why the read model fails.
    type Error: Error + Send + Sync + 'static;

    /// Looks at the rows of a projection, and at the position below which every event is folded into them; of several versions,
    /// it is that of the one which serves.
    fn look<T>(&self, projection: &str, look: impl FnOnce(&Self::Rows) -> T) -> Result<(T, Position), Self::Error>;

    /// How far the rows of a projection have come.
    fn position(&self, projection: &str) -> Result<Position, Self::Error> {
        self.look(projection, |_| ()).map(|((), position)| position)
    }
}
