//! What was told last of each projection, and those who wait for it.

use super::entry::Origin;
use super::folder::Folder;
use super::told::{FRESH_FOR, Told};
use crate::disk::Disk;
use crate::environment::Environment;
use crate::sync::Instant;
use crate::sync::{Condvar, Mutex};
use gesta_model::codec::StoreKey;
use gesta_model::limits::{PROJECTION_COUNT_MAX, PROJECTION_NAME_BYTES_MAX};
use gesta_model::{
    Position, ProjectionId, ProjectionReport, ProjectionState, ProjectionStatus, ReadError, Timestamp, Uuid, WaitError,
};
use std::collections::BTreeMap;
use std::time::Duration;

/// How often the folder is looked at for who asks for a replay.
const ASKS_EVERY: Duration = Duration::from_millis(250);
/// How often the folder is looked at by whoever waits for what another process tells.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// What a store, and all its readers, know of the projections that are folded from it.
pub(crate) struct Board<D> {
    folder: Folder<D>,
    environment: Environment,
    /// Whoever waits believes files that were written since: in the process that writes the store, those of its own life.
    believed_since: Timestamp,
    state: Mutex<State>,
    told: Condvar,
    /// Held while files are written, so that none is replaced by an older one. Taken before `state`.
    writing: Mutex<()>,
}

struct State {
    told: BTreeMap<ProjectionId, Told>,
    /// When the folder was looked at for who asks for a replay.
    looked_for_asks: Option<Instant>,
    /// Those that were found there, and can be carried out but not removed: they are not looked at again.
    stuck_asks: Vec<String>,
    /// The folder is the next writer's.
    is_closed: bool,
}

impl<D: Disk> Board<D> {
    /// The board of a store that this process writes.
    pub(crate) fn writing(disk: D, store: (Uuid, StoreKey), environment: Environment) -> Self {
        let believed_since = environment.now();
        Self::new(disk, store, environment, believed_since)
    }

    /// The board of a store that this process looks on at.
    pub(crate) fn watching(disk: D, store: (Uuid, StoreKey)) -> Self {
        Self::new(disk, store, Environment::default(), Timestamp(i64::MIN))
    }

    fn new(disk: D, (store_id, key): (Uuid, StoreKey), environment: Environment, believed_since: Timestamp) -> Self {
        let folder = Folder::new(disk, Origin { store_id, key });
        let state = State { told: BTreeMap::new(), looked_for_asks: None, stuck_asks: Vec::new(), is_closed: false };
        let (told, writing) = (Condvar::new(), Mutex::new(()));
        Self { folder, environment, believed_since, state: Mutex::new(state), told, writing }
    }

    /// Takes in how projections are doing; returns the names of those whose parked events are to be tried again now.
    pub(crate) fn tell(&self, statuses: &[ProjectionStatus]) -> Vec<String> {
        let told_at = self.environment.now();
        let (looks_for_asks, is_closed) = {
            let mut state = self.state.lock();
            (state.is_time_for_asks(), state.is_closed)
        };
        let asks = if looks_for_asks && !is_closed { self.folder.asks() } else { Vec::new() };
        let (mut due, mut taken) = (Vec::new(), Vec::new());
        let mut state = self.state.lock();
        for status in statuses.iter().filter(|status| status.projection.name.len() <= PROJECTION_NAME_BYTES_MAX) {
            let Some(told) = state.take_in(status, told_at) else { continue };
            let name = &status.projection.name;
            if asks.contains(name) && !state.stuck_asks.contains(name) && !taken.contains(name) {
                state.ask_to_replay(name);
                taken.push(name.clone());
            }
            let told = state.told.get_mut(&told).expect("it was just told");
            if told.hand_out_replay() && !due.contains(name) {
                due.push(name.clone());
            }
        }
        let removed = state.drop_surplus();
        let is_write_due = !state.is_closed && state.told.values().any(Told::is_write_due);
        drop(state);
        self.told.notify_all();
        if !is_closed {
            removed.iter().for_each(|id| self.folder.remove_report(id));
        }
        if is_write_due {
            self.write(Told::is_write_due);
        }
        // Its report says by now that it is due: whoever looks on misses it in neither.
        taken.retain(|name| !self.folder.remove_ask(name));
        if !taken.is_empty() {
            self.state.lock().stuck_asks.extend(taken);
        }
        due
    }

