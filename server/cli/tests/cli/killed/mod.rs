//! The real server killed, ended and held up while eight processes append and read, and a ninth follows everything.
//!
//! ```text
//!  trials        what is done to the server                                the tests
//!  money         commands and read models on top of all that
//!  trial         everybody started, dismissed, and judged by the log
//!  served        the server as a process, on ports that it keeps
//!  memory_limit  the memory that it may have
//!  crew          the other processes, and what they wrote put together
//!  caller        one that appends and reads           } each writes down what it asked
//!  follower      the one that follows                 } before, and what it was told after
//!  beliefs       what a caller believes of the log
//!  dice          chance, the same each time
//! ```

mod beliefs;
mod caller;
mod crew;
mod dice;
mod follower;
mod memory_limit;
mod money;
mod served;
mod trial;
mod trials;
