//! `gesta import`: lines of JSON into events.

use crate::context::Context;
use crate::failure::{Complaint, Failure, Status, remark};
use crate::intake::{LineSource, LinesError, Loader};
use crate::json::read_event;
use crate::progress::Progress;
use gesta::EventStore;
use std::io::IsTerminal;
use std::path::PathBuf;

/// Lines of JSON, plain or gzip: {"type", "stream", "id", "time", "tags", "metadata", "data"}, of which only the type is
/// required, or CloudEvents 1.0.
///
/// An event whose id the store has already is left out, so importing a file twice adds nothing; an event without an id
/// gets a new one each time. CloudEvents: the subject becomes the stream, the id is the UUIDv5 of source and id (with a
/// line feed between them, in the namespace 50fff7a2-ab76-57f1-885d-453946eb28dd), other attributes go to the metadata.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Arguments {
    /// What to do at a line that is not an event
    #[arg(long, value_enum, default_value_t = OnError::Stop, value_name = "ACTION")]
    on_error: OnError,
    /// The file; - or nothing is standard input
    file: Option<PathBuf>,
}

/// What to do at a line that is not an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum OnError {
    /// Stop there; what stood before it is added
    Stop,
    /// Say so and go on with the next line
    Skip,
}

/// Imports, then prints what became of the events.
pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<Status, Failure> {
    context.check_store()?;
    let (mut lines, name, progress) = open_lines(arguments, context)?;
    let store = context.open_store()?;
    let mut loader = Loader::new(&store)?;
    let intake = Intake { arguments, name: &name, is_json: context.is_json, progress: &progress };
    let added = intake.add_lines(&mut lines, &mut loader);
    let (tally, finished) = loader.finish();
    drop(progress);
    let closed = store.close();
    // What was acknowledged is told whatever failed after it.
    let printed = tally.print(context.is_json);
    added.and(finished).and(closed).and(printed)?;
    Ok(if tally.failed > 0 { Status::Damage } else { Status::Done })
}

fn open_lines(arguments: &Arguments, context: &Context) -> Result<(LineSource, String, Progress), Failure> {
    let file = arguments.file.as_ref().filter(|file| file.as_os_str() != "-");
    let name = file.map_or_else(|| "standard input".to_owned(), |file| file.display().to_string());
    let opened = match file {
        Some(file) => LineSource::open(file),
        None => {
            if std::io::stdin().is_terminal() {
                remark(context.is_json, "reading events from the terminal, one a line; end with Ctrl-D");
            }
            LineSource::standard_input()
        }
    };
    let (lines, progress) =
        opened.map_err(|error| Failure::usage(format!("cannot read {name}: {error}: name a file that can be read")))?;
    Ok((lines, name, progress))
}

/// One import.
struct Intake<'a> {
    arguments: &'a Arguments,
    name: &'a str,
    is_json: bool,
    progress: &'a Progress,
}

impl Intake<'_> {
    fn add_lines(&self, lines: &mut LineSource, loader: &mut Loader<'_, impl EventStore>) -> Result<(), Failure> {
        loop {
            let (incoming, is_last) = match lines.next_line() {
                Ok(None) => return Ok(()),
                Ok(Some(line)) => (read_event(line).map_err(|error| error.to_string()), false),
                Err(error) => (Err(error.to_string()), matches!(error, LinesError::Io(_))),
            };
            match incoming {
                Ok(incoming) => loader.add(incoming)?,
                Err(what) => {
                    loader.count_failed();
                    self.complain(lines.number(), &what);
                    if is_last || self.arguments.on_error == OnError::Stop {
                        return Ok(());
                    }
                }
            }
        }
    }

    fn complain(&self, line: u64, what: &str) {
        let message = format!("{}:{line}: {what}", self.name);
        let complaint = Complaint { code: "line", message: &message, file: Some(self.name), line: Some(line) };
        self.progress.complain(self.is_json, &complaint);
    }
}
