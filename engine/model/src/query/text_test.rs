//! What the text of a query promises: it reads back as the same query, and a mistake is pointed at.

use super::*;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

fn parse(text: &str) -> Query {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn refusal(text: &str) -> QueryTextError {
    text.parse::<Query>().expect_err(text)
}

#[test]
fn items_and_terms_are_read() {
    let query = parse("type=OrderPlaced,OrderPaid tag=customer:4 tag=at:12:30 | stream=order-17 category=order|*");
    let event_type = |name: &str| EventType::new(name).unwrap();
    let first = QueryItem::new()
        .event_type(event_type("OrderPlaced"))
        .event_type(event_type("OrderPaid"))
        .tag(Tag::new("customer:4").unwrap())
        .tag(Tag::new("at:12:30").unwrap());
    let second =
        QueryItem::new().stream(StreamName::new("order-17").unwrap()).category(Category::new("order").unwrap());
    assert_eq!(query.items(), [first, second, QueryItem::new()]);
}

#[test]
fn white_space_around_terms_means_nothing() {
    let query = parse("type=A tag=a:1 | stream=s");
    assert_eq!(parse("  type=A \t tag=a:1|stream=s\n"), query);
    assert_eq!(parse("* "), Query::everything());
}

#[test]
fn the_order_of_terms_is_free() {
    assert_eq!(parse("category=c stream=s tag=a:1 type=A"), parse("type=A tag=a:1 stream=s category=c"));
}

#[test]
fn values_with_a_meaning_of_their_own_are_json_strings() {
    let query = parse(r#"type="Order, placed",B stream="a | \"b\" = \u00e9" tag="k:v w""#);
    let item = &query.items()[0];
    assert_eq!(item.types[0].as_str(), "Order, placed");
    assert_eq!(item.types[1].as_str(), "B");
    assert_eq!(item.stream.as_ref().unwrap().as_str(), "a | \"b\" = é");
    assert_eq!(item.tags[0].as_str(), "k:v w");
    assert_eq!(parse("type=*\\").items()[0].types[0].as_str(), "*\\");
}

#[test]
fn a_mistake_is_pointed_at_by_its_column() {
    for (text, column, what) in [
        ("", 1, "expected a term"),
        ("  ", 3, "expected a term"),
        ("| type=A", 1, "expected a term"),
        ("type=A |", 9, "expected a term"),
        ("type=A | | type=B", 10, "expected a term"),
        ("type=A =B", 8, "expected a term"),
        ("typ=A", 1, "\"typ\" is no term"),
        ("type=é tga=a:1", 8, "\"tga\" is no term"),
        ("type", 5, "expected `=`"),
        ("type =A", 5, "expected `=`"),
        ("type=", 6, "expected a value"),
        ("type= A", 6, "expected a value"),
        ("type=A,", 8, "expected a value"),
        ("type=A, B", 8, "expected a value"),
        ("type=A,,B", 8, "expected a value"),
        ("type=\"\"", 6, "event type is empty"),
        ("type=A type=B", 8, "type=A,B"),
        ("stream=a stream=b", 10, "an event has one stream"),
        ("category=a category=b", 12, "an event has one category"),
        ("category=a-b", 10, "before the first `-`"),
        ("tag=customer", 5, "not key:value"),
        ("tag=a:1,b:2", 8, "between types only"),
        ("stream=a=b", 9, "as a JSON string"),
        ("stream=a\"b\"", 9, "as a JSON string"),
        ("stream=\"a\"b", 11, "cannot stand here"),
        ("stream=é\u{202e}b", 9, "U+202E cannot stand here"),
        ("stream=\u{202e}b", 8, "U+202E cannot stand here"),
        ("stream=a\u{a0}b", 9, "U+00A0 cannot stand here"),
        ("stream=\"ab", 8, "no end"),
        ("stream=\"é\\x\"", 10, "expected one of"),
        ("* type=A", 3, "stands alone"),
        ("type=A *", 8, "\"*\" is no term"),
    ] {
        let error = refusal(text);
        assert_eq!(error.column, column, "{text:?}: {error}");
        assert!(error.what.contains(what), "{text:?}: {error}");
    }
}

#[test]
fn too_much_is_refused_where_it_begins() {
    let items = vec!["*"; QUERY_ITEMS_MAX].join("|");
    assert_eq!(parse(&items).items().len(), QUERY_ITEMS_MAX);
    assert_eq!(refusal(&format!("{items}|*")).column, 2 * QUERY_ITEMS_MAX + 1);
    let types = format!("type={}", vec!["A"; QUERY_TERMS_MAX].join(","));
    assert_eq!(parse(&types).term_count(), QUERY_TERMS_MAX);
    assert_eq!(refusal(&format!("{types} tag=a:1")).column, types.len() + 6);
    let long = format!("type=A | stream={}", "s".repeat(1025));
    assert_eq!(refusal(&long).column, 17);
}

/// Characters of every sort, those with a meaning among them.
fn character() -> impl Strategy<Value = char> {
    let special = " \t\n\r,|\"=*\\/-:\u{0}\u{7f}\u{85}\u{a0}\u{ad}\u{2028}\u{202e}\u{2066}\u{feff}\u{e0041}é😀ab";
    prop_oneof![proptest::sample::select(special.chars().collect::<Vec<_>>()), any::<char>()]
}

fn name() -> impl Strategy<Value = String> {
    vec(character(), 1..12).prop_map(String::from_iter)
}

fn tag() -> impl Strategy<Value = Tag> {
    (name(), name()).prop_filter_map("no tag", |(key, value)| {
        Tag::new(format!("{key}:{value}").replace(char::is_control, "c").replace("::", ":")).ok()
    })
}

fn item() -> impl Strategy<Value = QueryItem> {
    let event_type = name().prop_map(|name| EventType::new(name).unwrap());
    let stream = name().prop_map(|name| StreamName::new(name).unwrap());
    let category = name().prop_map(|name| Category::new(name.replace('-', "_")).unwrap());
    let terms = (vec(event_type, 0..4), vec(tag(), 0..4), option::of(stream), option::of(category));
    terms.prop_map(|(types, tags, stream, category)| QueryItem { types, tags, stream, category })
}

proptest! {
    #[test]
    fn the_text_of_a_query_reads_back_as_that_query(items in vec(item(), 1..5)) {
        let query = Query::new(items).unwrap();
        let text = query.to_string();
        let is_odd = |character: char| character.is_control() || matches!(character, '\u{2028}' | '\u{202e}');
        prop_assert!(!text.contains(is_odd), "{}", text);
        prop_assert_eq!(text.parse::<Query>(), Ok(query), "{}", text);
    }

    #[test]
    fn any_text_is_a_query_or_points_into_itself(text in vec(character(), 0..40).prop_map(String::from_iter)) {
        if let Err(error) = text.parse::<Query>() {
            prop_assert!((1..=text.chars().count() + 1).contains(&error.column));
        }
    }

    #[test]
    fn text_that_is_nearly_a_query_is_read_or_points_into_itself(
        items in vec(item(), 1..3), at in any::<proptest::sample::Index>(), put in option::of(character()),
    ) {
        let mut text: Vec<char> = Query::new(items).unwrap().to_string().chars().collect();
        let at = at.index(text.len());
        text.splice(at..=at, put);
        let text = String::from_iter(text);
        match text.parse::<Query>() {
            Ok(query) => prop_assert_eq!(query.to_string().parse::<Query>(), Ok(query)),
            Err(error) => prop_assert!((1..=text.chars().count() + 1).contains(&error.column)),
        }
    }
}
