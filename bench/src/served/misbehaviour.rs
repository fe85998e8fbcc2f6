//! Clients that misbehave, in a process of their own.

use super::child::{tell, wait_until_told};
use super::clients::runtime;
use crate::outcome::Outcome;
use gesta::Read;
use gesta_client::{Address, Client, ClientOptions, Plane};
use std::future::pending;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// A way of being a burden to a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Misbehaviour {
    /// 500 connect and say nothing, and come again when they are sent away.
    Silent,
    /// 500 connect and send a byte of a greeting every 100 ms.
    Slow,
    /// 16 send 64 KiB of noise, and come again.
    Noisy,
    /// 16 connect and leave, as fast as they can.
    Fleeting,
    /// 16 ask for everything and never take more than the first event.
    Unread,
}

impl Misbehaviour {
    /// Its name on the command line.
    pub(super) fn name(self) -> String {
        format!("{self:?}").to_lowercase()
    }

    fn client_count(self) -> usize {
        match self {
            Self::Silent | Self::Slow => 500,
            Self::Noisy | Self::Fleeting | Self::Unread => 16,
        }
    }

    /// One client's next try, until the server ends it or it has done its worst; `connected` counts it once it has an ear.
    async fn once(self, address: &Address, connected: &AtomicU64) -> Outcome<()> {
        let connect = async || {
            let stream = TcpStream::connect((address.host(), address.port(Plane::Append))).await?;
            // Relaxed: a count, looked at once.
            connected.fetch_add(1, Ordering::Relaxed);
            io::Result::Ok(stream)
        };
        match self {
            Self::Silent => until_sent_away(connect().await?).await,
            Self::Slow => {
                let mut stream = connect().await?;
                // The length of a greeting, and its first bytes.
                for byte in [64, 0, 0, 0].into_iter().chain([1; 60]) {
                    stream.write_all(&[byte]).await?;
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
                until_sent_away(stream).await
            }
            Self::Noisy => {
                let mut stream = connect().await?;
                // The server may hang up at the first frame that is none.
                let _ = stream.write_all(&NOISE).await;
                until_sent_away(stream).await
            }
            Self::Fleeting => {
                connect().await?;
                Ok(())
            }
            Self::Unread => {
                let client = Client::connect(address.clone(), ClientOptions::default())?;
                let mut cursor = client.read(Read::all()).await?;
                if let Some(first) = cursor.next_record().await {
                    first?;
                }
                connected.fetch_add(1, Ordering::Relaxed);
                pending().await
            }
        }
    }
}

/// 64 KiB that are no frames. Made once: the clients and the server share the processors.
static NOISE: LazyLock<Vec<u8>> =
    LazyLock::new(|| (0..64_u32 << 10).map(|number| (number.wrapping_mul(2_654_435_761) >> 24) as u8).collect());

/// Reads what the server still says.
async fn until_sent_away(mut stream: TcpStream) -> Outcome<()> {
    let mut said = [0; 1024];
    while stream.read(&mut said).await? > 0 {}
    Ok(())
}

/// What the child does: misbehaves until it is told to end, then says how often a client got through to the server.
pub fn misbehave_until_told(misbehaviour: Misbehaviour, address: &str) -> Outcome<()> {
    let address: Address = address.parse()?;
    let connected = Arc::new(AtomicU64::new(0));
    let runtime = runtime()?;
    let mut clients = JoinSet::new();
    for _ in 0..misbehaviour.client_count() {
        let (address, connected) = (address.clone(), Arc::clone(&connected));
        clients.spawn_on(
            async move {
                loop {
                    match misbehaviour.once(&address, &connected).await {
                        Ok(()) => {}
                        // It was cut off; or this machine has no port left for it for now.
                        Err(error) if error.is::<io::Error>() => tokio::time::sleep(Duration::from_millis(1)).await,
                        Err(error) => {
                            eprintln!("a client could not misbehave: {error}");
                            std::process::exit(1);
                        }
                    }
                }
            },
            runtime.handle(),
        );
    }
    tell(&[misbehaviour.client_count() as u64])?;
    wait_until_told()?;
    tell(&[connected.load(Ordering::Relaxed)])?;
    // Some wait for ever.
    runtime.shutdown_background();
    Ok(())
}
