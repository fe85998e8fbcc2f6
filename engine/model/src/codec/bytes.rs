//! Little-endian numbers in byte slices. Callers have checked the slice's length: a short one is our own mistake.

/// The smallest multiple of eight that holds `length` bytes.
pub(super) const fn padded(length: usize) -> usize {
    length.next_multiple_of(8)
}

macro_rules! little_endian {
    ($read:ident, $write:ident, $number:ty) => {
        /// Reads the number at a byte offset.
        pub(super) fn $read(bytes: &[u8], offset: usize) -> $number {
            const BYTES: usize = size_of::<$number>();
            let mut number = [0; BYTES];
            number.copy_from_slice(&bytes[offset..offset + BYTES]);
            <$number>::from_le_bytes(number)
        }

        /// Writes the number at a byte offset.
        pub(super) fn $write(bytes: &mut [u8], offset: usize, number: $number) {
            bytes[offset..offset + size_of::<$number>()].copy_from_slice(&number.to_le_bytes());
        }
    };
}

little_endian!(read_u16, write_u16, u16);
little_endian!(read_u32, write_u32, u32);
little_endian!(read_u64, write_u64, u64);
little_endian!(read_i64, write_i64, i64);
little_endian!(read_u128, write_u128, u128);
