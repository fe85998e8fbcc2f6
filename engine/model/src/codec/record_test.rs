//! What a record promises: it comes back as it was encoded, and no damage to it goes unseen.

use super::*;
use crate::{EventType, StreamName, Tag};
use proptest::prelude::*;

fn sample() -> Vec<u8> {
    let event = Event::new(EventType::new("OrderPlaced").unwrap())
        .stream(StreamName::new("order-17").unwrap())
        .time(Timestamp(1_700_000_000_123_456_789))
        .tag(Tag::new("customer:4").unwrap())
        .tag(Tag::new("country:nl").unwrap())
        .metadata(vec![1, 2, 3])
        .json(r#"{"total":12}"#);
    let mut bytes = Vec::new();
    encode_record(&event, Uuid::from_u128(0x0102_0304_0506_0708_090a_0b0c_0d0e_0f10), &mut bytes);
    place_record(&mut bytes, 3, Position(41));
    bytes
}

fn hex(bytes: &[u8]) -> String {
    bytes.chunks(16).map(|row| row.iter().map(|byte| format!("{byte:02x}")).collect::<String>() + "\n").collect()
}

#[test]
fn golden_bytes_of_a_record() {
    let golden = "\
55eca67199f6b1090300000000000000
6f000000030015000102030405060708
090a0b0c0d0e0f1015cd853dfe9c9717
08000b00030000006f726465722d3137
4f72646572506c61636564637573746f
6d65723a340a636f756e7472793a6e6c
0102037b22746f74616c223a31327d00
";
    assert_eq!(hex(&sample()), golden);
}

#[test]
fn a_record_comes_back_as_it_was_encoded() {
    let bytes = sample();
    let (record, taken) = Record::decode(&bytes, Position(41)).unwrap();
    assert_eq!(taken, bytes.len());
    assert_eq!(record.verify(), Ok(()));
    assert_eq!(record.verify_content(), Ok(()));
    assert_eq!(record.revision(), Some(Revision(3)));
    assert_eq!(record.stream(), Some("order-17"));
    assert_eq!(record.event_type(), "OrderPlaced");
    assert_eq!(record.tags().collect::<Vec<_>>(), ["customer:4", "country:nl"]);
    assert_eq!(record.metadata(), Payload::binary(&[1, 2, 3]));
    assert_eq!(record.data(), Payload::json(br#"{"total":12}"#));
    assert_eq!(record.time(), Some(Timestamp(1_700_000_000_123_456_789)));
}

#[test]
fn a_record_in_another_place_is_refused() {
    let bytes = sample();
    let (elsewhere, _) = Record::decode(&bytes, Position(40)).unwrap();
    assert_eq!(elsewhere.verify(), Err(RecordError::Place));
    let mut renumbered = bytes.clone();
    renumbered[REVISION] ^= 1;
    let (renumbered, _) = Record::decode(&renumbered, Position(41)).unwrap();
    assert_eq!(renumbered.verify(), Err(RecordError::Place));
}

#[test]
fn every_flipped_bit_of_a_record_is_seen() {
    let bytes = sample();
    let (record, taken) = Record::decode(&bytes, Position(41)).unwrap();
    let len = record.bytes().len();
    assert!(len < taken, "the last byte is padding, which the batch's checksum covers");
    for bit in 0..len * 8 {
        let mut damaged = bytes.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        let verdict = Record::decode(&damaged, Position(41)).and_then(|(record, _)| record.verify());
        assert!(verdict.is_err(), "bit {bit}");
    }
}

/// A record from elsewhere could say the same event in other bytes: a time that is marked absent but not zero, JSON that is
/// nothing, tags with empty ones between them. Copies of a log would have differed byte for byte.
#[test]
fn a_record_from_elsewhere_has_one_form_only() {
    let event = Event::new(EventType::new("A").unwrap()).tag(Tag::new("a:1").unwrap()).tag(Tag::new("b:2").unwrap());
    let mut whole = Vec::new();
    encode_record(&event, Uuid::from_u128(1), &mut whole);
    const TAGS: usize = RECORD_HEADER_BYTES + 1;
    type Change = dyn Fn(&mut [u8]);
    let verdict_with = |change: &Change| {
        let mut bytes = whole.clone();
        change(&mut bytes);
        let len = read_u32(&bytes, LEN) as usize;
        let crc = crc32fast::hash(&bytes[COVERED..len]);
        write_u32(&mut bytes, CRC, crc);
        Record::decode(&bytes, Position(0)).unwrap().0.verify_content()
    };
    assert_eq!(verdict_with(&|_| {}), Ok(()));
    assert_eq!(verdict_with(&|bytes| write_u16(bytes, FLAGS, TIME_IS_PRESENT)), Ok(()));
    let changes: [&Change; 6] = [
        &|bytes| bytes[TIME] = 1,
        &|bytes| write_u16(bytes, FLAGS, DATA_IS_JSON),
        &|bytes| write_u16(bytes, FLAGS, METADATA_IS_JSON),
        &|bytes| bytes[TAGS..TAGS + 7].copy_from_slice(b"a:1\n\n:2"),
        &|bytes| bytes[TAGS..TAGS + 7].copy_from_slice(b"\na:1b:2"),
        &|bytes| bytes[TAGS..TAGS + 7].copy_from_slice(b"a:1b:2\n"),
    ];
    for (ordinal, change) in changes.into_iter().enumerate() {
        assert_eq!(verdict_with(change), Err(RecordError::NotAllowed), "change {ordinal}");
    }
}

proptest! {
    #[test]
    fn hostile_bytes_never_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..300), len in 0_u32..400) {
        if bytes.len() > LEN + 4 {
            write_u32(&mut bytes, LEN, len);
            if let Some(covered) = bytes.get(COVERED..len as usize) {
                let crc = crc32fast::hash(covered);
                write_u32(&mut bytes, CRC, crc);
            }
        }
        if let Ok((record, taken)) = Record::decode(&bytes, Position(0)) {
            prop_assert!(taken <= bytes.len());
            let _ = (record.stream(), record.event_type(), record.tags().count(), record.metadata(), record.data());
            let _ = (record.verify_content(), record.verify());
        }
    }
}
