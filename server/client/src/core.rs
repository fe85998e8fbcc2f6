//! What all handles of a client share.

use crate::ids::IdMaker;
use crate::wire::{Alive, Carrier, Encryption, Knowledge, Target};
use crate::{Address, ClientOptions, ConnectError};
use gesta_model::{AppendError, AppendRequest, EncodedRequest, Incarnation, Limits, Receipt, RemoteError, Uuid};
use gesta_protocol::Plane;
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

/// What all handles of a client share.
pub(crate) struct Core {
    pub(crate) target: Arc<Target>,
    pub(crate) appends: Carrier,
    pub(crate) reads: Carrier,
    /// Kibibytes of appends that may still be without their answer.
    room: Arc<Semaphore>,
    room_max: u32,
    /// The names of projections that were told of in tellings whose answers did not come.
    pub(crate) unheard: tokio::sync::Mutex<BTreeSet<String>>,
}

/// The outcome of an append, once it is known.
pub(crate) type Outcome = oneshot::Receiver<Result<Receipt, AppendError>>;

/// What an append takes of the room at least: its bookkeeping.
const ROOM_UNIT: usize = 1024;

impl Core {
    /// Begins to carry requests; nothing is sent before there is one. For use within a runtime.
    pub(crate) fn start(target: Target, alive: &Alive) -> Arc<Self> {
        let target = Arc::new(target);
        let room_max = target.options.unanswered_bytes_max.div_ceil(ROOM_UNIT);
        let room_max = u32::try_from(room_max).unwrap_or(u32::MAX).clamp(1, u32::MAX >> 4);
        Arc::new(Self {
            appends: Carrier::start(Arc::clone(&target), Plane::Append, alive.clone()),
            reads: Carrier::start(Arc::clone(&target), Plane::Read, alive.clone()),
            target,
            room: Arc::new(Semaphore::new(room_max as usize)),
            room_max,
            unheard: tokio::sync::Mutex::default(),
        })
    }

    /// Encodes an append within the limits of the store, under an id that it can be made again by.
    pub(crate) fn encode(
        &self,
        request: AppendRequest,
        limits: &Limits,
    ) -> Result<(EncodedRequest, Incarnation), AppendError> {
        let (incarnation, head) = self.target.knowledge.last_head();
        let mut ids = IdMaker::new();
        let request = request.named_for_retries(head, || ids.make_id()).encode(limits, || ids.make_id())?;
        // What the caller knows of the head may be of any life of the log.
        let incarnation = if request.since() == head { incarnation } else { Incarnation::default() };
        Ok((request, incarnation))
    }

    /// What an append may hold: asked of the server once.
    pub(crate) async fn limits(&self) -> Result<Limits, AppendError> {
        loop {
            if let Some(limits) = self.target.knowledge.limits() {
                return Ok(limits);
            }
            self.appends.meet().await.unwrap_or_else(|| Err(self.ended(Plane::Append)))?;
        }
    }

    /// The name that the store was given: asked of the server once.
    pub(crate) async fn store_id(&self) -> Result<Uuid, RemoteError> {
        loop {
            if let Some(id) = self.target.knowledge.store_id() {
                return Ok(id);
            }
            self.reads.meet().await.unwrap_or_else(|| Err(self.ended(Plane::Read)))?;
        }
    }

    /// What an append may hold, if it is known.
    pub(crate) fn known_limits(&self) -> Option<Limits> {
        self.target.knowledge.limits()
    }

    /// Waits for the room that an append takes until it is answered.
    pub(crate) async fn room_for(&self, request: &EncodedRequest) -> OwnedSemaphorePermit {
        let acquired = Arc::clone(&self.room).acquire_many_owned(self.units_of(request)).await;
        acquired.expect("the room is never closed")
    }

    /// The room that an append takes, if there is as much.
    pub(crate) fn room_now(&self, request: &EncodedRequest) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.room).try_acquire_many_owned(self.units_of(request)).ok()
    }

    /// What is larger than the room takes all of it.
    fn units_of(&self, request: &EncodedRequest) -> u32 {
        u32::try_from(request.bytes().len() / ROOM_UNIT + 1).unwrap_or(u32::MAX).min(self.room_max)
    }

    /// The outcome of an append, waiting as long as the options say.
    pub(crate) async fn outcome(&self, outcome: Outcome) -> Result<Receipt, AppendError> {
        let told = match self.target.options.request_timeout {
            None => outcome.await,
            Some(patience) => match tokio::time::timeout(patience, outcome).await {
                Ok(told) => told,
                Err(_) => return Err(self.timed_out(Plane::Append).into()),
            },
        };
        self.told(told)
    }

    /// The outcome of an append that was told, or not.
    pub(crate) fn told(
        &self,
        told: Result<Result<Receipt, AppendError>, oneshot::error::RecvError>,
    ) -> Result<Receipt, AppendError> {
        told.unwrap_or_else(|_| Err(self.ended(Plane::Append).into()))
    }

    /// The answer has not come in the time that the options give it.
    pub(crate) fn timed_out(&self, plane: Plane) -> RemoteError {
        let patience = self.target.options.request_timeout.unwrap_or_default();
        let cause = format!("no answer came within {patience:?}");
        RemoteError::Unanswered { address: self.target.address.endpoint(plane), cause }
    }

    /// The runtime of the client was ended below it.
    fn ended(&self, plane: Plane) -> RemoteError {
        let cause = "the client's runtime has ended".to_owned();
        RemoteError::Unanswered { address: self.target.address.endpoint(plane), cause }
    }
}

/// Whom to connect to, if the options allow it.
pub(crate) fn target(address: Address, options: ClientOptions) -> Result<Target, ConnectError> {
    let encryption = match &options.tls {
        Some(tls) => Some(Encryption::load(tls, &address)?),
        None if options.insecure || address.is_loopback() => None,
        None => return Err(ConnectError::PlainText { host: address.host().to_owned() }),
    };
    Ok(Target { address, options, encryption, knowledge: Knowledge::default() })
}
