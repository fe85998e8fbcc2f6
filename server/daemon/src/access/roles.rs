//! A set of roles.

use super::role::Role;

/// The roles of one token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Roles {
    /// A bit for each role, in the order of [`Role::ALL`].
    bits: u8,
}

impl Roles {
    /// No role: nothing is allowed.
    pub const NONE: Self = Self { bits: 0 };

    /// Whether a role is in the set.
    #[must_use]
    pub fn has(self, role: Role) -> bool {
        self.bits & bit(role) != 0
    }

    /// Whether there is none in it.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self == Self::NONE
    }

    /// The roles in the set, in the order of [`Role::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Role> {
        Role::ALL.into_iter().filter(move |role| self.has(*role))
    }
}

impl FromIterator<Role> for Roles {
    fn from_iter<I: IntoIterator<Item = Role>>(roles: I) -> Self {
        Self { bits: roles.into_iter().fold(0, |bits, role| bits | bit(role)) }
    }
}

fn bit(role: Role) -> u8 {
    match role {
        Role::Appender => 1,
        Role::Reader => 2,
        Role::Projector => 4,
        Role::Operator => 8,
    }
}
