//! The client for programs without a runtime: one of its own beneath, and [`gesta_model::EventStore`] on top.

mod client;
mod cursor;
mod subscription;
mod ticket;
mod turns;
mod worker;

pub use client::BlockingClient;
pub use cursor::BlockingCursor;
pub use subscription::BlockingSubscription;
pub use ticket::BlockingTicket;
