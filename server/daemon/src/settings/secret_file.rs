//! Files with secrets in them: tokens, private keys.
//!
//! What must stay true: nothing is read from a file that every user of the machine may read or write, and the mode that
//! is judged is that of the open file, so that swapping the path meanwhile gains nothing.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use zeroize::Zeroizing;

/// Longer than any key or list of tokens; the length of a file is not believed.
const SECRET_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// What every token begins with, so that people and scanners know one when they see it.
pub(crate) const TOKEN_PREFIX: &str = "gesta_";

/// Characters of a token after its prefix: 256 bits in base64url, without padding.
pub(crate) const TOKEN_SECRET_CHARS: usize = 43;

/// The bits by which users other than the owner and the group may read or write.
const OTHERS: u32 = 0o006;

/// Why a file with secrets in it is not used.
#[derive(Debug, thiserror::Error)]
pub enum SecretFileError {
    /// The file cannot be opened or read.
    #[error("{path}: cannot read it ({source}): check the path and its permissions")]
    Unreadable {
        /// The file.
        path: String,
        /// What the system says.
        source: io::Error,
    },
    /// A directory, a pipe or a device.
    #[error("{path}: not a file: check the path")]
    NotAFile {
        /// What the path names.
        path: String,
    },
    /// Every user of the machine may read or write it.
    #[error("{path}: holds secrets, but every user of this machine may use it (mode {mode:04o}): run chmod 600 {path}")]
    Open {
        /// The file.
        path: String,
        /// Its permission bits.
        mode: u32,
    },
    /// Longer than any such file is.
    #[error("{path}: longer than {bytes_max} bytes, which no such file is: check the path")]
    TooLarge {
        /// The file.
        path: String,
        /// How long it may be.
        bytes_max: u64,
    },
}

/// Reads a file that holds secrets.
pub(crate) fn read_secret(path: &Path) -> Result<Zeroizing<Vec<u8>>, SecretFileError> {
    let unreadable = |source| SecretFileError::Unreadable { path: path.display().to_string(), source };
    // Judged before it is opened, because opening a pipe waits for its other end.
    judge(path, &path.metadata().map_err(unreadable)?)?;
    let file = File::open(path).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    judge(path, &metadata)?;
    // One allocation: a vector that grows leaves copies of what it held behind.
    let room = usize::try_from(metadata.len()).unwrap_or(0).saturating_add(1);
    let mut bytes = Zeroizing::new(Vec::with_capacity(room));
    file.take(SECRET_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > SECRET_BYTES_MAX {
        return Err(too_large(path));
    }
    Ok(bytes)
}

/// Refuses a file whose secrets are open to everyone; one that does not exist holds none.
pub(crate) fn refuse_open(path: &Path) -> Result<(), SecretFileError> {
    match path.metadata() {
        Ok(metadata) => judge(path, &metadata),
        Err(source) if source.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(source) => Err(SecretFileError::Unreadable { path: path.display().to_string(), source }),
    }
}

fn judge(path: &Path, metadata: &Metadata) -> Result<(), SecretFileError> {
    if !metadata.is_file() {
        return Err(SecretFileError::NotAFile { path: path.display().to_string() });
    }
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & OTHERS != 0 {
        return Err(SecretFileError::Open { path: path.display().to_string(), mode });
    }
    if metadata.len() > SECRET_BYTES_MAX {
        return Err(too_large(path));
    }
    Ok(())
}

fn too_large(path: &Path) -> SecretFileError {
    SecretFileError::TooLarge { path: path.display().to_string(), bytes_max: SECRET_BYTES_MAX }
}

/// The text, or that it is not shown: a token or a key that somebody put in the place of its file's name.
pub(crate) fn without_secrets(text: &str) -> &str {
    if is_secret(text) { "(a secret, not shown)" } else { text }
}

/// Whether a token or a private key stands in the text.
pub(super) fn is_secret(text: &str) -> bool {
    let is_token = |rest: &str| {
        rest.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(byte)).count()
            >= TOKEN_SECRET_CHARS
    };
    text.contains("-----BEGIN")
        || text.match_indices(TOKEN_PREFIX).any(|(at, _)| is_token(&text[at + TOKEN_PREFIX.len()..]))
}
