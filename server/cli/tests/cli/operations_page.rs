//! docs/OPERATIONS.md against the program: what its tables say is what is there, all of it, and nothing else.

use crate::server::Server;
use crate::support::{Place, bare_command, finish};
use gesta_protocol::Plane;
use gesta_server::access::{Operation, Role, Roles, is_allowed};
use gesta_server::observe::Refusal;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

/// The rows of the table below a heading, as cells; the first heading of its columns is given to find it.
fn table(heading: &str) -> Vec<Vec<String>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/OPERATIONS.md");
    let page = std::fs::read_to_string(path).unwrap();
    let rows = page.lines().skip_while(|line| !line.starts_with(&format!("| {heading} |"))).skip(2);
    let cells = |line: &str| -> Vec<String> {
        let inner = line.trim().trim_start_matches('|').trim_end_matches('|');
        inner.split('|').map(|cell| cell.trim().trim_matches('`').to_owned()).collect()
    };
    let rows: Vec<_> = rows.take_while(|line| line.starts_with('|')).map(cells).collect();
    assert!(!rows.is_empty(), "there is no table of {heading}");
    rows
}

/// The first column, nothing twice.
fn names(rows: &[Vec<String>]) -> BTreeSet<String> {
    let names: BTreeSet<String> = rows.iter().map(|row| row[0].clone()).collect();
    assert_eq!(names.len(), rows.len(), "something stands there twice");
    names
}

#[test]
fn the_settings_are_those_of_the_page_with_their_defaults() {
    let defaults = finish(&mut bare_command(&["config", "show", "--json"])).json();
    let defaults = defaults.as_object().unwrap();
    let rows = table("key");
    assert_eq!(names(&rows), defaults.keys().cloned().collect());
    for row in &rows {
        let default = match &defaults[&row[0]] {
            Value::Null => "none".to_owned(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        assert_eq!(row[1], default, "{}", row[0]);
    }
}

/// The operation of each row of the page.
const OPERATIONS: [(Operation, &str); 20] = [
    (Operation::Hello, "say hello"),
    (Operation::Append, "append"),
    (Operation::AppendReturningMissed, "append, and be shown the events that were missed"),
    (Operation::Read, "read"),
    (Operation::Subscribe, "subscribe"),
    (Operation::Standing, "ask for the head, a stream's revision, an event by its id, a receipt by its request id"),
    (Operation::Names, "list names"),
    (Operation::Statistics, "ask for statistics"),
    (Operation::Verify, "verify a store"),
    (Operation::VerifyIndex, "verify an index"),
    (Operation::RebuildIndex, "rebuild an index"),
    (Operation::CreateStore, "create a store"),
    (Operation::ListStores, "list the stores"),
    (Operation::SaveSnapshot, "save a snapshot"),
    (Operation::ListSnapshots, "list snapshots"),
    (Operation::DropSnapshots, "drop snapshots"),
    (Operation::TellProjections, "tell how projections are doing"),
    (Operation::ListProjections, "list projections"),
    (Operation::WaitForProjection, "wait for a projection"),
    (Operation::ReplayParked, "have a projection's parked events tried again"),
];

#[test]
fn roles_may_do_what_the_page_says() {
    let rows = table("operation");
    assert_eq!(names(&rows), OPERATIONS.iter().map(|(_, text)| (*text).to_owned()).collect());
    assert!(Operation::ALL.iter().all(|operation| OPERATIONS.iter().any(|(listed, _)| listed == operation)));
    for (operation, text) in OPERATIONS {
        let row = rows.iter().find(|row| row[0] == text).unwrap();
        for (role, cell) in Role::ALL.into_iter().zip(&row[1..]) {
            let alone = Roles::from_iter([role]);
            assert_eq!(is_allowed(alone, operation), cell == "yes", "{text}: {role}: {cell}");
            // "with reader or projector": each of these lets it, and no other role does but the one that may alone.
            let partners = cell.strip_prefix("with ").unwrap_or_default();
            let partners: Vec<Role> = partners.split(" or ").filter_map(|word| word.parse().ok()).collect();
            for partner in Role::ALL.into_iter().filter(|_| cell.starts_with("with ")) {
                let may = is_allowed(Roles::from_iter([role, partner]), operation);
                let may_alone = is_allowed(Roles::from_iter([partner]), operation);
                assert_eq!(may, partners.contains(&partner) || may_alone, "{text}: {role} and {partner}");
            }
        }
    }
}

#[test]
fn the_reasons_of_refusals_are_those_of_the_page() {
    let reasons: BTreeSet<String> = Refusal::ALL.iter().map(|refusal| refusal.name().to_owned()).collect();
    assert_eq!(names(&table("reason")), reasons);
}

#[test]
fn the_metrics_are_those_of_the_page_with_their_labels() {
    let place = Place::new();
    let server = Server::start(&place, &[]);
    server.connect(Plane::Append, "").unwrap().append("{}").unwrap();
    let (_, page) = server.page("/metrics");
    let rows = table("metric");
    let mut told = BTreeSet::new();
    for line in page.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let (name, kind) = line.split_once(' ').unwrap();
        told.insert(if kind == "counter" { format!("{name}_total") } else { name.to_owned() });
    }
    assert_eq!(names(&rows), told);
    for row in &rows {
        let labels: BTreeSet<&str> = row[1].split(", ").filter(|label| !label.is_empty()).collect();
        let series = page.lines().filter(|line| !line.starts_with('#') && name_of(line).starts_with(&row[0]));
        for line in series.filter(|line| [&row[0][..], &format!("{}_count", row[0])].contains(&name_of(line))) {
            let inside = line.split_once('{').map_or("", |(_, rest)| rest.split('}').next().unwrap());
            let of_line: BTreeSet<&str> =
                inside.split(',').filter_map(|label| Some(label.split_once('=')?.0)).collect();
            assert_eq!(of_line, labels, "{line}");
        }
    }
    server.stop();
}

#[test]
fn the_commands_that_back_up_and_restore_do_so() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/OPERATIONS.md");
    let page = std::fs::read_to_string(path).unwrap();
    let (_, section) = page.split_once("## Back up and restore").unwrap();
    let block = section.split("```").nth(1).unwrap();
    let place = Place::new();
    let receipt = place.append(&[]);
    let mut run_count = 0;
    for line in block.lines().filter(|line| line.starts_with("gesta ")) {
        let arguments = line.split('#').next().unwrap().split_whitespace().skip(1);
        let arguments = arguments.map(|argument| match argument {
            "/var/lib/gesta/orders" => place.store().into_os_string(),
            path if path.starts_with('/') => place.path(&path[1..].replace('/', "-")).into_os_string(),
            other => other.into(),
        });
        place.run(&arguments.collect::<Vec<_>>()).ok();
        run_count += 1;
    }
    assert_eq!(run_count, 3);
    let restored = place.path("var-lib-gesta-new-orders");
    let events = place.run(&["read", "--json", "--store", restored.to_str().unwrap()]).ok().events();
    assert_eq!((events.len(), &receipt["first"]), (1, &events[0]["position"]));
}

/// The name of a series, without labels and value.
fn name_of(line: &str) -> &str {
    line.split(['{', ' ']).next().unwrap()
}
