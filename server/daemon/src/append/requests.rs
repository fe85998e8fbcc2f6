//! What a client sends on the append plane, taken in its order.

use super::answers::Word;
use super::under_way::{Holds, UnderWay, frame_of, note_failure};
use crate::access::Operation;
use crate::host::stop_of;
use crate::observe;
use crate::plane::{IdInUse, IdsInUse, Incoming, Parting, Session, denied, internal, now_and_then};
use crate::stores::{OpenStore, StoreName};
use gesta::{AppendError, EncodedRequest, Snapshot, SnapshotError, Ticket};
use gesta_protocol::{
    Answer, Append, Code, FRAME_HEADER_BYTES, FieldError, FrameHeader, Kind, Refusal, Request, SaveSnapshot,
};
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::mpsc::Sender;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How many events a conflict brings at most, whatever the client asks for.
const MISSED_MAX: u32 = 1000;
/// How many requests of a connection that ask for them are under way at a time.
const MISSED_TURNS: usize = 16;

/// Takes the requests of one connection.
pub(super) struct Requests {
    session: Session,
    answers: Sender<Word>,
    ids: IdsInUse,
    /// How many requests may still come under way.
    turns: Arc<Semaphore>,
    /// How many of them may ask for the events that they missed: each may become megabytes.
    missed_turns: Arc<Semaphore>,
    observed_store: Arc<observe::StoreObservations>,
}

/// An append that is ready for the store.
struct Ready {
    id: u64,
    request: EncodedRequest,
    began: Instant,
    holds: Holds,
}

impl Requests {
    pub(super) fn new(session: Session, answers: Sender<Word>) -> Self {
        let turns = Arc::new(Semaphore::new(session.host.limits.requests_in_flight_max));
        let observed_store = session.observed_store();
        let missed_turns = Arc::new(Semaphore::new(MISSED_TURNS));
        Self { session, answers, ids: IdsInUse::default(), turns, missed_turns, observed_store }
    }

    /// Takes requests until one end has enough.
    pub(super) async fn take(mut self, incoming: &mut Incoming) -> Parting {
        let answers = self.answers.clone();
        let mut stop = Box::pin(stop_of(self.session.host.stopping.clone()));
        loop {
            let taken = tokio::select! {
                biased;
                () = &mut stop => return Parting::Stopping,
                // Nobody listens to the answers any more.
                () = answers.closed() => return Parting::Gone,
                taken = self.take_one(incoming) => taken,
            };
            match taken {
                // Not given up any more: what the store takes is answered.
                Ok(Some(append)) => self.hand_over(append).await,
                Ok(None) => {}
                Err(parting) => return parting,
            }
        }
    }

    /// Takes a request; returns an append that is ready for the store.
    async fn take_one(&mut self, incoming: &mut Incoming) -> Result<Option<Ready>, Parting> {
        let header = incoming.header().await?;
        if header.kind == Kind::Append as u8 {
            return self.take_append(&header, incoming).await;
        }
        incoming.opening(&header).await?;
        let room = self.session.host.append_room.ahead_of(header.body_bytes).await;
        let frame = incoming.frame(&header).await?;
        self.session.host.observed(self.session.plane).received(FRAME_HEADER_BYTES + frame.body.len(), 0);
        let request = match Request::decode(&frame) {
            Ok(request) => request,
            Err(error) => return self.refuse_unreadable(header.id, &error).await,
        };
        match request {
            Request::Ping => self.say(header.id, &Answer::Pong).await,
            Request::Pong => {}
            Request::CreateStore(name) => {
                let name = name.to_owned();
                let _id_in_use = self.ids.take(header.id)?;
                self.create_store(header.id, &name).await;
            }
            Request::RebuildIndex => {
                let id_in_use = self.ids.take(header.id)?;
                self.rebuild_index(id_in_use).await;
            }
            Request::SaveSnapshot(SaveSnapshot { key, schema, position, data }) => {
                let snapshot = Snapshot { key, schema, position, data: data.to_vec() };
                let save = move |store: &OpenStore| store.store.save_snapshot(&snapshot).map(|()| Answer::Done);
                let id_in_use = self.ids.take(header.id)?;
                self.change_snapshots(id_in_use, Operation::SaveSnapshot, room, save).await;
            }
            Request::DropSnapshots(prefix) => {
                let prefix = prefix.to_owned();
                let drop_all = move |store: &OpenStore| store.store.drop_snapshots(&prefix).map(Answer::Dropped);
                let id_in_use = self.ids.take(header.id)?;
                self.change_snapshots(id_in_use, Operation::DropSnapshots, room, drop_all).await;
            }
            Request::Hello(_) => return Err(Parting::protocol("there is one hello in a connection")),
            _ => {
                let what = "this is the append plane: reads go to the other port";
                self.refuse(header.id, Refusal::new(Code::WrongPlane, what)).await;
            }
        }
        Ok(None)
    }

