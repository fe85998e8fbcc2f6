//! The frames of the gesta protocol: a codec without sockets, the same for both ends.
#![forbid(unsafe_code)]
