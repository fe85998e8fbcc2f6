//! The read model in PostgreSQL by itself.

use super::cluster;
use super::models::{model, reader, wait_until};
use gesta::{Position, Timestamp, Uuid};
use gesta_cqrs::{Checkpoint, CommitError, Parked, ProjectionId, ReadModel, Scope, Step};
use gesta_postgres::{PostgresError, PostgresReadModel};
use std::sync::Barrier;

fn id() -> ProjectionId {
    ProjectionId { name: "files".to_owned(), version: 3 }
}

fn at(position: u64) -> Checkpoint {
    Checkpoint { store_id: Uuid::from_u128(5), position: Position(position) }
}

fn step(projection: &ProjectionId, from: Option<u64>, to: u64) -> Step<'_> {
    Step { projection, scope: Scope::Whole, from: from.map(at), to: at(to), parked: &[], unparked: &[] }
}

fn parked(position: u64, reason: &str) -> Parked {
    let (event_type, reason) = ("FileChanged".to_owned(), reason.to_owned());
    Parked { position: Position(position), event_type, reason, attempts: 3, recorded_at: Timestamp(9), is_news: true }
}

#[test]
fn rows_and_checkpoint_are_committed_together_or_not_at_all() {
    let Some(database) = cluster::database("together") else { return };
    let mut first = model(&database);
    let id = id();
    first.commit(&step(&id, None, 0), &mut |rows, _| Ok(rows.batch_execute("CREATE TABLE t (n int)")?)).unwrap();
    first.commit(&step(&id, Some(0), 7), &mut |rows, _| Ok(rows.batch_execute("INSERT INTO t VALUES (1)")?)).unwrap();
    let failed = first.commit(&step(&id, Some(7), 9), &mut |rows, _| {
        rows.batch_execute("INSERT INTO t VALUES (2)")?;
        Err("no".into())
    });
    assert!(matches!(failed, Err(CommitError::Work(_))));
    drop(first);
    let mut second = model(&database);
    assert_eq!(second.checkpoint(&id).unwrap(), Some(at(7)));
    let count: i64 =
        second.reader().unwrap().into_client().unwrap().query_one("SELECT count(*) FROM t", &[]).unwrap().get(0);
    assert_eq!(count, 1);
    let other = ProjectionId { version: 4, ..id };
    assert_eq!(second.checkpoint(&other).unwrap(), None, "each version has a checkpoint of its own");
}

#[test]
fn a_step_whose_work_hid_an_error_of_the_database_is_refused() {
    let Some(database) = cluster::database("hidden") else { return };
    let mut model = model(&database);
    let id = id();
    model.commit(&step(&id, None, 0), &mut |_, _| Ok(())).unwrap();
    let hides = model.commit(&step(&id, Some(0), 1), &mut |rows, _| {
        let _ = rows.batch_execute("SELECT * FROM nowhere");
        Ok(())
    });
    let Err(CommitError::Work(error)) = hides else { panic!("{hides:?}") };
    assert_eq!(error.to_string(), "the projection went on after an error of the database");
    let tells = model.commit(&step(&id, Some(0), 1), &mut |rows, _| Ok(rows.batch_execute("SELECT * FROM nowhere")?));
    let Err(CommitError::Work(error)) = tells else { panic!("{tells:?}") };
    assert!(error.to_string().contains("relation \"nowhere\" does not exist"), "{error}");
    assert_eq!(model.checkpoint(&id).unwrap(), Some(at(0)));
}

#[test]
fn a_constraint_that_is_checked_at_the_end_is_the_fault_of_the_work() {
    let Some(database) = cluster::database("deferred") else { return };
    let mut model = model(&database);
    let id = id();
    let table = "CREATE TABLE t (n int UNIQUE DEFERRABLE INITIALLY DEFERRED)";
    model.commit(&step(&id, None, 0), &mut |rows, _| Ok(rows.batch_execute(table)?)).unwrap();
    let twice = "INSERT INTO t VALUES (1), (1)";
    let refused = model.commit(&step(&id, Some(0), 1), &mut |rows, _| Ok(rows.batch_execute(twice)?));
    let Err(CommitError::Work(error)) = refused else { panic!("{refused:?}") };
    assert!(error.to_string().contains("duplicate key"), "{error}");
    assert_eq!(model.checkpoint(&id).unwrap(), Some(at(0)));
}

#[test]
fn a_step_from_elsewhere_is_refused() {
    let Some(database) = cluster::database("elsewhere") else { return };
    let mut model = model(&database);
    let id = id();
    model.commit(&step(&id, None, u64::MAX), &mut |_, _| Ok(())).unwrap();
    for from in [None, Some(3)] {
        let refused = model.commit(&step(&id, from, 9), &mut |_, _| panic!("nothing is to be done"));
        assert!(matches!(refused, Err(CommitError::Moved)));
    }
    let foreign = Checkpoint { store_id: Uuid::from_u128(6), position: Position(u64::MAX) };
    let refused = model.commit(&Step { from: Some(foreign), ..step(&id, None, 9) }, &mut |_, _| panic!("nor here"));
    assert!(matches!(refused, Err(CommitError::Moved)));
    assert_eq!(model.checkpoint(&id).unwrap(), Some(at(u64::MAX)), "a position keeps all its bits");
}

