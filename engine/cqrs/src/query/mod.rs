//! Queries: typed questions, answered from a read model, with the position that the answer is true for.
//!
//! ```text
//!  question ──► QueryHandler ──► a look at the rows and their checkpoint, both of one moment ──► answer, position
//!                    └── how long it took ──► Figures: t_q by question, beside t_c by command
//! ```
//!
//! What must stay true: an answer and its position are of the same moment of the read model.

mod figures;
mod handler;
mod question;
mod read_view;

pub use figures::{Figures, Percentiles};
pub use handler::{Answered, AskError, QueryHandler};
pub use question::Question;
pub use read_view::ReadView;
