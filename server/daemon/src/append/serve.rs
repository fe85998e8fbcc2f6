//! One connection of the append plane.

use super::answers::{Saying, Word, say};
use super::requests::Requests;
use crate::plane::{Incoming, Parting, Sending, Session, hear_out, part, tell_of};
use gesta_protocol::Answer;
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// How many words may wait to be said before no more requests are taken.
const WORDS_MAX: usize = 256;

/// Serves somebody who appends, until one of both ends it.
pub(crate) async fn serve(session: Session, mut incoming: Incoming, sending: Sending) {
    let (host, plane, peer) = (Arc::clone(&session.host), session.plane, session.peer);
    let limits = &host.limits;
    let saying = Saying {
        heartbeat: Duration::from_millis(limits.heartbeat_ms),
        patience: Duration::from_millis(limits.slow_reader_timeout_ms),
        observed: Arc::clone(host.observed(plane)),
    };
    let (answers, to_say) = mpsc::channel(WORDS_MAX);
    let speaker = tokio::spawn(say(sending, to_say, saying));
    let parting = Requests::new(session, answers.clone()).take(&mut incoming).await;
    tell_of(&host, plane, peer, &parting);
    if matches!(parting, Parting::Stopping) {
        let _ = answers.send(Word::Now(Answer::Closing.frame(0))).await;
    }
    drop(answers);
    // Everything that was taken is answered before the goodbye.
    match hear_out(speaker, &parting).await {
        Some(Ok(sending)) => part(parting, incoming, sending).await,
        Some(Err(error)) if error.kind() == ErrorKind::TimedOut => tell_of(&host, plane, peer, &Parting::slow_reader()),
        _ => {}
    }
}
