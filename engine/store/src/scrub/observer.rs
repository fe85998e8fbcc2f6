//! Whoever is to hear what a scrub finds, when it finds it, looks on through here.

use super::status::ScrubStatus;
use gesta_model::Damage;
use std::fmt::Debug;

/// Is told what the scrub of a store comes upon, by the thread that scrubs: [`Options::scrub_observer`](crate::Options).
///
/// The scrub waits while a call lasts. A panic in it is dropped.
pub trait ScrubObserver: Debug + Send + Sync {
    /// A sealed segment is damaged, which the look at it before did not find. Of one segment, the first hundred are told.
    fn damaged(&self, damage: &Damage);

    /// An index file is damaged; it is made anew by itself.
    fn index_file_damaged(&self, file: &str, what: &str);

    /// A pass has ended.
    fn pass_ended(&self, status: &ScrubStatus) {
        let _ = status;
    }
}
