//! A throw-away cluster of PostgreSQL: in a directory of its own, on a socket in there, gone when the process is.

use gesta_postgres::postgres::{Client, NoTls};
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::OnceLock;

/// A running server. A shell holds it, and ends it when the pipe to this process breaks.
pub(super) struct Cluster {
    directory: PathBuf,
    supervisor: Child,
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

/// A database by itself in the cluster that the whole process shares, as settings of a connection; `None` when PostgreSQL is
/// missing.
pub(super) fn database(name: &str) -> Option<String> {
    static SHARED: OnceLock<Option<Cluster>> = OnceLock::new();
    Some(SHARED.get_or_init(Cluster::start).as_ref()?.database(name))
}

impl Cluster {
    /// A new cluster; `None` when PostgreSQL is not installed.
    pub(super) fn start() -> Option<Self> {
        let binaries = installed()?;
        let directory = tempfile::Builder::new().prefix("gesta-").tempdir().unwrap().keep();
        let user = user();
        if let Some((user, group)) = user {
            chown(&directory, Some(user), Some(group)).unwrap();
        }
        let as_user = |program: &Path| {
            let mut command = Command::new(program);
            command.current_dir(&directory).stdin(Stdio::null());
            if let Some((user, group)) = user {
                command.uid(user).gid(group);
            }
            command
        };
        let made = as_user(&binaries.join("initdb"))
            .args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync", "--pgdata"])
            .arg(directory.join("data"))
            .output()
            .unwrap();
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        let mut supervisor = as_user(Path::new("sh"))
            .args(["-c", include_str!("supervise.sh"), "supervise.sh"])
            .args([&binaries, &directory])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .unwrap();
        let orders = supervisor.stdin.take();
        let answers = BufReader::new(supervisor.stdout.take().unwrap());
        let mut cluster = Self { directory, supervisor, orders, answers };
        cluster.order("start");
        Some(cluster)
    }

    /// Makes a database by itself.
    pub(super) fn database(&self, name: &str) -> String {
        let mut client = Client::connect(&self.settings("postgres"), NoTls).unwrap();
        client.batch_execute(&format!("CREATE DATABASE {name}")).unwrap();
        self.settings(name)
    }

    /// Kills the server with SIGKILL, and each of its processes.
    pub(super) fn kill(&mut self) {
        self.order("kill");
    }

    /// Starts the server that was killed.
    pub(super) fn restart(&mut self) {
        self.order("start");
    }

    fn settings(&self, database: &str) -> String {
        format!("host={} user=postgres dbname={database}", self.directory.display())
    }

    fn order(&mut self, order: &str) {
        writeln!(self.orders.as_ref().unwrap(), "{order}").unwrap();
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        let log = || fs::read_to_string(self.directory.join("log")).unwrap_or_default();
        assert_eq!(answer, "done\n", "{order}: {}", log());
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.orders.take());
        self.supervisor.wait().unwrap();
    }
}

/// Where PostgreSQL's programs are; `None` when it is not installed, which is said, and under CI is a failure.
pub(super) fn installed() -> Option<PathBuf> {
    let binaries = binaries();
    if binaries.is_none() {
        assert!(std::env::var_os("CI").is_none(), "PostgreSQL is missing, and in CI this may not be skipped");
        eprintln!("skipped: PostgreSQL is not installed");
    }
    binaries
}

/// Where `initdb` and `postgres` are: on the path, or where Debian puts the newest version of them.
fn binaries() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut versions: Vec<PathBuf> = versions.map(|entry| entry.path()).collect();
    versions.sort_by_key(|path| path.file_name().and_then(|name| name.to_str()?.parse::<u32>().ok()));
    let installed = versions.into_iter().rev().map(|version| version.join("bin"));
    let has_all = |directory: &PathBuf| {
        ["initdb", "postgres", "pg_isready"].iter().all(|program| directory.join(program).is_file())
    };
    std::env::split_paths(&path).chain(installed).find(has_all)
}

/// As whom the server runs, which refuses to be run by root: the user and group; `None` for whoever runs this.
pub(super) fn user() -> Option<(u32, u32)> {
    if fs::metadata("/proc/self").unwrap().uid() != 0 {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").unwrap();
    let numbers = |wanted: &str| {
        let fields: Vec<&str> =
            users.lines().map(|line| line.split(':').collect()).find(|fields: &Vec<&str>| fields[0] == wanted)?;
        Some((fields[2].parse().unwrap(), fields[3].parse().unwrap()))
    };
    Some(numbers("postgres").or_else(|| numbers("nobody")).expect("neither a user postgres nor a user nobody"))
}
