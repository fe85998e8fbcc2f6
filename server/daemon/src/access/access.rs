//! Who has come, against the tokens of now.
//!
//! What must stay true: every entry is compared, in a time that does not depend on which one matches; a file that cannot
//! be used changes nothing; and where no file is configured, only this machine is let in.

use super::entry::TokenEntry;
use super::error::{Denied, TokenFileError};
use super::failures::{FailureLimiter, FailureLimits};
use super::grant::Grant;
use super::moment::Moment;
use super::operation::Operation;
use super::token::TokenHash;
use super::token_file::TokenFile;
use crate::settings::AccessSettings;
use jiff::Timestamp;
use parking_lot::{Mutex, RwLock};
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use subtle::ConditionallySelectable;

/// Lets clients in, or does not.
pub struct Access {
    /// None: access is open, on this machine.
    file: Option<TokenFile>,
    table: RwLock<Arc<Table>>,
    reloading: Mutex<()>,
    failures: Mutex<FailureLimiter>,
}

/// The entries of one reading of the file.
struct Table {
    entries: Vec<Arc<TokenEntry>>,
    /// Counts the readings.
    generation: u64,
}

impl Access {
    /// Access for everyone on this machine to everything, and for nobody else.
    #[must_use]
    pub fn open() -> Self {
        Self::with(None, Vec::new())
    }

    /// Access by the tokens of a file. Where it holds none, nobody is let in.
    pub fn load(file: &Path) -> Result<Self, TokenFileError> {
        let file = TokenFile::new(file);
        let entries = file.list()?;
        Ok(Self::with(Some(file), entries))
    }

    /// Access as the settings say.
    pub fn from_settings(settings: &AccessSettings) -> Result<Self, TokenFileError> {
        settings.tokens.as_deref().map_or_else(|| Ok(Self::open()), Self::load)
    }

    fn with(file: Option<TokenFile>, entries: Vec<TokenEntry>) -> Self {
        let entries = entries.into_iter().map(Arc::new).collect();
        Self {
            file,
            table: RwLock::new(Arc::new(Table { entries, generation: 0 })),
            reloading: Mutex::new(()),
            failures: Mutex::new(FailureLimiter::new(FailureLimits::default())),
        }
    }

    /// Whether everyone on this machine is let in.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.file.is_none()
    }

    /// Tokens that are known.
    #[must_use]
    pub fn token_count(&self) -> usize {
        self.table.read().entries.len()
    }

    /// Reads the file again. When it cannot be used, the tokens stay as they were: say so loudly.
    pub fn reload(&self) -> Result<(), TokenFileError> {
        let Some(file) = &self.file else { return Ok(()) };
        // Of two reloads the one that read last has the last word; requests do not wait for either.
        let _alone = self.reloading.lock();
        let entries = file.list()?.into_iter().map(Arc::new).collect();
        let mut table = self.table.write();
        *table = Arc::new(Table { entries, generation: table.generation + 1 });
        Ok(())
    }

    /// What a client may do that presents this token for this store, or none.
    ///
    /// The log of the server learns why somebody is denied; the client does not. Of an address that fails too often it
    /// learns nothing more for a while. A good token is good all the while: a secret of 256 bits is not guessed, and who
    /// tries must not keep out others who come from the same address.
    pub fn authenticate(&self, token: Option<&[u8]>, store: &str, peer: IpAddr, now: Moment) -> Result<Grant, Denied> {
        if self.is_open() {
            let is_here = peer.to_canonical().is_loopback();
            return if is_here {
                Ok(Grant { entry: None, generation: 0 })
            } else {
                deny(peer, "open to this machine only")
            };
        }
        let table = Arc::clone(&self.table.read());
        let found = table.find(&TokenHash::of(token.unwrap_or_default()));
        let why = match found {
            None if token.is_none() => "no token",
            None => "unknown token",
            Some(entry) if entry.has_expired(now.wall) => "expired token",
            Some(entry) if !entry.stores.has(store) => "token of another store",
            Some(entry) => return Ok(Grant { entry: Some(Arc::clone(entry)), generation: table.generation }),
        };
        let mut failures = self.failures.lock();
        if failures.is_refused(peer, now.steady) {
            return Err(Denied);
        }
        failures.count(peer, now.steady);
        drop(failures);
        deny(peer, why)
    }

    /// Whether an address has failed so often that nothing more is said of its failures.
    #[must_use]
    pub fn fails_too_often(&self, peer: IpAddr, now: Moment) -> bool {
        self.failures.lock().is_refused(peer, now.steady)
    }

    /// Whether a client may do this to this store at this time, by the last reading of the file.
    pub fn allow(&self, grant: &mut Grant, operation: Operation, store: &str, now: Timestamp) -> Result<(), Denied> {
        self.refresh(grant)?;
        grant.allow(operation, store, now)
    }

    /// Brings a grant up to the last reading of the file: to be called before each use, and cheap when nothing has changed.
    pub fn refresh(&self, grant: &mut Grant) -> Result<(), Denied> {
        let table = self.table.read();
        if let Some(entry) = grant.entry.as_ref().filter(|_| grant.generation != table.generation) {
            let found = table.find(&entry.hash).ok_or(Denied)?;
            *grant = Grant { entry: Some(Arc::clone(found)), generation: table.generation };
        }
        Ok(())
    }
}

