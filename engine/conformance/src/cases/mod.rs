//! Examples, one a sentence of the contract. Each makes stores of its own.
//!
//! ```text
//!  appending    receipts, durabilities, tickets, lives
//!  revisions    checks of streams, and what a conflict tells
//!  conditions   checks that nothing matches a query
//!  missed       the events that a conflict brings
//!  retries      requests made again, by their ids and by their events' ids
//!  bounds       what is refused before it is judged
//!  contents     payloads, metadata, times, ids
//!  naming       names that people, and attackers, give
//!  reading      what, from where, in which direction, how many
//!  cursors      heads, times, costs; cursors that are many or left
//!  listing      names with their counts, events by their ids
//!  snapshots    saved fold states, and the events after them
//!  subscribing  what is there, then what comes
//!  projections  what a store is told of those who fold, and who waits for them
//!  pacing       how far a subscription says it has come
//! ```

pub mod appending;
pub mod bounds;
pub mod conditions;
pub mod contents;
pub mod cursors;
pub mod listing;
pub mod missed;
pub mod naming;
pub mod pacing;
pub mod projections;
pub mod reading;
pub mod retries;
pub mod revisions;
pub mod snapshots;
pub mod subscribing;
