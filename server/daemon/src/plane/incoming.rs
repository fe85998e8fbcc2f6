//! Bytes from a peer, as frames: each in its time.
//!
//! What must stay true: a peer that sends nothing, or a frame byte by byte, costs a connection until its deadline and no
//! longer, and never more memory than the bytes it sent. Only bytes that have come buy time, never those announced.

use super::parting::Parting;
use super::patience::{Grace, wait_until};
use super::room::SMALL_BYTES;
use super::transport::Receiving;
use crate::observe;
use crate::settings::LimitSettings;
use gesta_protocol::{FRAME_HEADER_BYTES, Frame, FrameBuffer, FrameHeader};
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::time::{Instant, timeout_at};

/// How slowly a frame may come once it has begun, beyond the time that each has.
const BYTES_PER_MILLISECOND: u64 = 16;

/// The frames that a peer sends.
pub(crate) struct Incoming {
    stream: Receiving,
    buffer: FrameBuffer,
    /// How long the peer may be silent.
    idle_timeout: Duration,
    /// How long the head of a frame may take from its first byte on, and then its body if it is small.
    frame_timeout: Duration,
    /// Since when the head or the body that is coming is waited for, once it has begun.
    began: Option<Instant>,
    heard: Instant,
    /// What the peer was granted since it was heard.
    grace: Grace,
}

impl Incoming {
    /// Frames of somebody who has not said hello yet: one small one, and soon.
    pub(crate) fn new(stream: Receiving, limits: &LimitSettings) -> Self {
        let frame_timeout = Duration::from_millis(limits.handshake_timeout_ms);
        let buffer = FrameBuffer::new(bytes_max(limits.hello_bytes_max));
        let (began, heard, grace) = (None, Instant::now(), None);
        Self { stream, buffer, idle_timeout: frame_timeout, frame_timeout, began, heard, grace }
    }

    /// The peer has shown who it is: it may send larger frames, and take its time.
    pub(crate) fn trust(&mut self, limits: &LimitSettings) {
        self.buffer.set_body_bytes_max(bytes_max(limits.frame_bytes_max));
        self.idle_timeout = Duration::from_millis(limits.idle_timeout_ms);
    }

    /// Waits for the head of the next frame.
    ///
    /// May be given up and called again.
    pub(crate) async fn header(&mut self) -> Result<FrameHeader, Parting> {
        loop {
            if let Some(header) = self.buffer.header()? {
                return Ok(header);
            }
            if self.buffer.held_bytes() > 0 {
                // What came with the frame before begins a frame as well.
                self.began.get_or_insert_with(Instant::now);
            }
            self.receive().await?;
        }
    }

    /// Waits for all of a small frame whose head has come, and for the beginning of a large one. Whoever does not send that
    /// much in its time is not one to keep room for.
    pub(crate) async fn opening(&mut self, header: &FrameHeader) -> Result<(), Parting> {
        self.receive_up_to(FRAME_HEADER_BYTES + (header.body_bytes as usize).min(SMALL_BYTES)).await
    }

    /// Waits for the rest of a frame whose head has come.
    pub(crate) async fn frame(&mut self, header: &FrameHeader) -> Result<Frame<'_>, Parting> {
        self.receive_up_to(FRAME_HEADER_BYTES + header.body_bytes as usize).await?;
        self.began = None;
        self.buffer.next_frame()?.ok_or(Parting::Gone)
    }

    /// Reads what is there after the last frame and throws it away, until the peer has closed its side.
    pub(crate) async fn discard(&mut self, patience: Duration) {
        let deadline = Instant::now() + patience;
        let mut room = [0; 4096];
        while let Ok(Ok(1..)) = timeout_at(deadline, self.stream.read(&mut room)).await {}
    }

    /// Takes bytes until there are so many of the frame that is coming.
    async fn receive_up_to(&mut self, frame_bytes: usize) -> Result<(), Parting> {
        self.began = Some(Instant::now());
        while self.buffer.held_bytes() < frame_bytes {
            self.receive().await?;
        }
        Ok(())
    }

    /// Takes some more bytes.
    async fn receive(&mut self) -> Result<(), Parting> {
        let deadline = match self.began {
            None => self.heard + self.idle_timeout,
            Some(began) => {
                let time_bought = Duration::from_millis(self.buffer.held_bytes() as u64 / BYTES_PER_MILLISECOND);
                began + self.frame_timeout + time_bought
            }
        };
        match wait_until(deadline, &mut self.grace, self.stream.read(self.buffer.room())).await {
            Err(_) if self.began.is_some() => {
                let what = "a frame took too long to come: send it at once, or in smaller ones";
                Err(Parting::timeout(what, observe::Refusal::HandshakeTimeout))
            }
            Err(_) => {
                let what = "nothing was heard for too long: answer pings, or close the connection";
                Err(Parting::timeout(what, observe::Refusal::IdleTimeout))
            }
            Ok(Ok(0) | Err(_)) => Err(Parting::Gone),
            Ok(Ok(count)) => {
                self.buffer.filled(count);
                self.heard = Instant::now();
                self.grace = None;
                self.began.get_or_insert(self.heard);
                Ok(())
            }
        }
    }
}

fn bytes_max(setting: usize) -> u32 {
    u32::try_from(setting).unwrap_or(u32::MAX)
}
