//! One connection of the read plane.

use super::outbox::{Delivery, Outbox, deliver};
use super::requests::Requests;
use crate::plane::{Incoming, Parting, Sending, Session, hear_out, part, tell_of};
use gesta_protocol::Answer;
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

/// Serves somebody who reads, until one of both ends it.
pub(crate) async fn serve(session: Session, mut incoming: Incoming, sending: Sending) {
    let (host, plane, peer) = (Arc::clone(&session.host), session.plane, session.peer);
    let limits = &host.limits;
    let delivery = Delivery {
        heartbeat: Duration::from_millis(limits.heartbeat_ms),
        patience: Duration::from_millis(limits.slow_reader_timeout_ms),
        observed: Arc::clone(host.observed(plane)),
    };
    let (outbox, parcels) = Outbox::new(limits.read_bytes_buffered_max);
    let carrier = tokio::spawn(deliver(sending, parcels, delivery));
    let parting = Requests::new(session, outbox.clone()).take(&mut incoming).await;
    tell_of(&host, plane, peer, &parting);
    if matches!(parting, Parting::Stopping) {
        // Whoever has gone need not be told.
        let _ = outbox.answer(0, &Answer::Closing).await;
    }
    drop(outbox);
    // The streams were cancelled with the requests; what they had put in is still sent.
    match hear_out(carrier, &parting).await {
        Some(Ok(sending)) => part(parting, incoming, sending).await,
        Some(Err(error)) if error.kind() == ErrorKind::TimedOut => tell_of(&host, plane, peer, &Parting::slow_reader()),
        _ => {}
    }
}
