//! What has become of a command, for somebody who cannot ask a person.

use crate::{HandleError, Handled, ProjectError, TryLater};
use gesta_model::AppendError;

/// Whether a command was followed or refused; any other outcome is to be tried again.
///
/// What cannot get better by itself, such as an event that cannot be read, is an error that parks the event.
pub fn settled<E, R>(outcome: Result<Handled<E>, HandleError<R>>) -> Result<Result<Handled<E>, R>, ProjectError> {
    match outcome {
        Ok(handled) => Ok(Ok(handled)),
        Err(HandleError::Refused(refusal)) => Ok(Err(refusal)),
        Err(HandleError::Conflict { attempts, conflict }) => {
            Err(TryLater(format!("a conflict each of {attempts} times: {conflict}").into()).into())
        }
        Err(HandleError::Read(error)) => Err(TryLater(error.into()).into()),
        // These stay as they are, however often they are tried.
        Err(HandleError::Append(
            error @ (AppendError::Request(_) | AppendError::RequestIdReused { .. } | AppendError::PartialMatch { .. }),
        )) => Err(error.into()),
        Err(HandleError::Append(error)) => Err(TryLater(error.into()).into()),
        Err(HandleError::Boundary(error)) => Err(error.into()),
        Err(HandleError::Decode(error)) => Err(error.into()),
        Err(HandleError::Encode(error)) => Err(error.into()),
        Err(HandleError::NoStream { event_type }) => Err(format!("the event {event_type:?} names no stream").into()),
        Err(HandleError::Panicked(said)) => Err(format!("the domain's code panicked: {said}").into()),
    }
}
