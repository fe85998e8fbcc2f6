//! Code of the domain that panics where nobody expects it: in reading events and in making tables.

use super::support::{PATIENCE, TestStore, stream};
use gesta::{Event, EventReader, EventType};
use gesta_cqrs::{
    Boundary, CommandHandler, Decider, DomainEvent, HandleError, MemoryReadModel, OldEvent, ProjectError, Projection,
    ProjectionState, ReadModel, Recorded, ReplayError, Runner,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

#[derive(Debug, Serialize, Deserialize)]
enum Weighed {
    Weighed { grams: u64 },
}

impl DomainEvent for Weighed {
    fn schema(_: &str) -> u32 {
        2
    }

    fn upcast(old: &mut OldEvent) -> Result<(), String> {
        let kilograms = old.data["kilograms"].as_u64().expect("a weight");
        old.data = serde_json::json!({ "grams": kilograms * 1000 });
        Ok(())
    }
}

/// Adds up weights.
struct Total {
    panics_at_once: bool,
}

impl Projection for Total {
    type Event = Weighed;
    type Model = MemoryReadModel<u64>;

    fn name(&self) -> &str {
        "total"
    }

    fn set_up(&self, _: &mut u64) -> Result<(), ProjectError> {
        assert!(!self.panics_at_once, "no table");
        Ok(())
    }

    fn project(&self, grams: &mut u64, event: &Recorded<'_, Weighed>) -> Result<(), ProjectError> {
        let Weighed::Weighed { grams: more } = event.event;
        *grams += more;
        Ok(())
    }
}

struct Scales;

impl Decider for Scales {
    type Command = u64;
    type Event = Weighed;
    type State = u64;
    type Refusal = ();

    fn boundary(_: &u64) -> Boundary {
        Boundary::stream("scales", 1)
    }

    fn decide(_: &u64, grams: &u64) -> Result<Vec<Weighed>, ()> {
        Ok(vec![Weighed::Weighed { grams: *grams }])
    }

    fn evolve(total: &mut u64, event: &Weighed) {
        let Weighed::Weighed { grams } = event;
        *total += grams;
    }
}

/// A store with a weight of today, one of an older shape, and one that nobody can bring up.
fn weights() -> TestStore {
    let test = TestStore::new();
    CommandHandler::<_, Scales>::new(Arc::clone(&test.store)).handle(&7).unwrap();
    for data in [r#"{"kilograms":2}"#, r#"{"stones":1}"#] {
        test.append(Event::new(EventType::new("Weighed").unwrap()).stream(stream("scales-1")).json(data));
    }
    test
}

#[test]
fn a_panic_in_upcasting_parks_the_event_and_fails_the_command() {
    let test = weights();
    let mut total = MemoryReadModel::new();
    let running =
        Runner::new(Arc::clone(&test.store)).project(Total { panics_at_once: false }, total.clone()).start().unwrap();
    running.wait("total", EventReader::head(&*test.store).unwrap(), PATIENCE).unwrap();
    assert_eq!(running.statuses()[0].parked_count, 1);
    let parked = total.parked(&running.statuses()[0].projection).unwrap();
    assert_eq!(
        (parked[0].position, parked[0].reason.as_str()),
        (gesta::Position(2), "the projection panicked: a weight")
    );
    total.read(|grams, _| assert_eq!(*grams, 2007));
    let failed = CommandHandler::<_, Scales>::new(Arc::clone(&test.store)).handle(&7).unwrap_err();
    assert!(matches!(&failed, HandleError::Panicked(said) if said == "a weight"), "{failed}");
    assert_eq!(test.events().len(), 3);
}

#[test]
fn a_panic_in_making_tables_fails_that_projection_alone() {
    let test = weights();
    let running = Runner::new(Arc::clone(&test.store))
        .project(Total { panics_at_once: true }, MemoryReadModel::new())
        .project(Total { panics_at_once: false }, MemoryReadModel::new())
        .start()
        .unwrap();
    let head = EventReader::head(&*test.store).unwrap();
    running.wait("total", head, PATIENCE).unwrap();
    let ProjectionState::Failed { error } = running.statuses().remove(0).state else { panic!("it goes on") };
    assert_eq!(error, "total-v1 cannot be set up: the projection panicked: no table");
    let ended = running.replay_parked("total").unwrap_err();
    assert!(matches!(ended, ReplayError::NotFolding { .. }), "{ended}");
}
