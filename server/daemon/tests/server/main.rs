//! The parts that the server stands on, from outside: as the rest of the server and its operators meet them.

mod abuse;
mod access;
mod conformance;
mod conversation;
mod excess;
mod garbage;
mod matrix;
mod page;
mod restarts;
mod settings;
mod support;
mod tls;
mod witness;