/// Without any claim, as after connections that broke: both find the projection where they believe it, and are at it at once.
#[test]
fn of_two_steps_at_once_one_is_committed_and_the_other_is_told() {
    let Some(database) = cluster::database("at_once") else { return };
    let id = id();
    model(&database)
        .commit(&step(&id, None, 0), &mut |rows, _| Ok(rows.batch_execute("CREATE TABLE t (n int)")?))
        .unwrap();
    let other = ProjectionId { version: 4, ..id.clone() };
    for (from, projection) in [(Some(0), &id), (None, &other)] {
        let both = Barrier::new(2);
        let take = || {
            let mut model = model(&database);
            both.wait();
            model.commit(&step(projection, from, 1), &mut |rows, _| {
                // The other one waits for this transaction meanwhile, or has to come after it.
                rows.batch_execute("SELECT pg_sleep(0.05); INSERT INTO t VALUES (1)")?;
                Ok(())
            })
        };
        let outcomes =
            std::thread::scope(|scope| [scope.spawn(take), scope.spawn(take)].map(|thread| thread.join().unwrap()));
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{outcomes:?}");
        assert!(outcomes.iter().any(|outcome| matches!(outcome, Err(CommitError::Moved))), "{outcomes:?}");
    }
    let count: i64 = reader(&database).query_one("SELECT count(*) FROM t", &[]).unwrap().get(0);
    assert_eq!(count, 2, "one row for each projection");
}

#[test]
fn parked_events_are_kept_in_order_until_they_are_folded() {
    let Some(database) = cluster::database("parked") else { return };
    let mut model = model(&database);
    let id = id();
    let first = Step { parked: &[parked(u64::MAX, "z"), parked(9, "a"), parked(2, "b")], ..step(&id, None, 10) };
    model.commit(&first, &mut |_, _| Ok(())).unwrap();
    assert_eq!(model.parked(&id).unwrap(), [parked(2, "b"), parked(9, "a"), parked(u64::MAX, "z")]);
    let again =
        Step { parked: &[parked(9, "c\0d")], unparked: &[Position(2), Position(u64::MAX)], ..step(&id, Some(10), 10) };
    model.commit(&again, &mut |_, _| Ok(())).unwrap();
    assert_eq!(model.parked(&id).unwrap(), [parked(9, "c\u{fffd}d")], "text in PostgreSQL has no NUL");
}

#[test]
fn a_projection_is_one_runners_until_its_read_model_is_dropped() {
    let Some(database) = cluster::database("claims") else { return };
    let mut first = model(&database);
    let mut second = model(&database);
    assert!(first.claim(&id()).unwrap());
    assert!(first.claim(&id()).unwrap(), "it is the first one's already");
    assert!(!second.claim(&id()).unwrap());
    assert!(second.claim(&ProjectionId { version: 4, ..id() }).unwrap());
    let mut elsewhere = PostgresReadModel::connect_to_schema(&database, "elsewhere").unwrap();
    assert!(elsewhere.claim(&id()).unwrap(), "each schema has projections of its own");
    drop(first);
    // The server takes note of the end of a connection a little later.
    wait_until(|| second.claim(&id()).unwrap());
}

#[test]
fn each_schema_has_rows_and_checkpoints_of_its_own() {
    let Some(database) = cluster::database("schemas") else { return };
    let id = id();
    for (ordinal, name) in ["orders", "Orders", "or\"ders; DROP SCHEMA orders"].into_iter().enumerate() {
        let mut model = PostgresReadModel::connect_to_schema(&database, name).unwrap();
        assert_eq!(model.checkpoint(&id).unwrap(), None);
        let to = step(&id, None, ordinal as u64);
        model.commit(&to, &mut |rows, _| Ok(rows.batch_execute("CREATE TABLE t (n int)")?)).unwrap();
        let mut again = PostgresReadModel::connect_to_schema(&database, name).unwrap();
        assert_eq!(again.checkpoint(&id).unwrap(), Some(at(ordinal as u64)));
        let row =
            again.reader().unwrap().into_client().unwrap().query_one("SELECT current_schema()::text", &[]).unwrap();
        assert_eq!(row.get::<_, String>(0), name);
    }
    for name in [String::new(), "n".repeat(64)] {
        let refused = PostgresReadModel::connect_to_schema(&database, &name).unwrap_err();
        assert!(matches!(refused, PostgresError::SchemaName { .. }), "{refused}");
    }
}

#[test]
fn many_may_set_up_the_same_schema_at_once() {
    let Some(database) = cluster::database("crowd") else { return };
    let all = Barrier::new(8);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                all.wait();
                PostgresReadModel::connect_to_schema(&database, "crowded").unwrap();
            });
        }
    });
}

#[test]
fn a_reader_changes_nothing() {
    let Some(database) = cluster::database("reader") else { return };
    let refused = reader(&database).batch_execute("DELETE FROM gesta_checkpoints").unwrap_err();
    assert_eq!(refused.code(), Some(&postgres::error::SqlState::READ_ONLY_SQL_TRANSACTION));
}

#[test]
fn what_is_no_database_is_named_and_the_password_never_is() {
    let failed = PostgresReadModel::connect("host=/nowhere/at/all user=ann password=secret dbname=orders").unwrap_err();
    assert!(matches!(failed, PostgresError::Connect { .. }));
    assert!(failed.to_string().starts_with("no connection to database orders at /nowhere/at/all: "), "{failed}");
    assert!(failed.to_string().contains("No such file"), "{failed}");
    assert!(!format!("{failed} {failed:?}").contains("secret"), "{failed:?}");
    let unreadable = PostgresReadModel::connect("user=ann password=my secret=x").unwrap_err();
    assert!(matches!(unreadable, PostgresError::Config), "{unreadable:?}");
    assert!(!format!("{unreadable} {unreadable:?}").contains("secret"), "{unreadable:?}");
}

#[test]
fn a_database_that_is_missing_is_named() {
    let Some(database) = cluster::database("present") else { return };
    let failed = PostgresReadModel::connect(&database.replace("present", "absent")).unwrap_err();
    assert!(failed.to_string().contains("database \"absent\" does not exist"), "{failed}");
}
