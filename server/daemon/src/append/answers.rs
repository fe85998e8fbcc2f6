//! What is said to a client that appends: answers as they are done, many in one write when many are done at once.

use super::under_way::UnderWay;
use crate::observe::PlaneObservations;
use crate::plane::{Pulse, Sending};
use futures_util::FutureExt;
use futures_util::stream::{FuturesUnordered, StreamExt};
use gesta_protocol::Answer;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::Receiver;
use tokio::time::{Instant, sleep_until, timeout};

/// Something to say, now or once it is known.
pub(super) enum Word {
    Now(Vec<u8>),
    Later(Box<UnderWay>),
}

impl From<Vec<u8>> for Word {
    fn from(frame: Vec<u8>) -> Self {
        Self::Now(frame)
    }
}

/// How things are said.
pub(super) struct Saying {
    /// After so much silence, a ping.
    pub(super) heartbeat: Duration,
    /// How long the client may take to take what is said.
    pub(super) patience: Duration,
    pub(super) observed: Arc<PlaneObservations>,
    pub(super) pulse: Pulse,
}

/// Says everything there is to say, until nobody has anything more and nothing is under way. Returns the way to the client
/// for a last word, unless the client has gone or does not listen.
pub(super) async fn say(mut sending: Sending, mut words: Receiver<Word>, saying: Saying) -> Option<Sending> {
    let mut under_way = FuturesUnordered::new();
    let mut may_come = true;
    let mut out = Vec::new();
    let mut ping_at = Instant::now() + saying.heartbeat;
    let mut is_ping = false;
    while may_come || !under_way.is_empty() {
        tokio::select! {
            biased;
            Some(frame) = under_way.next(), if !under_way.is_empty() => append_to(&mut out, frame),
            word = words.recv(), if may_come => match word {
                Some(Word::Now(frame)) => append_to(&mut out, frame),
                Some(Word::Later(request)) => under_way.push(request.answer()),
                None => may_come = false,
            },
            () = sleep_until(ping_at) => {
                Answer::Ping.encode(0, &mut out);
                is_ping = true;
            }
        }
        loop {
            while let Ok(word) = words.try_recv() {
                match word {
                    Word::Now(frame) => append_to(&mut out, frame),
                    Word::Later(request) => under_way.push(request.answer()),
                }
            }
            match under_way.next().now_or_never() {
                Some(Some(frame)) => append_to(&mut out, frame),
                _ => break,
            }
        }
        if out.is_empty() {
            continue;
        }
        let said = timeout(saying.patience, sending.send(&out)).await;
        let Ok(Ok(())) = said else { return None };
        if !std::mem::take(&mut is_ping) {
            saying.pulse.beat();
        }
        saying.observed.sent(out.len(), 0);
        ping_at = Instant::now() + saying.heartbeat;
        out.clear();
    }
    Some(sending)
}

/// Adds a frame, without a copy when it is the only one.
fn append_to(out: &mut Vec<u8>, frame: Vec<u8>) {
    if out.is_empty() { *out = frame } else { out.extend_from_slice(&frame) }
}
