//! gesta's own server, with its defaults, asked by a blocking client for each thread.

mod serve;

use driver::server::{Pool, Server, free_port};
use driver::{Batch, Failure, Peer, Seen, Signal, main as drive};
use gesta::{
    AppendRequest, Durability, Event, EventCursor as _, EventReader as _, EventStore as _, EventType, ExpectedRevision,
    Read, Revision, StreamName, Uuid,
};
use gesta_client::{Address, BlockingClient, ClientOptions};
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::process::{Command, ExitCode};

struct Served {
    server: Server,
    clients: Pool<BlockingClient>,
    durability: Durability,
}

impl Peer for Served {
    const NAME: &str = "gesta-server";
    const VERSION: &str = "here";
    const KEEPS: &str = "streams, types, tags, ids, times; revision check";

    fn open(directory: &Path, is_durable: bool) -> Result<Self, Failure> {
        let (append, read) = (free_port()?, free_port()?);
        let mut command = Command::new(std::env::current_exe()?);
        command.arg(serve::COMMAND).arg(directory.join("stores")).args([append.to_string(), read.to_string()]);
        let is_ready = || TcpStream::connect((Ipv4Addr::LOCALHOST, read)).is_ok();
        let server = Server::start(&mut command, &directory.join("log"), is_ready)?;
        let address = Address::new("127.0.0.1").with_ports(append, read);
        let connect = move || Ok(BlockingClient::connect(address.clone(), ClientOptions::default())?);
        let durability = if is_durable { Durability::Durable } else { Durability::Written };
        Ok(Self { server, clients: Pool::new(connect), durability })
    }

    fn prepare(&self, threads: u64) -> Result<(), Failure> {
        self.clients.fill(threads)
    }

    fn append(&self, batch: &Batch) -> Result<(), Failure> {
        let stream = StreamName::new(batch.stream.as_str())?;
        let expected = match batch.first_revision.checked_sub(1) {
            None => ExpectedRevision::NoStream,
            Some(last) => ExpectedRevision::Exactly(Revision(last)),
        };
        let mut request = AppendRequest::new().durability(self.durability).expect(stream.clone(), expected);
        for event in &batch.events {
            let event_type = EventType::new(event.event_type)?;
            let id = Uuid::from_u128(event.id + 1);
            request = request.event(Event::new(event_type).stream(stream.clone()).id(id).data(event.data.as_slice()));
        }
        self.clients.with(|client| Ok(client.append(request).map(|_| ())?))
    }

    fn sync(&self) -> Result<(), Failure> {
        // It syncs when it is told to end, and what is written outlives it.
        Ok(())
    }

    fn replay(&self, each: &mut dyn FnMut(Seen<'_>)) -> Result<(), Failure> {
        self.read(Read::all(), each)
    }

    fn read_stream(&self, stream: &str, each: &mut dyn FnMut(Seen<'_>)) -> Result<(), Failure> {
        self.read(Read::stream(StreamName::new(stream)?), each)
    }

    fn close(self) -> Result<(), Failure> {
        drop(self.clients);
        self.server.stop(Signal::TERM)
    }

    fn crash(self) {
        self.server.kill();
    }
}

impl Served {
    fn read(&self, read: Read, each: &mut dyn FnMut(Seen<'_>)) -> Result<(), Failure> {
        self.clients.with(|client| {
            let mut cursor = client.read(read)?;
            while let Some(record) = cursor.next_record() {
                let record = record?;
                let data = record.data();
                each(Seen {
                    stream: record.stream().unwrap_or(""),
                    event_type: record.event_type(),
                    data: data.bytes(),
                });
            }
            Ok(())
        })
    }
}

fn main() -> ExitCode {
    match serve::if_told() {
        Some(Ok(())) => ExitCode::SUCCESS,
        Some(Err(error)) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
        None => drive::<Served>(),
    }
}
