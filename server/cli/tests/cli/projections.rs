//! `gesta projections`, on a directory that another process writes and on a server.

use crate::server::Server;
use crate::support::{Place, Run, eventually, wait};
use gesta::{Position, ProjectionBoard, ProjectionId, ProjectionState, ProjectionStatus, Store};
use gesta_client::{BlockingClient, ClientOptions};
use gesta_cqrs::{DomainEvent, MemoryReadModel, ProjectError, Projection, Recorded, Runner};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

fn status(name: &str, version: u32, position: u64, parked_count: u64, state: ProjectionState) -> ProjectionStatus {
    let projection = ProjectionId { name: name.to_owned(), version };
    let is_serving = !matches!(state, ProjectionState::Building | ProjectionState::Superseded { .. });
    ProjectionStatus { projection, position: Position(position), lag: 4, is_serving, parked_count, eta: None, state }
}

/// A projection that a later version has taken over, that one, and one whose read model fails.
fn statuses() -> Vec<ProjectionStatus> {
    let failing = ProjectionState::Retrying { error: "no table".to_owned(), failures: 3 };
    let mut live = status("orders", 2, 7, 2, ProjectionState::Live);
    live.eta = Some(Duration::from_millis(1500));
    vec![
        status("orders", 1, 6, 9, ProjectionState::Superseded { by: 2 }),
        live,
        status("orders-by-day", 1, 7, 0, ProjectionState::CatchingUp),
        status("users\n", 1, 2, 1, failing),
    ]
}

/// Whoever folds the projections: tells again and again, and tries parked events when it is asked to, after which none is left.
fn fold<T>(board: &impl ProjectionBoard, told: &Mutex<Vec<ProjectionStatus>>, meanwhile: impl FnOnce() -> T) -> T {
    struct Ends<'a>(&'a AtomicBool);
    impl Drop for Ends<'_> {
        fn drop(&mut self) {
            self.0.store(true, Ordering::SeqCst);
        }
    }
    let ends = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !ends.load(Ordering::SeqCst) {
                let mut told = told.lock().unwrap();
                let due = board.tell_projections(&told).unwrap();
                let replayed = told.iter_mut().filter(|status| due.contains(&status.projection.name));
                replayed.for_each(|status| status.parked_count = 0);
                drop(told);
                std::thread::sleep(Duration::from_millis(10));
            }
        });
        // Also when an assertion does not hold.
        let _ends = Ends(&ends);
        meanwhile()
    })
}

/// The program on a store, run to its end or only started.
struct Program<'a> {
    place: &'a Place,
    store: String,
}

impl Program<'_> {
    fn start(&self, arguments: &[&str]) -> Child {
        self.place.start(&[&["--store", &self.store, "projections"], arguments].concat(), Stdio::null())
    }

    fn run(&self, arguments: &[&str]) -> Run {
        wait(self.start(arguments))
    }
}

/// The lists that were printed, without the times of the tellings.
fn listed(run: Run) -> Vec<Value> {
    let mut rows = run.ok().events();
    for row in &mut rows {
        let row = row.as_object_mut().unwrap();
        assert!(row.remove("told_at").is_some_and(|at| at.as_str().unwrap().ends_with('Z')));
        assert!(row.remove("told_ms_ago").is_some_and(|ms| ms.is_u64()));
    }
    rows
}

/// What the verbs say of a store with these projections, which is the same wherever the store is.
fn look_and_wait(program: &Program<'_>, board: &impl ProjectionBoard) {
    let (code, message) = program.run(&["status", "orders", "--json"]).error(5);
    assert_eq!(code, "unknown_projection");
    assert!(message.contains("was told of no projection"), "{message}");
    assert_eq!(program.run(&["list"]).ok().stdout, "");
    let told = Mutex::new(statuses());
    fold(board, &told, || {
        assert!(eventually(|| program.run(&["list", "--json"]).ok().events().len() == 4));
        look(program);
        wait_for(program, &told);
        replay(program);
    });
    // Nobody folds any more: the asking stays, and is handed out to whoever does.
    let failure = program.run(&["replay-parked", "orders", "--timeout=1"]);
    let message = failure.failure(5);
    assert!(message.contains("within 1 s: version 2 is live") && message.contains("the asking stays"), "{message}");
    let rows = listed(program.run(&["status", "orders", "--json"]));
    assert_eq!((&rows[0]["replay_due"], &rows[1]["replay_due"]), (&json!(false), &json!(true)));
    assert!(eventually(|| board.tell_projections(&statuses()).unwrap() == ["orders"]));
}

