//! The real server and its clients on two machines, with a line between them that delays, loses and is cut.
//!
//! ```text
//!  line      two network namespaces, and the line between them
//!  relay.py  the line itself: packets from one device to the other, or not
//!  hall      the server at one end, clients at the other
//!  trials    what is done to the line, and what must be true after
//! ```

mod hall;
mod line;
mod trials;
