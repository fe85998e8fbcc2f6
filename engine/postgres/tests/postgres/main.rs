//! Read models in a real PostgreSQL server, which the tests start and kill.

#[path = "../../../cqrs/examples/bank/account.rs"]
#[allow(dead_code, reason = "other tests use the rest of it")]
mod bank;
mod broken;
mod cluster;
mod faults;
mod killed;
mod models;
mod projections;
mod questions;
mod read_model;
#[path = "../../../cqrs/tests/cqrs/support.rs"]
#[allow(dead_code, reason = "other tests use the rest of it")]
mod support;
mod versions;
