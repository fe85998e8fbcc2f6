//! Clients in a process of their own that read everything again and again.

use super::child::{tell, wait_until_told};
use super::clients::runtime;
use crate::outcome::Outcome;
use gesta::Read;
use gesta_client::{Address, Client, ClientOptions};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::task::JoinSet;

/// What the child does: reads everything over and over until it is told to end, then says how much that was.
pub fn replay_until_told(address: &str, count: usize) -> Outcome<()> {
    let address: Address = address.parse()?;
    let runtime = runtime()?;
    let replayed = Arc::new(AtomicU64::new(0));
    let replays = runtime.block_on(async {
        let mut replays = JoinSet::new();
        for _ in 0..count {
            let client = Client::connect(address.clone(), ClientOptions::default())?;
            client.head().await?;
            replays.spawn(replay(client, Arc::clone(&replayed)));
        }
        Outcome::Ok(replays)
    })?;
    tell(&[count as u64])?;
    wait_until_told()?;
    assert_eq!(replays.len(), count, "no replay has ended by itself");
    tell(&[replayed.load(Ordering::Relaxed)])
}

/// Ends only by an error, which is told.
async fn replay(client: Client, replayed: Arc<AtomicU64>) {
    loop {
        let pass = async {
            let mut cursor = client.read(Read::all()).await?;
            while let Some(record) = cursor.next_record().await {
                record?;
                // Relaxed: a count, looked at once.
                replayed.fetch_add(1, Ordering::Relaxed);
            }
            Outcome::Ok(())
        };
        if let Err(error) = pass.await {
            eprintln!("a replay failed: {error}");
            std::process::exit(1);
        }
    }
}
