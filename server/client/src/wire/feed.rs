//! The way of an answer from the connection to whoever asked: frames in order, then one end.
//!
//! What must stay true: the end always comes, even when whoever should have sent it is dropped. The frames of events that lie
//! here are bounded by the credit that was given, and words that the next one makes stale are not kept.

use super::fault::Fault;
use gesta_protocol::Kind;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, mpsc};

/// A part of an answer.
#[derive(Debug)]
pub(crate) enum Delivery {
    /// A frame, such as it came.
    Frame {
        /// What the body is.
        kind: u8,
        /// Its body.
        body: Vec<u8>,
    },
    /// No more frames come.
    End(Fault),
}

/// What the asker of something that is under way tells its connection.
#[derive(Clone, Copy, Debug)]
pub(super) enum Control {
    /// It takes so many more bytes of events.
    Credit { id: u64, bytes: u32 },
    /// It wants no more.
    Cancel { id: u64 },
}

/// The connection that answers.
#[derive(Clone, Debug)]
struct Line {
    id: u64,
    control: mpsc::UnboundedSender<Control>,
}

#[derive(Debug, Default)]
struct State {
    queue: VecDeque<Delivery>,
    line: Option<Line>,
    is_ended: bool,
    is_abandoned: bool,
}

#[derive(Debug, Default)]
struct Feed {
    state: Mutex<State>,
    arrived: Notify,
}

/// The end of the connection.
#[derive(Debug)]
pub(super) struct FeedWriter {
    feed: Arc<Feed>,
}

/// The end of the asker. Dropping it ends the request.
#[derive(Debug)]
pub(crate) struct FeedReader {
    feed: Arc<Feed>,
}

/// A new way.
pub(super) fn feed() -> (FeedWriter, FeedReader) {
    let feed = Arc::new(Feed::default());
    (FeedWriter { feed: Arc::clone(&feed) }, FeedReader { feed })
}

impl Feed {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FeedWriter {
    /// The request was sent as `id`, over the connection that listens to `control`.
    pub(super) fn sent_as(&self, id: u64, control: &mpsc::UnboundedSender<Control>) {
        self.feed.lock().line = Some(Line { id, control: control.clone() });
    }

    /// Whether nobody waits for the answer any more.
    pub(super) fn is_abandoned(&self) -> bool {
        self.feed.lock().is_abandoned
    }

    /// Hands on a frame.
    pub(super) fn frame(&self, kind: u8, body: &[u8]) {
        let body = body.to_vec();
        let mut state = self.feed.lock();
        let is_stale = |last: &Delivery| {
            let is_report = kind == Kind::Progress as u8 || kind == Kind::Working as u8;
            is_report && matches!(last, Delivery::Frame { kind: earlier, .. } if *earlier == kind)
        };
        if state.queue.back().is_some_and(is_stale) {
            state.queue.pop_back();
        }
        state.queue.push_back(Delivery::Frame { kind, body });
        drop(state);
        self.feed.arrived.notify_one();
    }

    /// Ends the answer before it is complete.
    pub(super) fn fail(self, fault: Fault) {
        self.end(fault);
    }

    fn end(&self, fault: Fault) {
        let mut state = self.feed.lock();
        if !std::mem::replace(&mut state.is_ended, true) {
            state.line = None;
            state.queue.push_back(Delivery::End(fault));
            drop(state);
            self.feed.arrived.notify_one();
        }
    }
}

impl Drop for FeedWriter {
    fn drop(&mut self) {
        self.end(Fault::Broken("the answer ended early".to_owned()));
    }
}

impl FeedReader {
    /// The next part, if it is here.
    pub(crate) fn try_next(&mut self) -> Option<Delivery> {
        self.feed.lock().queue.pop_front()
    }

    /// Waits until a part is here.
    pub(crate) async fn ready(&mut self) {
        while self.feed.lock().queue.is_empty() {
            self.feed.arrived.notified().await;
        }
    }

    /// Takes so many more bytes of events.
    pub(crate) fn give_credit(&self, bytes: u32) {
        if let Some(Line { id, control }) = &self.feed.lock().line {
            // A connection that has gone needs no credit.
            let _ = control.send(Control::Credit { id: *id, bytes });
        }
    }
}

impl Drop for FeedReader {
    fn drop(&mut self) {
        let mut state = self.feed.lock();
        state.is_abandoned = true;
        state.queue.clear();
        if let Some(Line { id, control }) = state.line.take() {
            let _ = control.send(Control::Cancel { id });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_end_comes_even_when_the_connection_is_dropped() {
        let (writer, mut reader) = feed();
        writer.frame(Kind::Done as u8, b"x");
        drop(writer);
        reader.ready().await;
        assert!(matches!(reader.try_next(), Some(Delivery::Frame { body, .. }) if body == b"x"));
        reader.ready().await;
        assert!(matches!(reader.try_next(), Some(Delivery::End(Fault::Broken(_)))));
    }

    #[test]
    fn reports_that_nobody_took_are_replaced_by_the_next_one() {
        let (writer, mut reader) = feed();
        for round in 0..100_u8 {
            writer.frame(Kind::Progress as u8, &[round]);
        }
        writer.frame(Kind::CaughtUp as u8, b"");
        writer.frame(Kind::Progress as u8, b"y");
        let kinds = std::iter::from_fn(|| reader.try_next()).map(|part| match part {
            Delivery::Frame { kind, body } => (Kind::of(kind), body),
            Delivery::End(fault) => panic!("{fault:?}"),
        });
        let of = |kind, body: &[u8]| (Some(kind), body.to_vec());
        let expected = [of(Kind::Progress, &[99]), of(Kind::CaughtUp, b""), of(Kind::Progress, b"y")];
        assert_eq!(kinds.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn dropping_the_asker_cancels_what_is_under_way_and_nothing_else() {
        let (control, mut said) = mpsc::unbounded_channel();
        let (writer, reader) = feed();
        writer.sent_as(7, &control);
        drop(reader);
        assert!(writer.is_abandoned());
        assert!(matches!(said.try_recv(), Ok(Control::Cancel { id: 7 })));
        let (writer, reader) = feed();
        writer.sent_as(8, &control);
        writer.fail(Fault::Broken(String::new()));
        drop(reader);
        assert!(said.try_recv().is_err());
    }
}
