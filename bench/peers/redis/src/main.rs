//! Redis: a Redis stream for each stream, whose entry ids are the revisions, written ahead to its append-only file.

use driver::server::{Pool, Server, free_port, installed};
use driver::{Batch, Failure, Peer, Seen, Signal, main as drive};
use redis::{Client, Connection};
use std::path::Path;
use std::process::{Command, ExitCode};

struct Redis {
    server: Server,
    connections: Pool<Connection>,
}

/// Entries that are asked for at once.
const PAGE: usize = 1_000;

type Entry = (String, Vec<(Vec<u8>, Vec<u8>)>);

impl Peer for Redis {
    const NAME: &str = "redis";
    const VERSION: &str = "redis-server of this machine";
    const KEEPS: &str = "streams, types; an id must be above the last; no order among streams; all in memory";

    fn open(directory: &Path, is_durable: bool) -> Result<Self, Failure> {
        let program = installed("redis-server", "install Debian's package redis-server")?;
        let port = free_port()?;
        let mut command = Command::new(program);
        command.arg("--port").arg(port.to_string()).args(["--bind", "127.0.0.1", "--appendonly", "yes", "--save", ""]);
        command.args(["--appendfsync", if is_durable { "always" } else { "everysec" }, "--dir"]).arg(directory);
        let client = Client::open(format!("redis://127.0.0.1:{port}"))?;
        // While it reads its file, it is there and refuses to answer.
        let is_ready = || {
            let pong = client.get_connection().and_then(|mut connection| redis::cmd("PING").query(&mut connection));
            pong.is_ok_and(|pong: String| pong == "PONG")
        };
        let server = Server::start(&mut command, &directory.join("log"), is_ready)?;
        let connect = move || Ok(client.get_connection()?);
        Ok(Self { server, connections: Pool::new(connect) })
    }

    fn prepare(&self, threads: u64) -> Result<(), Failure> {
        self.connections.fill(threads)
    }

    fn append(&self, batch: &Batch) -> Result<(), Failure> {
        let mut pipeline = redis::pipe();
        if batch.events.len() > 1 {
            pipeline.atomic();
        }
        for (number, event) in (1..).zip(&batch.events) {
            let id = format!("{}-0", batch.first_revision + number);
            let command = pipeline.cmd("XADD").arg(&batch.stream).arg(id);
            command.arg("type").arg(event.event_type).arg("data").arg(event.data.as_slice()).ignore();
        }
        self.connections.with(|connection| Ok(pipeline.query::<()>(connection)?))
    }

    fn sync(&self) -> Result<(), Failure> {
        Ok(())
    }

    fn replay(&self, each: &mut dyn FnMut(Seen<'_>)) -> Result<(), Failure> {
        let ask = |connection: &mut Connection| Ok(redis::cmd("KEYS").arg("*").query(connection)?);
        let streams: Vec<String> = self.connections.with(ask)?;
        streams.iter().try_for_each(|stream| self.read_stream(stream, each))
    }

    fn read_stream(&self, stream: &str, each: &mut dyn FnMut(Seen<'_>)) -> Result<(), Failure> {
        self.connections.with(|connection| {
            let mut from = "-".to_owned();
            loop {
                let mut range = redis::cmd("XRANGE");
                let page: Vec<Entry> =
                    range.arg(stream).arg(&from).arg("+").arg("COUNT").arg(PAGE).query(connection)?;
                for (_, fields) in &page {
                    let [(_, event_type), (_, data)] = &fields[..] else { return Err("an entry of two fields".into()) };
                    each(Seen { stream, event_type: std::str::from_utf8(event_type)?, data });
                }
                match page.last() {
                    Some((last, _)) if page.len() == PAGE => from = format!("({last}"),
                    _ => return Ok(()),
                }
            }
        })
    }

    fn close(self) -> Result<(), Failure> {
        drop(self.connections);
        self.server.stop(Signal::TERM)
    }

    fn crash(self) {
        self.server.kill();
    }
}

fn main() -> ExitCode {
    drive::<Redis>()
}
