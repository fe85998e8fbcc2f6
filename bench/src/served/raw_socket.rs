//! The yard-stick of a served replay: the bytes of the log, through a plain socket of the same machine.

use super::child::{Child, tell, wait_until_told};
use crate::outcome::Outcome;
use crate::yardstick::log_files;
use gesta::disk::{DiskFile, RealView};
use std::ffi::OsStr;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::thread;

/// Bytes of a write, and of a read.
const PIECE_BYTES: usize = 256 << 10;

/// A process that writes the bytes of a log into every connection.
#[derive(Debug)]
pub(super) struct RawSocket {
    child: Child,
    port: u16,
    byte_count: u64,
}

impl RawSocket {
    /// Has a process listen that pours out the log of a store.
    pub(super) fn start(store: &Path) -> Outcome<Self> {
        let (child, numbers) = Child::start(&[OsStr::new("--pour"), store.as_os_str()])?;
        let [port, byte_count] = numbers[..] else { return Err("a pouring process tells its port and bytes".into()) };
        Ok(Self { child, port: port.try_into()?, byte_count })
    }

    /// Receives all bytes and throws them away.
    pub(super) fn drain(&self) -> Outcome<()> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
        let mut piece = vec![0; PIECE_BYTES];
        let mut received = 0;
        loop {
            match stream.read(&mut piece)? {
                0 => break,
                count => received += count as u64,
            }
        }
        assert_eq!(received, self.byte_count, "all bytes of the log have come");
        Ok(())
    }

    /// Ends the process.
    pub(super) fn end(self) -> Outcome<()> {
        self.child.end().map(|_| ())
    }
}

/// What the child does: writes the bytes of a store's log into every connection until it is told to end.
pub fn pour(store: &Path) -> Outcome<()> {
    let files = log_files(store, 1)?;
    let views = files.iter().map(|file| file.file.view(0..file.written_bytes));
    let views: Vec<RealView> = views.collect::<Result<_, _>>()?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let byte_count = views.iter().map(|view| view.len() as u64).sum();
    tell(&[listener.local_addr()?.port().into(), byte_count])?;
    thread::spawn(move || {
        for stream in listener.incoming() {
            let poured = stream.and_then(|mut stream| {
                views.iter().flat_map(|view| view.chunks(PIECE_BYTES)).try_for_each(|piece| stream.write_all(piece))
            });
            if let Err(error) = poured {
                eprintln!("the raw socket: {error}");
            }
        }
    });
    wait_until_told()?;
    tell(&[byte_count])
}
