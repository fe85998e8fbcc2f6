//! A token: the secret that a client presents, and the hash that is kept of it.
//!
//! ```text
//!  gesta_ | 43 characters: 256 random bits in base64url
//! ```
//!
//! What must stay true: the secret is in no message and no file of the server; it is wiped from memory when let go of. One
//! round of SHA-256 is enough, because nobody guesses 256 random bits, however fast the hash.

use crate::settings::{TOKEN_PREFIX, TOKEN_SECRET_CHARS};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use std::fmt;
use subtle::{Choice, ConstantTimeEq};
use zeroize::Zeroizing;

const TOKEN_BYTES: usize = TOKEN_PREFIX.len() + TOKEN_SECRET_CHARS;

/// Of what is presented, no more is looked at: the work is the same for a token and for a megabyte of anything.
const PRESENTED_BYTES_MAX: usize = 64;

const _: () = assert!(PRESENTED_BYTES_MAX > TOKEN_BYTES, "what is cut off must not become a token");
const _: () = assert!(TOKEN_SECRET_CHARS == (256_usize).div_ceil(6));

/// A token, as it is given out once.
pub struct Token(Zeroizing<String>);

impl Token {
    /// A new one, from the randomness of the system.
    pub(super) fn generate() -> Result<Self, getrandom::Error> {
        let mut secret = Zeroizing::new([0; 32]);
        getrandom::fill(&mut *secret)?;
        let mut text = Zeroizing::new(String::with_capacity(TOKEN_BYTES));
        text.push_str(TOKEN_PREFIX);
        URL_SAFE_NO_PAD.encode_string(secret.as_slice(), &mut text);
        Ok(Self(text))
    }

    /// The secret itself, to be shown to the one who asked for it and to nobody else.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(not shown)")
    }
}

/// What is kept of a token. It has no `==`: that would stop at the first byte that differs.
#[derive(Clone, Copy)]
pub(super) struct TokenHash([u8; 32]);

impl TokenHash {
    /// The hash of what a client presents, whatever it is.
    pub(super) fn of(presented: &[u8]) -> Self {
        let looked_at = &presented[..presented.len().min(PRESENTED_BYTES_MAX)];
        Self(Sha256::digest(looked_at).into())
    }

    pub(super) fn from_hex(text: &str) -> Option<Self> {
        let mut hash = [0; 32];
        if text.len() != 64 || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        for (index, byte) in hash.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * index..2 * index + 2], 16).ok()?;
        }
        Some(Self(hash))
    }

    pub(super) fn to_hex(self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Compares in a time that does not depend on how much is equal.
    pub(super) fn is(&self, other: &Self) -> Choice {
        #[cfg(test)]
        tests::COMPARED.set(tests::COMPARED.get() + 1);
        self.0.ct_eq(&other.0)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use std::cell::Cell;

    thread_local! {
        /// How many hashes this thread has compared.
        pub(in super::super) static COMPARED: Cell<usize> = const { Cell::new(0) };
    }

    trait Compared<Way> {
        const IS_ONE: () = ();
    }
    struct WithEquals;
    impl<T> Compared<()> for T {}
    impl<T: PartialEq> Compared<WithEquals> for T {}
    /// A hash has no `==`: with it there would be two ways to choose from, and this would not compile.
    const _: () = <TokenHash as Compared<_>>::IS_ONE;

    #[test]
    fn a_token_has_its_shape_and_is_never_the_same_or_shown() {
        let (one, other) = (Token::generate().unwrap(), Token::generate().unwrap());
        let secret = one.expose().strip_prefix("gesta_").unwrap();
        assert_eq!((secret.len(), URL_SAFE_NO_PAD.decode(secret).unwrap().len()), (43, 32));
        assert_ne!(one.expose(), other.expose());
        assert_eq!(format!("{one:?}"), "Token(not shown)");
    }

    #[test]
    fn a_hash_is_that_of_the_whole_token_and_of_no_longer_one() {
        let token = Token::generate().unwrap();
        let hash = TokenHash::of(token.expose().as_bytes());
        assert_eq!(hash.0[..], Sha256::digest(token.expose())[..]);
        for length in [50, 64, 65, 1024 * 1024] {
            let mut longer = token.expose().as_bytes().to_vec();
            longer.resize(length, b'A');
            assert!(!bool::from(hash.is(&TokenHash::of(&longer))), "{length}");
        }
    }

    #[test]
    fn hex_is_read_back_and_nothing_else_is() {
        let hash = TokenHash::of(b"");
        assert_eq!(hash.to_hex(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        assert_eq!(TokenHash::from_hex(&hash.to_hex()).unwrap().0, hash.0);
        let wrong = ["", "e3", &"+1".repeat(32), &"g0".repeat(32), &"é".repeat(32), &hash.to_hex()[1..]];
        assert!(wrong.iter().all(|text| TokenHash::from_hex(text).is_none()));
    }
}