fn look(program: &Program<'_>) {
    let row = |name: &str, version: u32, state: &str, position: u64, parked: u64| {
        json!({
            "name": name, "version": version, "state": state, "serving": state != "superseded", "position": position,
            "lag": 4, "parked": parked, "eta_ms": null, "superseded_by": null, "failures": null, "error": null, "replay_due": false,
        })
    };
    let mut expected = [
        row("orders", 1, "superseded", 6, 9),
        row("orders", 2, "live", 7, 2),
        row("orders-by-day", 1, "catching_up", 7, 0),
        row("users\n", 1, "retrying", 2, 1),
    ];
    expected[0]["superseded_by"] = json!(2);
    expected[1]["eta_ms"] = json!(1500);
    (expected[3]["failures"], expected[3]["error"]) = (json!(3), json!("no table"));
    assert_eq!(listed(program.run(&["list", "--json"])), expected);
    assert_eq!(listed(program.run(&["list", "--json", "--prefix", "orders"])), expected[..3]);
    assert_eq!(listed(program.run(&["status", "orders", "--json"])), expected[..2], "and no other that begins so");
    let rows = program.run(&["list"]).ok().stdout;
    let rows: Vec<&str> = rows.lines().collect();
    for (row, parts) in rows.iter().zip([
        &["orders ", " 1  superseded  ", "  version 2 serves"][..],
        &["orders ", " 2  live  ", " 7 ", " 1 s  ", " s ago"],
        &["orders-by-day ", " catching up  ", " -  "],
        &["users\\n ", " retrying  ", "  failed 3 times in a row: no table"],
    ]) {
        assert!(parts.iter().all(|part| row.contains(part)), "{row:?}: {parts:?}");
    }
    let page = program.run(&["status", "users\n"]).ok().stdout;
    let head = "users\\n, version 1\n  state     retrying\n  position  2, 4 behind the head\n  serves    yes\n  parked    1\n  told      ";
    assert!(page.starts_with(head) && page.ends_with("  note      failed 3 times in a row: no table\n"), "{page}");
    let (code, message) = program.run(&["status", "order", "--json"]).error(5);
    assert_eq!(code, "unknown_projection");
    assert!(message.contains("\"order\"") && message.contains("told of orders, orders-by-day, users"), "{message}");
}

fn wait_for(program: &Program<'_>, told: &Mutex<Vec<ProjectionStatus>>) {
    assert_eq!(program.run(&["wait", "orders", "7"]).ok().stdout, "");
    assert_eq!(program.run(&["wait", "orders", "7", "--json"]).json(), json!({"name": "orders", "reached": 7}));
    let (code, message) = program.run(&["wait", "orders", "8", "--timeout=0", "--json"]).error(5);
    assert_eq!(code, "not_reached");
    assert!(message.contains("stands at position 7") && message.contains("before 8"), "{message}");
    assert_eq!(program.run(&["wait", "order", "1", "--timeout=0", "--json"]).error(5).0, "unknown_projection");
    let waiting = program.start(&["wait", "orders", "8", "--timeout=3600"]);
    told.lock().unwrap()[1].position = Position(8);
    wait(waiting).ok();
    let waiting = program.start(&["wait", "orders", "9", "--timeout=3600", "--json"]);
    told.lock().unwrap()[1].state = ProjectionState::Failed { error: "no disk".to_owned() };
    let (code, message) = wait(waiting).error(5);
    assert!(code == "projection_ended" && message.contains("no disk"), "{code}: {message}");
    (told.lock().unwrap()[1].state, told.lock().unwrap()[1].position) = (ProjectionState::Live, Position(7));
}

