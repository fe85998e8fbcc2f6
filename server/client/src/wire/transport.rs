//! A connection's bytes, plain or encrypted.

use super::tls::Encryption;
use std::io;
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use tokio_util::either::Either;

/// A connection's bytes, plain or encrypted.
pub(super) type Transport = Either<TcpStream, Box<TlsStream<TcpStream>>>;

/// Connects to a port.
pub(super) async fn connect(host: &str, port: u16, encryption: Option<&Encryption>) -> io::Result<Transport> {
    let stream = TcpStream::connect((host, port)).await?;
    if stream.local_addr()? == stream.peer_addr()? {
        // The system gave out the very port that was to be connected to; while this stays open, no server can listen there.
        return Err(io::Error::new(io::ErrorKind::ConnectionRefused, "nobody listens there"));
    }
    stream.set_nodelay(true)?;
    match encryption {
        None => Ok(Either::Left(stream)),
        Some(Encryption { connector, server_name }) => {
            let stream = connector.connect(server_name.clone(), stream).await?;
            Ok(Either::Right(Box::new(stream)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;
    use tokio::runtime::Builder;

    /// A server was away for a moment, at a port that the system also gives to whoever connects. A client that tried to come
    /// back was given that port for its own end: it was connected to itself, took its own hello for the answer of something
    /// that is no gesta server, gave up what it should have tried again, and kept the server from its port.
    #[test]
    fn a_client_does_not_take_itself_for_the_server() {
        let port = port_for_connecting();
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let error = runtime.block_on(async {
            // The system gives out its ports more or less one after the other: sooner or later it is this one's turn.
            for _ in 0..1_000_000 {
                match connect("127.0.0.1", port, None).await {
                    Err(error) if error.raw_os_error().is_some() => {}
                    Err(error) => return error,
                    Ok(_) => panic!("connected, though nobody listens"),
                }
            }
            panic!("port {port} was never given out")
        });
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    }

    /// A port of those that the system gives to whoever connects: another range, or every other port, may be kept for those
    /// who listen.
    fn port_for_connecting() -> u16 {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let connected = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        connected.local_addr().unwrap().port()
    }
}
