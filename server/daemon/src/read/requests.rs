//! What a client sends on the read plane.

use super::credit::Credit;
use super::long_work::{self, LongWork};
use super::lookups;
use super::outbox::{Gone, Outbox};
use super::stream::Stream;
use super::wait::{LOOK_TURNS, Wait};
use crate::access::Operation;
use crate::host::stop_of;
use crate::observe;
use crate::plane::{IdInUse, IdsInUse, Incoming, Parting, Session, internal};
use gesta::{Incarnation, Position};
use gesta_protocol::{
    Answer, Code, FRAME_HEADER_BYTES, ReadRequest, Refusal, Request, StandingRequest, WaitForProjection,
};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// How often a subscription says at most how far it has come.
const PROGRESS_EVERY_MIN: Duration = Duration::from_millis(50);

/// How many snapshots of a connection are loaded at a time.
const LOAD_TURNS: usize = 2;

/// Takes the requests of one connection.
pub(super) struct Requests {
    session: Session,
    outbox: Outbox,
    observed: Arc<observe::StoreObservations>,
    /// The reads and waits that are under way, by their ids.
    credits: HashMap<u64, Arc<Credit>>,
    /// How many reads may hold a snapshot that is not on its way yet: each may be as large as an event.
    load_turns: Arc<Semaphore>,
    /// How many waits may look at the store.
    look_turns: Arc<Semaphore>,
    ids: IdsInUse,
    /// What is under way; each task gives its id back. All of it ends with the connection.
    tasks: JoinSet<IdInUse>,
}

impl Requests {
    pub(super) fn new(session: Session, outbox: Outbox) -> Self {
        let observed = session.observed_store();
        let [load_turns, look_turns] = [LOAD_TURNS, LOOK_TURNS].map(|turns| Arc::new(Semaphore::new(turns)));
        let (credits, ids, tasks) = (HashMap::new(), IdsInUse::default(), JoinSet::new());
        Self { session, outbox, observed, credits, load_turns, look_turns, ids, tasks }
    }

    /// Takes requests until one end has enough.
    pub(super) async fn take(mut self, incoming: &mut Incoming) -> Parting {
        let mut stop = Box::pin(stop_of(self.session.host.stopping.clone()));
        loop {
            let outbox = self.outbox.clone();
            tokio::select! {
                biased;
                () = &mut stop => return Parting::Stopping,
                () = outbox.closed() => return Parting::Gone,
                Some(ended) = self.tasks.join_next() => self.forget(ended),
                header = incoming.header() => {
                    let taken = match header {
                        Ok(header) => self.take_one(&header, incoming).await,
                        Err(parting) => Err(parting),
                    };
                    if let Err(parting) = taken {
                        return parting;
                    }
                }
            }
        }
    }

    /// Takes note that a task has ended.
    fn forget(&mut self, ended: Result<IdInUse, tokio::task::JoinError>) {
        match ended {
            Ok(id_in_use) => drop(self.credits.remove(&id_in_use.id)),
            Err(error) => tracing::error!(%error, "a task of a reader failed, which is a bug"),
        }
    }