    async fn take_append(&mut self, header: &FrameHeader, incoming: &mut Incoming) -> Result<Option<Ready>, Parting> {
        let host = Arc::clone(&self.session.host);
        incoming.opening(header).await?;
        // Waiting here is what holds a fast client back: its bytes stay in its socket.
        let room = host.append_room.ahead_of(header.body_bytes).await;
        let frame = incoming.frame(header).await?;
        let room = match room {
            Some(room) => room,
            None => host.append_room.behind(header.body_bytes).await,
        };
        let mut foreign = match Request::decode(&frame) {
            Ok(Request::Append(Append::Foreign(foreign))) => foreign,
            Ok(_) => unreachable!("the kind of the frame was looked at"),
            Err(error) => return self.refuse_unreadable(header.id, &error).await,
        };
        let began = Instant::now();
        let observed = Arc::clone(self.session.host.observed(self.session.plane));
        observed.received(FRAME_HEADER_BYTES + header.body_bytes as usize, foreign.event_count as usize);
        let id = header.id;
        let id_in_use = self.ids.take(id)?;
        foreign.missed_max = foreign.missed_max.min(MISSED_MAX);
        let operation = if foreign.missed_max > 0 { Operation::AppendReturningMissed } else { Operation::Append };
        if let Err(refusal) = self.session.allow(operation) {
            self.refuse(id, refusal).await;
            return Ok(None);
        }
        let missed_turn = match foreign.missed_max {
            0 => None,
            _ => Some(Arc::clone(&self.missed_turns).acquire_owned().await.map_err(|_| Parting::Gone)?),
        };
        let request = match foreign.accept(&self.session.store.store.limits()) {
            Ok(request) => request,
            Err(error) => {
                observed.refused(observe::Refusal::TooLarge);
                self.refuse(id, Refusal::new(Code::Request, error)).await;
                return Ok(None);
            }
        };
        for record in request.records(gesta::Position::START) {
            self.observed_store.event_bytes(record.1.bytes().len());
        }
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(|_| Parting::Gone)?;
        let holds = Holds {
            _id_in_use: id_in_use,
            _turn: turn,
            _missed_turn: missed_turn,
            _room: room,
            _counted: observed.request(),
        };
        Ok(Some(Ready { id, request, began, holds }))
    }

    /// Gives an append to the store.
    async fn hand_over(&mut self, Ready { id, request, began, holds }: Ready) {
        let durability = request.durability();
        let plane = Arc::clone(self.session.host.observed(self.session.plane));
        match self.submit(request).await {
            Some(Ok(ticket)) => {
                let store = Arc::clone(&self.observed_store);
                let under_way = UnderWay { id, ticket, durability, began, store, plane, holds };
                self.send(Word::Later(Box::new(under_way))).await;
            }
            Some(Err(error)) => {
                let outcome = Err(error);
                self.observed_store.command(durability, began.elapsed());
                note_failure(&plane, &self.observed_store, &outcome);
                self.send(Word::Now(frame_of(outcome, id))).await;
            }
            None => self.refuse(id, internal()).await,
        }
    }

    /// Refuses a request whose body is not what its kind says, or ends the connection for it.
    async fn refuse_unreadable(&self, id: u64, error: &FieldError) -> Result<Option<Ready>, Parting> {
        self.refuse(id, Parting::unless_of_request(error)?).await;
        Ok(None)
    }

    /// Hands a request to the store. When it has to wait for room, it does so on a thread that nobody else waits for.
    async fn submit(&self, request: EncodedRequest) -> Option<Result<Ticket, AppendError>> {
        if self.session.store.store.has_room(request.bytes().len()) {
            return Some(self.session.store.store.submit_encoded(request));
        }
        let store = Arc::clone(&self.session.store);
        tokio::task::spawn_blocking(move || store.store.submit_encoded(request)).await.ok()
    }

