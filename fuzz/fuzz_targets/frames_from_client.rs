//! No bytes make the server's end panic, however they are cut; what is accepted encodes to what it says.
#![no_main]

use gesta_fuzz::{each_frame, look_at, repair_frame, split_cuts};
use gesta_model::{Limits, Position};
use gesta_protocol::{Append, Frame, Refusal, Request};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Some((cuts, bytes)) = split_cuts(input) else { return };
    each_frame(cuts, bytes, take);
    if let Some(frame) = repair_frame(bytes) {
        each_frame(cuts, &frame, take);
    }
});

fn take(frame: &Frame<'_>) {
    let request = match Request::decode(frame) {
        Ok(request) => request,
        Err(error) => {
            assert!(!Refusal::from(&error).message.is_empty());
            return;
        }
    };
    assert_eq!(request.kind() as u8, frame.kind);
    let mut once = Vec::new();
    request.encode(frame.id, &mut once);
    each_frame(&[], &once, |heard| {
        let heard = Request::decode(heard).expect("what is encoded here is a request");
        let mut again = Vec::new();
        heard.encode(frame.id, &mut again);
        assert_eq!(again, once);
        assert_eq!(format!("{heard:?}"), format!("{request:?}"));
    });
    if let Request::Append(Append::Foreign(append)) = request {
        let records = append.records;
        if let Ok(accepted) = append.accept(&Limits::default()) {
            assert_eq!(accepted.record_bytes(), records);
            accepted.records(Position::START).for_each(|(_, record)| look_at(&record));
        }
    }
}
