//! Frames in both directions over one transport, by one task, so that neither direction can hold up the other.

use super::transport::Transport;
use gesta_protocol::FrameBuffer;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Frames in both directions.
pub(super) struct Exchange {
    transport: Transport,
    /// What has come.
    pub(super) incoming: FrameBuffer,
    /// What is to go, the bytes before `gone` excepted.
    pub(super) outgoing: Vec<u8>,
    gone: usize,
    must_flush: bool,
    /// The peer takes nothing any more. What it said before that is still to be read: it may be the reason.
    is_deaf: bool,
}

/// What a turn has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moved {
    /// Bytes have come.
    Received,
    /// Bytes have gone, and none have come.
    Sent,
}

/// How large the body of a frame may be: a whole batch in a frame, and as much again as a frame is filled up to.
const BODY_BYTES_MAX: u32 = 96 << 20;
const _: () = assert!(BODY_BYTES_MAX as usize > gesta_model::limits::BATCH_BODY_BYTES_MAX + (16 << 20));
/// A buffer that has grown beyond this is given back once it is empty.
const KEPT_BYTES: usize = 1 << 20;

impl Exchange {
    pub(super) fn new(transport: Transport) -> Self {
        let incoming = FrameBuffer::new(BODY_BYTES_MAX);
        Self { transport, incoming, outgoing: Vec::new(), gone: 0, must_flush: false, is_deaf: false }
    }

    /// Bytes that are still to go.
    pub(super) fn waiting_bytes(&self) -> usize {
        self.outgoing.len() - self.gone
    }

    /// Sends and receives what can be, waiting until something can. Nothing is lost when it is not waited for any more.
    pub(super) async fn turn(&mut self) -> io::Result<Moved> {
        poll_fn(|context| self.poll_turn(context)).await
    }

    fn poll_turn(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Moved>> {
        let has_sent = self.poll_send(context);
        let room = self.incoming.room();
        let mut room = ReadBuf::new(room);
        match Pin::new(&mut self.transport).poll_read(context, &mut room) {
            Poll::Ready(Ok(())) if room.filled().is_empty() => {
                Poll::Ready(Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the server closed the connection")))
            }
            Poll::Ready(Ok(())) => {
                let count = room.filled().len();
                self.incoming.filled(count);
                Poll::Ready(Ok(Moved::Received))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending if has_sent => Poll::Ready(Ok(Moved::Sent)),
            Poll::Pending => Poll::Pending,
        }
    }

    /// Sends as much as the peer takes; whether that was anything.
    fn poll_send(&mut self, context: &mut Context<'_>) -> bool {
        let mut has_sent = false;
        while !self.is_deaf && self.gone < self.outgoing.len() {
            match Pin::new(&mut self.transport).poll_write(context, &self.outgoing[self.gone..]) {
                Poll::Ready(Ok(count @ 1..)) => {
                    self.gone += count;
                    (self.must_flush, has_sent) = (true, true);
                }
                Poll::Ready(_) => self.is_deaf = true,
                Poll::Pending => break,
            }
        }
        if self.gone == self.outgoing.len() {
            self.gone = 0;
            self.outgoing.clear();
            self.outgoing.shrink_to(KEPT_BYTES);
        }
        if self.must_flush && !self.is_deaf {
            match Pin::new(&mut self.transport).poll_flush(context) {
                Poll::Ready(Ok(())) => self.must_flush = false,
                Poll::Ready(Err(_)) => self.is_deaf = true,
                Poll::Pending => {}
            }
        }
        has_sent
    }
}
