//! The receipt of an append that was made earlier.

use super::reader::Reader;
use crate::disk::Disk;
use crate::index::Kind;
use gesta_model::{Durability, Position, ReadError, Receipt, Uuid};

impl<D: Disk> Reader<D> {
    /// The receipt of the append that was made under a request id, as making it again would get it; `None` when no readable
    /// event was appended under it.
    pub fn receipt(&self, request_id: Uuid) -> Result<Option<Receipt>, ReadError> {
        let (index, head) = (&self.library().index, self.head());
        let id = request_id.to_u128_le();
        let key = index.keyring.key(Kind::Request, &id.to_le_bytes());
        let found = index.last_with(key, Position::START..head).map_err(ReadError::Damaged)?;
        let Some(first) = found else { return Ok(None) };
        let header = index.request_at(first, head).map_err(ReadError::Damaged)?;
        if header.request_id != id {
            return Ok(None);
        }
        let positions = first..first.plus(u64::from(header.record_count));
        let revisions = index.revisions_of(positions.clone(), head).map_err(ReadError::Damaged)?;
        let incarnation = self.library().incarnation();
        Ok(Some(Receipt { positions, revisions, head, durability: Durability::Durable, incarnation }))
    }
}
