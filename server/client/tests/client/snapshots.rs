//! Snapshots, and receipts by their ids, over connections that break.

use crate::events::{begun, ended, events};
use crate::script::{Asked, Peer, Ports, encoded, follow, impatient, receipt};
use gesta_client::{BlockingClient, ClientOptions, Plane};
use gesta_model::{
    EventCursor, EventReader, EventStore, Incarnation, Loaded, Position, Read, ReadError, RemoteError, Selection,
    Snapshot, SnapshotError, SnapshotInfo, SnapshotKey, Uuid,
};
use gesta_protocol::{Answer, Code, Refusal, Request, SnapshotsPart};

fn key() -> SnapshotKey {
    SnapshotKey::new("order-1").unwrap()
}

/// The answer to a load: a snapshot at a position below a head, then the events up to there.
fn answer(id: u64, position: u64, head: u64) -> Vec<u8> {
    let found = Answer::Snapshot(Some((Position(position), b"state")));
    [begun(id, head), encoded(id, &found), events(id, position..head), ended(id, head)].concat()
}

/// The position of the snapshot, those of the events, and the head.
fn load(client: &BlockingClient) -> Result<(Option<u64>, Vec<u64>, u64), ReadError> {
    let Loaded { snapshot, mut events } = client.load(&key(), 7, Selection::Everything)?;
    let snapshot = snapshot.map(|snapshot| {
        assert_eq!((&snapshot.key, snapshot.schema, &snapshot.data[..]), (&key(), 7, &b"state"[..]));
        snapshot.position.0
    });
    let mut positions = Vec::new();
    while let Some(record) = events.next_record() {
        positions.push(record?.position().0);
    }
    Ok((snapshot, positions, events.head().0))
}

fn asks_for_the_snapshot(asked: &Asked) {
    let read = asked.read();
    assert_eq!((read.snapshot, read.given_in), (Some((key(), 7)), None));
    assert_eq!(read.read, Read::all());
}

/// The answer breaks at every byte. Until the snapshot is there, it is asked for anew, and what the next connection says counts;
/// from then on the rest is asked for, up to the same head.
#[test]
fn a_load_goes_on_over_another_connection_wherever_it_breaks() {
    let whole = answer(2, 4, 6).len();
    let until_snapshot = whole - events(2, 4..6).len() - ended(2, 6).len();
    for count in 0..=whole {
        let ports = Ports::open();
        let client = ports.client();
        let server = follow(move || {
            let mut peer = ports.greet(Plane::Read);
            let asked = peer.next();
            asks_for_the_snapshot(&asked);
            let bytes = answer(asked.id, 4, 6);
            peer.send(&bytes[..count]);
            if count == whole {
                return;
            }
            drop(peer);
            let mut peer = ports.greet(Plane::Read);
            let again = peer.next();
            if count < until_snapshot {
                asks_for_the_snapshot(&again);
                return peer.send(&answer(again.id, 8, 9));
            }
            let read = again.read();
            assert_eq!((read.snapshot, read.given_in), (None, Some(Incarnation(1))));
            let from = read.read.from.unwrap().0;
            assert!((4..=6).contains(&from) && read.read.until == Some(Position(6)), "{:?}", read.read);
            peer.send(&[begun(again.id, 9), events(again.id, from..6), ended(again.id, 6)].concat());
        });
        let expected = if count < until_snapshot { (Some(8), vec![8], 9) } else { (Some(4), vec![4, 5], 6) };
        assert_eq!(load(&client).unwrap(), expected, "{count} bytes");
        server.join().unwrap();
    }
}

#[test]
fn a_load_without_a_snapshot_reads_from_the_start() {
    let ports = Ports::open();
    let client = ports.client();
    let server = follow(move || {
        let mut peer = ports.greet(Plane::Read);
        let id = peer.next().id;
        let none = encoded(id, &Answer::Snapshot(None));
        peer.send(&[begun(id, 2), none, events(id, 0..2), ended(id, 2)].concat());
    });
    assert_eq!(load(&client).unwrap(), (None, vec![0, 1], 2));
    server.join().unwrap();
}

#[test]
fn a_server_that_forgets_the_snapshot_or_sends_one_unasked_is_not_believed() {
    let ports = Ports::open();
    let client = ports.client();
    let server = follow(move || {
        let mut peer = ports.greet(Plane::Read);
        let id = peer.next().id;
        peer.send(&[begun(id, 2), events(id, 0..2), ended(id, 2)].concat());
        let id = peer.next().id;
        peer.send(&[encoded(id, &Answer::Snapshot(None)), begun(id, 2), ended(id, 2)].concat());
        let id = loop {
            let asked = peer.next();
            if matches!(asked.request(), Request::Read(_)) {
                break asked.id;
            }
        };
        peer.send(&[begun(id, 2), encoded(id, &Answer::Snapshot(None)), ended(id, 2)].concat());
        peer.try_next();
    });
    for _ in 0..2 {
        let refused = load(&client);
        assert!(matches!(refused, Err(ReadError::Remote(RemoteError::Protocol { .. }))), "{refused:?}");
    }
    let mut cursor = client.read(Read::all()).unwrap();
    let next = cursor.next_record().unwrap().map(|record| record.position());
    assert!(matches!(next, Err(ReadError::Remote(RemoteError::Protocol { .. }))), "{next:?}");
    drop((cursor, client));
    server.join().unwrap();
}

