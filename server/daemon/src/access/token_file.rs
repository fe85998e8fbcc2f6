//! The file of tokens: one entry a line.
//!
//! What must stay true: names and hashes are unique; and a file of which one line is wrong is refused as a whole, because
//! a part of it is not what anybody meant.

use super::entry::{NO_STORES, TokenEntry};
use super::error::{CreateTokenError, RevokeTokenError, TokenFileError};
use super::replace::Replaceable;
use super::roles::Roles;
use super::stores::Stores;
use super::token::{Token, TokenHash};
use crate::settings::{read_secret, without_secrets};
use jiff::Timestamp;
use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;

/// The file that the tokens stand in.
#[derive(Clone, Debug)]
pub struct TokenFile {
    path: PathBuf,
}

/// A token that is to be made.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// What people are to call it.
    pub name: String,
    /// What it stands for.
    pub roles: Roles,
    /// The stores that it is good for, `*` for every one.
    pub stores: Vec<String>,
    /// When it ends, if it does by itself.
    pub expires: Option<Timestamp>,
}

impl TokenFile {
    /// The tokens of this file, which may yet have to be made.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Makes a token. The secret is in what is returned, and nowhere else.
    pub fn create(&self, new: NewToken, now: Timestamp) -> Result<Token, CreateTokenError> {
        let token = Token::generate().map_err(|error| CreateTokenError::Random { what: error.to_string() })?;
        let unfit = |what: String| CreateTokenError::Unfit { what };
        let entry = TokenEntry {
            name: new.name,
            roles: new.roles,
            stores: Stores::of(new.stores).ok_or_else(|| unfit(NO_STORES.to_owned()))?,
            created: now,
            expires: new.expires,
            hash: TokenHash::of(token.expose().as_bytes()),
        };
        entry.check().map_err(unfit)?;
        if entry.expires.is_some_and(|expires| expires <= now) {
            return Err(unfit("it would have expired already: give a later time".to_owned()));
        }
        let write = |source: io::Error| CreateTokenError::Write { path: self.shown(), source };
        let file = Replaceable::lock(&self.path).map_err(write)?;
        let mut entries = self.list()?;
        if entries.iter().any(|other| other.name == entry.name) {
            return Err(CreateTokenError::NameTaken { path: self.shown(), name: entry.name });
        }
        entries.push(entry);
        file.replace(text(&entries).as_bytes()).map_err(write)?;
        Ok(token)
    }

    /// Takes a token out. A server that runs learns of it when it reads the file again.
    pub fn revoke(&self, name: &str) -> Result<(), RevokeTokenError> {
        // Read first, so that a file that is not there is not made.
        self.list()?;
        let write = |source: io::Error| RevokeTokenError::Write { path: self.shown(), source };
        let file = Replaceable::lock(&self.path).map_err(write)?;
        let mut entries = self.list()?;
        let before = entries.len();
        entries.retain(|entry| entry.name != name);
        if entries.len() == before {
            return Err(RevokeTokenError::NotFound { path: self.shown(), name: name.to_owned() });
        }
        file.replace(text(&entries).as_bytes()).map_err(write)
    }

    /// What is known of every token, in the order of the file.
    pub fn list(&self) -> Result<Vec<TokenEntry>, TokenFileError> {
        let bytes = read_secret(&self.path)?;
        let refuse = |line: usize, what: &str| TokenFileError::Line {
            path: self.shown(),
            line,
            what: without_secrets(what).to_owned(),
        };
        let text = str::from_utf8(&bytes).map_err(|error| {
            let line = 1 + bytes[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count();
            refuse(line, "not text in UTF-8")
        })?;
        let (mut entries, mut names, mut hashes) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
        for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let entry = TokenEntry::parse(line).map_err(|what| refuse(index + 1, &what))?;
            if !names.insert(entry.name.clone()) || !hashes.insert(entry.hash.to_hex()) {
                return Err(refuse(index + 1, "its name or its hash stands in a line before"));
            }
            entries.push(entry);
        }
        Ok(entries)
    }

    fn shown(&self) -> String {
        self.path.display().to_string()
    }
}

fn text(entries: &[TokenEntry]) -> String {
    entries.iter().map(|entry| entry.to_line() + "\n").collect()
}
