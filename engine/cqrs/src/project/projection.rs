//! What folds events into rows.

use super::ReadModel;
use crate::{DomainEvent, Recorded, event_types};
use gesta_model::{EventType, Query, QueryItem};
use std::error::Error;

/// Why a projection cannot fold an event: whatever it says.
pub type ProjectError = Box<dyn Error + Send + Sync>;

/// Folds the events of a domain into rows of a read model.
///
/// A projection sees each event once and in order, as far as its rows can tell. When what it does changes, its version
/// does: the new version begins with rows of its own, in tables of other names or another schema, beside those of the
/// version that serves. It folds up to where that one stands and takes over in the step that gets there; the earlier version
/// is folded no more. A version never serves again: old code that is to come back gets a new number.
pub trait Projection: Send + 'static {
    /// The events that it knows: decoded by one thread, folded by another.
    type Event: DomainEvent + Send;
    /// Where its rows are.
    type Model: ReadModel;

    /// Its name, the same for all versions.
    fn name(&self) -> &str;

    /// Its version.
    fn version(&self) -> u32 {
        1
    }

    /// Which events are folded: those of the types that it knows, unless said otherwise.
    fn query(&self) -> Query {
        query_of_types::<Self::Event>()
    }

    /// How many events are folded in one step at most.
    fn events_at_once(&self) -> usize {
        usize::MAX
    }

    /// Makes tables and whatever else has to be there before the first event.
    fn set_up(&self, rows: &mut <Self::Model as ReadModel>::Rows<'_>) -> Result<(), ProjectError>;

    /// Makes the rows of this version those that queries see: a view with a name of its own, say. Called in the step in which
    /// the version takes over from an earlier one, or begins as the first.
    fn take_over(&self, rows: &mut <Self::Model as ReadModel>::Rows<'_>) -> Result<(), ProjectError> {
        let _ = rows;
        Ok(())
    }

    /// Folds an event. What shows outside of the rows, such as a message that is sent, is for [news](Recorded::is_news)
    /// alone; it may be done again when the step fails.
    fn project(
        &self,
        rows: &mut <Self::Model as ReadModel>::Rows<'_>,
        event: &Recorded<'_, Self::Event>,
    ) -> Result<(), ProjectError>;
}

/// The events of all types of a domain; everything, where these cannot be told.
pub(crate) fn query_of_types<E: DomainEvent>() -> Query {
    let types = event_types::<E>().unwrap_or_default().iter();
    let item = types.filter_map(|name| EventType::new(*name).ok()).fold(QueryItem::new(), QueryItem::event_type);
    if item.is_empty() { Query::everything() } else { Query::new([item]).unwrap_or_else(|_| Query::everything()) }
}
