//! No bytes make a client's end panic, however they are cut; what is accepted encodes to what it says.
#![no_main]

use gesta_fuzz::{each_frame, look_at, repair_frame, split_cuts};
use gesta_model::codec::Records;
use gesta_protocol::{Answer, Frame};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Some((cuts, bytes)) = split_cuts(input) else { return };
    each_frame(cuts, bytes, take);
    if let Some(frame) = repair_frame(bytes) {
        each_frame(cuts, &frame, take);
    }
});

fn take(frame: &Frame<'_>) {
    let Ok(answer) = Answer::decode(frame) else { return };
    assert_eq!(answer.kind() as u8, frame.kind);
    let mut once = Vec::new();
    answer.encode(frame.id, &mut once);
    each_frame(&[], &once, |heard| {
        let heard = Answer::decode(heard).expect("what is encoded here is an answer");
        let mut again = Vec::new();
        heard.encode(frame.id, &mut again);
        assert_eq!(again, once);
        assert_eq!(format!("{heard:?}"), format!("{answer:?}"));
    });
    match answer {
        Answer::Events(events) => events.flatten().for_each(|event| look_at(&event.record)),
        Answer::Batches(batches) => {
            for batch in batches.flatten() {
                Records::new(&batch.header, batch.body).flatten().for_each(|record| look_at(&record));
            }
        }
        Answer::Conflict(conflict) => conflict.missed.iter().for_each(|event| look_at(&event.record())),
        Answer::Refused(refusal) => {
            let _ = (refusal.to_append_error("", ""), refusal.to_read_error("", ""), refusal.to_remote_error("", ""));
            let _ = refusal.to_snapshot_error("", "");
        }
        _ => {}
    }
}
