//! Commands and read models over a real store in a directory.

mod bank;
#[path = "../../../store/tests/store/child.rs"]
#[allow(dead_code, reason = "other tests use the rest of it")]
mod child;
mod commands;
mod courses;
mod faults;
mod guide;
mod killed;
mod memory;
mod models;
mod panics;
mod processes;
mod projections;
mod questions;
mod rebuilds;
mod repository;
mod snapshots;
mod sqlite;
mod support;
mod transfers;
mod versions;
mod waiting;
