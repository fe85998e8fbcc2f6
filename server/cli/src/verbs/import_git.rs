//! `gesta import-git`: the history of a repository into events.

use crate::context::Context;
use crate::failure::{Failure, Status};
use crate::git::{History, Repository, change_event};
use crate::intake::Loader;
use crate::progress::Progress;
use gesta::EventStore;
use std::path::{Path, PathBuf};

/// One event for each file that a commit changed, along first parents: FileAdded, FileModified, FileTypeChanged,
/// FileDeleted or FileRenamed, in the stream `file-<path>`, tagged with commit, author and top folder.
///
/// Authors are known by a hash of their address only. A path that is not UTF-8, or begins with a double quote, is written
/// as git prints it, in double quotes with octal escapes. Importing again adds what is new since.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Arguments {
    /// The repository, or a folder in it
    #[arg(default_value = ".", value_name = "REPO")]
    repository: PathBuf,
}

/// Imports, then prints what became of the events.
pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<Status, Failure> {
    context.check_store()?;
    let repository = find(&arguments.repository)?;
    let head = repository.head()?;
    let store = context.open_store()?;
    let mut loader = Loader::new(&store)?;
    let added = head.map_or(Ok(()), |head| add_history(&repository, &head, &mut loader));
    let (tally, finished) = loader.finish();
    let closed = store.close();
    let printed = tally.print(context.is_json);
    added.and(finished).and(closed).and(printed)?;
    Ok(Status::Done)
}

/// Adds every change up to the commit `head`.
pub(super) fn add_history(
    repository: &Repository,
    head: &str,
    loader: &mut Loader<'_, impl EventStore>,
) -> Result<(), Failure> {
    let progress = Progress::commits(repository.commit_count(head)?);
    let mut history = History::read(repository, head)?;
    while let Some(commit) = history.next_commit()? {
        for change in &commit.changes {
            loader.add(change_event(&commit, change))?;
        }
        progress.advance(1);
    }
    Ok(())
}

fn find(directory: &Path) -> Result<Repository, Failure> {
    Repository::find(directory)?.map_err(|what| {
        let directory = directory.display();
        Failure::usage(format!("cannot import {directory}: {what}: name a folder of a git repository"))
    })
}
