//! A step in one transaction.
//!
//! What must stay true: an event is blamed only for what the database refused on a connection that works; whatever else
//! goes wrong is a failure of the read model, and the step is tried again. While a version takes over, nobody else can move
//! the checkpoint of the one that served, nor take over as well.

use crate::PostgresReadModel;
use crate::error::chain;
use crate::session::is_usable_after;
use crate::tables;
use gesta_cqrs::{ProjectError, ProjectionId, Role, Scope, Step, Work};
use postgres::error::SqlState;
use postgres::{Client, IsolationLevel, Transaction};

/// What became of a step.
pub(crate) enum Answer {
    /// It is committed.
    Committed(Role),
    /// The projection stands elsewhere; nothing was done.
    Moved,
    /// A later version has taken over; nothing was done.
    Superseded(u32),
    /// An event cannot be folded; nothing was done.
    Stuck(ProjectError),
}

/// Begins of SQL states that tell of the database and not of what was asked: its connections, its conflicts between
/// transactions, its resources, a lock that was not to be had, its operators, its disks, its files.
const FAILURES_OF_THE_DATABASE: [&str; 7] = ["08", "40", "53", "55P03", "57", "58", "XX001"];

/// Has `work` write rows, and commits them with the step, or neither.
pub(crate) fn commit(
    client: &mut Client,
    step: &Step<'_>,
    work: &mut Work<'_, PostgresReadModel>,
) -> Result<Answer, postgres::Error> {
    // Under a stricter level, waiting for another runner would end in an error instead of in its checkpoint.
    let mut transaction = client.build_transaction().isolation_level(IsolationLevel::ReadCommitted).start()?;
    if !stands_where_it_should(&mut transaction, step)? {
        transaction.rollback()?;
        return Ok(Answer::Moved);
    }
    let role = match role(&mut transaction, step)? {
        Ok(role) => role,
        Err(by) => {
            transaction.rollback()?;
            return Ok(Answer::Superseded(by));
        }
    };
    if let Err(error) = work(&mut transaction, role) {
        transaction.rollback()?;
        return blame(error);
    }
    match write(&mut transaction, step, role) {
        Ok(()) => match transaction.commit() {
            Ok(()) => Ok(Answer::Committed(role)),
            // A deferred constraint, say.
            Err(error) if is_usable_after(&error) => blame(error.into()),
            Err(error) => Err(error),
        },
        Err(error) if error.code() == Some(&SqlState::IN_FAILED_SQL_TRANSACTION) => {
            // A commit would have succeeded, and rolled back.
            transaction.rollback()?;
            Ok(Answer::Stuck("the projection went on after an error of the database".into()))
        }
        Err(error) => Err(error),
    }
}

fn stands_where_it_should(transaction: &mut Transaction<'_>, step: &Step<'_>) -> Result<bool, postgres::Error> {
    if let Scope::Part(part) = step.scope {
        return Ok(tables::stays_at_start(transaction, step.projection)?
            && tables::move_part(transaction, (step.projection, part), step.from, step.to)?);
    }
    match step.from {
        Some(from) => Ok(tables::lock_checkpoint(transaction, step.projection)? == Some(from)),
        None => tables::begin_checkpoint(transaction, step.projection, step.to),
    }
}

/// What this version is beside the one that serves; the inner error is a later version, which has taken over.
fn role(transaction: &mut Transaction<'_>, step: &Step<'_>) -> Result<Result<Role, u32>, postgres::Error> {
    let name = &step.projection.name;
    let role = step.role(tables::serving(transaction, name)?);
    if role != Ok(Role::TakesOver) {
        // The one that serves only moves on, so who builds is behind it in any case.
        return Ok(role);
    }
    tables::lock_taking_over(transaction, name)?;
    if let Some(serving) = tables::serving(transaction, name)? {
        // Whoever folds it locks its own checkpoint first and then looks who serves.
        let earlier = ProjectionId { name: name.clone(), version: serving.version };
        tables::lock_checkpoint(transaction, &earlier)?;
    }
    Ok(step.role(tables::serving(transaction, name)?))
}

fn write(transaction: &mut Transaction<'_>, step: &Step<'_>, role: Role) -> Result<(), postgres::Error> {
    // First: in a transaction that has failed, this is what tells.
    match step.scope {
        Scope::Whole => tables::move_checkpoint(transaction, step.projection, step.to)?,
        // It is moved.
        Scope::Part(_) => transaction.batch_execute("SELECT")?,
        Scope::Join => {
            tables::move_checkpoint(transaction, step.projection, step.to)?;
            tables::drop_parts(transaction, step.projection)?;
        }
    }
    if role == Role::TakesOver {
        tables::serve(transaction, step.projection)?;
    }
    for position in step.unparked {
        tables::unpark(transaction, step.projection, *position)?;
    }
    for parked in step.parked {
        tables::park(transaction, step.projection, parked)?;
    }
    Ok(())
}

/// Whether an error of a projection is one of its event, or of the database.
fn blame(error: ProjectError) -> Result<Answer, postgres::Error> {
    let error = match error.downcast::<postgres::Error>() {
        Ok(error) => error,
        Err(error) => return Ok(Answer::Stuck(error)),
    };
    let state = error.code().map_or("", SqlState::code);
    if FAILURES_OF_THE_DATABASE.iter().any(|class| state.starts_with(class)) {
        return Err(*error);
    }
    // What is written beside a parked event is the text of its error alone.
    Ok(Answer::Stuck(chain(&error).into()))
}
