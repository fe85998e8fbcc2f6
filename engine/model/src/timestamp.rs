//! A moment, as the number of nanoseconds from the Unix epoch.

/// Nanoseconds since 1970-01-01T00:00:00Z, negative before; covers the years 1677 to 2262.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);
