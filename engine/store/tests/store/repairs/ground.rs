//! A store that is damaged, what it held, and what a repair of it must come to.

use crate::support::{event, open, small_options, stream};
use gesta::disk::SimulatedDisk;
use gesta::{
    AppendRequest, Durability, Event, EventType, ExpectedRevision, LOST_EVENT_TYPE, OpenError, Position, Read, Reader,
    RepairError, RepairReport, Revision, Store, StoredEvent, Timestamp, Uuid, repair_on,
};
use std::collections::{BTreeMap, BTreeSet};

/// What a write that went to another segment is called, and how long it is at most.
pub(crate) const STRAYED: &str = "write that strayed";
pub(crate) const STRAYED_BYTES: u64 = 4096;

/// An event as it was read: its record with its place in it, and when the store took it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) record: Vec<u8>,
    pub(crate) recorded_at: Timestamp,
}

/// Every event of a store without damage.
pub(crate) fn events(disk: &SimulatedDisk) -> Vec<StoredEvent> {
    let mut cursor = Reader::open_on(disk.clone()).unwrap().read(Read::all());
    let mut events = Vec::new();
    while let Some(next) = cursor.next_record() {
        let record = next.unwrap();
        let event = StoredEvent::new(&record, Timestamp(0));
        events.push(event.recorded(cursor.recorded_at().unwrap()));
    }
    events
}

fn kept(event: &StoredEvent) -> Kept {
    Kept { record: event.record().bytes().to_vec(), recorded_at: event.recorded_at() }
}

pub(crate) fn segments(disk: &SimulatedDisk) -> Vec<String> {
    let mut names: Vec<String> = disk.file_names().into_iter().filter(|name| name.ends_with(".log")).collect();
    names.sort();
    names
}

/// Numbers that a seed gives.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, count: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % count
    }
}

/// A closed store of some segments: requests of one to four events of up to five streams and of none, some with an id.
pub(crate) fn filled_store(seed: u64, requests: u64) -> SimulatedDisk {
    let disk = SimulatedDisk::new(seed);
    let mut dice = Dice(seed);
    let mut store = open(&disk);
    for number in 0..requests {
        let events: Vec<Event> = (0..=dice.below(4))
            .map(|_| {
                let data = format!("{number} {}", "x".repeat(usize::try_from(dice.below(600)).unwrap()));
                match dice.below(6) {
                    5 => Event::new(EventType::new("Happened").unwrap()).data(data),
                    name => event(&format!("a-{name}"), &data),
                }
            })
            .collect();
        let durability = if dice.below(3) == 0 { Durability::Written } else { Durability::Durable };
        let request = AppendRequest::new().events(events).durability(durability);
        let id = Uuid::from_u128(u128::from(number) + 1);
        store.append(if number % 2 == 0 { request.request_id(id) } else { request }).unwrap();
        if dice.below(40) == 0 {
            store.close().unwrap();
            store = open(&disk);
        }
    }
    store.close().unwrap();
    disk
}

/// A repair of a damaged store, looked at from all sides.
pub(crate) struct Repaired {
    pub(crate) disk: SimulatedDisk,
    pub(crate) report: RepairReport,
    pub(crate) events: Vec<StoredEvent>,
}

/// What `gesta verify` says of a store: the damage, and the positions that are lost.
pub(crate) fn verified(disk: &SimulatedDisk) -> (bool, BTreeSet<u64>) {
    let report = Reader::open_on(disk.clone()).unwrap().verify(true, &mut |_, _| {});
    let lost = report.damage.iter().flat_map(|damage| damage.positions.start.0..damage.positions.end.0);
    (report.damage.is_empty(), lost.collect())
}

pub(crate) fn lost_positions(report: &RepairReport) -> BTreeSet<u64> {
    let ranges = report.damage.iter().map(|damage| damage.positions.start.0..damage.positions.end.0);
    ranges.flatten().collect()
}