impl Table {
    /// The entry with this hash: all are compared, and none is left out because another was found.
    fn find(&self, hash: &TokenHash) -> Option<&Arc<TokenEntry>> {
        let mut found = u64::MAX;
        for (index, entry) in (0..).zip(&self.entries) {
            found.conditional_assign(&index, entry.hash.is(hash));
        }
        self.entries.get(usize::try_from(found).ok()?)
    }
}

fn deny(peer: IpAddr, why: &str) -> Result<Grant, Denied> {
    tracing::warn!(%peer, why, "access denied");
    Err(Denied)
}

#[cfg(test)]
mod tests {
    use super::super::token::tests::COMPARED;
    use super::*;

    #[test]
    fn every_entry_is_compared_whoever_knocks_with_whatever() {
        let line = |number: u32, expires: &str| {
            let hash = TokenHash::of(format!("token {number}").as_bytes()).to_hex();
            let (roles, stores) = (r#"["reader"]"#, r#"["default"]"#);
            let created = "2026-03-01T12:00:00Z";
            let line = format!(
                r#"{{"name":"{number}","roles":{roles},"stores":{stores},"created":"{created}","expires":{expires},"sha256":"{hash}"}}"#
            );
            TokenEntry::parse(&line).unwrap()
        };
        let entries: Vec<_> =
            (0..7).map(|number| line(number, "null")).chain([line(7, r#""2026-03-02T12:00:00Z""#)]).collect();
        let count = entries.len();
        let file = TokenFile::new("none");
        let access = Access::with(Some(file), entries);
        let now = Moment::now();
        let peer = IpAddr::from([192, 0, 2, 1]);
        let huge = vec![b'x'; 1 << 20];
        let first_and_last = [&b"token 0"[..], b"token 6"];
        let bad: [Option<&[u8]>; 5] = [Some(b"token 7"), Some(b"wrong"), Some(b""), None, Some(&huge)];
        for (token, store, is_good) in first_and_last
            .iter()
            .flat_map(|token| [(Some(*token), "default", true), (Some(*token), "foreign", false)])
            .chain(bad.map(|token| (token, "default", false)))
        {
            let before = COMPARED.get();
            let is_let_in = access.authenticate(token, store, peer, now).is_ok();
            assert_eq!((is_let_in, COMPARED.get() - before), (is_good, count), "{:?} {store}", token.map(<[u8]>::len));
        }
    }
}
