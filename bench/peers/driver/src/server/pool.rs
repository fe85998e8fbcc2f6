//! A connection for each thread that asks for one.

use crate::peer::Failure;
use std::sync::Mutex;

/// Connections that are made when there is none to spare.
pub struct Pool<C> {
    connect: Box<dyn Fn() -> Result<C, Failure> + Send + Sync>,
    spare: Mutex<Vec<C>>,
}

impl<C> Pool<C> {
    /// An empty pool, and how a connection is made.
    pub fn new(connect: impl Fn() -> Result<C, Failure> + Send + Sync + 'static) -> Self {
        Self { connect: Box::new(connect), spare: Mutex::default() }
    }

    /// Makes so many connections.
    pub fn fill(&self, count: u64) -> Result<(), Failure> {
        let made = (0..count).map(|_| (self.connect)()).collect::<Result<Vec<_>, _>>()?;
        self.spare().extend(made);
        Ok(())
    }

    /// Uses a connection. One that failed is not used again.
    pub fn with<T>(&self, work: impl FnOnce(&mut C) -> Result<T, Failure>) -> Result<T, Failure> {
        let spare = self.spare().pop();
        let mut connection = spare.map_or_else(|| (self.connect)(), Ok)?;
        let done = work(&mut connection)?;
        self.spare().push(connection);
        Ok(done)
    }

    fn spare(&self) -> std::sync::MutexGuard<'_, Vec<C>> {
        self.spare.lock().expect("nobody panics with it")
    }
}
