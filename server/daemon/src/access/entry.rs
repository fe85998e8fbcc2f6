//! What is known of a token: all but the secret. A line of JSON each in the token file:
//!
//! ```text
//!  {"name":"orders","roles":["appender"],"stores":["default"],"created":"2026-03-01T12:00:00Z","expires":null,"sha256":"e3b0.."}
//! ```
//!
//! What must stay true: a line that is not understood to its end is refused, because a limit that is overlooked is no limit.

use super::role::Role;
use super::roles::Roles;
use super::stores::Stores;
use super::token::TokenHash;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

const NAME_BYTES_MAX: usize = 255;

/// How long a token outlives its end, because the clocks of two machines never agree.
const LEEWAY: SignedDuration = SignedDuration::from_secs(30);

/// What is known of a token.
#[derive(Clone)]
pub struct TokenEntry {
    /// What people call it.
    pub name: String,
    /// What it stands for.
    pub roles: Roles,
    /// What it is good for.
    pub stores: Stores,
    /// When it was made.
    pub created: Timestamp,
    /// When it ends; none: when it is revoked.
    pub expires: Option<Timestamp>,
    pub(super) hash: TokenHash,
}

/// An entry as it stands in the file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    name: String,
    roles: Vec<String>,
    stores: Vec<String>,
    created: String,
    expires: Option<String>,
    sha256: String,
}

impl TokenEntry {
    /// Reads a line; says what is wrong with it.
    pub(super) fn parse(line: &str) -> Result<Self, String> {
        let line: Line = serde_json::from_str(line).map_err(|error| error.to_string())?;
        let roles = line.roles.iter().map(|role| role.parse::<Role>()).collect::<Result<Roles, _>>();
        let hash = TokenHash::from_hex(&line.sha256).ok_or("sha256 is not 64 hexadecimal digits")?;
        let entry = Self {
            name: line.name,
            roles: roles.map_err(|error| error.to_string())?,
            stores: Stores::of(line.stores).ok_or(NO_STORES)?,
            created: time(&line.created)?,
            expires: line.expires.as_deref().map(time).transpose()?,
            hash,
        };
        entry.check()?;
        Ok(entry)
    }

    /// Refuses what no token is.
    pub(super) fn check(&self) -> Result<(), String> {
        if self.name.is_empty() || self.name.len() > NAME_BYTES_MAX || self.name.contains(char::is_control) {
            return Err(format!("its name must be 1 to {NAME_BYTES_MAX} bytes without control characters"));
        }
        if self.roles.is_empty() {
            return Err("it has no role: give appender, reader, projector or operator".to_owned());
        }
        Ok(())
    }

    pub(super) fn to_line(&self) -> String {
        let line = Line {
            name: self.name.clone(),
            roles: self.roles.iter().map(|role| role.to_string()).collect(),
            stores: self.stores.names().map(str::to_owned).collect(),
            created: self.created.to_string(),
            expires: self.expires.map(|expires| expires.to_string()),
            sha256: self.hash.to_hex(),
        };
        serde_json::to_string(&line).expect("texts, lists and times are JSON")
    }

    /// Whether it has come to its end.
    pub(super) fn has_expired(&self, now: Timestamp) -> bool {
        self.expires.is_some_and(|expires| now.duration_since(expires) >= LEEWAY)
    }
}

fn time(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|_| format!("{text:?} is not a time such as \"2026-03-01T12:00:00Z\""))
}

pub(super) const NO_STORES: &str = "its stores must be a list of names, or [\"*\"] for every store";
