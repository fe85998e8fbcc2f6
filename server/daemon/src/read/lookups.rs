//! Questions with short answers. Each answer is a list of frames.

use super::course::without_directories;
use crate::access::{Grant, Operation};
use crate::host::Host;
use crate::observe::{Snapshot, StoreSnapshot};
use crate::plane::internal;
use crate::stores::OpenStore;
use gesta::{NameKind, ReadError, Uuid};
use gesta_protocol::{
    Answer, Code, Ended, EventsEncoder, NamesPart, Refusal, SnapshotsPart, Standing, StandingRequest,
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

/// How many names go into one frame.
const NAMES_IN_FRAME: usize = 1000;

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
pub(super) fn event(lookup: &Lookup, event: Uuid, id: u64) -> Vec<Vec<u8>> {
    match lookup.store.reader.event(event) {
        Ok(found) => {
            let mut encoder = EventsEncoder::events(id);
            if let Some(found) = &found {
                encoder.event(found.recorded_at(), &found.record());
            }
            let position = lookup.store.reader.head();
            let mut frames = encoder.finish();
            Answer::Ended(Ended { position, explanation: gesta::Explanation::default() }).encode(id, &mut frames);
            vec![frames]
        }
        Err(error) => vec![failed(error).frame(id)],
    }
}

/// The receipt of the append that was made under a request id, if there was one.
pub(super) fn receipt(lookup: &Lookup, request: Uuid, id: u64) -> Vec<Vec<u8>> {
    vec![match lookup.store.reader.receipt(request) {
        Ok(Some(receipt)) => Answer::Receipt(receipt).frame(id),
        Ok(None) => Answer::Done.frame(id),
        Err(error) => failed(error).frame(id),
    }]
}

/// The names of a kind, in as many frames as they take.
pub(super) fn names(lookup: &Lookup, kind: NameKind, prefix: &str, id: u64) -> Vec<Vec<u8>> {
    let mut names = match lookup.store.reader.names(kind, prefix) {
        Ok(names) => names,
        Err(error) => return vec![failed(error).frame(id)],
    };
    let mut frames = Vec::new();
    loop {
        let rest = names.split_off(names.len().min(NAMES_IN_FRAME));
        let has_more = !rest.is_empty();
        frames.push(Answer::Names(NamesPart { has_more, names }).frame(id));
        if !has_more {
            return frames;
        }
        names = rest;
    }
}

/// The snapshots whose keys begin with a prefix, in as many frames as they take.
pub(super) fn snapshots(lookup: &Lookup, prefix: &str, id: u64) -> Vec<Vec<u8>> {
    let mut snapshots = lookup.store.reader.snapshots(prefix);
    let mut frames = Vec::new();
    loop {
        let rest = snapshots.split_off(snapshots.len().min(NAMES_IN_FRAME));
        let has_more = !rest.is_empty();
        frames.push(Answer::Snapshots(SnapshotsPart { has_more, snapshots }).frame(id));
        if !has_more {
            return frames;
        }
        snapshots = rest;
    }
}

/// The figures of a store, and of the whole server for those who run it.
#[derive(Serialize)]
struct Figures<'a> {
    #[serde(flatten)]
    store: &'a StoreSnapshot,
    server: Option<&'a Snapshot>,
}

/// The figures of the store as JSON, with those of the server for an operator.
pub(super) fn statistics(lookup: &Lookup, id: u64) -> Vec<Vec<u8>> {
    let snapshot = lookup.host.observations.snapshot();
    let name = lookup.store.name.as_str();
    let is_operator = lookup.grant.allow(Operation::ListStores, name, Timestamp::now()).is_ok();
    let server = is_operator.then_some(&snapshot);
    let store = snapshot.stores.iter().find(|store| store.store == name);
    let json = store.and_then(|store| serde_json::to_string(&Figures { store, server }).ok());
    vec![match json {
        Some(json) => Answer::Statistics(&json).frame(id),
        None => Answer::Refused(internal()).frame(id),
    }]
}

/// The stores that the client may know of.
pub(super) fn stores(lookup: &Lookup, id: u64) -> Vec<Vec<u8>> {
    let names = match lookup.host.shelf.names() {
        Ok(names) => names,
        Err(error) => return vec![Answer::Refused(Refusal::from(&error)).frame(id)],
    };
    let names = names.into_iter().map(|name| name.to_string()).filter(|name| lookup.grant.covers(name));
    vec![Answer::Stores(names.collect()).frame(id)]
}

/// Why a lookup has no answer.
fn failed(error: ReadError) -> Answer<'static> {
    match error {
        ReadError::Damaged(damage) => Answer::Damaged(without_directories(damage)),
        ReadError::Io { .. } => {
            tracing::error!(%error, "a lookup failed");
            Answer::Refused(Refusal::new(Code::Unreadable, "a file of the store cannot be read: see the server's log"))
        }
        error => Answer::Refused(Refusal::from(&error)),
    }
}
