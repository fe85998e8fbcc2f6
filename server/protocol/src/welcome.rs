//! The server's answer to a hello.
//!
//! ```text
//!  version u16 | features u64 | store_id uuid | incarnation u32 | head u64 | frame_bytes_max u32 | data_bytes_max u32 |
//!  metadata_bytes_max u32 | request_events_max u32 | request_bytes_max u32 | requests_in_flight_max u32 |
//!  heartbeat_ms u32 | idle_timeout_ms u32 | agent text16
//! ```

use crate::fields::{FieldError, FieldReader, FieldWriter};
use gesta_model::{Incarnation, Limits, Position, Uuid};

/// What a client may do from now on, and what it talks to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Welcome {
    /// The version that both ends speak.
    pub version: u16,
    /// Bits of what the server can do beyond the version; none are defined yet.
    pub features: u64,
    /// The store's own name, which all copies of it share.
    pub store_id: Uuid,
    /// The life of the log that positions are given out in.
    pub incarnation: Incarnation,
    /// The first position not yet readable.
    pub head: Position,
    /// The largest body of a frame that the server takes.
    pub frame_bytes_max: u32,
    /// What an append may hold.
    pub limits: Limits,
    /// How many requests may be without their answer at a time.
    pub requests_in_flight_max: u32,
    /// Every so many milliseconds the server sends a ping.
    pub heartbeat_ms: u32,
    /// After so many quiet milliseconds the server takes the client for gone.
    pub idle_timeout_ms: u32,
    /// The server's program, for logs.
    pub agent: String,
}

impl Welcome {
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        let limit = |limit: usize| u32::try_from(limit).unwrap_or(u32::MAX);
        out.put_u16(self.version);
        out.put_u64(self.features);
        out.put_uuid(self.store_id);
        out.put_u32(self.incarnation.0);
        out.put_u64(self.head.0);
        out.put_u32(self.frame_bytes_max);
        out.put_u32(limit(self.limits.data_bytes_max));
        out.put_u32(limit(self.limits.metadata_bytes_max));
        out.put_u32(limit(self.limits.request_events_max));
        out.put_u32(limit(self.limits.request_bytes_max));
        out.put_u32(self.requests_in_flight_max);
        out.put_u32(self.heartbeat_ms);
        out.put_u32(self.idle_timeout_ms);
        out.put_text16(&self.agent);
    }

    pub(crate) fn read(fields: &mut FieldReader<'_>) -> Result<Self, FieldError> {
        Ok(Self {
            version: fields.u16("version")?,
            features: fields.u64("features")?,
            store_id: fields.uuid("store_id")?,
            incarnation: Incarnation(fields.u32("incarnation")?),
            head: Position(fields.u64("head")?),
            frame_bytes_max: fields.u32("frame_bytes_max")?,
            limits: Limits {
                data_bytes_max: fields.u32("data_bytes_max")? as usize,
                metadata_bytes_max: fields.u32("metadata_bytes_max")? as usize,
                request_events_max: fields.u32("request_events_max")? as usize,
                request_bytes_max: fields.u32("request_bytes_max")? as usize,
            },
            requests_in_flight_max: fields.u32("requests_in_flight_max")?,
            heartbeat_ms: fields.u32("heartbeat_ms")?,
            idle_timeout_ms: fields.u32("idle_timeout_ms")?,
            agent: fields.text16("agent")?.to_owned(),
        })
    }
}
