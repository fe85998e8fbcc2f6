//! The frames of the gesta protocol: a codec without sockets, the same for both ends.
//!
//! ```text
//!  frame      header 16 | body        FrameHeader, FrameBuffer
//!  requests   what a client sends     Hello, Append, Read, ...        Request
//!  answers    what a server sends     Welcome, Receipt, Events, ...   Answer
//!  refusal    why it did not do it    Refusal, Code
//!  fields     numbers and texts in a body
//! ```
//!
//! Both ends take what they are sent for hostile: a length is believed within its limit alone, and nothing is allocated
//! for bytes that have not come. docs/PROTOCOL.md is the page for people; it carries a hash of this folder.
#![forbid(unsafe_code)]

mod answer;
mod append;
mod conflict;
mod events;
mod fields;
mod frame;
mod frame_buffer;
mod hello;
mod kind;
mod names;
mod plane;
mod projections;
mod read;
mod receipt;
mod refusal;
mod reports;
mod request;
mod snapshots;
mod standing;
mod welcome;

pub use answer::{Answer, Begun, Ended};
pub use append::Append;
pub use events::{Batches, Events, EventsEncoder, SentBatch, SentEvent};
pub use fields::FieldError;
pub use frame::{ANSWER_BYTES_MAX, FRAME_HEADER_BYTES, FrameError, FrameHeader};
pub use frame_buffer::{Frame, FrameBuffer};
pub use hello::{Hello, VERSION};
pub use kind::Kind;
pub use names::NamesPart;
pub use plane::Plane;
pub use projections::{ProjectionsPart, TOLD_MAX, WaitForProjection};
pub use read::ReadRequest;
pub use refusal::{Code, Detail, Refusal};
pub use reports::{IndexFindings, LogFindings, Work};
pub use request::Request;
pub use snapshots::{SaveSnapshot, SnapshotsPart};
pub use standing::{Standing, StandingRequest};
pub use welcome::Welcome;
