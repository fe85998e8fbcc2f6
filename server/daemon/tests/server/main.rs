//! The parts that the server stands on, from outside: as the rest of the server and its operators meet them.

mod access;
mod matrix;
mod settings;
mod tls;
