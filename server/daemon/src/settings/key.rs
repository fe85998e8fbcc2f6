//! The table of keys: the name of each setting, its place in the tree, and what is allowed there.
//!
//! What must stay true: the names are unique, as keys and as environment variables, and each has a place of its own.

use super::settings::Settings;
use super::slot::Slot;
use gesta::limits::{BATCH_BODY_BYTES_MAX, BATCH_EVENTS_MAX, RECORD_BYTES_MAX};
use std::ops::RangeInclusive;

/// One setting.
pub(super) struct Key {
    /// As in a settings file, its section before a dot.
    pub(super) name: &'static str,
    pub(super) slot: fn(&mut Settings) -> Slot<'_>,
}

/// What the variables of the environment begin with.
pub(super) const ENVIRONMENT_PREFIX: &str = "GESTA_";

const CONNECTIONS: RangeInclusive<usize> = 1..=1_000_000;
const THREADS: RangeInclusive<usize> = 1..=1024;
const BUFFER_BYTES: RangeInclusive<usize> = 64 * 1024..=64 * 1024 * 1024 * 1024;
/// The longest request that the format holds fits in, with room to spare; a length in a frame is never more.
const FRAME_BYTES: RangeInclusive<usize> = 64 * 1024..=BATCH_BODY_BYTES_MAX * 2;
const HELLO_BYTES: RangeInclusive<usize> = 512..=64 * 1024;
const REQUESTS: RangeInclusive<usize> = 1..=1_000_000;
const STORES: RangeInclusive<usize> = 1..=65_536;
const PAYLOAD_BYTES: RangeInclusive<usize> = 0..=RECORD_BYTES_MAX;
const REQUEST_EVENTS: RangeInclusive<usize> = 1..=BATCH_EVENTS_MAX;
const REQUEST_BYTES: RangeInclusive<usize> = 1024..=BATCH_BODY_BYTES_MAX;
/// 0: none.
const SCRUB_BYTES: RangeInclusive<usize> = 0..=1024 * 1024 * 1024 * 1024;
/// Up to a year.
const HOURS: RangeInclusive<usize> = 1..=366 * 24;
/// Up to a day.
const MILLISECONDS: RangeInclusive<u64> = 1..=24 * 60 * 60 * 1000;

