//! A process that opens connections and keeps them: this test once more, so that one process need not hold them all.

use crate::support::wait;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::io::{BufRead as _, BufReader, Lines};
use std::net::SocketAddr;
use std::process::{Child, ChildStdout, Command, Stdio};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;

const TARGET: &str = "GESTA_TEST_FLOOD";
const SOURCE: &str = "GESTA_TEST_FLOOD_FROM";
const COUNT: &str = "GESTA_TEST_FLOOD_COUNT";
/// How many connections are being made at a time.
const AT_A_TIME: usize = 64;

/// Connections of another process, until this is dropped.
pub(super) struct Flood {
    process: Child,
    /// What it says in the end goes nowhere, but must not fail.
    said: Lines<BufReader<ChildStdout>>,
}

impl Flood {
    /// Opens so many connections from an address, as the test of this name; returns when all were made.
    pub(super) fn start(test: &str, source: &str, target: SocketAddr, count: usize) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", test, "--nocapture"]);
        command.env(TARGET, target.to_string()).env(SOURCE, source).env(COUNT, count.to_string());
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut said = BufReader::new(process.stdout.take().unwrap()).lines();
        let is_made = said.by_ref().map(Result::unwrap).any(|line| line == "all connections were made");
        if !is_made {
            panic!("the flood did not come: {:?}", wait(process));
        }
        Self { process, said }
    }
}

impl Drop for Flood {
    fn drop(&mut self) {
        // Its input ends, and so does it.
        drop(self.process.stdin.take());
        self.said.by_ref().for_each(drop);
        let status = self.process.wait().unwrap();
        assert!(status.success() || std::thread::panicking(), "{status}");
    }
}

/// Is the flood, if this process was started for that.
pub(super) fn is_played() -> bool {
    let variable = |name| std::env::var(name).ok();
    let Some(target) = variable(TARGET) else { return false };
    raise_descriptors();
    let source = variable(SOURCE).unwrap();
    let (target, count): (SocketAddr, usize) = (target.parse().unwrap(), variable(COUNT).unwrap().parse().unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let kept = runtime.block_on(connect_all(format!("{source}:0").parse().unwrap(), target, count));
    println!("\nall connections were made");
    std::io::copy(&mut std::io::stdin(), &mut std::io::sink()).unwrap();
    assert_eq!(kept.len(), count);
    true
}

async fn connect_all(source: SocketAddr, target: SocketAddr, count: usize) -> Vec<TcpStream> {
    let (mut kept, mut under_way) = (Vec::with_capacity(count), JoinSet::new());
    for number in 0..count + AT_A_TIME {
        if number < count {
            under_way.spawn(async move {
                let socket = TcpSocket::new_v4().unwrap();
                socket.bind(source).unwrap();
                socket.connect(target).await
            });
        }
        if number >= AT_A_TIME.min(count) {
            // Whoever is turned away at once may be told so before it was let through.
            kept.extend(under_way.join_next().await.map(|made| made.unwrap().unwrap()));
        }
    }
    while let Some(made) = under_way.join_next().await {
        kept.push(made.unwrap().unwrap());
    }
    kept
}

/// Takes as many descriptors as the system gives; tells how many these are.
pub(super) fn raise_descriptors() -> u64 {
    let maximum = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).unwrap();
    maximum.unwrap_or(u64::MAX)
}
