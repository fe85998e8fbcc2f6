//! The store as its users see it, on a simulated disk and on a real one.

mod ambiguity;
mod basics;
mod child;
mod closing;
mod concurrent;
mod courses;
mod crowd;
mod damage;
mod event_ids;
mod gaps;
mod history;
mod limits;
mod linearity;
mod live;
mod machine;
mod misplaced;
mod model;
mod mounted;
mod observer;
mod power;
mod queries;
mod replay;
mod retries;
mod rolls;
#[cfg(gesta_sabotage)]
mod sabotage;
mod slow;
mod summaries;
mod support;
mod sweep;
mod syscalls;
mod time;
mod torn;
mod versions;
mod vocabulary;
mod waiting;
