//! The cluster: made once, started and ended as often as need be.

use driver::server::{Pool, Server, free_port, installed};
use driver::{Failure, Signal};
use postgres::{Client, NoTls, Statement};
use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// Where message-db keeps its functions; to others it makes no difference.
const SEARCH: &str = "options='-c search_path=message_store,public'";
const HINT: &str = "install PostgreSQL (Debian's package postgresql)";

/// A running server and connections to it.
pub struct Cluster {
    server: Server,
    /// A session for each thread.
    pub sessions: Pool<Session>,
}

/// A connection, and its statement that appends.
pub struct Session {
    /// The connection.
    pub client: Client,
    /// The statement, prepared.
    pub append: Statement,
}

impl Cluster {
    /// Starts the cluster of a directory, or makes one there. `set_up` makes the tables of a new one; `append` is the statement
    /// that appends.
    pub fn open(
        directory: &Path,
        is_durable: bool,
        set_up: impl FnOnce(&mut Client) -> Result<(), Failure>,
        append: &'static str,
    ) -> Result<Self, Failure> {
        let user = user()?;
        if let Some((user, group)) = user {
            chown(directory, Some(user), Some(group))?;
        }
        let data = directory.join("data");
        let is_new = !data.join("PG_VERSION").exists();
        if is_new {
            let mut initdb = as_user(&program("initdb")?, directory, user);
            initdb
                .args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-locale", "--pgdata"])
                .arg(&data);
            let made = initdb.output()?;
            if !made.status.success() {
                return Err(format!("initdb: {}", String::from_utf8_lossy(&made.stderr)).into());
            }
        }
        let port = free_port()?;
        let settings = format!("host=127.0.0.1 port={port} user=postgres dbname=postgres {SEARCH}");
        let server = start(directory, user, is_durable, port, &settings)?;
        if is_new {
            set_up(&mut Client::connect(&settings, NoTls)?)?;
        }
        let connect = move || {
            let mut client = Client::connect(&settings, NoTls)?;
            let append = client.prepare(append)?;
            Ok(Session { client, append })
        };
        Ok(Self { server, sessions: Pool::new(connect) })
    }

    /// Brings to the device what was committed.
    pub fn sync(&self) -> Result<(), Failure> {
        let durable = "BEGIN; SET LOCAL synchronous_commit = on; SELECT txid_current(); COMMIT";
        self.sessions.with(|session| Ok(session.client.batch_execute(durable)?))
    }

    /// Ends it in good order.
    pub fn close(self) -> Result<(), Failure> {
        drop(self.sessions);
        self.server.stop(Signal::INT)
    }

    /// Ends it as a crash would; its other processes notice, and end as well.
    pub fn crash(self) {
        self.server.kill();
        std::thread::sleep(Duration::from_secs(1));
    }
}

fn start(
    directory: &Path,
    user: Option<(u32, u32)>,
    is_durable: bool,
    port: u16,
    settings: &str,
) -> Result<Server, Failure> {
    let mut postgres = as_user(&program("postgres")?, directory, user);
    postgres.arg("-D").arg(directory.join("data")).arg("-k").arg(directory);
    postgres.args(["-p", &port.to_string(), "-c", "listen_addresses=127.0.0.1", "-c"]);
    postgres.arg(if is_durable { "synchronous_commit=on" } else { "synchronous_commit=off" });
    Server::start(&mut postgres, &directory.join("log"), || Client::connect(settings, NoTls).is_ok())
}

fn as_user(program: &Path, directory: &Path, user: Option<(u32, u32)>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(directory);
    if let Some((user, group)) = user {
        command.uid(user).gid(group);
    }
    command
}

/// On the path, or where Debian puts the newest version.
fn program(name: &str) -> Result<PathBuf, Failure> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut versions: Vec<PathBuf> = versions.map(|entry| entry.path()).collect();
    versions.sort_by_key(|path| path.file_name().and_then(|name| name.to_str()?.parse::<u32>().ok()));
    let debian = versions.into_iter().rev().map(|version| version.join("bin").join(name)).find(|file| file.is_file());
    debian.map_or_else(|| installed(name, HINT), Ok)
}

/// As whom the server runs, which refuses to be run by root: the user and group; `None` for whoever runs this.
fn user() -> Result<Option<(u32, u32)>, Failure> {
    if fs::metadata("/proc/self")?.uid() != 0 {
        return Ok(None);
    }
    let users = fs::read_to_string("/etc/passwd")?;
    let numbers = |wanted: &str| {
        let mut lines = users.lines().map(|line| line.split(':').collect::<Vec<_>>());
        let fields = lines.find(|fields| fields[0] == wanted)?;
        Some((fields.get(2)?.parse().ok()?, fields.get(3)?.parse().ok()?))
    };
    Ok(Some(numbers("postgres").or_else(|| numbers("nobody")).ok_or("neither a user postgres nor a user nobody")?))
}
