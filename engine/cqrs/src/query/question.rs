//! What can be asked of a read model.

use std::error::Error;

/// A typed query to a read model, which looks at `Rows`: a database connection, or the value that a read model in memory
/// holds. It is called a question, because a query selects events of a store.
pub trait Question<Rows: ?Sized> {
    /// What it is answered with.
    type Answer;

    /// Its name among the figures.
    fn name(&self) -> &str;

    /// Looks at the rows, which it does not change.
    fn answer(&self, rows: &Rows) -> Result<Self::Answer, Box<dyn Error + Send + Sync>>;
}
