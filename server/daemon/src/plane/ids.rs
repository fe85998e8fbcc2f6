//! The ids of requests: one under way has its id for itself.
//!
//! A client that gives an id to two requests at a time could not tell their answers apart, and would take them for one.

use super::parting::Parting;
use parking_lot::Mutex;
use std::collections::HashSet;
use std::sync::Arc;

/// The ids that the requests of one connection have which are under way.
#[derive(Clone, Debug, Default)]
pub(crate) struct IdsInUse(Arc<Mutex<HashSet<u64>>>);

/// An id that a request has, free again when this is dropped.
#[derive(Debug)]
pub(crate) struct IdInUse {
    ids: IdsInUse,
    pub(crate) id: u64,
}

impl IdsInUse {
    /// Takes the id that a request came under.
    pub(crate) fn take(&self, id: u64) -> Result<IdInUse, Parting> {
        if id == 0 {
            return Err(Parting::protocol("frames under id 0 are of the connection: requests have ids from 1 on"));
        }
        if !self.0.lock().insert(id) {
            return Err(Parting::protocol(format!("the id {id} is that of a request under way: give each its own")));
        }
        Ok(IdInUse { ids: self.clone(), id })
    }
}

impl Drop for IdInUse {
    fn drop(&mut self) {
        self.ids.0.lock().remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_taken_once_at_a_time_and_none_is_zero() {
        let ids = IdsInUse::default();
        let five = ids.take(5).unwrap();
        assert!(matches!(ids.take(5), Err(Parting::Refused(..))) && matches!(ids.take(0), Err(Parting::Refused(..))));
        let other = IdsInUse::default().take(5).unwrap();
        drop((five, ids.take(6).unwrap()));
        assert_eq!([5, 6].map(|id| ids.take(id).unwrap().id), [5, 6]);
        assert_eq!(other.id, 5);
    }
}
