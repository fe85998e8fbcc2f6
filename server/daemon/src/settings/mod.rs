//! What the server is told: every setting, its default, and where its value came from.
//!
//! ```text
//!  default  <  file (TOML)  <  environment (GESTA_*)  <  flags        the later one wins, key by key
//!
//!  settings      the tree of values, as the rest of the server reads it
//!  key           the table of keys: name, place in the tree, what is allowed
//!  slot          one value in the tree: taking a text or a TOML value, refusing what is out of range
//!  file          the TOML file as keys, values and lines
//!  environment   the variables as keys and values
//!  hint          "did you mean" for a key that nobody knows
//!  loaded        all four sources put together, and the origin of each value
//!  check         what must hold between keys
//!  secret_file   files with secrets in them, which nobody else may read
//! ```
//!
//! What is unknown, of the wrong type, out of range or contradictory is refused with its place; nothing is guessed and
//! nothing is ignored. No setting is itself a secret: secrets stand in files that settings name, and a text that looks
//! like a secret is never repeated in a message.

mod check;
mod environment;
mod error;
mod file;
mod hint;
mod key;
mod loaded;
mod log_settings;
mod origin;
mod secret_file;
#[expect(clippy::module_inception, reason = "the folder's main type has its own file, as everywhere")]
mod settings;
mod slot;

pub use error::SettingsError;
pub use loaded::{Loaded, Row};
pub use log_settings::{LogFormat, LogLevel, LogSettings};
pub use origin::Origin;
pub use secret_file::SecretFileError;
pub(crate) use secret_file::{TOKEN_PREFIX, TOKEN_SECRET_CHARS, read_secret, without_secrets};
pub use settings::{AccessSettings, LimitSettings, ScrubSettings, Settings, TlsSettings};
pub use slot::Value;