/// Takes a request and answers it.
fn reply(peer: &mut Peer, look: impl FnOnce(&Request<'_>), answer: &Answer<'_>) {
    let asked = peer.next();
    look(&asked.request());
    peer.say(asked.id, answer);
}

#[test]
fn a_snapshot_is_saved_again_after_a_broken_connection_and_refusals_keep_their_meaning() {
    let ports = Ports::open();
    let client = ports.client();
    let is_save = |request: &Request<'_>| match request {
        Request::SaveSnapshot(save) => {
            assert_eq!((&save.key, save.schema, save.position, save.data), (&key(), 7, Position(3), &b"state"[..]));
        }
        other => panic!("{other:?}"),
    };
    let errors = || {
        [
            SnapshotError::AheadOfHead { position: Position(3), head: Position(2) },
            SnapshotError::TooLarge { bytes: 5, max: 4 },
            SnapshotError::Storage { cause: std::sync::Arc::new(std::io::ErrorKind::StorageFull.into()) },
            SnapshotError::ReadOnly,
            SnapshotError::Closed,
        ]
    };
    let server = follow(move || {
        let mut peer = ports.greet(Plane::Append);
        peer.next();
        drop(peer);
        let mut peer = ports.greet(Plane::Append);
        reply(&mut peer, is_save, &Answer::Done);
        for error in errors() {
            reply(&mut peer, is_save, &Answer::Refused(Refusal::from(&error)));
        }
        reply(&mut peer, is_save, &Answer::Refused(Refusal::new(Code::Denied, "denied")));
        reply(&mut peer, is_save, &Answer::Dropped(1));
    });
    let save =
        || client.save_snapshot(Snapshot { key: key(), schema: 7, position: Position(3), data: b"state".to_vec() });
    save().unwrap();
    for error in errors() {
        let refused = save().unwrap_err();
        assert_eq!(std::mem::discriminant(&refused), std::mem::discriminant(&error), "{refused:?}");
        if let SnapshotError::AheadOfHead { .. } | SnapshotError::TooLarge { .. } = error {
            assert_eq!(refused.to_string(), error.to_string());
        }
    }
    assert!(matches!(save(), Err(SnapshotError::Remote(RemoteError::Denied { .. }))));
    assert!(matches!(save(), Err(SnapshotError::Remote(RemoteError::Protocol { .. }))));
    server.join().unwrap();
}

#[test]
fn snapshots_are_listed_in_parts_and_dropped_by_their_beginnings() {
    let ports = Ports::open();
    let client = ports.client();
    let info = |name: &str| {
        let key = SnapshotKey::new(name).unwrap();
        SnapshotInfo { key, schema: 1, position: Position(2), data_bytes: 3 }
    };
    let expected = ["a", "b", "c"].map(info);
    let [a, b, c] = expected.clone();
    let server = follow(move || {
        let mut peer = ports.greet(Plane::Read);
        let asked = peer.next();
        assert!(matches!(asked.request(), Request::Snapshots("x")));
        let part =
            |has_more, all: &[SnapshotInfo]| Answer::Snapshots(SnapshotsPart { has_more, snapshots: all.to_vec() });
        peer.say(asked.id, &part(true, &[a.clone(), b.clone()]));
        drop(peer);
        let mut peer = ports.greet(Plane::Read);
        let asked = peer.next();
        peer.say(asked.id, &part(true, &[a]));
        peer.say(asked.id, &part(false, &[b, c]));
        let mut peer = ports.greet(Plane::Append);
        reply(&mut peer, |asked| assert!(matches!(asked, Request::DropSnapshots("y"))), &Answer::Dropped(41));
    });
    assert_eq!(client.snapshots("x").unwrap(), expected);
    assert_eq!(client.drop_snapshots("y").unwrap(), 41);
    server.join().unwrap();
}

#[test]
fn a_receipt_is_asked_for_by_its_request_id_and_the_name_of_the_store_once() {
    let ports = Ports::open();
    let client = ports.client();
    let address = ports.address();
    let server = follow(move || {
        let mut peer = ports.greet(Plane::Read);
        let id = Uuid::from_u128(5);
        let is_asked = |asked: &Request<'_>| assert!(matches!(asked, Request::FindReceipt(asked) if *asked == id));
        reply(&mut peer, is_asked, &Answer::Receipt(receipt(4)));
        reply(&mut peer, is_asked, &Answer::Done);
        peer.try_next();
        drop(peer);
        ports
    });
    assert_eq!(client.store_id().unwrap(), Uuid::from_u128(77));
    assert_eq!(client.receipt(Uuid::from_u128(5)).unwrap(), Some(receipt(4)));
    assert_eq!(client.receipt(Uuid::from_u128(5)).unwrap(), None);
    assert_eq!(client.store_id().unwrap(), Uuid::from_u128(77));
    drop(client);
    drop(server.join().unwrap());
    let alone = BlockingClient::connect(address, ClientOptions { ..impatient() }).unwrap();
    assert!(matches!(alone.store_id(), Err(ReadError::Remote(RemoteError::Unreachable { .. }))));
}
