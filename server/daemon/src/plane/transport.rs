//! The two halves of a connection, plain or encrypted.

use super::patience::wait_for;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio_rustls::server::TlsStream;
use tokio_util::either::Either;

/// What a peer must have taken before it is waited for anew.
const PART_BYTES: usize = 256 << 10;

/// What comes from the peer.
pub(crate) type Receiving = Either<OwnedReadHalf, ReadHalf<TlsStream<TcpStream>>>;

/// What goes to the peer.
pub(crate) struct Sending(Either<OwnedWriteHalf, WriteHalf<TlsStream<TcpStream>>>);

/// Takes a plain connection apart.
pub(super) fn plain(stream: TcpStream) -> (Receiving, Sending) {
    let (receiving, sending) = stream.into_split();
    (Either::Left(receiving), Sending(Either::Left(sending)))
}

/// Takes an encrypted connection apart.
pub(super) fn encrypted(stream: TlsStream<TcpStream>) -> (Receiving, Sending) {
    let (receiving, sending) = tokio::io::split(stream);
    (Either::Right(receiving), Sending(Either::Right(sending)))
}

impl Sending {
    /// Sends all of these bytes to a peer that takes some of them every so often; to another one, fails with
    /// [`io::ErrorKind::TimedOut`].
    pub(crate) async fn send_within(&mut self, bytes: &[u8], patience: Duration) -> io::Result<()> {
        // However large an answer is: whoever takes it steadily gets it, and whoever does not is waited for once.
        for part in bytes.chunks(PART_BYTES) {
            wait_for(patience, self.send(part)).await.map_err(io::Error::from)??;
        }
        Ok(())
    }

    /// Sends all of these bytes; encrypted ones do not linger in a buffer either.
    pub(crate) async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes).await?;
        self.0.flush().await
    }

    /// Says that nothing more comes.
    pub(crate) async fn end(&mut self) -> io::Result<()> {
        self.0.shutdown().await
    }
}
