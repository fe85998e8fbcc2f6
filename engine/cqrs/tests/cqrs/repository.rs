//! The example over the real history: what SQL says is what git and the store say.

use super::support::TestStore;
use example::answers::{Answers, Match, pair};
use example::options::Options;
use example::{chart, fold, history};
use gesta::{EventReader, NameKind, Position, Read};
use gesta_cqrs::event_types;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

#[path = "../../examples/repository"]
mod example {
    pub(super) mod activity;
    pub(super) mod answers;
    pub(super) mod chart;
    pub(super) mod event;
    pub(super) mod files;
    pub(super) mod fold;
    pub(super) mod history;
    pub(super) mod labels;
    pub(super) mod options;
    pub(super) mod outcome;
}

/// A file of the shared data; `None`, said aloud, where it is missing. Under CI it must be there.
fn shared(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(name);
    if path.exists() {
        return Some(path);
    }
    assert!(std::env::var_os("CI").is_none(), "{} is missing", path.display());
    println!("skipped: {} is missing", path.display());
    None
}

/// A store with the real history in it; `None` where that is missing.
fn imported() -> Option<(TestStore, PathBuf)> {
    let history = shared("git-history.ndjson.gz")?;
    let test = TestStore::new();
    assert_eq!(history::import(&test.store, &history).unwrap(), 17_563);
    let database = test.directory.path().join("repository.sqlite");
    Some((test, database))
}

/// The counts that a table holds.
fn counts_in(answers: &Answers, table: &str) -> BTreeMap<String, u64> {
    let rows = answers.rows(&format!("SELECT name, events FROM {table}"), pair).unwrap();
    rows.into_iter().map(|(name, count)| (name, count.cast_unsigned())).collect()
}

/// Everything that the tables of the example hold.
fn contents(answers: &Answers) -> Vec<String> {
    let tables = ["files", "commits", "authors", "churn", "types", "tags"];
    let columns = |table: &str| {
        answers.rows(&format!("SELECT name FROM pragma_table_info('{table}')"), |row| row.get(0)).unwrap()
    };
    let of = |table: &str| {
        let line: Vec<String> = columns(table);
        let text = format!("SELECT '{table}' || ' ' || {} FROM {table} ORDER BY 1", line.join(" || ' ' || "));
        answers.rows(&text, |row| row.get(0)).unwrap()
    };
    tables.into_iter().flat_map(of).collect()
}

#[test]
fn the_files_that_sql_lists_are_those_that_git_lists() {
    let (Some((test, database)), Some(tree)) = (imported(), shared("git-history.tree")) else { return };
    fold::fold(&test.store, &database).unwrap();
    let answers = Answers::open(&database).unwrap();
    let listed = std::fs::read_to_string(tree).unwrap();
    assert!(answers.tree().unwrap() == listed, "the tables hold another tree than git lists");
    let compared = answers.compare(&listed).unwrap();
    assert_eq!(compared, Match { same_count: 1_270, listed_count: 1_270, foreign_count: 0 });
    assert_eq!(compared.to_string(), "1270 of 1270 files match");
    let (first, rest) = listed.split_once('\n').unwrap();
    let other = format!("{}\n{rest}", first.replace('\t', "0\t"));
    assert_eq!(answers.compare(&other).unwrap().to_string(), "1269 of 1270 files match, and 1 are not listed");
    assert!(answers.summary().unwrap().starts_with("1270 files\n"));
}

