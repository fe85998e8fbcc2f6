//! Appends alone, and beside readers without pause.

use super::appends::SINGLE;
use super::figures::{Figures, Span, Waits};
use super::line::Line;
use super::run::Run;
use crate::failure::Failure;
use gesta::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

/// Readers without pause.
const REPLAYER_COUNT: usize = 4;
/// After so many records a reader lets others have its thread, and looks whether it is still wanted.
const RECORDS_AT_ONCE: u64 = 1_024;

/// Ends the readers when the last appender has ended, however that was.
struct Wanted(Arc<AtomicUsize>);

impl Drop for Wanted {
    fn drop(&mut self) {
        // Relaxed: nothing but the count itself is looked at.
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What a caller did.
enum Done {
    Appended(Span),
    Replayed(Span, u64),
}

impl Run {
    pub(super) fn planes(&self) -> Result<Vec<Figures>, Failure> {
        self.have_events()?;
        let alone = self.append()?;
        let beside = self.append_beside_replays()?;
        Ok([vec![Figures { workload: "planes: appends alone", ..alone }], beside].concat())
    }

    fn append_beside_replays(&self) -> Result<Vec<Figures>, Failure> {
        let waits = Arc::new(Waits::new());
        let appender = self.appenders(SINGLE, &waits);
        let before = self.promised();
        let appender_count = self.settings.connections;
        let appending = Arc::new(AtomicUsize::new(appender_count));
        let done = self.subject.together(appender_count + REPLAYER_COUNT, |line, ordinal| {
            let appending = Arc::clone(&appending);
            let appender = (ordinal < appender_count).then(|| (appender(ordinal), Wanted(Arc::clone(&appending))));
            async move {
                match appender {
                    Some((appender, _wanted)) => appender.append(line).await.map(Done::Appended),
                    None => replay_while(&line, &appending).await,
                }
            }
        })?;
        let (mut appends, mut replays, mut replayed) = (Vec::new(), Vec::new(), 0);
        for done in done {
            match done {
                Done::Appended(span) => appends.push(span),
                Done::Replayed(span, events) => {
                    replays.push(span);
                    replayed += events;
                }
            }
        }
        let beside = self.figures("planes: beside replays", SINGLE, before, Span::around(appends), &waits);
        let replays = Figures::new("planes: the replays", REPLAYER_COUNT, replayed, Span::around(replays));
        Ok(vec![beside, replays])
    }
}

/// Reads everything again and again as long as somebody appends.
async fn replay_while(line: &Line, appending: &AtomicUsize) -> Result<Done, Failure> {
    let start = Instant::now();
    let mut events = 0;
    loop {
        let mut walk = line.read(Read::all()).await?;
        while let Some(record) = walk.next_record().await {
            record?;
            events += 1;
            if events % RECORDS_AT_ONCE == 0 {
                if appending.load(Ordering::Relaxed) == 0 {
                    return Ok(Done::Replayed(Span { start, end: Instant::now() }, events));
                }
                tokio::task::yield_now().await;
            }
        }
        if appending.load(Ordering::Relaxed) == 0 {
            return Ok(Done::Replayed(Span { start, end: Instant::now() }, events));
        }
    }
}
