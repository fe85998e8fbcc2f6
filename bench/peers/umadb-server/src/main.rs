//! UmaDB's server, with its defaults, asked by a client for each thread: an event's stream is a tag, and the check of a
//! revision a condition on that tag.

use driver::server::{Pool, Server, free_port, installed};
use driver::{Batch, Failure, Peer, Seen, Signal, main as drive};
use std::collections::HashMap;
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::process::{Command, ExitCode};
use std::sync::Mutex;
use umadb_client::{SyncUmaDbClient, UmaDbClient};
use umadb_dcb::{DcbAppendCondition, DcbEvent, DcbEventStoreSync, DcbQuery, DcbQueryItem};

struct Uma {
    server: Server,
    clients: Pool<SyncUmaDbClient>,
    /// The last position of each stream, as a writer knows it that has read the stream before it decides.
    known: Mutex<HashMap<String, u64>>,
}

impl Peer for Uma {
    const NAME: &str = "umadb-server";
    const VERSION: &str = "0.7";
    const KEEPS: &str = "types, tags; condition on a tag; no times or revisions";
    const IS_UNSYNCED: bool = false;

    fn open(directory: &Path, _: bool) -> Result<Self, Failure> {
        let program = installed("umadb", "pip install umadb")?;
        let port = free_port()?;
        let mut command = Command::new(program);
        command.arg("--listen").arg(format!("127.0.0.1:{port}")).arg("--db-path").arg(directory.join("uma.db"));
        let is_ready = || TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok();
        let server = Server::start(&mut command, &directory.join("log"), is_ready)?;
        let connect = move || Ok(UmaDbClient::new(format!("http://127.0.0.1:{port}")).connect()?);
        Ok(Self { server, clients: Pool::new(connect), known: Mutex::default() })
    }

    fn prepare(&self, threads: u64) -> Result<(), Failure> {
        self.clients.fill(threads)
    }

    fn append(&self, batch: &Batch) -> Result<(), Failure> {
        let tags = vec![batch.stream.clone()];
        let events = batch.events.iter().map(|event| DcbEvent {
            event_type: event.event_type.to_owned(),
            tags: tags.clone(),
            data: event.data.clone(),
            uuid: None,
            metadata: Vec::new(),
        });
        let after = self.known.lock().map_err(|_| "a thread panicked")?.get(&batch.stream).copied();
        let condition = DcbAppendCondition { fail_if_events_match: of_stream(&batch.stream), after };
        let last = self.clients.with(|client| Ok(client.append(events.collect(), Some(condition), None)?))?;
        self.known.lock().map_err(|_| "a thread panicked")?.insert(batch.stream.clone(), last);
        Ok(())
    }

    fn sync(&self) -> Result<(), Failure> {
        Ok(())
    }

    fn replay(&self, each: &mut dyn FnMut(Seen<'_>)) -> Result<(), Failure> {
        self.read(None, each)
    }

    fn read_stream(&self, stream: &str, each: &mut dyn FnMut(Seen<'_>)) -> Result<(), Failure> {
        self.read(Some(of_stream(stream)), each)
    }

    fn close(self) -> Result<(), Failure> {
        drop(self.clients);
        self.server.stop(Signal::INT)
    }

    fn crash(self) {
        self.server.kill();
    }
}

impl Uma {
    fn read(&self, query: Option<DcbQuery>, each: &mut dyn FnMut(Seen<'_>)) -> Result<(), Failure> {
        self.clients.with(|client| {
            for event in client.read(query, None, false, None)? {
                let event = event?.event;
                let stream = event.tags.first().map_or("", String::as_str);
                each(Seen { stream, event_type: &event.event_type, data: &event.data });
            }
            Ok(())
        })
    }
}

fn of_stream(stream: &str) -> DcbQuery {
    DcbQuery { items: vec![DcbQueryItem { types: Vec::new(), tags: vec![stream.to_owned()] }] }
}

fn main() -> ExitCode {
    drive::<Uma>()
}