    /// What was told of the projections whose names begin with `prefix`, here or in another process, in the order of names and
    /// versions.
    pub(crate) fn list(&self, prefix: &str) -> Vec<ProjectionReport> {
        let asks = self.folder.asks();
        let reports = self.reports(None).into_values();
        let mut reports: Vec<_> = reports.filter(|report| report.status.projection.name.starts_with(prefix)).collect();
        for report in &mut reports {
            let is_superseded = matches!(report.status.state, ProjectionState::Superseded { .. });
            report.is_replay_due |= !is_superseded && asks.contains(&report.status.projection.name);
        }
        reports
    }

    /// Waits until the version of a projection that serves is told to stand at a position.
    pub(crate) fn wait(&self, name: &str, position: Position, timeout: Duration) -> Result<(), WaitError> {
        let began = Instant::now();
        let deadline = began.checked_add(timeout);
        loop {
            let looked = Instant::now();
            let standing = self.standing(name);
            if let Some(outcome) = standing.judge(name, position) {
                return outcome;
            }
            if deadline.is_some_and(|deadline| looked >= deadline) {
                return Err(standing.too_late(name, position, began.elapsed()));
            }
            let look_again = looked + if standing.is_told_here { FRESH_FOR } else { LOOK_EVERY };
            let until = deadline.map_or(look_again, |deadline| deadline.min(look_again));
            let mut state = self.state.lock();
            // What was told since it was looked at is not slept through.
            if state.versions(name).any(|told| told.was_told_since(looked)) {
                continue;
            }
            self.told.wait_until(&mut state, until);
        }
    }

    /// Asks whoever folds the projections of a name to try their parked events again; `false` when there is none.
    pub(crate) fn ask_to_replay(&self, name: &str) -> Result<bool, ReadError> {
        if self.state.lock().ask_to_replay(name) {
            return Ok(true);
        }
        if self.folder.reports(Some(name), &[]).is_empty() {
            return Ok(false);
        }
        let failed = |error| ReadError::Io { path: self.folder.describe(), error };
        self.folder.write_ask(name).map(|()| true).map_err(failed)
    }

    /// Writes what was told last, and no files from now on: the next writer of the store may come in.
    pub(crate) fn close(&self) {
        if !self.state.lock().is_closed {
            self.write(Told::is_unsaved);
            self.state.lock().is_closed = true;
        }
    }

    /// Replaces the files of which that is true. What cannot be written is an old report to others and stops nobody.
    fn write(&self, is_due: fn(&Told) -> bool) {
        let _writing = self.writing.lock();
        let mut due = Vec::new();
        let mut state = self.state.lock();
        if state.is_closed {
            return;
        }
        for told in state.told.values_mut().filter(|told| is_due(told)) {
            due.push((told.is_unwritten(), told.write()));
        }
        drop(state);
        for (is_new, report) in due {
            let _ = self.folder.write_report(&report, is_new);
        }
    }

    /// What is known of all projections, or of those of one name: the newer of what was told here and of what a file says.
    fn reports(&self, name: Option<&str>) -> BTreeMap<ProjectionId, ProjectionReport> {
        let mut reports = BTreeMap::new();
        let mut fresh = Vec::new();
        {
            let state = self.state.lock();
            for (id, told) in state.told.iter().filter(|(id, _)| name.is_none_or(|name| id.name == name)) {
                reports.insert(id.clone(), told.report());
                if told.is_fresh() {
                    fresh.push(id.clone());
                }
            }
        }
        for report in self.folder.reports(name, &fresh) {
            let known = reports.entry(report.status.projection.clone()).or_insert_with(|| report.clone());
            if known.status.state == ProjectionState::Standby || known.told_at < report.told_at {
                *known = report;
            }
        }
        reports
    }

    /// What is known of the versions of a projection to whoever waits for it.
    fn standing(&self, name: &str) -> Standing {
        let (told, is_told_here): (Vec<_>, bool) = {
            let state = self.state.lock();
            (state.versions(name).map(Told::report).collect(), state.versions(name).any(Told::is_fresh))
        };
        if is_told_here {
            return Standing { believed: told, others: Vec::new(), is_told_here };
        }
        let (mut believed, mut others) = (Vec::new(), Vec::new());
        for (id, report) in self.reports(Some(name)) {
            let is_told_here = told.iter().any(|told| told.status.projection == id);
            let is_believed = is_told_here || report.told_at >= self.believed_since;
            if is_believed { believed.push(report) } else { others.push(report) }
        }
        Standing { believed, others, is_told_here }
    }
}

