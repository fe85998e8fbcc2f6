//! The parts that the server stands on, from outside: as the rest of the server and its operators meet them.

mod abuse;
mod access;
mod access_plane;
mod child;
mod conformance;
mod conversation;
mod excess;
mod garbage;
mod limits;
mod matrix;
mod mounted;
mod page;
mod resets;
mod restarts;
mod settings;
mod stopping;
mod support;
mod tls;
mod witness;
