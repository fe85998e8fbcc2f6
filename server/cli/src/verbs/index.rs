//! `gesta index verify` and `gesta index rebuild`: the files by which events are found.
//!
//! They are derived from the log: whatever becomes of them, no event is lost and every answer stays the same.

use crate::context::Context;
use crate::failure::{Failure, OneLine, Status};
use crate::output::Output;
use crate::place::Place;
use crate::progress::Progress;
use gesta::{IndexReport, Reader};
use gesta_client::{BlockingClient, IndexFindings};
use indicatif::{HumanBytes, HumanCount};
use serde::Serialize;
use std::path::Path;

/// What to do.
#[derive(Clone, Copy, Debug, clap::Subcommand)]
pub(crate) enum Verb {
    /// Read every byte of the index files and report what is damaged or missing
    Verify,
    /// Make all index files anew from the log
    Rebuild,
}

/// The report, in the order of its JSON form.
#[derive(Serialize)]
struct Report {
    ok: bool,
    files: u64,
    bytes: u64,
    damage: Vec<Fault>,
}

/// A file that is not as it should be.
#[derive(Serialize)]
struct Fault {
    file: String,
    what: String,
}

/// Does one of both, and prints what the index files are worth then.
pub(crate) fn run(verb: Verb, context: &Context) -> Result<Status, Failure> {
    let praise = match verb {
        Verb::Verify => "every byte as it was written",
        Verb::Rebuild => "made anew from the log",
    };
    let report = match (context.place()?, verb) {
        (Place::Directory(directory), Verb::Verify) => Report::of(&Reader::open(directory)?, directory),
        (Place::Directory(directory), Verb::Rebuild) => rebuild(directory, context)?,
        (Place::Server(client), Verb::Verify) => Report::from_server(&client)?,
        (Place::Server(client), Verb::Rebuild) => {
            let progress = Progress::segments();
            client.rebuild_index(|work| progress.set(work.done, work.total))?;
            drop(progress);
            Report::from_server(&client)?
        }
    };
    let mut output = Output::lock();
    if context.is_json {
        output.json(&report)?;
    } else {
        report.print(praise, &mut output)?;
    }
    output.flush()?;
    Ok(if report.ok { Status::Done } else { Status::Damage })
}

fn rebuild(directory: &Path, context: &Context) -> Result<Report, Failure> {
    // A store that is not there has no index: it is not to be made for that.
    Reader::open(directory)?;
    let store = context.open_directory(directory)?;
    let progress = Progress::segments();
    let rebuilt = store.rebuild_index(&mut |done, total| progress.set(done, total));
    drop(progress);
    let outcome = rebuilt.map(|()| Report::of(&store.reader(), directory)).map_err(|error| {
        let advice = "no event is lost, mend the cause and do it again";
        Failure::new(Status::Refused, "index", format!("cannot make the index files anew: {error}: {advice}"))
    });
    store.close()?;
    outcome
}

impl Report {
    /// What reading every byte of a store's index files finds.
    fn of(reader: &Reader, directory: &Path) -> Self {
        let progress = Progress::files();
        let IndexReport { whole, bytes, damaged, missing } =
            reader.verify_index(&mut |done, total| progress.set(done, total));
        let missing = missing.into_iter().map(|name| {
            let why = why_not_believed(&directory.join(&name));
            (name, why)
        });
        let fault = |(name, what): (String, String)| Fault { file: directory.join(name).display().to_string(), what };
        let mut damage: Vec<Fault> = damaged.into_iter().chain(missing).map(fault).collect();
        damage.sort_by(|one, other| one.file.cmp(&other.file));
        Self { ok: damage.is_empty(), files: whole, bytes, damage }
    }

    /// What a server finds when it reads every byte of its index files.
    fn from_server(client: &BlockingClient) -> Result<Self, Failure> {
        let progress = Progress::files();
        let IndexFindings { whole, bytes, damaged, missing } =
            client.verify_index(|work| progress.set(work.done, work.total))?;
        let missing = missing.into_iter().map(|file| (file, "missing, or not believed".to_owned()));
        let mut damage: Vec<Fault> =
            damaged.into_iter().chain(missing).map(|(file, what)| Fault { file, what }).collect();
        damage.sort_by(|one, other| one.file.cmp(&other.file));
        Ok(Self { ok: damage.is_empty(), files: whole, bytes, damage })
    }

    fn print(&self, praise: &str, output: &mut Output) -> Result<(), Failure> {
        for Fault { file, what } in &self.damage {
            output.text(&format!("{}: {}", OneLine(file), OneLine(what)))?;
        }
        let size = HumanBytes(self.bytes);
        let advice =
            "no event is lost and every answer is the same, only slower: 'gesta index rebuild' makes them anew";
        match (self.damage.len(), self.files) {
            (0, 0) => output.text("no index files: the first is written when the first segment of the log is full"),
            (0, files) => output.text(&format!("{} ({size}), {praise}", counted(files))),
            (faults, files) => output.text(&format!("{} whole, {faults} damaged or missing: {advice}", counted(files))),
        }
    }
}

/// What keeps a file from being used that should be there.
fn why_not_believed(file: &Path) -> String {
    match std::fs::File::open(file) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => "missing".to_owned(),
        Err(error) => format!("cannot be read: {error}"),
        Ok(_) => "damaged at its beginning, or made from another log, or by a newer gesta".to_owned(),
    }
}

fn counted(files: u64) -> String {
    match files {
        1 => "1 index file".to_owned(),
        files => format!("{} index files", HumanCount(files)),
    }
}
