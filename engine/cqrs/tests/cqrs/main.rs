//! Commands and read models over a real store in a directory.

mod bank;
mod commands;
mod courses;
mod guide;
mod killed;
mod models;
mod panics;
mod processes;
mod projections;
mod questions;
mod repository;
mod snapshots;
mod sqlite;
mod support;
mod transfers;
mod versions;
