//! The store as its users see it, on a simulated disk and on a real one.

mod ambiguity;
mod basics;
mod closing;
mod child;
mod damage;
mod history;
mod limits;
mod machine;
mod misplaced;
mod model;
mod mounted;
mod power;
mod slow;
mod support;
mod sweep;
mod syscalls;
mod torn;
mod versions;
