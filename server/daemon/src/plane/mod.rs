//! What both planes have in common: a port, who is let in, and frames in and out.
//!
//! ```text
//!  listen      accepts connections, as many as the door lets in
//!  door        counts connections, in all and from each address
//!  transport   plain or encrypted
//!  incoming    bytes -> frames, each in its time
//!  handshake   hello -> Session { who, which store } | refusal
//!  ids         one under way has its id for itself
//!  room        what large frames may take up
//!  parting     how a connection ends
//!  patience    waiting until a deadline, also across a standstill
//!  progress    how far long work has come, now and then
//! ```

mod door;
mod handshake;
mod ids;
mod incoming;
mod listen;
mod parting;
mod patience;
mod progress;
mod room;
mod session;
mod transport;

pub(crate) use handshake::internal;
pub(crate) use ids::{IdInUse, IdsInUse};
pub(crate) use incoming::Incoming;
pub(crate) use listen::{Port, hear_out, listen, part, tell_of};
pub(crate) use parting::Parting;
pub(crate) use patience::wait_for;
pub(crate) use progress::now_and_then;
pub(crate) use room::Room;
pub(crate) use session::{Session, denied};
pub(crate) use transport::Sending;
