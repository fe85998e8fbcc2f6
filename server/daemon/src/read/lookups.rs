//! Questions that are answered from what is known. An answer is a few frames, made as they are sent.

use super::course::without_directories;
use crate::access::{Grant, Operation};
use crate::host::Host;
use crate::observe::{Snapshot, StoreSnapshot};
use crate::plane::internal;
use crate::stores::OpenStore;
use gesta::{NameKind, ProjectionBoard, ProjectionStatus, ReadError, Uuid, WaitError};
use gesta_protocol::{
    Answer, Code, Ended, EventsEncoder, NamesPart, ProjectionsPart, Refusal, SnapshotsPart, Standing, StandingRequest,
};
use jiff::Timestamp;
use serde::Serialize;
use std::sync::Arc;

/// What a lookup needs.
pub(super) struct Lookup {
    pub(super) host: Arc<Host>,
    pub(super) store: Arc<OpenStore>,
    pub(super) grant: Grant,
}

/// The frames of an answer, in their order. Each is made when the one before it was put on its way.
pub(super) type Frames = Box<dyn Iterator<Item = Vec<u8>> + Send>;

/// How much of a list goes into one frame.
const LISTED_IN_FRAME: usize = 1000;

/// An answer of one frame.
pub(super) fn one(frame: Vec<u8>) -> Frames {
    Box::new(std::iter::once(frame))
}

/// Where the log and a stream stand.
pub(super) fn standing(store: &OpenStore, asked: &StandingRequest) -> Answer<'static> {
    let revision = match &asked.stream {
        Some(stream) => store.reader.stream_revision(stream),
        None => Ok(None),
    };
    match revision {
        Ok(revision) => Answer::Standing(Standing {
            head: store.reader.head(),
            incarnation: store.store.incarnation(),
            is_lost: asked.given.is_some_and(|(given_in, position)| store.store.is_lost(given_in, position)),
            revision,
        }),
        Err(error) => failed(error),
    }
}

/// The event with an id, if there is one.
pub(super) fn event(lookup: &Lookup, event: Uuid, id: u64) -> Frames {
    // As of before the look: of what was appended meanwhile, nothing is claimed.
    let position = lookup.store.reader.head();
    match lookup.store.reader.event(event) {
        Ok(found) => {
            let mut encoder = EventsEncoder::events(id);
            if let Some(found) = &found {
                encoder.event(found.recorded_at(), &found.record());
            }
            let mut frames = encoder.finish();
            Answer::Ended(Ended { position, explanation: gesta::Explanation::default() }).encode(id, &mut frames);
            one(frames)
        }
        Err(error) => one(failed(error).frame(id)),
    }
}

/// The receipt of the append that was made under a request id, if there was one.
pub(super) fn receipt(lookup: &Lookup, request: Uuid, id: u64) -> Frames {
    let answer = match lookup.store.reader.receipt(request) {
        Ok(Some(receipt)) => Answer::Receipt(receipt),
        Ok(None) => Answer::Done,
        Err(error) => failed(error),
    };
    one(answer.frame(id))
}

/// The names of a kind, in as many frames as they take.
pub(super) fn names(lookup: &Lookup, kind: NameKind, prefix: &str, id: u64) -> Frames {
    match lookup.store.reader.names(kind, prefix) {
        Ok(names) => in_parts(names, move |has_more, names| Answer::Names(NamesPart { has_more, names }).frame(id)),
        Err(error) => one(failed(error).frame(id)),
    }
}

/// The snapshots whose keys begin with a prefix, in as many frames as they take.
pub(super) fn snapshots(lookup: &Lookup, prefix: &str, id: u64) -> Frames {
    in_parts(lookup.store.reader.snapshots(prefix), move |has_more, snapshots| {
        Answer::Snapshots(SnapshotsPart { has_more, snapshots }).frame(id)
    })
}

/// Takes in how projections are doing, and says whose parked events are to be tried again.
pub(super) fn tell_projections(lookup: &Lookup, statuses: &[ProjectionStatus], id: u64) -> Frames {
    let answer = match ProjectionBoard::tell_projections(&lookup.store.reader, statuses) {
        Ok(names) => Answer::Told(names),
        Err(error) => failed(error),
    };
    lookup.store.told.send_replace(());
    one(answer.frame(id))
}

/// What was told of the projections whose names begin with a prefix, in as many frames as it takes.
pub(super) fn projections(lookup: &Lookup, prefix: &str, id: u64) -> Frames {
    match ProjectionBoard::projections(&lookup.store.reader, prefix) {
        Ok(projections) => in_parts(projections, move |has_more, projections| {
            Answer::Projections(ProjectionsPart { has_more, projections }).frame(id)
        }),
        Err(error) => one(failed(error).frame(id)),
    }
}

/// Asks whoever folds a projection to try its parked events again.
pub(super) fn replay_parked(lookup: &Lookup, name: &str, id: u64) -> Frames {
    let answer = match ProjectionBoard::ask_to_replay_parked(&lookup.store.reader, name) {
        Ok(true) => Answer::Done,
        Ok(false) => Answer::Refused(Refusal::from(&WaitError::Unknown { projection: name.to_owned() })),
        Err(error) => failed(error),
    };
    one(answer.frame(id))
}

/// A list in as many frames as it takes, at least one: `frame` makes each, told whether more follow.
fn in_parts<T: Send + 'static>(list: Vec<T>, frame: impl Fn(bool, Vec<T>) -> Vec<u8> + Send + 'static) -> Frames {
    let mut list = list.into_iter();
    let mut has_more = true;
    Box::new(std::iter::from_fn(move || {
        if !has_more {
            return None;
        }
        let part = list.by_ref().take(LISTED_IN_FRAME).collect();
        has_more = list.len() > 0;
        Some(frame(has_more, part))
    }))
}

/// The figures of a store, and of the whole server for those who run it.
#[derive(Serialize)]
struct Figures<'a> {
    #[serde(flatten)]
    store: &'a StoreSnapshot,
    server: Option<&'a Snapshot>,
}

/// The figures of the store as JSON, with those of the server for an operator.
pub(super) fn statistics(lookup: &Lookup, id: u64) -> Frames {
    let snapshot = lookup.host.observations.snapshot();
    let name = lookup.store.name.as_str();
    let is_operator = lookup.grant.allow(Operation::ListStores, name, Timestamp::now()).is_ok();
    let server = is_operator.then_some(&snapshot);
    let store = snapshot.stores.iter().find(|store| store.store == name);
    let json = store.and_then(|store| serde_json::to_string(&Figures { store, server }).ok());
    one(match json {
        Some(json) => Answer::Statistics(&json).frame(id),
        None => Answer::Refused(internal()).frame(id),
    })
}

/// The stores that the client may know of.
pub(super) fn stores(lookup: &Lookup, id: u64) -> Frames {
    let names = match lookup.host.shelf.names() {
        Ok(names) => names,
        Err(error) => return one(Answer::Refused(Refusal::from(&error)).frame(id)),
    };
    let names = names.into_iter().map(|name| name.to_string()).filter(|name| lookup.grant.covers(name));
    one(Answer::Stores(names.collect()).frame(id))
}

/// Why a lookup has no answer.
pub(super) fn failed(error: ReadError) -> Answer<'static> {
    match error {
        ReadError::Damaged(damage) => Answer::Damaged(without_directories(damage)),
        ReadError::Io { .. } => {
            tracing::error!(%error, "a lookup failed");
            Answer::Refused(Refusal::new(Code::Unreadable, "a file of the store cannot be read: see the server's log"))
        }
        error => Answer::Refused(Refusal::from(&error)),
    }
}
