//! Names that people, and attackers, give: they are opaque, told apart byte by byte, and found again everywhere.

use crate::Harness;
use crate::support::{conflict, event, of_type, positions, put, query, settle, stream, tag, texts};
use gesta_model::{
    AppendRequest, Category, EventReader, EventStore, EventType, ExpectedRevision, NameKind, Position, Query,
    QueryItem, Read, Revision, Tag,
};

/// Names of streams and types; each is different from all others.
fn unusual_names() -> Vec<String> {
    let names = [
        "../../etc/passwd",
        "/etc/passwd",
        ".",
        "..",
        " ",
        " leading",
        "trailing ",
        "line\nbreak",
        "tab\tand\rreturn",
        "\u{1}\u{1b}[31mred\u{1b}[0m\u{7f}",
        "nul\0inside",
        "quote\"s and 'apostrophes'",
        "back\\slash\\u0041",
        "a,b|c=d",
        "type=Placed tag=a:1",
        "*",
        "{\"json\": true}",
        "\u{202e}right to left",
        "שלום-17",
        "مرحبا",
        "zero\u{200b}width",
        "zerowidth",
        "\u{e9}",
        "e\u{301}",
        "E\u{301}",
        "😀-😀",
        "case",
        "Case",
        "-begins with a hyphen",
        "ends with a hyphen-",
        "--",
        "%00%2e%2e",
        "$system",
        "lock",
    ];
    let longest = ["s".repeat(255), format!("{}é", "s".repeat(253))];
    names.into_iter().map(str::to_owned).chain(longest).collect()
}

/// Whatever a stream is called, it is one stream, checked, read and listed by that name.
pub fn a_stream_may_have_any_name<H: Harness>(harness: &H) {
    let store = harness.fresh();
    let mut names = unusual_names();
    names.extend(["é".repeat(512), "n".repeat(1024), format!("{}-1", "c".repeat(1022))]);
    for name in &names {
        let asked = AppendRequest::new().events([event(name, "0"), event(name, "1")]);
        let receipt = store.append(asked.expect(stream(name), ExpectedRevision::NoStream)).unwrap();
        assert_eq!(receipt.revisions, [(stream(name), Revision(1))]);
    }
    let store = harness.reopen(store);
    for (number, name) in names.iter().enumerate() {
        let expected = [2 * number as u64, 2 * number as u64 + 1];
        assert_eq!(positions(&store, Read::stream(stream(name))), expected, "{name:?}");
        assert_eq!(store.stream_revision(&stream(name)).unwrap(), Some(Revision(1)), "{name:?}");
        let of_stream = Query::from(QueryItem::new().stream(stream(name)));
        assert_eq!(positions(&store, Read::query(of_stream)), expected, "{name:?}");
        let refused = conflict(&store, AppendRequest::new().expect(stream(name), ExpectedRevision::NoStream));
        let said = refused.to_string();
        let deceives = |character: char| character.is_control() || "\u{202e}\u{200b}".contains(character);
        assert!(!said.chars().any(deceives), "a message that can deceive: {said:?}");
    }
    names.sort();
    let listed: Vec<String> = store.names(NameKind::Stream, "").unwrap().into_iter().map(|name| name.name).collect();
    assert_eq!(listed, names);
}

/// Whatever a type is called, it is found by that name.
pub fn a_type_may_have_any_name<H: Harness>(harness: &H) {
    let store = harness.fresh();
    let mut names = unusual_names();
    store.append(AppendRequest::new().events(names.iter().map(|name| of_type(name)))).unwrap();
    for (number, name) in names.iter().enumerate() {
        let of_type = Query::from(QueryItem::new().event_type(EventType::new(name.as_str()).unwrap()));
        assert_eq!(positions(&store, Read::query(of_type.clone())), [number as u64], "{name:?}");
        // The text of the query says the same.
        assert_eq!(positions(&store, Read::query(query(&of_type.to_string()))), [number as u64], "{name:?}");
        assert_eq!(conflict(&store, AppendRequest::new().unless(of_type, Position(0))).failed.len(), 1, "{name:?}");
    }
    names.sort();
    let listed: Vec<String> = store.names(NameKind::Type, "").unwrap().into_iter().map(|name| name.name).collect();
    assert_eq!(listed, names);
}

/// Whatever a tag says, as far as it is `key:value`, events are found by it.
pub fn a_tag_may_say_anything_that_can_be_seen<H: Harness>(harness: &H) {
    let store = harness.fresh();
    let longest = format!("k:{}", "v".repeat(253));
    let words = unusual_names().into_iter().filter_map(|name| Tag::new(format!("k:{name}")).ok());
    let tags: Vec<Tag> = words.chain([tag("k::"), tag("k:v:w"), tag(" : "), tag(&longest)]).collect();
    assert!(tags.len() > 25);
    store.append(AppendRequest::new().events(tags.iter().map(|tag| of_type("A").tag(tag.clone())))).unwrap();
    for (number, tag) in tags.iter().enumerate() {
        let of_tag = Query::from(QueryItem::new().tag(tag.clone()));
        assert_eq!(positions(&store, Read::query(of_tag)), [number as u64], "{tag:?}");
    }
    assert_eq!(store.names(NameKind::Tag, "").unwrap().len(), tags.len());
}

/// A category is what stands before the first hyphen: a stream without one is its own, one that begins with it has none.
pub fn a_category_is_what_stands_before_the_first_hyphen<H: Harness>(harness: &H) {
    let store = harness.fresh();
    for name in ["order-17", "order", "order-17-b", "orders-1", "-order", "-", "ord", "order-"] {
        put(&store, name, &[name]);
    }
    let of_category = |name: &str| {
        let category = Category::new(name).unwrap();
        texts(&store, Read::query(Query::from(QueryItem::new().category(category))))
    };
    assert_eq!(of_category("order"), ["order-17", "order", "order-17-b", "order-"]);
    assert_eq!(of_category("orders"), ["orders-1"]);
    assert_eq!(of_category("ord"), ["ord"]);
    let listed = store.names(NameKind::Category, "").unwrap();
    let listed: Vec<_> = listed.iter().map(|name| (name.name.as_str(), name.count, name.last.0)).collect();
    assert_eq!(listed, [("ord", 1, 6), ("order", 4, 7), ("orders", 1, 3)]);
    assert_eq!(settle(&store), Position(8));
}

/// A stream, a type, a tag and a category of the same letters are four different things.
pub fn names_of_different_kinds_never_meet<H: Harness>(harness: &H) {
    let store = harness.fresh();
    store
        .append(AppendRequest::new().events([
            of_type("a:1").data("type"),
            event("a:1", "stream"),
            of_type("T").tag(tag("a:1")).data("tag"),
            event("a:1-x", "category"),
        ]))
        .unwrap();
    assert_eq!(texts(&store, Read::query(query("type=a:1"))), ["type"]);
    assert_eq!(texts(&store, Read::query(query("tag=a:1"))), ["tag"]);
    assert_eq!(texts(&store, Read::query(query("stream=a:1"))), ["stream"]);
    assert_eq!(texts(&store, Read::query(query("category=a:1"))), ["stream", "category"]);
}
