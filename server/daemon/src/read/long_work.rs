//! Work that takes as long as the store is large, one at a time on a server.

use super::course::without_directories;
use super::outbox::{Gone, Outbox};
use crate::host::Host;
use crate::plane::{internal, now_and_then};
use crate::stores::OpenStore;
use gesta_protocol::{Answer, IndexFindings, LogFindings, Work};
use std::sync::Arc;
use tokio::sync::mpsc;

/// What is to be done.
#[derive(Clone, Copy, Debug)]
pub(super) enum LongWork {
    /// Every byte of the log is read.
    VerifyLog {
        /// Each event's place and names are checked as well.
        is_deep: bool,
    },
    /// Every byte of the index files is read.
    VerifyIndex,
}

/// Does the work and tells the client how far it has come and what was found.
pub(super) async fn run(
    host: Arc<Host>,
    store: Arc<OpenStore>,
    outbox: Outbox,
    id: u64,
    work: LongWork,
) -> Result<(), Gone> {
    let Ok(turn) = Arc::clone(&host.long_work).acquire_owned().await else { return Ok(()) };
    let (progress, mut progress_made) = mpsc::channel(1);
    // The turn ends with the work: a client that goes away does not end what its thread has begun.
    let worker = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        do_work(&store, work, &progress)
    });
    while let Some(work) = progress_made.recv().await {
        outbox.answer(id, &Answer::Working(work)).await?;
    }
    match worker.await {
        Ok(findings) => outbox.answer(id, &findings).await,
        Err(_) => outbox.answer(id, &Answer::Refused(internal())).await,
    }
}

fn do_work(store: &OpenStore, work: LongWork, progress: &mpsc::Sender<Work>) -> Answer<'static> {
    let mut tell = now_and_then(|work| {
        // Whoever has not taken the last one yet can do without this one.
        let _ = progress.try_send(work);
    });
    match work {
        LongWork::VerifyLog { is_deep } => {
            let report = store.reader.verify(is_deep, &mut tell);
            let damage = report.damage.into_iter().map(without_directories).collect();
            Answer::LogFindings(LogFindings { events: report.events, damage })
        }
        LongWork::VerifyIndex => {
            let report = store.reader.verify_index(&mut tell);
            let gesta::IndexReport { whole, bytes, damaged, missing } = report;
            Answer::IndexFindings(IndexFindings { whole, bytes, damaged, missing })
        }
    }
}
