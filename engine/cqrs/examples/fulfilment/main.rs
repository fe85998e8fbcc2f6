//! Orders that are paid for and shipped by a process manager: `cargo run -p gesta-cqrs --example fulfilment`.

mod shop;

use gesta_cqrs::sqlite::SqliteReadModel;
use gesta_cqrs::{Reactor, Runner};
use gesta_model::{EventReader, Read};
use shop::{Fulfilment, fund, place};
use std::error::Error;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

fn main() -> Result<(), Box<dyn Error>> {
    let directory = tempfile::tempdir()?;
    let store = Arc::new(gesta::Store::open(directory.path().join("store"), gesta::Options::default())?);
    let checkpoints = SqliteReadModel::open(directory.path().join("fulfilment.sqlite"))?;
    let process = Reactor::new(Fulfilment::new(&store), Arc::clone(&store));
    let running = Runner::new(Arc::clone(&store)).project(process, checkpoints).start()?;

    fund(&store, "ada", 100)?;
    place(&store, 1, "ada", 70)?;
    place(&store, 2, "ada", 70)?; // more than what is left

    let deadline = Instant::now() + Duration::from_secs(10);
    while store.head()?.0 < 7 && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(5));
    }
    running.stop()?;

    let mut events = EventReader::read(&*store, Read::all())?;
    while let Some(event) = events.next_record() {
        let event = event?;
        println!(
            "{:<10} {:<10} {}",
            event.stream().unwrap_or("-"),
            event.event_type(),
            event.data().as_str().unwrap_or("")
        );
    }
    Ok(())
}