/// Repairs a store that held these events, and looks at every promise of a repair.
pub(crate) fn repaired(damaged: &SimulatedDisk, before: &[StoredEvent], what: &str) -> Result<Repaired, RepairError> {
    let images = |disk: &SimulatedDisk| -> BTreeMap<String, Vec<u8>> {
        disk.file_names().into_iter().map(|name| (name.clone(), disk.image(&name))).collect()
    };
    let (files, id) = (images(damaged), Reader::open_on(damaged.clone()).map(|reader| reader.id()));
    let disk = SimulatedDisk::new(99);
    let repaired = repair_on(damaged, &disk, &mut |done, total| assert!(done <= total, "{what}"));
    assert!(images(damaged) == files, "{what}: the damaged store was changed");
    let report = match repaired {
        Ok(report) => report,
        Err(error) => {
            assert_eq!(disk.file_names(), [""; 0], "{what}: something was left of {error}");
            return Err(error);
        }
    };
    let (is_whole, lost) = verified(damaged);
    let missing = lost_positions(&report);
    // A copy that strayed into another segment is found only by who has lost the segment between: what verify finds and a
    // repair does not is no more than the copies hold.
    let unnamed: Vec<u64> = missing.difference(&lost).copied().collect();
    let bytes = |position: &u64| before[usize::try_from(*position).unwrap()].record().bytes().len() as u64;
    assert!(
        unnamed.iter().map(bytes).sum::<u64>() <= STRAYED_BYTES * what.matches(STRAYED).count() as u64,
        "{what}: {missing:?} are missing, and verify does not name {unnamed:?}"
    );
    assert_eq!((report.missing, report.salvaged), (missing.len() as u64, report.head.0 - report.missing), "{what}");
    if report.made.is_none() {
        assert!(is_whole && report.damage.is_empty(), "{what}: {report:?}");
        assert_eq!(disk.file_names(), [""; 0], "{what}");
        return Ok(Repaired { disk, report, events: Vec::new() });
    }
    assert_ne!(report.made, id.ok(), "{what}: another store");
    let events = check_new(&disk, before, &report, what);
    Ok(Repaired { disk, report, events })
}

/// Every event is the one of before or a stand-in, and the new store is as whole as one that nothing ever happened to.
fn check_new(disk: &SimulatedDisk, before: &[StoredEvent], report: &RepairReport, what: &str) -> Vec<StoredEvent> {
    assert_eq!(verified(disk), (true, BTreeSet::new()), "{what}");
    let (events, missing) = (events(disk), lost_positions(report));
    assert_eq!(
        (events.len() as u64, Reader::open_on(disk.clone()).unwrap().id()),
        (report.head.0, report.made.unwrap())
    );
    let mut revisions: BTreeMap<String, u64> = BTreeMap::new();
    let mut in_streams = 0;
    for (event, position) in events.iter().zip(0..) {
        assert_eq!(event.position(), Position(position), "{what}");
        let is_stand_in = event.record().event_type() == LOST_EVENT_TYPE;
        assert_eq!(is_stand_in, missing.contains(&position), "{what}: position {position}");
        if !is_stand_in {
            let held = &before[usize::try_from(position).unwrap()];
            assert!(kept(event) == kept(held), "{what}: position {position}");
        }
        if let Some(name) = event.record().stream() {
            let next = revisions.entry(name.to_owned()).or_default();
            assert_eq!(event.record().revision(), Some(Revision(*next)), "{what}: position {position} of {name}");
            *next += 1;
            in_streams += u64::from(is_stand_in);
        }
    }
    assert!(events.is_sorted_by_key(StoredEvent::recorded_at), "{what}");
    assert_eq!(in_streams, report.in_streams, "{what}");
    check_goes_on(&disk.fork(), &revisions, report, what);
    events
}

/// The new store takes appends where its streams end.
fn check_goes_on(disk: &SimulatedDisk, revisions: &BTreeMap<String, u64>, report: &RepairReport, what: &str) {
    let store = Store::open_on(disk.clone(), small_options()).unwrap();
    let recovery = store.recovery();
    assert!(recovery.closed_cleanly || report.head == Position::START, "{what}: {recovery:?}");
    assert!(!recovery.is_degraded && recovery.damage.is_empty() && recovery.torn_bytes == 0, "{what}: {recovery:?}");
    for (number, (name, next)) in (report.head.0..).zip(revisions) {
        let expected = ExpectedRevision::Exactly(Revision(next - 1));
        let request = AppendRequest::new().event(event(name, "after")).expect(stream(name), expected);
        let receipt = store.append(request).unwrap_or_else(|error| panic!("{what}: {name}: {error}"));
        assert_eq!(receipt.positions.start, Position(number), "{what}");
    }
    store.close().unwrap();
    assert!(verified(disk).0, "{what}");
}

/// Whether a store is refused by whoever opens it, and why.
pub(crate) fn refusal(disk: &SimulatedDisk) -> Option<OpenError> {
    Reader::open_on(disk.clone()).err()
}