    async fn take_one(&mut self, header: &gesta_protocol::FrameHeader, incoming: &mut Incoming) -> Result<(), Parting> {
        let host = Arc::clone(&self.session.host);
        incoming.opening(header).await?;
        let _room = host.read_room.ahead_of(header.body_bytes).await;
        let frame = incoming.frame(header).await?;
        host.observed(self.session.plane).received(FRAME_HEADER_BYTES + frame.body.len(), 0);
        let id = header.id;
        let request = match Request::decode(&frame) {
            Ok(request) => request,
            Err(error) => return self.refuse(id, Parting::unless_of_request(&error)?).await,
        };
        let answered = match request {
            Request::Ping => self.outbox.answer(id, &Answer::Pong).await,
            Request::Pong => Ok(()),
            Request::Credit(bytes) => {
                // Credit for a read that has just ended is nothing wrong.
                if let Some(credit) = self.credits.get(&id) {
                    credit.grant(bytes);
                }
                Ok(())
            }
            Request::Cancel => {
                if let Some(credit) = self.credits.get(&id) {
                    credit.cancel();
                }
                Ok(())
            }
            Request::Read(read) => return self.read(id, *read).await,
            Request::Standing(asked) => return self.standing(id, &asked).await,
            Request::FindEvent(event) => {
                return self.look_up(id, Operation::Standing, move |session| lookups::event(session, event, id)).await;
            }
            Request::FindReceipt(request) => {
                let look = move |lookup: &lookups::Lookup| lookups::receipt(lookup, request, id);
                return self.look_up(id, Operation::Standing, look).await;
            }
            Request::Snapshots(prefix) => {
                let prefix = prefix.to_owned();
                let look = move |lookup: &lookups::Lookup| lookups::snapshots(lookup, &prefix, id);
                return self.look_up(id, Operation::ListSnapshots, look).await;
            }
            Request::TellProjections(statuses) => {
                let statuses = statuses.into_owned();
                let look = move |lookup: &lookups::Lookup| lookups::tell_projections(lookup, &statuses, id);
                return self.look_up(id, Operation::TellProjections, look).await;
            }
            Request::Projections(prefix) => {
                let prefix = prefix.to_owned();
                let look = move |lookup: &lookups::Lookup| lookups::projections(lookup, &prefix, id);
                return self.look_up(id, Operation::ListProjections, look).await;
            }
            Request::ReplayParked(name) => {
                let name = name.to_owned();
                let look = move |lookup: &lookups::Lookup| lookups::replay_parked(lookup, &name, id);
                return self.look_up(id, Operation::ReplayParked, look).await;
            }
            Request::WaitForProjection(wait) => return self.wait(id, wait).await,
            Request::Names(kind, prefix) => {
                let prefix = prefix.to_owned();
                let look = move |session: &lookups::Lookup| lookups::names(session, kind, &prefix, id);
                return self.look_up(id, Operation::Names, look).await;
            }
            Request::Statistics => {
                return self.look_up(id, Operation::Statistics, move |lookup| lookups::statistics(lookup, id)).await;
            }
            Request::ListStores => {
                return self.look_up(id, Operation::ListStores, move |lookup| lookups::stores(lookup, id)).await;
            }
            Request::Verify { is_deep } => {
                return self.work(id, Operation::Verify, LongWork::VerifyLog { is_deep }).await;
            }
            Request::VerifyIndex => return self.work(id, Operation::VerifyIndex, LongWork::VerifyIndex).await,
            Request::Hello(_) => return Err(Parting::protocol("there is one hello in a connection")),
            _ => {
                let what = "this is the read plane: appends go to the other port";
                self.outbox.answer(id, &Answer::Refused(Refusal::new(Code::WrongPlane, what))).await
            }
        };
        answered.map_err(|Gone| Parting::Gone)
    }

    /// Begins a read.
    async fn read(&mut self, id: u64, request: ReadRequest) -> Result<(), Parting> {
        let operation = if request.follow.is_some() { Operation::Subscribe } else { Operation::Read };
        let id_in_use = match self.may_begin(id, operation)? {
            Ok(id_in_use) => id_in_use,
            Err(refusal) => return self.refuse(id, refusal).await,
        };
        if let Some(lost) = self.lost(request.given_in, request.read.from) {
            return self.refuse(id, lost).await;
        }
        let mut request = request;
        if let Some(pace) = &mut request.follow {
            // Without a bound, a subscription would speak of nothing but itself.
            pace.progress_every = pace.progress_every.max(PROGRESS_EVERY_MIN);
        }
        let credit = Arc::new(Credit::new(request.credit));
        self.credits.insert(id, Arc::clone(&credit));
        let stream = Stream {
            id,
            host: Arc::clone(&self.session.host),
            store: Arc::clone(&self.session.store),
            observed: Arc::clone(&self.observed),
            grant: self.session.grant.clone(),
            client: format!("{} {}", self.session.peer, self.session.agent),
            request,
            credit,
            load_turns: Arc::clone(&self.load_turns),
            outbox: self.outbox.clone(),
        };
        let counted = self.session.host.observed(self.session.plane).request();
        self.tasks.spawn(async move {
            // When the client has gone, nobody is left to tell.
            let _ = stream.run().await;
            drop(counted);
            id_in_use
        });
        Ok(())
    }

    /// Begins to wait for a projection.
    async fn wait(&mut self, id: u64, asked: WaitForProjection<'_>) -> Result<(), Parting> {
        let WaitForProjection { name, position, timeout } = asked;
        let name = name.to_owned();
        let id_in_use = match self.may_begin(id, Operation::WaitForProjection)? {
            Ok(id_in_use) => id_in_use,
            Err(refusal) => return self.refuse(id, refusal).await,
        };
        let credit = Arc::new(Credit::new(0));
        self.credits.insert(id, Arc::clone(&credit));
        let wait = Wait {
            id,
            host: Arc::clone(&self.session.host),
            store: Arc::clone(&self.session.store),
            grant: self.session.grant.clone(),
            name,
            position,
            timeout,
            credit,
            turns: Arc::clone(&self.look_turns),
            outbox: self.outbox.clone(),
        };
        let counted = self.session.host.observed(self.session.plane).request();
        self.tasks.spawn(async move {
            // When the client has gone, nobody is left to tell.
            let _ = wait.run().await;
            drop(counted);
            id_in_use
        });
        Ok(())
    }

