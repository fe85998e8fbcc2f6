//! Frames taken apart as an end does it, and what they say in words.

use crate::samples::End;
use gesta_protocol::{Answer, FieldError, FrameBuffer, FrameError, Kind, Request};

/// Why bytes are not one frame of an end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Frame(FrameError),
    Field(FieldError),
    /// A frame that never ends.
    CutOff,
}

/// What one frame says: its kind, its id, every field in words, and its bytes when it is encoded again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) kind: Kind,
    pub(crate) id: u64,
    pub(crate) words: String,
    pub(crate) again: Vec<u8>,
}

/// Takes a frame of an end as the other end does.
pub(crate) fn take(end: End, bytes: &[u8]) -> Result<Said, Fault> {
    let mut buffer = FrameBuffer::new(1 << 20);
    buffer.extend(bytes);
    let frame = buffer.next_frame().map_err(Fault::Frame)?.ok_or(Fault::CutOff)?;
    let (id, mut again) = (frame.id, Vec::new());
    let (kind, words) = match end {
        End::Client => {
            let request = Request::decode(&frame).map_err(Fault::Field)?;
            request.encode(id, &mut again);
            (request.kind(), format!("{request:?}"))
        }
        End::Server => {
            let answer = Answer::decode(&frame).map_err(Fault::Field)?;
            look_through(&answer).map_err(Fault::Field)?;
            answer.encode(id, &mut again);
            (answer.kind(), format!("{answer:?}"))
        }
    };
    Ok(Said { kind, id, words, again })
}

/// Takes every event that an answer brings, as a client would.
fn look_through(answer: &Answer<'_>) -> Result<(), FieldError> {
    match answer {
        Answer::Events(events) => events.clone().try_for_each(|event| event.map(|_| ())),
        Answer::Batches(batches) => batches.clone().try_for_each(|batch| batch.map(|_| ())),
        _ => Ok(()),
    }
}
