//! Everything read over TCP beside a raw socket, and a query over TCP beside the same query in one process.

use super::clients::runtime;
use super::raw_socket::RawSocket;
use super::server::ServedStore;
use crate::events::{DATA_BYTES, STREAM_COUNT};
use crate::outcome::Outcome;
use crate::sample::Sample;
use crate::workload::{Settings, Workload};
use gesta::{Query, Read, Reader};
use gesta_client::Client;
use std::hint::black_box;
use std::time::Instant;
use tokio::runtime::Runtime;

/// A store whose files are in the system's cache, and a client of it.
struct History {
    runtime: Runtime,
    client: Client,
    server: ServedStore,
    event_count: u64,
}

impl History {
    fn new(settings: &Settings) -> Outcome<Self> {
        let event_count = settings.replay_event_count;
        let server = ServedStore::start(&settings.directory, event_count)?;
        let runtime = runtime()?;
        let client = runtime.block_on(async { server.client() })?;
        Ok(Self { runtime, client, server, event_count })
    }

    /// Reads over TCP; each record is verified and decoded.
    fn read(&self, read: Read) -> Outcome<Sample> {
        let (mut event_count, mut data_bytes) = (0, 0);
        let start = Instant::now();
        self.runtime.block_on(async {
            let mut cursor = self.client.read(read).await?;
            while let Some(record) = cursor.next_record().await {
                data_bytes += black_box(record?.data().bytes()).len() as u64;
                event_count += 1;
            }
            Outcome::Ok(())
        })?;
        let sample = Sample::without_latency(event_count, start.elapsed());
        assert_eq!(data_bytes, event_count * DATA_BYTES as u64, "every event has come with all of its data");
        Ok(sample)
    }
}

/// A full replay.
pub(super) struct ServedReplay {
    history: History,
    raw: Option<RawSocket>,
}

impl ServedReplay {
    /// Goes over the store once, so that both sides find its files in the cache.
    pub(super) fn new(settings: &Settings) -> Outcome<Self> {
        let history = History::new(settings)?;
        let raw = Some(RawSocket::start(&history.server.directory())?);
        let mut replay = Self { history, raw };
        replay.yardstick()?;
        replay.gesta()?;
        Ok(replay)
    }
}

impl Workload for ServedReplay {
    fn yardstick(&mut self) -> Outcome<Sample> {
        let start = Instant::now();
        self.raw.as_ref().ok_or("the raw socket has ended")?.drain()?;
        Ok(Sample::without_latency(self.history.event_count, start.elapsed()))
    }

    fn gesta(&mut self) -> Outcome<Sample> {
        let sample = self.history.read(Read::all())?;
        assert_eq!(sample.event_count, self.history.event_count, "a replay passes by every event");
        Ok(sample)
    }
}

impl Drop for ServedReplay {
    fn drop(&mut self) {
        if let Some(Err(error)) = self.raw.take().map(RawSocket::end) {
            eprintln!("the raw socket: {error}");
        }
    }
}

/// A replay of the events of a tenth of the streams.
pub(super) struct FilteredReplay {
    history: History,
    query: Query,
    reader: Reader,
}

impl FilteredReplay {
    pub(super) fn new(settings: &Settings) -> Outcome<Self> {
        let history = History::new(settings)?;
        let streams = (0..STREAM_COUNT).step_by(10).map(|number| format!("stream=order-{number:04}"));
        let query: Query = streams.collect::<Vec<_>>().join(" | ").parse()?;
        let reader = Reader::open(history.server.directory())?;
        let mut replay = Self { history, query, reader };
        replay.yardstick()?;
        replay.gesta()?;
        Ok(replay)
    }

    fn check(&self, event_count: u64) {
        assert_eq!(event_count, self.history.event_count / 10, "a tenth of the streams has a tenth of the events");
    }
}

impl Workload for FilteredReplay {
    fn yardstick(&mut self) -> Outcome<Sample> {
        let mut event_count = 0;
        let start = Instant::now();
        let mut cursor = self.reader.read(Read::query(self.query.clone()));
        while let Some(record) = cursor.next_record() {
            black_box(record?.data().bytes());
            event_count += 1;
        }
        let sample = Sample::without_latency(event_count, start.elapsed());
        self.check(event_count);
        Ok(sample)
    }

    fn gesta(&mut self) -> Outcome<Sample> {
        let sample = self.history.read(Read::query(self.query.clone()))?;
        self.check(sample.event_count);
        Ok(sample)
    }
}
