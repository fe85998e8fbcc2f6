//! Which events are meant: the one vocabulary of reads across streams and of conditions on appends.
//!
//! ```text
//!  query   item | item | ...        any of them
//!  item    types  tags  stream  category
//!          any of all of            all that are given
//! ```
//!
//! What matches is said once, in [`Query::matches`]; an index may find events faster, and is checked against it. The text
//! form, `type=A,B tag=key:value | stream=S`, always comes back as the same query.

mod display;
mod item;
mod json_string;
#[expect(clippy::module_inception, reason = "the folder's main type has its own file, as everywhere")]
mod query;
mod text;

pub use item::QueryItem;
pub use query::{Query, QueryError};
pub use text::QueryTextError;
