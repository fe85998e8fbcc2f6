//! Typed events: an enum of the domain becomes events of the store, and comes back.
//!
//! ```text
//!  enum AccountEvent                     event of the store
//!    Deposited { account, cents }  <->   type      Deposited              the variant's name
//!                                        data      {"account":..}         its content, as JSON
//!                                        metadata  {"schema":2}           unless the schema number is 1
//!                                        stream, tags                     what DomainEvent::describe says
//!                                            |
//!                        older schema:       +--> DomainEvent::upcast, one number at a time
//! ```
//!
//! What must stay true: what was written once can be read for ever. So an event is read by its stored type and schema number,
//! never by guessing, and what cannot be read is an error that names the position.

mod decode;
mod domain_event;
mod encode;
mod error;
mod golden;
mod labels;
mod old_event;
mod recorded;
mod variant;

pub use decode::decode;
pub use domain_event::{DomainEvent, UnknownType};
pub use encode::encode;
pub use error::{DecodeError, DecodeFailure, EncodeError};
pub use golden::{GoldenError, check_golden};
pub use labels::Labels;
pub use old_event::OldEvent;
pub use recorded::Recorded;
pub use variant::event_types;
