//! Folding a store into the database, from where it stood.

use super::activity::Activity;
use super::files::Files;
use super::labels::LabelCounts;
use super::outcome::Outcome;
use gesta::{EventReader, Position, Store};
use gesta_cqrs::sqlite::SqliteReadModel;
use gesta_cqrs::{Projection, ProjectionId, ReadModel, Runner};
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long one projection is waited for.
const PATIENCE: Duration = Duration::from_secs(600);

/// What was folded.
#[derive(Debug)]
pub(crate) struct Folded {
    /// Where the projections stood, the one that was furthest behind.
    pub(crate) from: Position,
    /// Where they stand now.
    pub(crate) to: Position,
    elapsed: Duration,
}

/// Folds everything that the store has by now.
pub(crate) fn fold(store: &Arc<Store>, database: &Path) -> Outcome<Folded> {
    let to = EventReader::head(&**store)?;
    let ((files, first), (activity, second), (labels, third)) =
        (open(&Files, database)?, open(&Activity, database)?, open(&LabelCounts, database)?);
    let began = Instant::now();
    let runner = Runner::new(Arc::clone(store)).project(Files, files).project(Activity, activity);
    let running = runner.project(LabelCounts, labels).start()?;
    for name in [Files.name(), Activity.name(), LabelCounts.name()] {
        running.wait(name, to, PATIENCE)?;
    }
    let elapsed = began.elapsed();
    let parked = running.statuses().into_iter().find(|status| status.parked_count > 0);
    running.stop()?;
    if let Some(status) = parked {
        let (count, projection) = (status.parked_count, status.projection);
        return Err(format!(
            "{count} events are parked: the table gesta_parked says why {projection} did not fold them"
        )
        .into());
    }
    Ok(Folded { from: first.min(second).min(third), to, elapsed })
}

/// The read model of a projection, and where it stands.
fn open(projection: &impl Projection, database: &Path) -> Outcome<(SqliteReadModel, Position)> {
    let mut model = SqliteReadModel::open(database)?;
    let id = ProjectionId { name: projection.name().to_owned(), version: projection.version() };
    let checkpoint = model.checkpoint(&id)?;
    Ok((model, checkpoint.map_or(Position::START, |checkpoint| checkpoint.position)))
}

impl fmt::Display for Folded {
    #[allow(clippy::cast_precision_loss, reason = "a rate is shown without fractions")]
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.to.0.saturating_sub(self.from.0);
        let seconds = self.elapsed.as_secs_f64();
        write!(formatter, "{count} events folded from position {} on in {seconds:.3} s", self.from)?;
        if count == 0 { Ok(()) } else { write!(formatter, ", {:.0} events/s", count as f64 / seconds) }
    }
}
