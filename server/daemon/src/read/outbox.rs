//! The way to a client: frames of all its reads, one after another, bounded in bytes.

use crate::observe::PlaneObservations;
use crate::plane::Sending;
use gesta_protocol::Answer;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep_until};

/// Where frames for a client are put.
#[derive(Clone)]
pub(super) struct Outbox {
    parcels: Sender<Parcel>,
    /// Kibibytes that may still be put in.
    room: Arc<Semaphore>,
    room_max: u32,
}

/// Some frames, and the room they take until they are sent.
pub(super) struct Parcel {
    frames: Vec<u8>,
    events: usize,
    _room: OwnedSemaphorePermit,
}

/// The client has gone, or takes nothing.
#[derive(Debug)]
pub(super) struct Gone;

/// How many parcels may be on their way, whatever their size.
const PARCELS_MAX: usize = 1024;

impl Outbox {
    /// An outbox for so many bytes, and what is put into it.
    pub(super) fn new(bytes_max: usize) -> (Self, Receiver<Parcel>) {
        let (parcels, receiver) = channel(PARCELS_MAX);
        let room_max = u32::try_from(bytes_max.div_ceil(1024)).unwrap_or(u32::MAX).clamp(64, u32::MAX >> 4);
        (Self { parcels, room: Arc::new(Semaphore::new(room_max as usize)), room_max }, receiver)
    }

    /// Puts frames in, once there is room for them. What is larger than the outbox takes all of it.
    pub(super) async fn put(&self, frames: Vec<u8>, events: usize) -> Result<(), Gone> {
        let kibibytes = u32::try_from(frames.len().div_ceil(1024)).unwrap_or(u32::MAX).clamp(1, self.room_max);
        tokio::select! {
            biased;
            () = self.parcels.closed() => Err(Gone),
            room = Arc::clone(&self.room).acquire_many_owned(kibibytes) => {
                let parcel = Parcel { frames, events, _room: room.map_err(|_| Gone)? };
                self.parcels.send(parcel).await.map_err(|_| Gone)
            }
        }
    }

    /// Puts one answer in.
    pub(super) async fn answer(&self, id: u64, answer: &Answer<'_>) -> Result<(), Gone> {
        self.put(answer.frame(id), 0).await
    }

    /// Waits until the client has gone.
    pub(super) async fn closed(&self) {
        self.parcels.closed().await;
    }
}

/// How a client is sent things.
pub(super) struct Delivery {
    /// So often, a ping.
    pub(super) heartbeat: Duration,
    /// How long the client may take to take a parcel.
    pub(super) patience: Duration,
    pub(super) observed: Arc<PlaneObservations>,
}

/// Sends what is put into an outbox until nobody puts anything in. Returns the way to the client for a last word; fails
/// when the client has gone, or with [`io::ErrorKind::TimedOut`] when it takes nothing.
pub(super) async fn deliver(
    mut sending: Sending,
    mut parcels: Receiver<Parcel>,
    delivery: Delivery,
) -> io::Result<Sending> {
    let Delivery { heartbeat, patience, observed } = delivery;
    let mut ping_at = Instant::now() + heartbeat;
    loop {
        let parcel = tokio::select! {
            biased;
            // Also while there is much to send: only a client that is asked shows that it is there.
            () = sleep_until(ping_at) => {
                sending.send_within(&Answer::Ping.frame(0), patience).await?;
                ping_at = Instant::now() + heartbeat;
                continue;
            }
            parcel = parcels.recv() => parcel,
        };
        let Some(Parcel { mut frames, mut events, _room }) = parcel else { return Ok(sending) };
        // Small answers that are ready together go out together.
        let mut rooms = vec![_room];
        while frames.len() < SMALL_BYTES
            && let Ok(next) = parcels.try_recv()
        {
            frames.extend_from_slice(&next.frames);
            events += next.events;
            rooms.push(next._room);
        }
        sending.send_within(&frames, patience).await?;
        observed.sent(frames.len(), events);
    }
}

/// What is shorter is worth waiting for company.
const SMALL_BYTES: usize = 16 << 10;
