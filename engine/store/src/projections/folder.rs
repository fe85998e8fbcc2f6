//! The folder `projections/`: files that are replaced whole and never synced.

use super::entry::{Entry, FILE_BYTES_MAX, Origin};
use crate::disk::{Access, Disk, DiskFile};
use gesta_model::limits::PROJECTION_COUNT_MAX;
use gesta_model::{ProjectionId, ProjectionReport};
use std::io;

const NAME: &str = "projections";
const REPORT: &str = ".prj";
const ASK: &str = ".ask";
/// The end of the name of a file that is still being made; one that is left over means nothing.
const UNFINISHED: &str = ".new";

/// The files about the projections of a store. Their names are keyed hashes of the projections' names.
pub(super) struct Folder<D> {
    disk: D,
    origin: Origin,
}

impl<D: Disk> Folder<D> {
    pub(super) fn new(disk: D, origin: Origin) -> Self {
        Self { disk, origin }
    }

    /// The reports of all files, or of those of one projection's name; the files of `known` are passed over.
    pub(super) fn reports(&self, name: Option<&str>, known: &[ProjectionId]) -> Vec<ProjectionReport> {
        let known: Vec<_> = known.iter().map(|id| self.report_name(id)).collect();
        let beginning = name.map(|name| format!("{}-", self.stem(name))).unwrap_or_default();
        let is_asked = |file: &str| {
            file.ends_with(REPORT) && file.starts_with(&beginning) && !known.iter().any(|known| known == file)
        };
        let Some((folder, mut files)) = self.files() else { return Vec::new() };
        files.retain(|file| is_asked(file));
        files.truncate(PROJECTION_COUNT_MAX);
        let report = |file: String| match self.read(&folder, &file)? {
            // A file under another's name is a copy that somebody made.
            Entry::Report(report) if self.report_name(&report.status.projection) == file => Some(report),
            _ => None,
        };
        let reports = files.into_iter().filter_map(report);
        reports.filter(|report| name.is_none_or(|name| report.status.projection.name == name)).collect()
    }

    /// Replaces the report of a projection. One whose file is `new` takes the place of the oldest when there are too many.
    pub(super) fn write_report(&self, report: &ProjectionReport, is_new: bool) -> io::Result<()> {
        if is_new {
            self.make_room();
        }
        self.write(&self.report_name(&report.status.projection), &Entry::Report(report.clone()))
    }

    /// Removes the report of a projection.
    pub(super) fn remove_report(&self, id: &ProjectionId) {
        if let Ok(Some(folder)) = self.disk.folder(NAME, Access::Read) {
            // One that stays is an old report.
            let _ = folder.remove(&self.report_name(id));
        }
    }

    /// Asks whoever folds the projections of a name to try what is parked again.
    pub(super) fn write_ask(&self, name: &str) -> io::Result<()> {
        self.write(&self.ask_name(name), &Entry::Ask(name.to_owned()))
    }

    /// The names whose parked events are asked to be tried again.
    pub(super) fn asks(&self) -> Vec<String> {
        let Some((folder, files)) = self.files() else { return Vec::new() };
        let asks = files.iter().filter(|file| file.ends_with(ASK)).take(PROJECTION_COUNT_MAX);
        let name = |file: &String| match self.read(&folder, file)? {
            Entry::Ask(name) if self.ask_name(&name) == *file => Some(name),
            _ => None,
        };
        asks.filter_map(name).collect()
    }

    /// Removes the asking for a name: whoever folds it knows. `false` when it is still there.
    pub(super) fn remove_ask(&self, name: &str) -> bool {
        let folder = self.disk.folder(NAME, Access::Read);
        matches!(folder, Ok(Some(folder)) if folder.remove(&self.ask_name(name)).is_ok())
    }

    /// Where the folder lies, for a message to a person.
    pub(super) fn describe(&self) -> String {
        self.disk.describe(NAME)
    }

    fn write(&self, name: &str, entry: &Entry) -> io::Result<()> {
        let Some(folder) = self.disk.folder(NAME, Access::Write)? else { return Ok(()) };
        let unfinished = format!("{name}{UNFINISHED}");
        let file = match folder.create(&unfinished) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                folder.remove(&unfinished)?;
                folder.create(&unfinished)?
            }
            outcome => outcome?,
        };
        let outcome = file.write_at(&entry.encode(&self.origin), 0);
        drop(file);
        let outcome = outcome.and_then(|()| folder.rename(&unfinished, name));
        if outcome.is_err() {
            // The disk may be full: give back what was taken. The first error is the one to tell of.
            let _ = folder.remove(&unfinished);
        }
        outcome
    }

    fn read(&self, folder: &D, name: &str) -> Option<Entry> {
        let file = folder.open(name, Access::Read).ok()?;
        let length = usize::try_from(file.len().ok()?).ok().filter(|length| *length <= FILE_BYTES_MAX)?;
        let mut bytes = vec![0; length];
        file.read_at(&mut bytes, 0).ok()?;
        Entry::decode(&self.origin, &bytes)
    }

    /// Removes the oldest reports until there is room for one more.
    fn make_room(&self) {
        let Some((folder, files)) = self.files() else { return };
        let mut reports: Vec<_> = files.into_iter().filter(|file| file.ends_with(REPORT)).collect();
        if reports.len() < PROJECTION_COUNT_MAX {
            return;
        }
        // What cannot be read is older than anything.
        reports.sort_by_cached_key(|file| match self.read(&folder, file) {
            Some(Entry::Report(report)) => Some(report.told_at),
            _ => None,
        });
        let surplus = reports.len() - (PROJECTION_COUNT_MAX - 1);
        for file in &reports[..surplus] {
            let _ = folder.remove(file);
        }
    }

    /// The folder and the names in it; `None` when it is not there or cannot be read.
    fn files(&self) -> Option<(D, Vec<String>)> {
        let folder = self.disk.folder(NAME, Access::Read).ok()??;
        let files = folder.list().ok()?;
        Some((folder, files))
    }

    fn report_name(&self, id: &ProjectionId) -> String {
        format!("{}-{:010}{REPORT}", self.stem(&id.name), id.version)
    }

    fn ask_name(&self, name: &str) -> String {
        format!("{}{ASK}", self.stem(name))
    }

    fn stem(&self, name: &str) -> String {
        format!("{:016x}", self.origin.check(name.as_bytes()))
    }
}
