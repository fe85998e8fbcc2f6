//! What the index is asked by: a name and what it names, as one number.
//!
//! ```text
//!   127       120 119                                  0
//!  | kind 8 bits | hash of the name, keyed by the store |
//! ```
//!
//! The hash is SipHash-1-3 with 128 bits under a secret of the store, cut to 120 bits. Nobody who does not know the
//! secret can craft two names that share a key, and by chance it takes some 10^18 names; so keys stand for names without
//! a second look. No kind is 0: a key of zeros stands for nothing.

use siphasher::sip128::{Hasher128, SipHasher13, SipHasher24};
use std::hash::Hasher;

/// What a name is the name of.
#[repr(u8)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kind {
    /// A stream.
    Stream = 1,
    /// The part of a stream name that it shares with others.
    Category = 2,
    /// An event type.
    Type = 3,
    /// A tag.
    Tag = 4,
    /// The id of an append request.
    Request = 5,
    /// The id of an event; kept where a store asks for it.
    Event = 6,
}

impl Kind {
    /// All kinds, in the order of their numbers, which begin at 1.
    pub(crate) const ALL: [Self; 6] = [Self::Stream, Self::Category, Self::Type, Self::Tag, Self::Request, Self::Event];
}

/// A kind and a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key(pub(crate) u128);

impl Key {
    /// Bits below the kind.
    pub(crate) const HASH_BITS: u32 = 120;

    /// Whether the key is of a kind.
    pub(crate) fn is(self, kind: Kind) -> bool {
        self.0 >> Self::HASH_BITS == kind as u128
    }

    /// The kind in the top byte; `None` when that is no kind.
    pub(crate) fn kind(self) -> Option<Kind> {
        let [.., top] = self.0.to_le_bytes();
        Kind::ALL.get(usize::from(top).checked_sub(1)?).copied()
    }
}

/// Makes the keys of one store.
#[derive(Clone)]
pub(crate) struct Keyring {
    hasher: SipHasher13,
    has_event_ids: bool,
}

impl Keyring {
    const LABEL: &[u8] = b"gesta: keys of the index";

    /// The keyring of a store's secret.
    ///
    /// The secret also keys the checks of batches; the keys use one that is derived from it, so that neither says
    /// anything about the other.
    pub(crate) fn new(secret: &[u8; 16]) -> Self {
        let mut derive = SipHasher24::new_with_key(secret);
        derive.write(Self::LABEL);
        Self { hasher: SipHasher13::new_with_key(&derive.finish128().as_bytes()), has_event_ids: false }
    }

    /// The keyring of a store that finds events by their ids, or does not.
    pub(crate) fn with_event_ids(self, has_event_ids: bool) -> Self {
        Self { has_event_ids, ..self }
    }

    /// Whether events have keys of their ids.
    pub(crate) fn has_event_ids(&self) -> bool {
        self.has_event_ids
    }

    /// The key of a name.
    pub(crate) fn key(&self, kind: Kind, name: &[u8]) -> Key {
        let hash = self.hasher.hash(name).as_u128();
        Key(((kind as u128) << Key::HASH_BITS) | (hash & ((1 << Key::HASH_BITS) - 1)))
    }
}

impl std::fmt::Debug for Keyring {
    /// Never shows the secret.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Keyring")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden_keys() {
        let keyring = Keyring::new(b"0123456789abcdef");
        assert_eq!(format!("{:032x}", keyring.key(Kind::Stream, b"order-1").0), "01f33c43c5b098ec4e83771ce7cd0ed7");
        assert_eq!(format!("{:032x}", keyring.key(Kind::Tag, b"").0), "04cf93931236fd3a257f7e30ebe173ef");
    }

    #[test]
    fn a_key_tells_its_kind_and_zeros_tell_none() {
        let keyring = Keyring::new(&[7; 16]);
        for kind in Kind::ALL {
            assert_eq!(keyring.key(kind, b"name").kind(), Some(kind));
        }
        assert_eq!(Key(0).kind(), None);
        assert_eq!(Key(7 << Key::HASH_BITS).kind(), None);
        assert_eq!(Key(u128::MAX).kind(), None);
    }

    #[test]
    fn kinds_names_and_secrets_make_different_keys() {
        let keyring = Keyring::new(&[7; 16]);
        let key = keyring.key(Kind::Stream, b"name");
        assert_eq!(key, Keyring::new(&[7; 16]).key(Kind::Stream, b"name"));
        assert_ne!(key, keyring.key(Kind::Type, b"name"));
        assert_ne!(key, keyring.key(Kind::Stream, b"Name"));
        assert_ne!(key, Keyring::new(&[8; 16]).key(Kind::Stream, b"name"));
    }

    #[test]
    fn the_secret_itself_makes_other_hashes() {
        let secret = [9; 16];
        let plain = SipHasher13::new_with_key(&secret).hash(b"name").as_u128() & ((1 << Key::HASH_BITS) - 1);
        let key = Keyring::new(&secret).key(Kind::Stream, b"name").0 & ((1 << Key::HASH_BITS) - 1);
        assert_ne!(key, plain);
    }
}
