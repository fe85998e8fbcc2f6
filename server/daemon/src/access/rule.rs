//! The rule: which roles may ask for which operation.
//!
//! ```text
//!                            appender  reader  projector  operator
//!  hello                     whoever comes
//!  append, save a snapshot      x                            x
//!  append, returning missed     needs both: it reads         x
//!  read .. statistics, list snapshots, list projections
//!                                         x        x         x
//!  wait for a projection        x         x        x         x
//!  tell of projections, replay parked              x         x
//!  verify .. list stores, drop snapshots                     x
//! ```
//!
//! What must stay true: the match names every operation, so that a new one does not compile until it has been decided.

use super::operation::Operation;
use super::role::Role;
use super::roles::Roles;

/// Whether these roles may ask for this operation. What no role allows is denied.
#[must_use]
pub fn is_allowed(roles: Roles, operation: Operation) -> bool {
    let is_operator = roles.has(Role::Operator);
    let may_append = is_operator || roles.has(Role::Appender);
    let may_read = is_operator || roles.has(Role::Reader) || roles.has(Role::Projector);
    let may_project = is_operator || roles.has(Role::Projector);
    match operation {
        Operation::Hello => true,
        Operation::Append | Operation::SaveSnapshot => may_append,
        Operation::AppendReturningMissed => may_append && may_read,
        Operation::Read
        | Operation::Subscribe
        | Operation::Standing
        | Operation::Names
        | Operation::Statistics
        | Operation::ListSnapshots
        | Operation::ListProjections => may_read,
        // Whoever appends may want to see what came of it.
        Operation::WaitForProjection => may_append || may_read,
        Operation::TellProjections | Operation::ReplayParked => may_project,
        Operation::Verify
        | Operation::VerifyIndex
        | Operation::RebuildIndex
        | Operation::CreateStore
        | Operation::ListStores
        | Operation::DropSnapshots => is_operator,
    }
}
