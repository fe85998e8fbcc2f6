//! The parts that the server stands on, from outside: as the rest of the server and its operators meet them.

mod abuse;
mod access;
mod access_plane;
#[path = "../../../../engine/store/tests/store/child.rs"]
mod child;
mod conformance;
mod conversation;
mod excess;
mod garbage;
mod limits;
mod matrix;
#[path = "../../../../engine/store/tests/store/mounted.rs"]
mod mounted;
mod page;
mod projections;
mod resets;
mod restarts;
mod settings;
mod stopping;
mod support;
mod tls;
mod witness;
