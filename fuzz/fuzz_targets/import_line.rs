//! Any line is an event or is refused with a reason. An event that is read is one that the store takes, and exported it reads
//! back as itself; a CloudEvent keeps its id.
#![no_main]

use gesta::codec::{encode_record, place_record};
use gesta::{AppendRequest, Limits, Position, Record, Uuid};
use libfuzzer_sys::fuzz_target;

#[allow(dead_code, unused_imports, reason = "the command line uses more of it")]
#[path = "../../server/cli/src/json/mod.rs"]
mod json;

const ID: Uuid = Uuid::from_u128(17);

fuzz_target!(|line: &[u8]| {
    let incoming = match json::read_event(line) {
        Ok(incoming) => incoming,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    let id = incoming.id.unwrap_or(ID);
    let request = AppendRequest::new().event(incoming.event.clone());
    request.encode(&Limits::default(), || ID).expect("what is read is taken");
    let mut bytes = Vec::new();
    encode_record(&incoming.event, id, &mut bytes);
    place_record(&mut bytes, gesta::codec::NO_REVISION, Position(7));
    let (record, _) = Record::decode(&bytes, Position(7)).expect("the record was just made");
    let mut exported = Vec::new();
    json::write_event(&mut exported, &record);
    let again = json::read_event(&exported).unwrap_or_else(|error| {
        panic!("what is exported is not read: {error}: {}", String::from_utf8_lossy(&exported))
    });
    assert_eq!(again.id, Some(id));
    assert_eq!(again.event.clone().id(id), incoming.event.id(id), "{}", String::from_utf8_lossy(&exported));
});
