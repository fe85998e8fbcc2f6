//! What every verb is told: the store and the form of the results.

use crate::failure::{Failure, Status, remark};
use gesta::{Options, Reader, RecoveryReport, Store};
use std::ffi::OsString;
use std::path::Path;

/// The options that every verb shares.
#[derive(Debug)]
pub(crate) struct Context {
    /// The store, as given on the command line or in the environment.
    pub(crate) store: Option<OsString>,
    /// Whether results and failures are JSON.
    pub(crate) is_json: bool,
}

impl Context {
    /// Opens the store for writing, making it when it does not exist.
    pub(crate) fn open_store(&self) -> Result<Store, Failure> {
        let store = Store::open(self.directory()?, Options::default())?;
        let recovery = store.recovery();
        if recovery.is_degraded {
            return Err(degraded(recovery));
        }
        if recovery.torn_bytes > 0 {
            let cut = recovery.torn_bytes;
            remark(self.is_json, &format!("cut {cut} bytes of an interrupted write, which nobody was promised"));
        }
        for damage in &recovery.damage {
            remark(self.is_json, &format!("damage: {damage}"));
        }
        Ok(store)
    }

    /// Opens the store for reading only, beside whoever may be writing to it.
    pub(crate) fn open_reader(&self) -> Result<Reader, Failure> {
        Ok(Reader::open(self.directory()?)?)
    }

    /// The directory of the store.
    pub(crate) fn directory(&self) -> Result<&Path, Failure> {
        let Some(store) = self.store.as_deref().filter(|store| !store.is_empty()) else {
            return Err(Failure::usage("no store: say which with --store DIR, or in GESTA_STORE"));
        };
        if store.as_encoded_bytes().starts_with(b"gesta://") {
            let address = store.to_string_lossy();
            let message = format!("cannot reach {address}: this version opens directories only: give --store DIR");
            return Err(Failure::new(Status::Unreachable, "unreachable", message));
        }
        Ok(Path::new(store))
    }
}

/// Why nothing is written to a store whose durable events are damaged.
fn degraded(recovery: &RecoveryReport) -> Failure {
    let costly = recovery.damage.iter().find(|damage| !damage.positions.is_empty());
    let damage = costly.or(recovery.damage.first()).map_or_else(|| "unknown".to_owned(), ToString::to_string);
    let message = format!("cannot write to the store: durable events are damaged ({damage}): restore it from a backup");
    Failure::new(Status::Refused, "degraded", message)
}
