//! The read model in SQLite by itself.

use gesta::{Position, Timestamp, Uuid};
use gesta_cqrs::sqlite::{SqliteError, SqliteReadModel};
use gesta_cqrs::{Checkpoint, CommitError, Parked, ProjectionId, ReadModel, Scope, Step};

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
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("files.sqlite");
    let mut model = SqliteReadModel::open(&file).unwrap();
    let id = id();
    model.commit(&step(&id, None, 0), &mut |rows, _| Ok(rows.execute_batch("CREATE TABLE t (n INTEGER)")?)).unwrap();
    model.commit(&step(&id, Some(0), 7), &mut |rows, _| Ok(rows.execute_batch("INSERT INTO t VALUES (1)")?)).unwrap();
    let failed = model.commit(&step(&id, Some(7), 9), &mut |rows, _| {
        rows.execute_batch("INSERT INTO t VALUES (2)")?;
        Err("no".into())
    });
    assert!(matches!(failed, Err(CommitError::Work(_))));
    drop(model);
    let mut model = SqliteReadModel::open(&file).unwrap();
    assert_eq!(model.checkpoint(&id).unwrap(), Some(at(7)));
    let count: i64 =
        model.reader().unwrap().into_connection().query_row("SELECT count(*) FROM t", [], |row| row.get(0)).unwrap();
    assert_eq!(count, 1);
    let other = ProjectionId { version: 4, ..id };
    assert_eq!(model.checkpoint(&other).unwrap(), None, "each version has a checkpoint of its own");
}

#[test]
fn a_step_whose_work_hid_an_error_that_ended_the_transaction_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let mut model = SqliteReadModel::open(directory.path().join("files.sqlite")).unwrap();
    let id = id();
    let table = "CREATE TABLE t (n INTEGER UNIQUE); INSERT INTO t VALUES (1)";
    model.commit(&step(&id, None, 0), &mut |rows, _| Ok(rows.execute_batch(table)?)).unwrap();
    let hides = model.commit(&step(&id, Some(0), 1), &mut |rows, _| {
        rows.execute_batch("INSERT INTO t VALUES (2)")?;
        let _ = rows.execute_batch("INSERT OR ROLLBACK INTO t VALUES (1)");
        Ok(())
    });
    let Err(CommitError::Work(error)) = hides else { panic!("{hides:?}") };
    assert_eq!(error.to_string(), "the projection went on after an error that ended the transaction");
    assert_eq!(model.checkpoint(&id).unwrap(), Some(at(0)));
}

#[test]
fn a_constraint_that_is_checked_at_the_end_is_the_fault_of_the_work() {
    let directory = tempfile::tempdir().unwrap();
    let mut model = SqliteReadModel::open(directory.path().join("files.sqlite")).unwrap();
    let id = id();
    // The SQLite that is compiled in checks foreign keys unless told not to.
    let tables = "CREATE TABLE a (n INTEGER PRIMARY KEY);
                  CREATE TABLE b (n INTEGER REFERENCES a DEFERRABLE INITIALLY DEFERRED)";
    model.commit(&step(&id, None, 0), &mut |rows, _| Ok(rows.execute_batch(tables)?)).unwrap();
    let refused =
        model.commit(&step(&id, Some(0), 1), &mut |rows, _| Ok(rows.execute_batch("INSERT INTO b VALUES (7)")?));
    let Err(CommitError::Work(error)) = refused else { panic!("{refused:?}") };
    assert!(error.to_string().contains("FOREIGN KEY constraint failed"), "{error}");
    assert_eq!(model.checkpoint(&id).unwrap(), Some(at(0)));
}

#[test]
fn a_step_from_elsewhere_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let mut model = SqliteReadModel::open(directory.path().join("files.sqlite")).unwrap();
    let id = id();
    model.commit(&step(&id, None, u64::MAX), &mut |_, _| Ok(())).unwrap();
    for from in [None, Some(3)] {
        let refused = model.commit(&step(&id, from, 9), &mut |_, _| panic!("nothing is to be done"));
        assert!(matches!(refused, Err(CommitError::Moved)));
    }
    assert_eq!(model.checkpoint(&id).unwrap(), Some(at(u64::MAX)), "a position keeps all its bits");
}

#[test]
fn parked_events_are_kept_in_order_until_they_are_folded() {
    let directory = tempfile::tempdir().unwrap();
    let mut model = SqliteReadModel::open(directory.path().join("files.sqlite")).unwrap();
    let id = id();
    let first = Step { parked: &[parked(9, "a"), parked(2, "b")], ..step(&id, None, 10) };
    model.commit(&first, &mut |_, _| Ok(())).unwrap();
    assert_eq!(model.parked(&id).unwrap(), [parked(2, "b"), parked(9, "a")]);
    let again = Step { parked: &[parked(9, "c")], unparked: &[Position(2)], ..step(&id, Some(10), 10) };
    model.commit(&again, &mut |_, _| Ok(())).unwrap();
    assert_eq!(model.parked(&id).unwrap(), [parked(9, "c")]);
}

#[test]
fn a_projection_is_one_runners_until_its_read_model_is_dropped() {
    let directory = tempfile::tempdir().unwrap();
    let open = || SqliteReadModel::open(directory.path().join("files.sqlite")).unwrap();
    let (mut first, mut second) = (open(), open());
    assert!(first.claim(&id()).unwrap());
    assert!(!second.claim(&id()).unwrap());
    assert!(second.claim(&ProjectionId { version: 4, ..id() }).unwrap());
    drop(first);
    assert!(open().claim(&id()).unwrap());
}

#[test]
fn what_is_no_database_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("files.sqlite");
    std::fs::write(&file, "this is a letter and no database, however long one looks at it").unwrap();
    let failed = SqliteReadModel::open(&file).unwrap_err();
    assert!(matches!(failed, SqliteError::Database { .. }));
    assert!(failed.to_string().contains("files.sqlite"), "{failed}");
}
