//! What one client may do.

use super::entry::TokenEntry;
use super::error::Denied;
use super::operation::Operation;
use super::role::Role;
use super::roles::Roles;
use super::rule::is_allowed;
use jiff::Timestamp;
use std::sync::Arc;

/// What the client of a connection may do: what its token says, as long as that stands.
#[derive(Clone)]
pub struct Grant {
    /// None: access is open.
    pub(super) entry: Option<Arc<TokenEntry>>,
    /// The reading of the token file that the entry is of.
    pub(super) generation: u64,
}

impl Grant {
    /// Whether the client may do this to this store, at this time.
    pub fn allow(&self, operation: Operation, store: &str, now: Timestamp) -> Result<(), Denied> {
        if operation == Operation::Hello {
            return Ok(());
        }
        let stands = self.entry.as_ref().is_none_or(|entry| entry.stores.has(store) && !entry.has_expired(now));
        if stands && is_allowed(self.roles(), operation) { Ok(()) } else { Err(Denied) }
    }

    /// Whether the client may know of a store at all.
    #[must_use]
    pub fn covers(&self, store: &str) -> bool {
        self.entry.as_ref().is_none_or(|entry| entry.stores.has(store))
    }

    /// What people call the token, for the log of the server; none where access is open.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.entry.as_ref().map(|entry| entry.name.as_str())
    }

    /// What the client stands for.
    #[must_use]
    pub fn roles(&self) -> Roles {
        self.entry.as_ref().map_or_else(|| Roles::from_iter([Role::Operator]), |entry| entry.roles)
    }
}
