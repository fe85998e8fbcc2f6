//! What the store knows of its projections: told, asked and waited for over the read plane.

use crate::Client;
use crate::ask::{Ask, AskError, Heard};
use crate::wire::{Backoff, Fault};
use gesta_model::limits::PROJECTION_NAME_BYTES_MAX;
use gesta_model::{Position, ProjectionReport, ProjectionStatus, ReadError, RemoteError, WaitError};
use gesta_protocol::{Answer, Code, Plane, Request, TOLD_MAX, WaitForProjection};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// How long a telling may take.
const TELLING_PATIENCE: Duration = Duration::from_secs(3);

impl Client {
    /// Tells how projections are doing. Returns the names of those of them whose parked events are to be tried again now; with
    /// the next telling after that they have been.
    ///
    /// It is given a few seconds and no more, because it is told again soon, and whoever folds has better to do than to wait.
    /// When no answer came in them, or the connection broke before, the answer may have had such names. The next telling then looks for them first,
    /// and tells nothing where there are some: parked events may be tried once more than was asked, but not once less.
    pub async fn tell_projections(&self, statuses: &[ProjectionStatus]) -> Result<Vec<String>, ReadError> {
        let Ok(answered) = tokio::time::timeout(TELLING_PATIENCE, self.tell_all(statuses)).await else {
            let names = statuses.iter().map(|status| status.projection.name.clone());
            self.core.unheard.lock().await.extend(names);
            let address = self.core.target.address.endpoint(Plane::Read);
            let cause = format!("no answer to a telling came within {TELLING_PATIENCE:?}");
            return Err(RemoteError::Unanswered { address, cause }.into());
        };
        answered
    }

    async fn tell_all(&self, statuses: &[ProjectionStatus]) -> Result<Vec<String>, ReadError> {
        let missed = self.missed_replays(statuses).await?;
        if !missed.is_empty() {
            return Ok(missed);
        }
        let mut due = Vec::new();
        // Of a name that is too long nothing is kept: it is not to have the others refused.
        let is_kept = |status: &&ProjectionStatus| status.projection.name.len() <= PROJECTION_NAME_BYTES_MAX;
        let kept: Vec<ProjectionStatus> = statuses.iter().filter(is_kept).cloned().collect();
        for part in kept.chunks(TOLD_MAX) {
            match self.tell(part).await {
                Ok(names) => due.extend(names),
                Err(error) => {
                    let told = part.iter().map(|status| status.projection.name.clone());
                    self.core.unheard.lock().await.extend(told.chain(due));
                    return Err(error);
                }
            }
        }
        Ok(due)
    }

    async fn tell(&self, statuses: &[ProjectionStatus]) -> Result<Vec<String>, ReadError> {
        let request = Request::TellProjections(Cow::Borrowed(statuses));
        // To say it twice would say that what the first answer asked for has been done.
        let ask = Ask { plane: Plane::Read, request, is_repeatable: false, is_long: false };
        let heard = self.core.ask(ask, |answer| match answer {
            None => Heard::More,
            Some(Answer::Told(names)) => Heard::All(names),
            Some(_) => Heard::Nonsense,
        });
        heard.await.map_err(|error| self.core.read_error(error))
    }

    /// Which of the projections were asked to try their parked events again in an answer that did not come.
    async fn missed_replays(&self, statuses: &[ProjectionStatus]) -> Result<Vec<String>, ReadError> {
        let mut unheard = self.core.unheard.lock().await;
        let told: BTreeSet<&str> = statuses.iter().map(|status| status.projection.name.as_str()).collect();
        if !unheard.iter().any(|name| told.contains(name.as_str())) {
            return Ok(Vec::new());
        }
        let reports = self.projections("").await?;
        let is_missed = |name: &str| unheard.contains(name) && told.contains(name);
        let due =
            reports.into_iter().filter(|report| report.is_replay_due && is_missed(&report.status.projection.name));
        let due: BTreeSet<String> = due.map(|report| report.status.projection.name).collect();
        unheard.retain(|name| !told.contains(name.as_str()));
        Ok(due.into_iter().collect())
    }

    /// What was told of all projections whose names begin with `prefix`, in the order of names and versions.
    pub async fn projections(&self, prefix: &str) -> Result<Vec<ProjectionReport>, ReadError> {
        let mut projections = Vec::new();
        let heard = self.core.ask(Ask::short(Request::Projections(prefix)), |answer| match answer {
            None => {
                projections.clear();
                Heard::More
            }
            Some(Answer::Projections(part)) => {
                projections.extend(part.projections);
                if part.has_more { Heard::More } else { Heard::All(std::mem::take(&mut projections)) }
            }
            Some(_) => Heard::Nonsense,
        });
        heard.await.map_err(|error| self.core.read_error(error))
    }

    /// Waits until the version of a projection that serves is told to have folded everything below a position. Goes on over
    /// another connection when one breaks; [`ClientOptions::request_timeout`](crate::ClientOptions::request_timeout) does not
    /// bind it.
    pub async fn wait_for_projection(
        &self,
        name: &str,
        position: Position,
        timeout: Duration,
    ) -> Result<(), WaitError> {
        let began = Instant::now();
        let mut backoff = Backoff::default();
        loop {
            let left = in_whole_milliseconds(timeout.saturating_sub(began.elapsed()));
            let error = match self.wait_once(WaitForProjection { name, position, timeout: left }).await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            if !is_interruption(&error) || began.elapsed() >= timeout {
                return Err(error);
            }
            tokio::time::sleep(backoff.next_wait().min(timeout.saturating_sub(began.elapsed()))).await;
        }
    }

    async fn wait_once(&self, wait: WaitForProjection<'_>) -> Result<(), WaitError> {
        let request = Request::WaitForProjection(wait);
        // Asked again, it would wait for all of its time again.
        let ask = Ask { plane: Plane::Read, request, is_repeatable: false, is_long: true };
        let heard = self.core.ask(ask, |answer| match answer {
            None => Heard::More,
            Some(Answer::Done) => Heard::All(()),
            Some(_) => Heard::Nonsense,
        });
        heard.await.map_err(|error| match error {
            AskError::Fault(Fault::Refused(refusal)) => {
                let address = &self.core.target.address;
                refusal.to_wait_error(&address.endpoint(Plane::Read), address.store(), wait.name)
            }
            error => WaitError::Store(self.core.read_error(error)),
        })
    }

    /// Asks whoever folds a projection to try its parked events again; `false` when nothing was ever told of it.
    pub async fn ask_to_replay_parked(&self, name: &str) -> Result<bool, ReadError> {
        let heard = self.core.ask(Ask::short(Request::ReplayParked(name)), |answer| match answer {
            None => Heard::More,
            Some(Answer::Done) => Heard::All(()),
            Some(_) => Heard::Nonsense,
        });
        match heard.await {
            Ok(()) => Ok(true),
            Err(AskError::Fault(Fault::Refused(refusal))) if refusal.known_code() == Some(Code::UnknownProjection) => {
                Ok(false)
            }
            Err(error) => Err(self.core.read_error(error)),
        }
    }
}

/// As times travel, and not less: a wait lasts as long as it was asked for.
fn in_whole_milliseconds(time: Duration) -> Duration {
    Duration::from_millis(u64::try_from(time.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX))
}

/// Whether the connection ended before the answer came.
fn is_interruption(error: &WaitError) -> bool {
    matches!(error, WaitError::Store(ReadError::Remote(RemoteError::Unanswered { .. })))
}
