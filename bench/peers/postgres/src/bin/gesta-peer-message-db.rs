//! message-db: events by its own functions in PostgreSQL, as JSON.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use driver::{Batch, Failure, Peer, Seen, main as drive};
use gesta_peer_postgres::Cluster;
use postgres::types::ToSql;
use postgres::{Client, GenericClient, Statement};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

struct MessageDb {
    cluster: Cluster,
}

/// Where npm puts its SQL when it is told as the hint says; `MESSAGE_DB` names another folder.
const INSTALLED: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../../target/peers/node_modules/@eventide/message-db/database");
const HINT: &str = "npm install --prefix target/peers @eventide/message-db";
/// The files of its installation, in its order.
const FILES: [&str; 18] = [
    "schema/message-store",
    "extensions/pgcrypto",
    "tables/messages",
    "types/message",
    "functions/message-store-version",
    "functions/hash-64",
    "functions/acquire-lock",
    "functions/category",
    "functions/is-category",
    "functions/id",
    "functions/cardinal-id",
    "functions/stream-version",
    "functions/write-message",
    "functions/get-stream-messages",
    "functions/get-category-messages",
    "indexes/messages-id",
    "indexes/messages-category",
    "indexes/messages-stream",
];
const APPEND: &str = "SELECT write_message($1::varchar, $2::varchar, $3::varchar, $4::varchar::jsonb, NULL, $5)";
/// Messages that are asked for at once.
const PAGE: i64 = 1_000;

impl Peer for MessageDb {
    const NAME: &str = "message-db";
    const VERSION: &str = "1.3, PostgreSQL of this machine";
    const KEEPS: &str = "streams, types, ids, times; revision check; data as base64 in JSON";

    fn open(directory: &Path, is_durable: bool) -> Result<Self, Failure> {
        Ok(Self { cluster: Cluster::open(directory, is_durable, set_up, APPEND)? })
    }

    fn prepare(&self, threads: u64) -> Result<(), Failure> {
        self.cluster.sessions.fill(threads)
    }

    /// A message a call, in one transaction where they are many.
    fn append(&self, batch: &Batch) -> Result<(), Failure> {
        self.cluster.sessions.with(|session| {
            if batch.events.len() == 1 {
                return write(&mut session.client, &session.append, batch);
            }
            let mut transaction = session.client.transaction()?;
            write(&mut transaction, &session.append, batch)?;
            Ok(transaction.commit()?)
        })
    }

    fn sync(&self) -> Result<(), Failure> {
        self.cluster.sync()
    }

    fn replay(&self, each: &mut dyn FnMut(Seen<'_>)) -> Result<(), Failure> {
        let call = "SELECT stream_name, type, data, global_position FROM get_category_messages('account', $1, $2)";
        self.pages(call, 1, each)
    }

    fn read_stream(&self, stream: &str, each: &mut dyn FnMut(Seen<'_>)) -> Result<(), Failure> {
        let call = format!("SELECT stream_name, type, data, position FROM get_stream_messages('{stream}', $1, $2)");
        self.pages(&call, 0, each)
    }

    fn close(self) -> Result<(), Failure> {
        self.cluster.close()
    }

    fn crash(self) {
        self.cluster.crash();
    }
}

fn write(client: &mut impl GenericClient, append: &Statement, batch: &Batch) -> Result<(), Failure> {
    for (number, event) in (i64::try_from(batch.first_revision)?..).zip(&batch.events) {
        let id = format!("{:032x}", event.id);
        let data = format!("{{\"data\":\"{}\"}}", BASE64_STANDARD.encode(&event.data));
        let values: [&(dyn ToSql + Sync); 5] = [&id, &batch.stream, &event.event_type, &data, &(number - 1)];
        client.execute(append, &values)?;
    }
    Ok(())
}

impl MessageDb {
    /// Asks for a page after the other, each from behind the last number of the one before.
    fn pages(&self, call: &str, first: i64, each: &mut dyn FnMut(Seen<'_>)) -> Result<(), Failure> {
        self.cluster.sessions.with(|session| {
            let call = session.client.prepare(call)?;
            let mut from = first;
            loop {
                let mut count = 0;
                let values: [&(dyn ToSql + Sync); 2] = [&from, &PAGE];
                for row in session.client.query(&call, &values)? {
                    let json: &str = row.get(2);
                    let coded = json.split('"').nth(3).ok_or("data without its text")?;
                    let data = BASE64_STANDARD.decode(coded)?;
                    each(Seen { stream: row.get(0), event_type: row.get(1), data: &data });
                    from = row.get::<_, i64>(3) + 1;
                    count += 1;
                }
                if count < PAGE {
                    return Ok(());
                }
            }
        })
    }
}

/// Makes the tables and functions, from the files of the package.
fn set_up(client: &mut Client) -> Result<(), Failure> {
    let folder = std::env::var_os("MESSAGE_DB").map_or_else(|| Path::new(INSTALLED).to_owned(), PathBuf::from);
    for file in FILES {
        let path = folder.join(file).with_extension("sql");
        let statements =
            std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}: {HINT}", path.display()))?;
        client.batch_execute(&statements)?;
    }
    Ok(())
}

fn main() -> ExitCode {
    drive::<MessageDb>()
}