pub(super) const KEYS: [Key; 35] = [
    Key { name: "dir", slot: |s| Slot::Path(&mut s.dir) },
    Key { name: "allow_network_dir", slot: |s| Slot::Switch(&mut s.allow_network_dir) },
    Key { name: "append", slot: |s| Slot::Address(&mut s.append) },
    Key { name: "read", slot: |s| Slot::Address(&mut s.read) },
    Key { name: "http", slot: |s| Slot::AddressOrNone(&mut s.http) },
    Key { name: "insecure", slot: |s| Slot::Switch(&mut s.insecure) },
    Key { name: "index_event_ids", slot: |s| Slot::Switch(&mut s.index_event_ids) },
    Key { name: "append_threads", slot: |s| Slot::Count(&mut s.append_threads, THREADS) },
    Key { name: "read_threads", slot: |s| Slot::Count(&mut s.read_threads, THREADS) },
    Key { name: "tls.certificate", slot: |s| Slot::Path(&mut s.tls.certificate) },
    Key { name: "tls.key", slot: |s| Slot::Path(&mut s.tls.key) },
    Key { name: "tls.client_ca", slot: |s| Slot::Path(&mut s.tls.client_ca) },
    Key { name: "access.tokens", slot: |s| Slot::Path(&mut s.access.tokens) },
    Key { name: "limits.frame_bytes_max", slot: |s| Slot::Count(&mut s.limits.frame_bytes_max, FRAME_BYTES) },
    Key { name: "limits.hello_bytes_max", slot: |s| Slot::Count(&mut s.limits.hello_bytes_max, HELLO_BYTES) },
    Key {
        name: "limits.append_connections_max",
        slot: |s| Slot::Count(&mut s.limits.append_connections_max, CONNECTIONS),
    },
    Key { name: "limits.read_connections_max", slot: |s| Slot::Count(&mut s.limits.read_connections_max, CONNECTIONS) },
    Key {
        name: "limits.connections_per_address_max",
        slot: |s| Slot::Count(&mut s.limits.connections_per_address_max, CONNECTIONS),
    },
    Key {
        name: "limits.requests_in_flight_max",
        slot: |s| Slot::Count(&mut s.limits.requests_in_flight_max, REQUESTS),
    },
    Key {
        name: "limits.append_bytes_in_flight_max",
        slot: |s| Slot::Count(&mut s.limits.append_bytes_in_flight_max, BUFFER_BYTES),
    },
    Key {
        name: "limits.read_bytes_buffered_max",
        slot: |s| Slot::Count(&mut s.limits.read_bytes_buffered_max, BUFFER_BYTES),
    },
    Key {
        name: "limits.handshake_timeout_ms",
        slot: |s| Slot::Milliseconds(&mut s.limits.handshake_timeout_ms, MILLISECONDS),
    },
    Key { name: "limits.idle_timeout_ms", slot: |s| Slot::Milliseconds(&mut s.limits.idle_timeout_ms, MILLISECONDS) },
    Key { name: "limits.heartbeat_ms", slot: |s| Slot::Milliseconds(&mut s.limits.heartbeat_ms, MILLISECONDS) },
    Key {
        name: "limits.slow_reader_timeout_ms",
        slot: |s| Slot::Milliseconds(&mut s.limits.slow_reader_timeout_ms, MILLISECONDS),
    },
    Key { name: "limits.stop_timeout_ms", slot: |s| Slot::Milliseconds(&mut s.limits.stop_timeout_ms, MILLISECONDS) },
    Key { name: "limits.stores_open_max", slot: |s| Slot::Count(&mut s.limits.stores_open_max, STORES) },
    Key { name: "limits.data_bytes_max", slot: |s| Slot::Count(&mut s.limits.data_bytes_max, PAYLOAD_BYTES) },
    Key { name: "limits.metadata_bytes_max", slot: |s| Slot::Count(&mut s.limits.metadata_bytes_max, PAYLOAD_BYTES) },
    Key { name: "limits.request_events_max", slot: |s| Slot::Count(&mut s.limits.request_events_max, REQUEST_EVENTS) },
    Key { name: "limits.request_bytes_max", slot: |s| Slot::Count(&mut s.limits.request_bytes_max, REQUEST_BYTES) },
    Key { name: "scrub.bytes_per_second", slot: |s| Slot::Count(&mut s.scrub.bytes_per_second, SCRUB_BYTES) },
    Key { name: "scrub.interval_hours", slot: |s| Slot::Count(&mut s.scrub.interval_hours, HOURS) },
    Key { name: "log.format", slot: |s| Slot::Format(&mut s.log.format) },
    Key { name: "log.level", slot: |s| Slot::Level(&mut s.log.level) },
];

impl Key {
    /// The place of the key of this name.
    pub(super) fn index(name: &str) -> Option<usize> {
        KEYS.iter().position(|key| key.name == name)
    }

    /// As a variable of the environment.
    pub(super) fn variable(&self) -> String {
        format!("{ENVIRONMENT_PREFIX}{}", self.name.replace('.', "_").to_uppercase())
    }

    /// Whether the name is that of a section.
    pub(super) fn is_section(name: &str) -> bool {
        Self::sections().any(|section| section == name)
    }

    /// The section of every key that stands in one.
    pub(super) fn sections() -> impl Iterator<Item = &'static str> {
        KEYS.iter().filter_map(|key| key.name.split_once('.')).map(|(section, _)| section)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_are_unique_as_keys_and_as_variables() {
        assert_eq!(KEYS.iter().map(|key| key.name).collect::<BTreeSet<_>>().len(), KEYS.len());
        assert_eq!(KEYS.iter().map(Key::variable).collect::<BTreeSet<_>>().len(), KEYS.len());
        assert!(!KEYS.iter().any(|key| Key::is_section(key.name)));
    }

    #[test]
    fn every_key_has_a_place_of_its_own() {
        let mut settings = Settings::default();
        let places: BTreeSet<usize> = KEYS
            .iter()
            .map(|key| match (key.slot)(&mut settings) {
                Slot::Path(place) => std::ptr::from_mut(place).addr(),
                Slot::Address(place) => std::ptr::from_mut(place).addr(),
                Slot::AddressOrNone(place) => std::ptr::from_mut(place).addr(),
                Slot::Switch(place) => std::ptr::from_mut(place).addr(),
                Slot::Count(place, _) => std::ptr::from_mut(place).addr(),
                Slot::Milliseconds(place, _) => std::ptr::from_mut(place).addr(),
                Slot::Format(place) => std::ptr::from_mut(place).addr(),
                Slot::Level(place) => std::ptr::from_mut(place).addr(),
            })
            .collect();
        assert_eq!(places.len(), KEYS.len());
    }
}