    async fn create_store(&mut self, id: u64, name: &str) {
        if let Err(refusal) = self.session.allow(Operation::CreateStore) {
            return self.refuse(id, refusal).await;
        }
        let name: StoreName = match name.parse() {
            Ok(name) => name,
            Err(error) => return self.refuse(id, Refusal::new(Code::StoreName, error)).await,
        };
        if !self.session.grant.covers(name.as_str()) {
            return self.refuse(id, denied()).await;
        }
        let host = Arc::clone(&self.session.host);
        match tokio::task::spawn_blocking(move || host.shelf.create(&name)).await {
            Ok(Ok(store)) => {
                tracing::info!(store = %store.name, peer = %self.session.peer, "store created");
                self.say(id, &Answer::Done).await;
            }
            Ok(Err(error)) => self.refuse(id, Refusal::from(&error)).await,
            Err(_) => self.refuse(id, internal()).await,
        }
    }

    /// Makes the index files anew, on a thread of its own, one such work at a time.
    async fn rebuild_index(&mut self, id_in_use: IdInUse) {
        let id = id_in_use.id;
        if let Err(refusal) = self.session.allow(Operation::RebuildIndex) {
            return self.refuse(id, refusal).await;
        }
        let (store, answers) = (Arc::clone(&self.session.store), self.answers.clone());
        let turn = Arc::clone(&self.session.host.long_work).acquire_owned();
        // Nobody is waited for who has as many requests under way as may be, or has gone.
        let Ok(own_turn) = Arc::clone(&self.turns).acquire_owned().await else { return };
        tokio::spawn(async move {
            let turn = tokio::select! {
                turn = turn => turn,
                () = answers.closed() => return,
            };
            let Ok(_held) = turn.map(|turn| (turn, own_turn, id_in_use)) else { return };
            let told = answers.clone();
            let work = tokio::task::spawn_blocking(move || {
                let mut tell = now_and_then(|work| {
                    // Whoever has not taken the last one yet can do without this one.
                    let _ = told.try_send(Word::Now(Answer::Working(work).frame(id)));
                });
                store.store.rebuild_index(&mut tell).map_err(|error| {
                    tracing::error!(store = %store.name, %error, "cannot make the index files anew");
                })
            });
            let answer = match work.await {
                Ok(Ok(())) => Answer::Done,
                Ok(Err(())) => {
                    let what = "the index files could not be made anew: see the server's log";
                    Answer::Refused(Refusal::new(Code::Unreadable, what))
                }
                Err(_) => Answer::Refused(internal()),
            };
            let _ = answers.send(Word::Now(answer.frame(id))).await;
        });
    }

    /// Saves or drops snapshots on a thread that nobody else waits for; `room` is held until that is answered.
    async fn change_snapshots(
        &mut self,
        id_in_use: IdInUse,
        operation: Operation,
        room: Option<OwnedSemaphorePermit>,
        change: impl FnOnce(&OpenStore) -> Result<Answer<'static>, SnapshotError> + Send + 'static,
    ) {
        if let Err(refusal) = self.session.allow(operation) {
            return self.refuse(id_in_use.id, refusal).await;
        }
        let (store, answers) = (Arc::clone(&self.session.store), self.answers.clone());
        let counted = self.session.host.observed(self.session.plane).request();
        let Ok(turn) = Arc::clone(&self.turns).acquire_owned().await else { return };
        tokio::spawn(async move {
            let changed = tokio::task::spawn_blocking(move || {
                change(&store).map_err(|error| {
                    if matches!(error, SnapshotError::Storage { .. }) {
                        tracing::error!(store = %store.name, %error, "snapshots cannot be written");
                    }
                    Refusal::from(&error)
                })
            });
            let answer = changed.await.unwrap_or_else(|_| Err(internal())).unwrap_or_else(Answer::Refused);
            drop((room, turn, counted));
            let _ = answers.send(Word::Now(answer.frame(id_in_use.id))).await;
        });
    }

    async fn refuse(&self, id: u64, refusal: Refusal) {
        self.say(id, &Answer::Refused(refusal)).await;
    }

    async fn say(&self, id: u64, answer: &Answer<'_>) {
        self.send(Word::Now(answer.frame(id))).await;
    }

    async fn send(&self, word: Word) {
        // When nobody listens any more, the connection is about to end.
        let _ = self.answers.send(word).await;
    }
}