fn replay(program: &Program<'_>) {
    let is_live = || listed(program.run(&["status", "orders", "--json"]))[1]["state"] == "live";
    assert!(eventually(is_live));
    let replayed = program.run(&["replay-parked", "orders"]).ok().stdout;
    assert_eq!(replayed, "tried again: 2 parked before, 0 now\n");
    let replayed = program.run(&["replay-parked", "orders", "--json"]).json();
    assert_eq!(replayed, json!({"name": "orders", "parked_before": 0, "parked": 0}));
    assert_eq!(program.run(&["replay-parked", "order", "--json"]).error(5).0, "unknown_projection");
    let (code, message) = program.run(&["replay-parked", "users\n", "--timeout=1", "--json"]).error(5);
    assert_eq!(code, "not_replayed");
    assert!(message.contains("version 1 is retrying") && message.contains("no table"), "{message}");
}

#[test]
fn projections_of_a_directory_are_looked_at_and_waited_for_beside_its_writer() {
    let place = Place::new();
    assert_eq!(place.run(&["projections", "list", "--json"]).error(4).0, "store_not_found");
    let store = Store::open(place.store(), gesta::Options::default()).unwrap();
    let program = Program { place: &place, store: place.store().to_str().unwrap().to_owned() };
    look_and_wait(&program, &store);
    store.close().unwrap();
}

#[test]
fn projections_of_a_server_are_looked_at_and_waited_for() {
    let place = Place::new();
    let server = Server::start(&place, &[]);
    let port = |plane| server.address(plane).port();
    let address = format!("gesta://127.0.0.1:{},{}/default", port("append"), port("read"));
    let client = BlockingClient::connect(address.parse().unwrap(), ClientOptions::default()).unwrap();
    look_and_wait(&Program { place: &place, store: address }, &client);
    drop(client);
    server.stop();
}

#[derive(Debug, Serialize, Deserialize)]
enum Weighed {
    Weighed { grams: u64 },
}

impl DomainEvent for Weighed {}

/// Adds up weights, and refuses some as long as it is told to.
struct Total {
    is_superstitious: Arc<AtomicBool>,
}

impl Projection for Total {
    type Event = Weighed;
    type Model = MemoryReadModel<u64>;

    fn name(&self) -> &str {
        "total"
    }

    fn set_up(&self, _: &mut u64) -> Result<(), ProjectError> {
        Ok(())
    }

    fn project(&self, grams: &mut u64, event: &Recorded<'_, Weighed>) -> Result<(), ProjectError> {
        let Weighed::Weighed { grams: more } = event.event;
        if more == 13 && self.is_superstitious.load(Ordering::SeqCst) {
            return Err("13 grams bring bad luck".into());
        }
        *grams += more;
        Ok(())
    }
}

/// From the command line to a runner and back, all of it behind a server.
#[test]
fn a_runner_behind_a_server_is_seen_waited_for_and_asked_to_try_parked_events_again() {
    let place = Place::new();
    let server = Server::start(&place, &[]);
    let port = |plane| server.address(plane).port();
    let address = format!("gesta://127.0.0.1:{},{}/default", port("append"), port("read"));
    let weigh = |grams: u64| {
        let data = format!("--data={{\"grams\":{grams}}}");
        place.run(&["--store", &address, "append", "--type=Weighed", &data, "--json"]).json()["head"].to_string()
    };
    let program = Program { place: &place, store: address.clone() };
    let is_superstitious = Arc::new(AtomicBool::new(true));
    let client = BlockingClient::connect(address.parse().unwrap(), ClientOptions::default()).unwrap();
    let rows = MemoryReadModel::new();
    let total = Total { is_superstitious: Arc::clone(&is_superstitious) };
    weigh(5);
    let waiting = program.start(&["wait", "total", "3", "--timeout=3600"]);
    let running = Runner::new(Arc::new(client)).project(total, rows.clone()).start().unwrap();
    weigh(13);
    assert_eq!(weigh(7), "3");
    wait(waiting).ok();
    assert_eq!(rows.read(|grams, _| *grams), 12);
    let row = &listed(program.run(&["status", "total", "--json"]))[0];
    assert_eq!((&row["position"], &row["parked"]), (&json!(3), &json!(1)));
    assert_eq!(program.run(&["replay-parked", "total"]).ok().stdout, "tried again: 1 parked before, 1 now\n");
    is_superstitious.store(false, Ordering::SeqCst);
    assert_eq!(program.run(&["replay-parked", "total"]).ok().stdout, "tried again: 1 parked before, 0 now\n");
    assert_eq!(rows.read(|grams, _| *grams), 25);
    drop(running);
    server.stop();
}
