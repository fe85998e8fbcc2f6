//! Little-endian numbers in byte slices. Callers have checked the slice's length: a short one is our own mistake.

macro_rules! little_endian {
    ($read:ident, $number:ty) => {
        /// Reads the number at a byte offset.
        pub(super) fn $read(bytes: &[u8], offset: usize) -> $number {
            const BYTES: usize = size_of::<$number>();
            let mut number = [0; BYTES];
            number.copy_from_slice(&bytes[offset..offset + BYTES]);
            <$number>::from_le_bytes(number)
        }
    };
    ($read:ident, $write:ident, $number:ty) => {
        little_endian!($read, $number);

        /// Writes the number at a byte offset.
        pub(super) fn $write(bytes: &mut [u8], offset: usize, number: $number) {
            bytes[offset..offset + size_of::<$number>()].copy_from_slice(&number.to_le_bytes());
        }
    };
}

little_endian!(read_u32, write_u32, u32);
little_endian!(read_u64, write_u64, u64);
little_endian!(read_i64, i64);
little_endian!(read_u128, write_u128, u128);