#[test]
fn types_and_tags_are_counted_as_the_store_counts_them() {
    let Some((test, database)) = imported() else { return };
    fold::fold(&test.store, &database).unwrap();
    let answers = Answers::open(&database).unwrap();
    let types = test.store.names(NameKind::Type, "").unwrap().into_iter().map(|name| (name.name, name.count));
    assert_eq!(counts_in(&answers, "types"), types.collect());
    let known = event_types::<example::event::FileEvent>().unwrap();
    assert!(counts_in(&answers, "types").keys().all(|name| known.contains(&name.as_str())));

    let mut tags = BTreeMap::<String, u64>::new();
    let mut commits = BTreeMap::<String, String>::new();
    let mut cursor = EventReader::read(&*test.store, Read::all()).unwrap();
    while let Some(record) = cursor.next_record() {
        let record = record.unwrap();
        record.tags().for_each(|tag| *tags.entry(tag.to_owned()).or_default() += 1);
        let value = |key: &str| record.tags().find_map(|tag| tag.strip_prefix(key)).unwrap().to_owned();
        commits.insert(value("commit:"), value("author:"));
    }
    assert_eq!(counts_in(&answers, "tags"), tags);
    let in_sql = answers.rows("SELECT hash, author FROM commits", |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    assert_eq!(in_sql.into_iter().collect::<BTreeMap<String, String>>(), commits);
    let mut by_author = BTreeMap::<String, i64>::new();
    commits.into_values().for_each(|author| *by_author.entry(author).or_default() += 1);
    let in_sql = answers.rows("SELECT author, commits FROM authors", pair).unwrap();
    assert_eq!(in_sql.into_iter().collect::<BTreeMap<_, _>>(), by_author);
}

#[test]
fn churn_adds_up_and_the_chart_has_a_point_for_each_month() {
    let Some((test, database)) = imported() else { return };
    fold::fold(&test.store, &database).unwrap();
    let answers = Answers::open(&database).unwrap();
    let months = answers.churn_by_month().unwrap();
    // The months and their lines, as the events' own times and numbers have them.
    let mut expected = BTreeMap::<String, i64>::new();
    let mut cursor = EventReader::read(&*test.store, Read::all()).unwrap();
    while let Some(record) = cursor.next_record() {
        let record = record.unwrap();
        let data: serde_json::Value = serde_json::from_slice(record.data().bytes()).unwrap();
        let lines = ["added", "removed"].map(|key| data[key].as_i64().unwrap_or(0));
        let time = jiff::Timestamp::from_nanosecond(record.time().unwrap().0.into()).unwrap();
        *expected.entry(time.to_string()[..7].to_owned()).or_default() += lines.iter().sum::<i64>();
    }
    assert_eq!(months.iter().cloned().collect::<BTreeMap<_, _>>(), expected);

    let file = test.directory.path().join("churn.svg");
    chart::draw(&file, &months).unwrap();
    let text = std::fs::read_to_string(file).unwrap();
    let svg = roxmltree::Document::parse(&text).unwrap();
    assert_eq!(svg.root_element().tag_name().name(), "svg");
    let circle_count = svg.descendants().filter(|node| node.tag_name().name() == "circle").count();
    assert_eq!(circle_count, expected.len());
}

#[test]
fn a_second_run_changes_nothing_and_later_events_are_folded_from_there() {
    let Some((test, database)) = imported() else { return };
    let first = fold::fold(&test.store, &database).unwrap();
    assert_eq!((first.from, first.to), (Position::START, Position(17_563)));
    let before = contents(&Answers::open(&database).unwrap());
    let second = fold::fold(&test.store, &database).unwrap();
    assert_eq!((second.from, second.to), (Position(17_563), Position(17_563)));
    let after = contents(&Answers::open(&database).unwrap());
    assert!(before.len() > 5_000, "{} rows", before.len());
    assert!(before == after, "the second run has changed rows");
    assert!(history::import(&test.store, Path::new("unread")).is_err(), "a store that has events is not filled again");

    let later = r#"{"path":"later","commit":"c","blob":"b","added":1,"removed":null}"#;
    test.append(gesta::Event::new(gesta::EventType::new("FileAdded").unwrap()).json(later));
    let third = fold::fold(&test.store, &database).unwrap();
    assert_eq!((third.from, third.to), (Position(17_563), Position(17_564)));
    let answers = Answers::open(&database).unwrap();
    assert!(answers.summary().unwrap().starts_with("1271 files\n"));
}

#[test]
fn the_command_line_is_read_strictly() {
    let parse = |words: &str| Options::parse(words.split_whitespace().map(OsString::from));
    let path = |text: &str| Some(PathBuf::from(text));
    let all = parse("--tree t store --chart c --database d --history h").unwrap();
    let expected =
        Options { store: path("store"), history: path("h"), database: path("d"), tree: path("t"), chart: path("c") };
    assert_eq!(all, expected);
    assert_eq!(parse("").unwrap(), Options::default());
    for (words, said) in [
        ("--chat c", "there is no option --chat"),
        ("store --chart", "--chart needs a value"),
        ("store other", "other is one too many"),
        ("--tree a --tree b", "--tree is one too many"),
    ] {
        let error = parse(words).unwrap_err();
        let (first, usage) = error.split_once('\n').unwrap();
        assert_eq!((first, usage.starts_with("usage: repository ")), (said, true), "{error}");
    }
}
