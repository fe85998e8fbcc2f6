//! The thread that does the work of a blocking client.

use crate::ConnectError;
use crate::core::Core;
use crate::wire::Target;
use std::future::Future;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::runtime::{Builder, Handle};
use tokio::sync::mpsc;

/// The thread that does the work of a blocking client: a runtime of one thread.
///
/// It ends by itself when nobody can ask for anything more and everything is answered; the last handle waits for that.
pub(super) struct Worker {
    handle: Handle,
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
        let runtime = Builder::new_current_thread().enable_all().build().map_err(thread_error)?;
        let handle = runtime.handle().clone();
        let (alive, mut all_ended) = mpsc::channel(1);
        let core = {
            let _entered = handle.enter();
            Core::start(target, &alive)
        };
        // From here on only the tasks keep the thread running.
        drop(alive);
        let run = move || {
            runtime.block_on(all_ended.recv());
        };
        let thread = std::thread::Builder::new().name("gesta-client".to_owned()).spawn(run).map_err(thread_error)?;
        Ok(Self { core, worker: Arc::new(Worker { handle, thread: Some(thread) }) })
    }

    /// Waits for something that the worker does.
    pub(super) fn wait_for<T>(&self, something: impl Future<Output = T>) -> T {
        self.worker.handle.block_on(something)
    }

    /// The same, up to a time.
    pub(super) fn wait_up_to<T>(&self, patience: Duration, something: impl Future<Output = T>) -> Option<T> {
        self.wait_for(async { tokio::time::timeout(patience, something).await.ok() })
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        if let Some(thread) = self.thread.take() {
            // A panic there was printed there.
            let _ = thread.join();
        }
    }
}
