//! What is said to a client that appends: answers as they are done, many in one write when many are done at once.

use super::under_way::UnderWay;
use crate::observe::PlaneObservations;
use crate::plane::Sending;
use futures_util::FutureExt;
use futures_util::stream::{FuturesUnordered, StreamExt};
use gesta_protocol::Answer;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::Receiver;
use tokio::time::{Instant, sleep_until};

/// Something to say, now or once it is known.
pub(super) enum Word {
    Now(Vec<u8>),
    Later(Box<UnderWay>),
}

/// How things are said.
pub(super) struct Saying {
    /// So often, a ping.
    pub(super) heartbeat: Duration,
    /// How long the client may take to take what is said.
    pub(super) patience: Duration,
    pub(super) observed: Arc<PlaneObservations>,
}

/// What is done at the same time goes out together, up to a point: what is not said yet takes up memory.
const TOGETHER_BYTES: usize = 256 << 10;

/// Says everything there is to say, until nobody has anything more and nothing is under way. Returns the way to the client
/// for a last word; fails when the client has gone, or with [`io::ErrorKind::TimedOut`] when it does not listen.
pub(super) async fn say(mut sending: Sending, mut words: Receiver<Word>, saying: Saying) -> io::Result<Sending> {
    let mut under_way = FuturesUnordered::new();
    let mut may_come = true;
    let mut out = Vec::new();
    let mut ping_at = Instant::now() + saying.heartbeat;
    while may_come || !under_way.is_empty() {
        tokio::select! {
            biased;
            // Also while there is much to say: only a client that is asked shows that it is there.
            () = sleep_until(ping_at) => {
                Answer::Ping.encode(0, &mut out);
                ping_at = Instant::now() + saying.heartbeat;
            }
            Some(frame) = under_way.next(), if !under_way.is_empty() => append_to(&mut out, frame),
            word = words.recv(), if may_come => match word {
                Some(Word::Now(frame)) => append_to(&mut out, frame),
                Some(Word::Later(request)) => under_way.push(request.answer()),
                None => may_come = false,
            },
        }
        while out.len() < TOGETHER_BYTES {
            match words.try_recv() {
                Ok(Word::Now(frame)) => append_to(&mut out, frame),
                Ok(Word::Later(request)) => under_way.push(request.answer()),
                Err(_) => match under_way.next().now_or_never() {
                    Some(Some(frame)) => append_to(&mut out, frame),
                    _ => break,
                },
            }
        }
        if out.is_empty() {
            continue;
        }
        sending.send_within(&out, saying.patience).await?;
        saying.observed.sent(out.len(), 0);
        out.clear();
    }
    Ok(sending)
}

/// Adds a frame, without a copy when it is the only one.
fn append_to(out: &mut Vec<u8>, frame: Vec<u8>) {
    if out.is_empty() { *out = frame } else { out.extend_from_slice(&frame) }
}
