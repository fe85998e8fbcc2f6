//! The store under load, and callers that work on it at once.

use super::line::Line;
use crate::context::Context;
use crate::failure::{Failure, Status};
use crate::place::Place;
use gesta::Store;
use gesta_client::{Address, Client, ClientOptions};
use std::future::Future;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::thread;
use tokio::runtime::{Builder, Runtime};

/// The store under load.
pub(crate) enum Subject {
    /// In a directory: each caller is a thread.
    Directory(Arc<Store>),
    /// Behind a server: each caller is a task with connections of its own.
    Server {
        /// Where the tasks run.
        runtime: Runtime,
        /// Where the store is.
        address: Address,
        /// How it is reached.
        options: Box<ClientOptions>,
    },
}

impl Subject {
    /// Opens the store that the command line names.
    pub(crate) fn open(context: &Context) -> Result<Self, Failure> {
        Ok(match context.open_for_load()? {
            Place::Directory(store) => Self::Directory(Arc::new(store)),
            Place::Server((address, options)) => {
                let runtime = Builder::new_multi_thread().enable_all().build().map_err(|error| no_threads(&error))?;
                Self::Server { runtime, address, options: Box::new(options) }
            }
        })
    }

    /// A way to the store for one caller.
    pub(super) fn line(&self) -> Result<Line, Failure> {
        match self {
            Self::Directory(store) => Ok(Line::Directory(Arc::clone(store))),
            Self::Server { runtime, address, options } => {
                let _entered = runtime.enter();
                Ok(Line::Server(Client::connect(address.clone(), options.as_ref().clone())?))
            }
        }
    }

    /// Has callers do something at once, each with its own way to the store, and waits for all.
    pub(super) fn together<T, F>(&self, count: usize, mut work: impl FnMut(Line, usize) -> F) -> Result<Vec<T>, Failure>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Failure>> + Send + 'static,
    {
        let callers = (0..count).map(|ordinal| Ok(work(self.line()?, ordinal)));
        let callers: Vec<F> = callers.collect::<Result<_, Failure>>()?;
        match self {
            Self::Directory(_) => {
                let threads: Vec<_> =
                    callers.into_iter().map(|caller| thread::spawn(|| on_this_thread(caller))).collect();
                let done = threads.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)));
                // Each is waited for, whatever becomes of the others.
                done.collect::<Vec<_>>().into_iter().collect()
            }
            Self::Server { runtime, .. } => {
                let tasks: Vec<_> = callers.into_iter().map(|caller| runtime.spawn(caller)).collect();
                let done = tasks
                    .into_iter()
                    .map(|task| runtime.block_on(task).unwrap_or_else(|error| resume_unwind(error.into_panic())));
                done.collect::<Vec<_>>().into_iter().collect()
            }
        }
    }

    /// Has one caller do something.
    pub(super) fn alone<T, F>(&self, mut work: impl FnMut(Line) -> F) -> Result<T, Failure>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Failure>> + Send + 'static,
    {
        let mut outcomes = self.together(1, |line, _| work(line))?;
        Ok(outcomes.pop().expect("one caller has one outcome"))
    }

    /// Closes a store of this process; a server keeps its own open.
    pub(crate) fn close(self) -> Result<(), Failure> {
        match self {
            Self::Directory(store) => match Arc::into_inner(store) {
                Some(store) => Ok(store.close()?),
                None => unreachable!("every caller has come to its end"),
            },
            Self::Server { .. } => Ok(()),
        }
    }
}

/// What a caller does that has a thread for itself, and so may block it.
fn on_this_thread<T>(caller: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = Builder::new_current_thread().build().map_err(|error| no_threads(&error))?;
    runtime.block_on(caller)
}

fn no_threads(error: &std::io::Error) -> Failure {
    Failure::new(Status::Refused, "threads", format!("cannot start so many callers: {error}: take fewer connections"))
}
