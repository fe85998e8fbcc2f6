//! The log, and what happens when nobody takes it.

use super::line_queue::LineQueue;
use super::logging::{dropped_line, start, subscriber};
use crate::observe::Shown;
use crate::settings::{LogFormat, LogSettings};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tracing::level_filters::LevelFilter;

const AGES: Duration = Duration::from_secs(60);

/// Keeps what is written.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What `log` logs, as text.
fn logged(format: LogFormat, level: LevelFilter, log: impl FnOnce()) -> String {
    let kept = Kept::default();
    let queue = LineQueue::start(kept.clone(), move |count| dropped_line(format, count)).unwrap();
    tracing::dispatcher::with_default(&subscriber(format, level, false, queue.clone()), log);
    queue.flush(AGES);
    String::from_utf8(kept.0.lock().unwrap().clone()).unwrap()
}

#[test]
fn a_line_of_json_is_one_object_with_time_level_message_and_fields() {
    let text = logged(LogFormat::Json, LevelFilter::INFO, || {
        tracing::warn!(address = "192.0.2.7", suppressed = 3, "garbage");
        tracing::debug!("not at this level");
    });
    let line: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&line["level"], &line["message"]), (&"WARN".into(), &"garbage".into()));
    assert_eq!((&line["address"], &line["suppressed"]), (&"192.0.2.7".into(), &3.into()));
    line["timestamp"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    assert_eq!(text.lines().count(), 1);
}

#[test]
fn what_a_stranger_says_neither_starts_a_line_nor_steers_a_terminal() {
    let name = "x\n2026-01-01T00:00:00Z  INFO forged\u{1b}[2J\u{202e}";
    for format in [LogFormat::Text, LogFormat::Json] {
        let text = logged(format, LevelFilter::INFO, || tracing::info!(store = %Shown(name), "unknown store"));
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text:?}");
        assert!(text.contains("unknown store") && text.contains("forged"), "{text}");
    }
}

#[test]
fn a_sink_that_takes_nothing_holds_nobody_up_and_later_says_how_much_is_missing() {
    for format in [LogFormat::Text, LogFormat::Json] {
        let (taken, sink) = io::pipe().unwrap();
        let queue = LineQueue::start(sink, move |count| dropped_line(format, count)).unwrap();
        let count = 20_000;
        tracing::dispatcher::with_default(&subscriber(format, LevelFilter::INFO, false, queue.clone()), || {
            for number in 0..count {
                tracing::info!(number, "a line that nobody takes: {}", "x".repeat(100));
            }
        });
        // Now somebody reads, so the rest comes through.
        let reading = std::thread::spawn(move || BufReader::new(taken).lines().collect::<Result<Vec<_>, _>>().unwrap());
        queue.flush(AGES);
        drop(queue);
        let lines = reading.join().unwrap();
        let (notes, lines): (Vec<_>, Vec<_>) = lines.iter().partition(|line| line.contains("lines were dropped"));
        let told = |note: &String| match format {
            LogFormat::Text => note.rsplit_once("dropped=").unwrap().1.parse().unwrap(),
            LogFormat::Json => serde_json::from_str::<serde_json::Value>(note).unwrap()["dropped"].as_u64().unwrap(),
        };
        let dropped: u64 = notes.into_iter().map(told).sum();
        assert!(dropped > 0, "the pipe took everything");
        assert_eq!(lines.len() as u64 + dropped, count);
    }
}

#[test]
fn a_sink_that_fails_is_written_to_again_when_it_recovers() {
    /// A full disk that gets room again.
    #[derive(Clone, Default)]
    struct Full(Arc<Mutex<bool>>, Kept);
    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if *self.0.lock().unwrap() { Err(io::ErrorKind::StorageFull.into()) } else { self.1.write(bytes) }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let sink = Full::default();
    *sink.0.lock().unwrap() = true;
    let queue = LineQueue::start(sink.clone(), |count| dropped_line(LogFormat::Text, count)).unwrap();
    queue.clone().write_all(b"lost\n").unwrap();
    queue.flush(AGES);
    *sink.0.lock().unwrap() = false;
    queue.clone().write_all(b"written\n").unwrap();
    queue.flush(AGES);
    assert_eq!(*sink.1.0.lock().unwrap(), b"written\n");
}

/// Set in a process that is to log and nothing else: how many lines.
const CHILD: &str = "GESTA_TEST_LOGGING_CHILD";

/// Logs, panics in a thread, and says on standard output that it lives.
#[test]
fn child_that_logs() {
    let Ok(count) = std::env::var(CHILD) else { return };
    let logs = start(&LogSettings::default()).unwrap();
    start(&LogSettings::default()).unwrap_err();
    for number in 0..count.parse().unwrap() {
        tracing::info!(number, "one of many lines");
    }
    std::thread::spawn(|| panic!("one task fails")).join().unwrap_err();
    logs.flush(if count == MORE_THAN_A_PIPE_HOLDS { Duration::from_millis(100) } else { AGES });
    println!("still here");
}

/// More than the queue holds as well: lines are dropped.
const MORE_THAN_A_PIPE_HOLDS: &str = "20000";

/// Runs the test above in a process of its own.
fn child(line_count: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "operator::logging_test::child_that_logs", "--nocapture"]).env(CHILD, line_count);
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    command
}

#[test]
fn a_process_whose_standard_error_is_full_or_closed_goes_on() {
    // Kept open and never read: full after 64 KiB.
    let (_unread, full) = io::pipe().unwrap();
    // Nobody can ever read it: every write fails.
    let (reader, closed) = io::pipe().unwrap();
    drop(reader);
    let no_room = std::fs::File::options().write(true).open("/dev/full").unwrap();
    for sink in [Stdio::from(full), Stdio::from(closed), Stdio::from(no_room)] {
        let output = child(MORE_THAN_A_PIPE_HOLDS).stderr(sink).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && said.contains("still here"), "{}: {said}", output.status);
    }
}

#[test]
fn a_process_whose_standard_error_is_read_logs_its_panics_as_lines() {
    let mut running = child("10").stderr(Stdio::piped()).spawn().unwrap();
    let mut text = String::new();
    running.stderr.take().unwrap().read_to_string(&mut text).unwrap();
    assert!(running.wait().unwrap().success());
    let panic = text.lines().find(|line| line.contains("one task fails"));
    let panic = panic.unwrap_or_else(|| panic!("no panic in {} lines", text.lines().count()));
    assert!(panic.contains("ERROR") && panic.contains("logging_test.rs"), "{panic}");
}
