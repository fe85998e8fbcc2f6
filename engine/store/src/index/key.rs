//! What the index finds events by.

use siphasher::sip128::{Hasher128, SipHasher13};
use std::hash::Hasher;

/// What a key speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub(crate) enum Kind {
    /// The name of a stream.
    Stream = 1,
    /// The part of a stream name before its first `-`.
    Category = 2,
    /// The name of a kind of event.
    Type = 3,
    /// A tag.
    Tag = 4,
    /// A request id.
    Request = 5,
    /// An event id.
    Event = 6,
}

/// The kind in the top byte, a keyed hash of the name below it: nobody can craft two names that collide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key(pub(crate) u128);

/// Makes keys of names, with a secret of the store's.
#[derive(Clone, Debug)]
pub(crate) struct Keyring {
    hasher: SipHasher13,
}

impl Keyring {
    /// A keyring for a store's secret.
    pub(crate) fn new(secret: &[u8; 16]) -> Self {
        let mut derived = SipHasher13::new_with_key(secret);
        derived.write(b"gesta index");
        Self { hasher: SipHasher13::new_with_key(&derived.finish128().as_bytes()) }
    }

    /// The key of a name.
    pub(crate) fn key(&self, kind: Kind, name: &[u8]) -> Key {
        let mut hasher = self.hasher;
        hasher.write(name);
        let hash = hasher.finish128().as_u128();
        Key(u128::from(kind as u8) << 120 | hash >> 8)
    }
}

impl Key {
    /// Whether the key is of a kind.
    pub(crate) fn is(self, kind: Kind) -> bool {
        self.0 >> 120 == kind as u128
    }
}
