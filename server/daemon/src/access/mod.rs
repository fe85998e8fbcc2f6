//! Who may do what: roles, and the tokens that carry them.
//!
//! ```text
//!  presented token -> SHA-256 -> the entry with that hash -> Grant { roles, stores, until } -> allow(operation, store)
//!
//!  role, roles   what a token may stand for, and a set of that
//!  operation     everything that a client can ask for
//!  rule          which roles may ask for which operation: the one place that says so
//!  token         a secret, and its hash
//!  entry         what is known of a token: never the secret
//!  stores        which stores it is good for
//!  token_file    the entries as a file: reading, making, revoking
//!  replace       putting a file in the place of another, whole or not at all
//!  access        who has come, against the entries of now
//!  grant         what one of them may do
//!  failures      how often an address may be wrong
//! ```
//!
//! Everything is denied that is not allowed, and every denial is the same [`Denied`]: whether a token is unknown, expired,
//! revoked or of another store is for the log of the server alone.

#[expect(clippy::module_inception, reason = "the folder's main type has its own file, as everywhere")]
mod access;
mod entry;
mod error;
mod failures;
mod grant;
mod moment;
mod operation;
mod replace;
mod role;
mod roles;
mod rule;
mod stores;
mod token;
mod token_file;

pub use access::Access;
pub use entry::TokenEntry;
pub use error::{CreateTokenError, Denied, RevokeTokenError, TokenFileError};
pub use failures::{FailureLimiter, FailureLimits};
pub use grant::Grant;
pub use moment::Moment;
pub use operation::Operation;
pub use role::{Role, UnknownRole};
pub use roles::Roles;
pub use rule::is_allowed;
pub use stores::Stores;
pub use token::Token;
pub use token_file::{NewToken, TokenFile};
