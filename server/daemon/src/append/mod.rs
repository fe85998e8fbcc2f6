//! The append plane: commands come in, one order goes out.
//!
//! ```text
//!  frames -> requests -> sequencer of the store      in the order of each connection
//!                             |  one commit for all connections
//!  frames <- answers  <- tickets                     as they are done
//! ```
//!
//! What must stay true: a request that the store took is answered, unless its connection has gone; and nothing that a
//! connection does can hold up another one for longer than a commit.

mod answers;
mod requests;
mod serve;
mod under_way;

pub(crate) use serve::serve;
