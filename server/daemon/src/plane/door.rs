//! How many are in, and how many of them from one address.

use crate::observe;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

/// The way into a plane.
pub(crate) struct Door {
    connections_max: usize,
    per_address_max: usize,
    inside: Mutex<Inside>,
}

#[derive(Default)]
struct Inside {
    count: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// A place inside, given back when it is dropped.
pub(crate) struct Place {
    door: Arc<Door>,
    address: IpAddr,
}

impl Door {
    pub(crate) fn new(connections_max: usize, per_address_max: usize) -> Arc<Self> {
        Arc::new(Self { connections_max, per_address_max, inside: Mutex::default() })
    }

    /// A place for a connection from an address, or the reason why there is none.
    pub(crate) fn enter(self: &Arc<Self>, address: IpAddr) -> Result<Place, observe::Refusal> {
        let address = address.to_canonical();
        let mut inside = self.inside.lock();
        if inside.count >= self.connections_max {
            return Err(observe::Refusal::TooManyConnections);
        }
        let of_address = inside.by_address.entry(address).or_default();
        if *of_address >= self.per_address_max {
            return Err(observe::Refusal::TooManyFromAddress);
        }
        *of_address += 1;
        inside.count += 1;
        Ok(Place { door: Arc::clone(self), address })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut inside = self.door.inside.lock();
        inside.count -= 1;
        let of_address = inside.by_address.get_mut(&self.address).map_or(0, |count| {
            *count -= 1;
            *count
        });
        if of_address == 0 {
            inside.by_address.remove(&self.address);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    #[test]
    fn places_are_bounded_in_all_and_for_each_address_and_come_back() {
        let door = Door::new(3, 2);
        let [one, two] = [1, 2].map(|last| IpAddr::from(Ipv4Addr::new(10, 0, 0, last)));
        let first = door.enter(one).ok().unwrap();
        let _second = door.enter(one).ok().unwrap();
        assert_eq!(door.enter(one).err(), Some(observe::Refusal::TooManyFromAddress));
        // The same address, written as one of version 6.
        assert_eq!(door.enter("::ffff:10.0.0.1".parse().unwrap()).err(), Some(observe::Refusal::TooManyFromAddress));
        let _third = door.enter(two).ok().unwrap();
        assert_eq!(door.enter(two).err(), Some(observe::Refusal::TooManyConnections));
        drop(first);
        let again = door.enter(one).ok().unwrap();
        drop((again, _second, _third));
        assert_eq!(door.inside.lock().count, 0);
        assert!(door.inside.lock().by_address.is_empty());
    }
}
