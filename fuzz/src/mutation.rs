//! What may happen to the bytes of a file, drawn from the bytes of an input.

use std::ops::Range;

/// Bytes of an input that one mutation takes.
const BYTES: usize = 8;
/// So many at most.
const COUNT_MAX: usize = 12;

/// One thing that happens to a file.
///
/// ```text
///  0 kind and value u8 | 1 file u8 | 2 offset u16 | 4 length u16 | 6 from u16
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Mutation {
    kind: u8,
    /// Which file, to be taken modulo their number.
    pub file: usize,
    offset: usize,
    length: usize,
    from: usize,
}

/// The mutations that an input asks for.
pub fn mutations(input: &[u8]) -> impl Iterator<Item = Mutation> + '_ {
    input.chunks_exact(BYTES).take(COUNT_MAX).map(|chunk| {
        let number = |at: usize| usize::from(u16::from_le_bytes([chunk[at], chunk[at + 1]]));
        Mutation { kind: chunk[0], file: usize::from(chunk[1]), offset: number(2), length: number(4), from: number(6) }
    })
}

impl Mutation {
    /// Does it to these bytes; returns the range that may have changed.
    pub fn apply(&self, bytes: &mut Vec<u8>) -> Range<usize> {
        if bytes.is_empty() {
            return 0..0;
        }
        let start = self.offset % bytes.len();
        let end = start + (1 + self.length % 600).min(bytes.len() - start);
        match self.kind % 6 {
            0 => {
                bytes[start] ^= 1 << (self.length % 8);
                start..start + 1
            }
            1 => {
                bytes[start] = self.kind;
                start..start + 1
            }
            2 => {
                bytes[start..end].fill(0);
                start..end
            }
            3 => {
                let from = self.from % bytes.len();
                let length = (end - start).min(bytes.len() - from);
                bytes.copy_within(from..from + length, start);
                start..start + length
            }
            4 => {
                for (byte, value) in bytes[start..end].iter_mut().zip(self.from.to_le_bytes().into_iter().cycle()) {
                    *byte = value;
                }
                start..end
            }
            _ => {
                let whole = bytes.len();
                bytes.truncate(start);
                start..whole
            }
        }
    }
}
