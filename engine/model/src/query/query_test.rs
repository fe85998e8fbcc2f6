//! What a query promises: any item, and of an item every term.

use super::*;
use crate::codec::encode_record;
use crate::{Category, Event, EventType, Position, StreamName, Tag, Uuid};

fn bytes(stream: Option<&str>, event_type: &str, tags: &[&str]) -> Vec<u8> {
    let mut event = Event::new(EventType::new(event_type).unwrap());
    event = stream.into_iter().fold(event, |event, stream| event.stream(StreamName::new(stream).unwrap()));
    event = tags.iter().fold(event, |event, tag| event.tag(Tag::new(*tag).unwrap()));
    let mut bytes = Vec::new();
    encode_record(&event, Uuid::from_u128(1), &mut bytes);
    bytes
}

fn matches(query: &Query, stream: Option<&str>, event_type: &str, tags: &[&str]) -> bool {
    let bytes = bytes(stream, event_type, tags);
    query.matches(&Record::decode(&bytes, Position(3)).unwrap().0)
}

fn item() -> QueryItem {
    QueryItem::new()
}

fn of_type(name: &str) -> QueryItem {
    item().event_type(EventType::new(name).unwrap())
}

fn tag(text: &str) -> Tag {
    Tag::new(text).unwrap()
}

#[test]
fn one_of_the_types_is_enough() {
    let query = Query::from(of_type("A").event_type(EventType::new("B").unwrap()));
    assert!(matches(&query, None, "A", &[]) && matches(&query, None, "B", &["t:1"]));
    assert!(!matches(&query, None, "AB", &[]) && !matches(&query, None, "a", &[]));
}

#[test]
fn all_of_the_tags_are_needed() {
    let query = Query::from(item().tag(tag("a:1")).tag(tag("b:2")));
    assert!(matches(&query, None, "T", &["b:2", "c:3", "a:1"]));
    assert!(!matches(&query, None, "T", &["a:1"]) && !matches(&query, None, "T", &["a:1", "b:22"]));
}

#[test]
fn types_tags_stream_and_category_are_all_needed() {
    let whole = of_type("T")
        .tag(tag("a:1"))
        .stream(StreamName::new("order-1").unwrap())
        .category(Category::new("order").unwrap());
    let query = Query::from(whole);
    assert!(matches(&query, Some("order-1"), "T", &["a:1"]));
    assert!(!matches(&query, Some("order-2"), "T", &["a:1"]));
    assert!(!matches(&query, Some("order-1"), "U", &["a:1"]));
    assert!(!matches(&query, Some("order-1"), "T", &[]));
    assert!(!matches(&query, None, "T", &["a:1"]));
}

#[test]
fn a_category_takes_in_all_its_streams_and_no_other() {
    let query = Query::from(item().category(Category::new("order").unwrap()));
    assert!(matches(&query, Some("order-1"), "T", &[]) && matches(&query, Some("order"), "T", &[]));
    for other in [None, Some("orders-1"), Some("-order"), Some("orde-r")] {
        assert!(!matches(&query, other, "T", &[]), "{other:?}");
    }
}

#[test]
fn a_stream_of_another_category_matches_nothing() {
    let query =
        Query::from(item().stream(StreamName::new("order-1").unwrap()).category(Category::new("invoice").unwrap()));
    assert!(!matches(&query, Some("order-1"), "T", &[]) && !matches(&query, Some("invoice-1"), "T", &[]));
}

#[test]
fn any_item_is_enough() {
    let query = Query::new([of_type("A"), item().tag(tag("a:1"))]).unwrap();
    assert!(matches(&query, None, "A", &[]) && matches(&query, None, "B", &["a:1"]));
    assert!(!matches(&query, None, "B", &["a:2"]));
    assert!(!query.is_everything());
}

#[test]
fn an_item_without_terms_matches_every_event() {
    assert!(Query::everything().is_everything());
    assert!(matches(&Query::everything(), None, "T", &[]));
    let query = Query::new([of_type("A"), item()]).unwrap();
    assert!(query.is_everything() && matches(&query, Some("s"), "B", &["a:1"]));
}

#[test]
fn no_items_and_too_many_are_refused() {
    assert_eq!(Query::new([]), Err(QueryError::Empty));
    let items = |count| (0..count).map(|number| of_type(&number.to_string()));
    assert!(Query::new(items(QUERY_ITEMS_MAX)).is_ok());
    let count = QUERY_ITEMS_MAX + 1;
    assert_eq!(Query::new(items(count)), Err(QueryError::TooManyItems { count, max: QUERY_ITEMS_MAX }));
}

#[test]
fn too_many_terms_are_refused_wherever_they_stand() {
    let with_tags =
        |count| QueryItem { tags: (0..count).map(|number| tag(&format!("n:{number}"))).collect(), ..item() };
    let rest = of_type("T").stream(StreamName::new("s").unwrap()).category(Category::new("s").unwrap());
    assert!(Query::new([with_tags(QUERY_TERMS_MAX - 3), rest.clone()]).is_ok());
    let refused = Err(QueryError::TooManyTerms { count: QUERY_TERMS_MAX + 1, max: QUERY_TERMS_MAX });
    assert_eq!(Query::new([with_tags(QUERY_TERMS_MAX - 2), rest]), refused);
    assert_eq!(Query::from(with_tags(QUERY_TERMS_MAX + 1)).check_size(), refused.map(|_| ()));
}

#[test]
fn a_query_is_written_on_one_line() {
    let event_type = |name: &str| EventType::new(name).unwrap();
    let first = of_type("OrderPlaced").event_type(event_type("Order, paid")).tag(tag("customer:4")).tag(tag("a:b=c"));
    let second = item().stream(StreamName::new("order-\n\u{202e}17\u{e0001}").unwrap());
    let third = item().category(Category::new("zürich\\").unwrap());
    let query = Query::new([first, second, third, item()]).unwrap();
    let text = r#"type=OrderPlaced,"Order, paid" tag=customer:4 tag="a:b=c" | stream="order-\n\u202e17\udb40\udc01" | category=zürich\ | *"#;
    assert_eq!(query.to_string(), text);
}
