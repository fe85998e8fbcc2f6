//! The two halves of a connection, plain or encrypted.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf, ReadHalf, WriteHalf};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::timeout;
use tokio_rustls::server::TlsStream;

/// What a peer must have taken before it is waited for anew.
const PART_BYTES: usize = 256 << 10;

/// What comes from the peer.
pub(crate) enum Receiving {
    Plain(OwnedReadHalf),
    Encrypted(ReadHalf<TlsStream<TcpStream>>),
}

/// What goes to the peer.
pub(crate) enum Sending {
    Plain(OwnedWriteHalf),
    Encrypted(WriteHalf<TlsStream<TcpStream>>),
}

/// Takes a plain connection apart.
pub(super) fn plain(stream: TcpStream) -> (Receiving, Sending) {
    let (receiving, sending) = stream.into_split();
    (Receiving::Plain(receiving), Sending::Plain(sending))
}

/// Takes an encrypted connection apart.
pub(super) fn encrypted(stream: TlsStream<TcpStream>) -> (Receiving, Sending) {
    let (receiving, sending) = tokio::io::split(stream);
    (Receiving::Encrypted(receiving), Sending::Encrypted(sending))
}

impl AsyncRead for Receiving {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Encrypted(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl Sending {
    /// Sends all of these bytes to a peer that takes some of them every so often; to another one, fails with
    /// [`io::ErrorKind::TimedOut`].
    pub(crate) async fn send_within(&mut self, bytes: &[u8], patience: Duration) -> io::Result<()> {
        // However large an answer is: whoever takes it steadily gets it, and whoever does not is waited for once.
        for part in bytes.chunks(PART_BYTES) {
            timeout(patience, self.send(part)).await.map_err(io::Error::from)??;
        }
        Ok(())
    }

    /// Sends all of these bytes; encrypted ones do not linger in a buffer either.
    pub(crate) async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes).await?;
        self.flush().await
    }
}

impl AsyncWrite for Sending {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Encrypted(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(context),
            Self::Encrypted(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Encrypted(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}
