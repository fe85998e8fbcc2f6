//! The parts that the server stands on, from outside: as the rest of the server and its operators meet them.

mod access;
mod conformance;
mod conversation;
mod matrix;
mod page;
mod restarts;
mod settings;
mod support;
mod tls;