impl State {
    /// The versions of a projection that were told of here, in their order.
    fn versions(&self, name: &str) -> impl Iterator<Item = &Told> {
        let first = ProjectionId { name: name.to_owned(), version: 0 };
        let from = self.told.range(first..);
        from.take_while(move |(id, _)| id.name == name).map(|(_, told)| told)
    }

    /// Puts down what is told; `None` when it says nothing of one that folds. What stands by hides nothing.
    fn take_in(&mut self, status: &ProjectionStatus, told_at: Timestamp) -> Option<ProjectionId> {
        let id = &status.projection;
        let is_standby = status.state == ProjectionState::Standby;
        match self.told.get_mut(id) {
            Some(told) if !is_standby || told.is_standby() => told.tell(status.clone(), told_at),
            Some(_) => {}
            None => drop(self.told.insert(id.clone(), Told::new(status.clone(), told_at))),
        }
        (!is_standby).then(|| id.clone())
    }

    /// Drops what was told of the longest ago when there are too many; returns what it was.
    fn drop_surplus(&mut self) -> Vec<ProjectionId> {
        let surplus = self.told.len().saturating_sub(PROJECTION_COUNT_MAX);
        if surplus == 0 {
            return Vec::new();
        }
        let mut ids: Vec<_> = self.told.iter().map(|(id, told)| (told.told_at(), id.clone())).collect();
        ids.sort_unstable();
        let dropped: Vec<_> = ids.into_iter().take(surplus).map(|(_, id)| id).collect();
        self.told.retain(|id, _| !dropped.contains(id));
        dropped
    }

    /// Marks the versions of a projection that are folded here; `false` when there is none.
    fn ask_to_replay(&mut self, name: &str) -> bool {
        let mut is_known = false;
        for (id, told) in &mut self.told {
            let is_over = matches!(told.status().state, ProjectionState::Superseded { .. } | ProjectionState::Standby);
            if id.name == name && !is_over {
                told.ask_to_replay();
                is_known = true;
            }
        }
        is_known
    }

    fn is_time_for_asks(&mut self) -> bool {
        let is_time = self.looked_for_asks.is_none_or(|looked| looked.elapsed() >= ASKS_EVERY);
        if is_time {
            self.looked_for_asks = Some(Instant::now());
        }
        is_time
    }
}

/// What whoever waits sees of a projection.
struct Standing {
    /// Its versions that are told of now, in their order.
    believed: Vec<ProjectionReport>,
    /// Versions that were told of in an earlier life.
    others: Vec<ProjectionReport>,
    /// Somebody tells of it through this process.
    is_told_here: bool,
}

impl Standing {
    /// The version that is waited for: the highest that serves and goes on, else the highest that serves, else the highest.
    fn awaited(&self) -> Option<&ProjectionStatus> {
        let all = || self.believed.iter().map(|report| &report.status);
        let serving = || all().filter(|status| status.is_serving);
        let goes_on = |status: &&ProjectionStatus| !matches!(status.state, ProjectionState::Failed { .. });
        serving().rfind(goes_on).or_else(|| serving().next_back()).or_else(|| all().next_back())
    }

    /// What waiting comes to; `None` when there is more to wait for.
    fn judge(&self, name: &str, position: Position) -> Option<Result<(), WaitError>> {
        let status = self.awaited()?;
        if status.is_serving && status.position >= position {
            return Some(Ok(()));
        }
        let may_go_on = |report: &ProjectionReport| {
            !matches!(report.status.state, ProjectionState::Failed { .. } | ProjectionState::Superseded { .. })
        };
        match &status.state {
            ProjectionState::Failed { error } if !self.believed.iter().any(may_go_on) => {
                Some(Err(WaitError::Ended { projection: name.to_owned(), reason: error.clone() }))
            }
            _ => None,
        }
    }

    /// Why it was waited for in vain.
    fn too_late(&self, name: &str, wanted: Position, waited: Duration) -> WaitError {
        let projection = name.to_owned();
        let mut told = self.believed.iter().chain(&self.others).map(|report| &report.status);
        match self.awaited().or_else(|| told.next_back()) {
            Some(status) => WaitError::TimedOut { projection, position: status.position, wanted, waited },
            None => WaitError::Unknown { projection },
        }
    }
}
