//! Payloads, metadata, times, ids and tags come back as they were given.

use crate::Harness;
use crate::support::{event, id, of_type, put_event, read, stream, tag};
use gesta_model::{AppendRequest, Event, EventStore, Payload, Read, Timestamp, Uuid};

/// Any bytes come back as they were, in data and in metadata, and are not taken for JSON.
pub fn any_bytes_come_back_as_they_were<H: Harness>(harness: &H) {
    let store = harness.fresh();
    let all: Vec<u8> = (0..=255).collect();
    let payloads = [Vec::new(), vec![0], vec![0xff; 3], all.clone(), all.repeat(300), b"{\"a\":1}".to_vec()];
    for payload in &payloads {
        put_event(&store, of_type("A").data(payload.clone()).metadata(payload.clone()));
    }
    let store = harness.reopen(store);
    let shown = read(&store, Read::all());
    assert_eq!(shown.len(), payloads.len());
    for (shown, payload) in shown.iter().zip(&payloads) {
        let (data, metadata) = (shown.record().data(), shown.record().metadata());
        assert!(data == Payload::binary(payload) && metadata == Payload::binary(payload), "{} bytes", payload.len());
        assert!(!data.is_json() && !metadata.is_json());
    }
}

/// What is called JSON is called so when it is read, and is otherwise not looked at.
pub fn what_is_called_json_comes_back_so<H: Harness>(harness: &H) {
    let store = harness.fresh();
    let texts = ["{\"a\": [1, 2.0e3, \"\\u00e9é\"]}", " null ", "{\"a\":1,\"a\":2}", "not JSON at all", "1"];
    for text in texts {
        put_event(&store, of_type("A").json(text).metadata_json(text));
        put_event(&store, of_type("A").json(text).metadata(text));
        put_event(&store, of_type("A").data(text).metadata_json(text));
    }
    let shown = read(&store, Read::all());
    for (number, shown) in shown.iter().enumerate() {
        let (data, metadata) = (shown.record().data(), shown.record().metadata());
        assert_eq!((data.as_str(), metadata.as_str()), (Some(texts[number / 3]), Some(texts[number / 3])));
        assert_eq!((data.is_json(), metadata.is_json()), (number % 3 != 2, number % 3 != 1));
    }
    // Nothing is nothing, whatever it is called.
    put_event(&store, of_type("A").json("").metadata_json(""));
    let last = &read(&store, Read::all().backwards().limit(1))[0];
    assert_eq!((last.record().data(), last.record().metadata()), (Payload::NONE, Payload::NONE));
}

/// A time comes back as it was given, and no time is no time.
pub fn times_come_back_as_they_were<H: Harness>(harness: &H) {
    let store = harness.fresh();
    let times = [None, Some(0), Some(1), Some(-1), Some(i64::MIN), Some(i64::MAX), Some(1_700_000_000_000_000_001)];
    for time in times {
        let event = event("a-1", "x");
        put_event(&store, time.into_iter().fold(event, |event, time| event.time(Timestamp(time))));
    }
    let shown: Vec<_> =
        read(&store, Read::all()).iter().map(|event| event.record().time().map(|time| time.0)).collect();
    assert_eq!(shown, times);
}

/// The caller's ids come back; one that is given twice stands twice.
pub fn ids_come_back_and_may_stand_twice<H: Harness>(harness: &H) {
    let store = harness.fresh();
    let ids = [id(1), Uuid::max(), id(u128::MAX - 1), id(1 << 64), id(1)];
    store.append(AppendRequest::new().events(ids.map(|id| event("a-1", "x").id(id)))).unwrap();
    store.append(AppendRequest::new().event(event("a-1", "x").id(id(1)))).unwrap();
    let shown: Vec<_> = read(&store, Read::all()).iter().map(|event| event.record().id()).collect();
    assert_eq!(shown[..5], ids);
    assert_eq!(shown[5..], [id(1)]);
}

/// Tags come back in the order given, doubled ones doubled.
pub fn tags_come_back_in_their_order<H: Harness>(harness: &H) {
    let store = harness.fresh();
    let tags = ["b:2", "a:1", "b:2", "time:12:30", "c:3"];
    put_event(&store, tags.iter().fold(of_type("A"), |event, text| event.tag(tag(text))));
    put_event(&store, of_type("A"));
    let shown = read(&store, Read::all());
    assert_eq!(shown[0].record().tags().collect::<Vec<_>>(), tags);
    assert_eq!(shown[1].record().tags().count(), 0);
}

/// Everything of an event comes back by every way of reading, and its checksums hold.
pub fn an_event_comes_back_whole_by_every_way_of_reading<H: Harness>(harness: &H) {
    let store = harness.fresh();
    let whole = || -> Event {
        let event = of_type("Placed").stream(stream("order-1")).id(id(5)).time(Timestamp(6)).tag(tag("a:1"));
        event.tag(tag("b:2")).json("{\"total\":12}").metadata([0, 1, 2])
    };
    put_event(&store, whole());
    let reads = [
        Read::all(),
        Read::all().backwards(),
        Read::stream(stream("order-1")),
        Read::stream(stream("order-1")).backwards(),
        Read::query(crate::support::query("type=Placed tag=b:2")),
        Read::all().unsynced(),
    ];
    let bytes = read(&store, Read::all())[0].record().bytes().to_vec();
    let store = harness.reopen(store);
    for asked in reads {
        let shown = read(&store, asked.clone());
        assert_eq!(shown.len(), 1, "{asked:?}");
        let record = shown[0].record();
        record.verify().unwrap();
        record.verify_content().unwrap();
        assert_eq!(record.bytes(), bytes);
        assert_eq!((record.stream(), record.event_type(), record.id()), (Some("order-1"), "Placed", id(5)));
        assert_eq!((record.time(), record.tags().collect::<Vec<_>>()), (Some(Timestamp(6)), vec!["a:1", "b:2"]));
        assert_eq!(record.data(), Payload::json(b"{\"total\":12}"));
        assert_eq!(record.metadata(), Payload::binary(&[0, 1, 2]));
        assert_eq!(record.revision(), Some(gesta_model::Revision(0)));
    }
}
