//! The first frame of a connection.
//!
//! ```text
//!  magic 5 bytes "gesta" | plane u8 | version_min u16 | version_max u16 | features u64 | store text16 | token text16 |
//!  agent text16
//! ```

use crate::Plane;
use crate::fields::{FieldError, FieldReader, FieldWriter};

/// The version of the protocol that this crate speaks.
pub const VERSION: u16 = 1;
const MAGIC: &[u8; 5] = b"gesta";

/// Who wants what of which store.
#[derive(Clone, PartialEq, Eq)]
pub struct Hello<'a> {
    /// The plane that the client believes to be at.
    pub plane: Plane,
    /// The oldest version that the client speaks.
    pub version_min: u16,
    /// The newest version that the client speaks.
    pub version_max: u16,
    /// Bits of what the client can do beyond the version; none are defined yet.
    pub features: u64,
    /// The name of the store.
    pub store: &'a str,
    /// The client's token; empty without one.
    pub token: &'a str,
    /// The client's program, for logs.
    pub agent: &'a str,
}

impl std::fmt::Debug for Hello<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let token = if self.token.is_empty() { "none" } else { "secret" };
        let mut hello = formatter.debug_struct("Hello");
        hello.field("plane", &self.plane).field("store", &self.store).field("token", &token).finish_non_exhaustive()
    }
}

impl<'a> Hello<'a> {
    /// A hello in the version of this crate.
    #[must_use]
    pub fn new(plane: Plane, store: &'a str, token: &'a str, agent: &'a str) -> Self {
        Self { plane, version_min: VERSION, version_max: VERSION, features: 0, store, token, agent }
    }

    /// Whether this crate's version is one of the client's.
    #[must_use]
    pub fn speaks_our_version(&self) -> bool {
        (self.version_min..=self.version_max).contains(&VERSION)
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.put(MAGIC);
        out.put_u8(self.plane.code());
        out.put_u16(self.version_min);
        out.put_u16(self.version_max);
        out.put_u64(self.features);
        for text in [self.store, self.token, self.agent] {
            out.put_text16(text);
        }
    }

    pub(crate) fn read(fields: &mut FieldReader<'a>) -> Result<Self, FieldError> {
        if fields.chunk("magic")? != MAGIC {
            return Err(FieldError::not_allowed("magic", "something else than \"gesta\""));
        }
        let plane = fields.u8("plane")?;
        Ok(Self {
            plane: Plane::of(plane).ok_or_else(|| FieldError::not_allowed("plane", plane))?,
            version_min: fields.u16("version_min")?,
            version_max: fields.u16("version_max")?,
            features: fields.u64("features")?,
            store: fields.text16("store")?,
            token: fields.text16("token")?,
            agent: fields.text16("agent")?,
        })
    }
}
