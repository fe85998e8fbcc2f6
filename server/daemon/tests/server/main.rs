//! The parts that the server stands on, from outside: as the rest of the server and its operators meet them.

mod abuse;
mod access;
mod conformance;
mod access_plane;
mod child;
mod conversation;
mod excess;
mod garbage;
mod limits;
mod matrix;
mod page;
mod restarts;
mod mounted;
mod resets;
mod settings;
mod stopping;
mod support;
mod tls;
mod witness;
