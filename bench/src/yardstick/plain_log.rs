//! A log that has every byte of gesta's and no index: what the index of an append costs is what it saves.

use super::ZeroedFile;
use crate::outcome::Outcome;
use gesta::codec::{BatchHeader, BatchKind, HEADERS_BYTES, StoreKey, body_crc};
use gesta::{AppendRequest, Incarnation, Limits, Position, Timestamp, Uuid};

/// A zero-filled file, and the batch that is being put together.
#[derive(Debug)]
pub struct PlainLog {
    file: ZeroedFile,
    key: StoreKey,
    staging: Vec<u8>,
    chain: u64,
    position: Position,
}

impl PlainLog {
    /// A log that begins in this file.
    #[must_use]
    pub fn new(file: ZeroedFile) -> Self {
        Self { file, key: StoreKey([7; 16]), staging: Vec::new(), chain: 0, position: Position::START }
    }

    /// Encodes a request, gives its events their places, and writes it as one batch with one `pwrite`.
    pub fn append(&mut self, request: AppendRequest) -> Outcome<()> {
        // Whoever keeps no index knows no revisions, and makes ids as cheaply as can be.
        let mut id = u128::from(self.position.0);
        let mut request = request.encode(&Limits::default(), || {
            id += 1;
            Uuid::from_u128(id)
        })?;
        request.place(self.position, |_| 0);
        let mut headers = [0; HEADERS_BYTES];
        self.staging.clear();
        self.staging.extend_from_slice(&headers);
        self.staging.extend_from_slice(request.bytes());
        let body = &self.staging[HEADERS_BYTES..];
        let header = BatchHeader {
            previous: self.chain,
            durable: Position::START,
            incarnation: Incarnation(1),
            base: self.position,
            reign: 0,
            index: 0,
            recorded_at: Timestamp(0),
            count: request.event_count(),
            body_bytes: u32::try_from(body.len())?,
            body_crc: body_crc(body),
            kind: BatchKind::Events,
            flags: 0,
        };
        self.chain = header.encode(&self.key, &mut headers);
        self.staging[..HEADERS_BYTES].copy_from_slice(&headers);
        self.file.write(&self.staging)?;
        self.position = header.end();
        Ok(())
    }

    /// One `fdatasync`.
    pub fn sync(&self) -> Outcome<()> {
        Ok(self.file.sync()?)
    }

    /// How many events were written.
    #[must_use]
    pub fn event_count(&self) -> u64 {
        self.position.0
    }
}
