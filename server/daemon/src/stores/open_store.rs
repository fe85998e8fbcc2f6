//! A store that is open on the server.

use super::error::StoreError;
use super::herald::Herald;
use super::name::StoreName;
use gesta::{CloseError, Options, Position, Reader, Store};
use parking_lot::Mutex;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::watch;

/// A store, and what all its clients share.
pub(crate) struct OpenStore {
    pub(crate) name: StoreName,
    pub(crate) reader: Reader,
    pub(crate) store: Store,
    /// The head, for those who wait for it to rise.
    pub(crate) head: watch::Receiver<Position>,
    /// Told whenever something was told of projections, for those who wait for one.
    pub(crate) told: watch::Sender<()>,
    herald: Mutex<Option<Herald>>,
}

impl OpenStore {
    pub(super) fn open(name: StoreName, directory: &Path, options: Options) -> Result<Self, StoreError> {
        let failed = |error| StoreError::Open { name: name.to_string(), error: Arc::new(error) };
        let store = Store::open(directory, options).map_err(failed)?;
        tell_of_recovery(&name, &store);
        let reader = store.reader();
        let (herald, head) = Herald::start(reader.clone()).map_err(|error| StoreError::Directory {
            path: directory.to_owned(),
            what: "no thread can be started for it",
            error: Arc::new(error),
        })?;
        let (told, _) = watch::channel(());
        Ok(Self { name, reader, store, head, told, herald: Mutex::new(Some(herald)) })
    }

    /// Why nothing is appended, if the store was opened over damage.
    pub(crate) fn damage(&self) -> Option<String> {
        let recovery = self.store.recovery();
        let first = recovery.damage.iter().find(|damage| !damage.positions.is_empty()).or(recovery.damage.first());
        let shown = || first.map_or_else(|| "unknown".to_owned(), ToString::to_string);
        recovery.is_degraded.then(|| {
            format!("durable events are damaged ({}): restore a backup, or save the rest with gesta repair", shown())
        })
    }

    /// Makes everything durable and ends the log with a mark. Nothing is appended after it.
    pub(super) fn close(&self) -> Result<(), CloseError> {
        drop(self.herald.lock().take());
        self.store.shut()
    }
}

/// Says in the log what opening found that people should know.
fn tell_of_recovery(name: &StoreName, store: &Store) {
    let recovery = store.recovery();
    if recovery.torn_bytes > 0 {
        tracing::warn!(store = %name, bytes = recovery.torn_bytes, "cut an interrupted write, which nobody was promised");
    }
    for damage in &recovery.damage {
        tracing::error!(store = %name, %damage, "damage found");
    }
    if recovery.is_degraded {
        tracing::error!(store = %name, "durable events are damaged: nothing is appended; restore a backup, or save the rest with gesta repair");
    }
    tracing::info!(store = %name, events = store.reader().head().0, "store opened");
}
