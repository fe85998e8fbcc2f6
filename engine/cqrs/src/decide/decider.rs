//! What decides about commands.

use super::Boundary;
use crate::DomainEvent;

/// A part of the domain that decides about commands: three pure functions.
///
/// ```
/// use gesta_cqrs::{Boundary, Decider, DomainEvent, Labels, given};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Debug, PartialEq, Serialize, Deserialize)]
/// enum SeatEvent {
///     Reserved { seat: String, by: String },
///     Released { seat: String },
/// }
///
/// impl DomainEvent for SeatEvent {
///     fn describe(&self, labels: &mut Labels) {
///         let (Self::Reserved { seat, .. } | Self::Released { seat }) = self;
///         labels.stream("seat", seat);
///     }
/// }
///
/// struct Reserve { seat: String, by: String }
///
/// #[derive(Debug, PartialEq)]
/// struct Taken;
///
/// struct Seats;
///
/// impl Decider for Seats {
///     type Command = Reserve;
///     type Event = SeatEvent;
///     type State = bool; // whether it is taken
///     type Refusal = Taken;
///
///     fn boundary(command: &Reserve) -> Boundary {
///         Boundary::stream("seat", &command.seat)
///     }
///
///     fn decide(is_taken: &bool, command: &Reserve) -> Result<Vec<SeatEvent>, Taken> {
///         if *is_taken {
///             return Err(Taken);
///         }
///         Ok(vec![SeatEvent::Reserved { seat: command.seat.clone(), by: command.by.clone() }])
///     }
///
///     fn evolve(is_taken: &mut bool, event: &SeatEvent) {
///         *is_taken = matches!(event, SeatEvent::Reserved { .. });
///     }
/// }
///
/// let reserve = || Reserve { seat: "12A".into(), by: "ada".into() };
/// let reserved = || SeatEvent::Reserved { seat: "12A".into(), by: "ada".into() };
/// given::<Seats>([]).when(reserve()).then([reserved()]);
/// given::<Seats>([reserved()]).when(reserve()).then_refused(&Taken);
/// ```
pub trait Decider {
    /// An intent, which may be refused.
    type Command;
    /// What can happen.
    type Event: DomainEvent;
    /// What has to be known to decide; `default()` before anything has happened.
    type State: Default;
    /// Why a command is not followed.
    type Refusal;

    /// The events that the decision about a command rests on: it holds only if no other one comes among them meanwhile.
    fn boundary(command: &Self::Command) -> Boundary;

    /// What a command leads to: events, none if everything is as it should be, or a refusal.
    fn decide(state: &Self::State, command: &Self::Command) -> Result<Vec<Self::Event>, Self::Refusal>;

    /// What is known once an event has happened.
    fn evolve(state: &mut Self::State, event: &Self::Event);
}
