//! The store under a scheduler that decides, at each lock, atomic, sleep and system call, which thread runs next.
//!
//! Only with `--cfg gesta_shuttle`, by which the engine's locks are shuttle's; in any other build nothing is here.
#![cfg(gesta_shuttle)]

mod closing;
mod commits;
mod conditions;
mod explore;
mod hand_over;
mod indexes;
mod rolls;
#[cfg(gesta_sabotage)]
mod sabotage;
mod scene;