    /// Where things stand: answered at once.
    async fn standing(&mut self, id: u64, asked: &StandingRequest) -> Result<(), Parting> {
        let _id_in_use = self.ids.take(id)?;
        let began = Instant::now();
        let answer = match self.session.allow(Operation::Standing) {
            Ok(()) => lookups::standing(&self.session.store, asked),
            Err(refusal) => Answer::Refused(refusal),
        };
        self.observed.query(observe::Operation::Standing, began.elapsed());
        self.outbox.answer(id, &answer).await.map_err(|Gone| Parting::Gone)
    }

    /// Looks something up on a thread that nobody else waits for.
    async fn look_up(
        &mut self,
        id: u64,
        operation: Operation,
        look: impl FnOnce(&lookups::Lookup) -> lookups::Frames + Send + 'static,
    ) -> Result<(), Parting> {
        let id_in_use = match self.may_begin(id, operation)? {
            Ok(id_in_use) => id_in_use,
            Err(refusal) => return self.refuse(id, refusal).await,
        };
        let lookup = lookups::Lookup {
            host: Arc::clone(&self.session.host),
            store: Arc::clone(&self.session.store),
            grant: self.session.grant.clone(),
        };
        let (outbox, observed) = (self.outbox.clone(), Arc::clone(&self.observed));
        let counted = self.session.host.observed(self.session.plane).request();
        self.tasks.spawn(async move {
            let began = Instant::now();
            let frames = tokio::task::spawn_blocking(move || look(&lookup)).await;
            let frames = frames.unwrap_or_else(|_| lookups::one(Answer::Refused(internal()).frame(id)));
            if let Some(observed_as) = observed_as(operation) {
                observed.query(observed_as, began.elapsed());
            }
            for frame in frames {
                if outbox.put(frame, 0).await.is_err() {
                    break;
                }
            }
            drop(counted);
            id_in_use
        });
        Ok(())
    }

    /// Begins long work.
    async fn work(&mut self, id: u64, operation: Operation, work: LongWork) -> Result<(), Parting> {
        let id_in_use = match self.may_begin(id, operation)? {
            Ok(id_in_use) => id_in_use,
            Err(refusal) => return self.refuse(id, refusal).await,
        };
        let (host, store) = (Arc::clone(&self.session.host), Arc::clone(&self.session.store));
        let outbox = self.outbox.clone();
        self.tasks.spawn(async move {
            let _ = long_work::run(host, store, outbox, id, work).await;
            id_in_use
        });
        Ok(())
    }

    /// Whether a request may begin: its id is free, it is allowed, and there are not too many.
    fn may_begin(&mut self, id: u64, operation: Operation) -> Result<Result<IdInUse, Refusal>, Parting> {
        let id_in_use = self.ids.take(id)?;
        if self.tasks.len() >= self.session.host.limits.requests_in_flight_max {
            self.session.host.observed(self.session.plane).refused(observe::Refusal::InFlight);
            let what = "too many requests of this connection are under way: wait for answers";
            return Ok(Err(Refusal::new(Code::TooManyRequests, what)));
        }
        Ok(self.session.allow(operation).map(|()| id_in_use))
    }

    /// Whether a position to begin at was lost with the end of an earlier life of the log.
    fn lost(&self, given_in: Option<Incarnation>, from: Option<Position>) -> Option<Refusal> {
        let (given_in, position) = given_in.zip(from)?;
        // A reader that goes on at a position has seen what is before it.
        let seen = Position(position.0.checked_sub(1)?);
        let is_lost = self.session.store.store.is_lost(given_in, seen);
        is_lost.then(|| Refusal::from(&gesta::ReadError::LostTail { given_in, position }))
    }

    async fn refuse(&self, id: u64, refusal: Refusal) -> Result<(), Parting> {
        self.outbox.answer(id, &Answer::Refused(refusal)).await.map_err(|Gone| Parting::Gone)
    }
}

/// What a lookup counts as.
fn observed_as(operation: Operation) -> Option<observe::Operation> {
    match operation {
        Operation::Standing => Some(observe::Operation::Standing),
        Operation::Names => Some(observe::Operation::Names),
        Operation::Statistics => Some(observe::Operation::Statistics),
        _ => None,
    }
}
