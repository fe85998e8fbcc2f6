//! The thread and the runtime beneath a blocking client.

use super::turns::{Turns, Waiting};
use crate::ConnectError;
use crate::core::Core;
use crate::wire::Target;
use std::future::Future;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc;

/// A runtime of one thread, and the thread that runs it when no caller does.
///
/// It ends by itself when nobody can ask for anything more and everything is answered; the last handle waits for that.
struct Worker {
    turns: Arc<Turns>,
    /// Gone once the worker is dropped.
    runtime: Option<Arc<Runtime>>,
    thread: Option<JoinHandle<()>>,
}

/// What every handle of a blocking client holds.
///
/// The order of the fields matters: the core is let go of first, so that the worker's thread can end, and then that is waited for.
#[derive(Clone)]
pub(super) struct Hold {
    pub(super) core: Arc<Core>,
    worker: Arc<Worker>,
}

impl Hold {
    pub(super) fn new(target: Target) -> Result<Self, ConnectError> {
        let thread_error = |error| ConnectError::Thread { error };
        let runtime = Arc::new(Builder::new_current_thread().enable_all().build().map_err(thread_error)?);
        let (alive, mut all_ended) = mpsc::channel(1);
        let core = {
            let _entered = runtime.enter();
            Core::start(target, &alive)
        };
        // From here on only the tasks keep the thread running.
        drop(alive);
        let turns = Arc::new(Turns::default());
        let run = {
            let (turns, runtime) = (Arc::clone(&turns), Arc::clone(&runtime));
            move || {
                let mut until_wanted = || {
                    runtime.block_on(async {
                        tokio::select! {
                            biased;
                            _ = all_ended.recv() => false,
                            () = turns.wanted() => true,
                        }
                    })
                };
                while until_wanted() {
                    turns.stand_by();
                }
                if let Some(runtime) = Arc::into_inner(runtime) {
                    // It may still look up a name that nobody waits for.
                    runtime.shutdown_background();
                }
            }
        };
        let thread = std::thread::Builder::new().name("gesta-client".to_owned()).spawn(run).map_err(thread_error)?;
        Ok(Self { core, worker: Arc::new(Worker { turns, runtime: Some(runtime), thread: Some(thread) }) })
    }

    /// Waits for the answer to one request, running the connections meanwhile.
    pub(super) fn ask<T>(&self, something: impl Future<Output = T>) -> T {
        let _asking = self.worker.turns.ask();
        self.worker.runtime().block_on(something)
    }

    /// Waits for something that the worker's thread does, also while nobody waits.
    pub(super) fn wait_for<T>(&self, something: impl Future<Output = T>) -> T {
        let _relying = self.rely();
        self.worker.runtime().handle().block_on(something)
    }

    /// The same, up to a time.
    pub(super) fn wait_up_to<T>(&self, patience: Duration, something: impl Future<Output = T>) -> Option<T> {
        self.wait_for(async { tokio::time::timeout(patience, something).await.ok() })
    }

    /// Has the worker's thread run the connections for as long as this is kept.
    pub(super) fn rely(&self) -> Waiting<'_> {
        self.worker.turns.rely()
    }

    /// Has the worker's thread see to what was handed in, whether or not anybody waits for it.
    pub(super) fn call(&self) {
        self.worker.turns.call();
    }
}

impl Worker {
    fn runtime(&self) -> &Runtime {
        self.runtime.as_ref().expect("it goes when the worker does")
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.turns.call();
        if let Some(runtime) = self.runtime.take().and_then(Arc::into_inner) {
            // The thread has ended, and with it all tasks; whoever drops this may be where nothing may wait.
            runtime.shutdown_background();
        }
        if let Some(thread) = self.thread.take() {
            // A panic there was printed there.
            let _ = thread.join();
        }
    }
}
