//! What an enum must say of itself to be the events of a domain.

use super::{Labels, OldEvent};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The events of one domain: an enum, one variant a type of event.
///
/// The variant's name, as serde writes it, is the event's type, so a variant is renamed with `#[serde(rename)]` or
/// `#[serde(alias)]` and its name in the code is free. The enum is derived as it is, without `#[serde(tag)]` or
/// `#[serde(untagged)]`. What serde writes it must be able to read: a number that is none (`f64::NAN`) is written as `null`,
/// and a field that is left out needs a default.
///
/// ```
/// use gesta_cqrs::{DomainEvent, Labels};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Debug, Serialize, Deserialize)]
/// enum AccountEvent {
///     Opened { account: String },
///     Deposited { account: String, cents: u64 },
/// }
///
/// impl DomainEvent for AccountEvent {
///     fn describe(&self, labels: &mut Labels) {
///         let (Self::Opened { account } | Self::Deposited { account, .. }) = self;
///         labels.stream("account", account).tag("account", account);
///     }
/// }
/// ```
pub trait DomainEvent: Serialize + DeserializeOwned {
    /// What happens to an event of the store whose type is no variant.
    const UNKNOWN: UnknownType = UnknownType::Refuse;

    /// Says where the event belongs: its stream, its tags, when it happened.
    ///
    /// Without a stream it goes to the one stream of its command's [`Boundary`](crate::Boundary), if that is one stream.
    fn describe(&self, labels: &mut Labels) {
        let _ = labels;
    }

    /// The number of the shape that events of a type are written in today. Raise it when the shape changes, and teach
    /// [`DomainEvent::upcast`] the step from the number before.
    #[must_use]
    fn schema(event_type: &str) -> u32 {
        let _ = event_type;
        1
    }

    /// Brings an event from the schema number it has to the next one. The error says why that cannot be done.
    fn upcast(old: &mut OldEvent) -> Result<(), String> {
        Err(format!("there is no step from schema {} to the next one: write it in upcast", old.schema))
    }
}

/// What happens to events of a type that the enum does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnknownType {
    /// Reading them is an error.
    Refuse,
    /// They are passed by.
    Skip,
}
