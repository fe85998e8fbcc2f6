//! The files of the index: deleted, damaged or swapped, they cost no answer, `index verify` names them and `index rebuild`
//! makes them anew.

use crate::shared_data::imported;
use crate::support::{Place, contents};
use gesta::{AppendRequest, Event, EventType, Options, Read, Reader, Record, Store, StreamName, Tag};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// The event of a record, to be appended elsewhere.
fn event(record: &Record<'_>) -> Event {
    let event = Event::new(EventType::new(record.event_type()).unwrap()).id(record.id());
    let event = record.stream().into_iter().fold(event, |event, name| event.stream(StreamName::new(name).unwrap()));
    let event = record.time().into_iter().fold(event, Event::time);
    let event = record.tags().fold(event, |event, tag| event.tag(Tag::new(tag).unwrap()));
    event.json(record.data().bytes())
}

/// The real history in many small segments, so that there are index files and summaries of several levels; all whole.
pub(crate) fn many_segments() -> Option<Place> {
    let (imported, place) = (imported()?, Place::new());
    let options = Options { first_segment_bytes: 96 << 10, segment_bytes_max: 96 << 10, ..Options::default() };
    let store = Store::open(place.store(), options).unwrap();
    let reader = Reader::open(imported.store()).unwrap();
    let mut cursor = reader.read(Read::all());
    let mut events = Vec::new();
    while let Some(record) = cursor.next_record() {
        events.push(event(&record.unwrap()));
        if events.len() == 50 {
            store.append(AppendRequest::new().events(std::mem::take(&mut events))).unwrap();
        }
    }
    store.append(AppendRequest::new().events(events)).unwrap();
    store.close().unwrap();
    assert_eq!(place.run(&["index", "rebuild", "--json"]).json()["ok"], json!(true));
    Some(place)
}

/// The files that are derived from the log.
fn index_files(place: &Place) -> Vec<PathBuf> {
    let is_index = |path: &Path| path.extension().is_some_and(|extension| extension == "idx" || extension == "sum");
    contents(&place.store()).into_iter().map(|(path, _)| path).filter(|path| is_index(path)).collect()
}

/// What is done to the file of a number among all of them.
type Mischief = fn(usize, &[PathBuf]);

/// The answers that the index has a part in.
fn answers(place: &Place) -> Vec<String> {
    let questions: [&[&str]; 8] = [
        &["read", "--json", "--query", "type=FileRenamed"],
        &["read", "--json", "--query", "type=FileRenamed tag=dir:openraft", "--backwards"],
        &["read", "--json", "--query", "tag=dir:openraft", "--from", "9000", "--limit", "500"],
        &["read", "--json", "--query", "tag=no:where | stream=file-Cargo.toml"],
        &["read", "--json", "--stream", "file-Cargo.toml", "--from", "40"],
        &["read", "--json", "--stream", "file-Cargo.toml", "--backwards", "--limit", "3"],
        &["streams", "--json"],
        &["tags", "--json"],
    ];
    questions.iter().map(|question| place.run(question).ok().stdout).collect()
}

#[test]
fn what_becomes_of_index_files_costs_no_answer_and_is_mended() {
    let Some(place) = many_segments() else { return };
    let (whole, files) = (answers(&place), index_files(&place));
    let summary_count = files.iter().filter(|file| file.extension().unwrap() == "sum").count();
    assert!(files.len() > 64 && summary_count > 8, "{} files, {summary_count} summaries", files.len());
    let mischiefs: [(&str, Mischief); 5] = [
        ("deleted", |number, files| std::fs::remove_file(&files[number]).unwrap()),
        ("a bit flipped", |number, files| {
            let mut bytes = std::fs::read(&files[number]).unwrap();
            // All over: some in the header page, some in the last block.
            let at = number * 7919 % bytes.len();
            bytes[at] ^= 1 << (number % 8);
            std::fs::write(&files[number], bytes).unwrap();
        }),
        ("cut", |number, files| {
            let mut bytes = std::fs::read(&files[number]).unwrap();
            bytes.truncate(bytes.len() / 4 * (number % 4));
            std::fs::write(&files[number], bytes).unwrap();
        }),
        ("zeroed", |number, files| {
            let length = std::fs::metadata(&files[number]).unwrap().len();
            std::fs::write(&files[number], vec![0; usize::try_from(length).unwrap()]).unwrap();
        }),
        ("of another segment", |number, files| {
            std::fs::copy(&files[2], &files[number]).unwrap();
        }),
    ];
    for (mischief, make) in mischiefs {
        // Every third file stays whole.
        let hit: Vec<usize> = (0..files.len()).filter(|number| number % 3 != 2).collect();
        hit.iter().for_each(|number| make(*number, &files));
        assert!(answers(&place) == whole, "{mischief}");
        let run = place.run(&["index", "verify", "--json"]);
        assert_eq!((run.status, run.stderr.as_str()), (1, ""), "{mischief}");
        let report = run.value();
        let named = report["damage"].as_array().unwrap().iter().map(|fault| fault["file"].as_str().unwrap());
        let hit = hit.iter().map(|number| files[*number].to_str().unwrap());
        assert!(named.eq(hit), "{mischief}: {report}");

        assert_mends(&place, &files);
    }
    assert!(answers(&place) == whole, "mended");
}

/// Rebuilds the index and demands that all files are there and whole.
fn assert_mends(place: &Place, files: &[PathBuf]) {
    let rebuilt = place.run(&["index", "rebuild", "--json"]).json();
    assert_eq!((&rebuilt["ok"], &rebuilt["files"]), (&json!(true), &json!(files.len())));
    assert_eq!(index_files(place), files);
    assert_eq!(place.run(&["index", "verify", "--json"]).json(), rebuilt);
}

#[test]
fn people_are_told_that_nothing_is_lost_and_what_to_do() {
    let Some(place) = imported() else { return };
    let file = place.store().join("0000000001-0000.idx");
    let size = indicatif::HumanBytes(std::fs::metadata(&file).unwrap().len());
    let good = format!("1 index file ({size}), every byte as it was written\n");
    assert_eq!(place.run(&["index", "verify"]).ok().stdout, good);

    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x10;
    std::fs::write(&file, bytes).unwrap();
    let advice = "no event is lost and every answer is the same, only slower: 'gesta index rebuild' makes them anew";
    let path = file.display();
    let run = place.run(&["index", "verify"]);
    assert_eq!((run.status, run.stderr.as_str()), (1, ""));
    let (first, last) = run.stdout.trim_end().split_once('\n').unwrap();
    assert!(first.starts_with(&format!("{path}: ")) && first.contains("checksum"), "{first}");
    assert_eq!(last, format!("0 index files whole, 1 damaged or missing: {advice}"));

    std::fs::remove_file(&file).unwrap();
    let run = place.run(&["index", "verify"]);
    assert_eq!(run.stdout, format!("{path}: missing\n0 index files whole, 1 damaged or missing: {advice}\n"));
    assert_eq!(run.status, 1);
    std::fs::write(&file, b"notes").unwrap();
    let run = place.run(&["index", "verify"]);
    assert!(run.status == 1 && run.stdout.starts_with(&format!("{path}: damaged at its beginning")), "{run:?}");

    let run = place.run(&["index", "rebuild"]).ok();
    assert_eq!(run.stdout, format!("1 index file ({size}), made anew from the log\n"));
    assert_eq!(place.run(&["index", "verify"]).ok().stdout, good);
}

#[test]
fn a_store_whose_first_segment_is_not_full_has_no_index_files() {
    let place = Place::new();
    place.append(&[]);
    for verb in ["verify", "rebuild"] {
        let run = place.run(&["index", verb]).ok();
        assert!(run.stdout.starts_with("no index files: the first is written when"), "{run:?}");
        let report = place.run(&["index", verb, "--json"]).ok();
        assert_eq!(report.stdout, "{\"ok\":true,\"files\":0,\"bytes\":0,\"damage\":[]}\n");
    }
    assert_eq!(index_files(&place), [] as [PathBuf; 0]);
}

#[test]
fn a_file_that_cannot_be_made_is_told_and_nothing_is_lost() {
    let Some(place) = imported() else { return };
    let file = place.store().join("0000000001-0000.idx");
    std::fs::remove_file(&file).unwrap();
    // A folder stands where the file is to be.
    std::fs::create_dir(&file).unwrap();
    std::fs::write(file.join("keep"), "").unwrap();
    let run = place.run(&["index", "rebuild"]);
    assert!(run.failure(5).contains("cannot make the index files anew") && run.stderr.contains("no event is lost"));
    assert_eq!(place.run(&["index", "rebuild", "--json"]).error(5).0, "index");
    assert_eq!(place.run(&["export"]).ok().stdout.lines().count(), 17563);
    std::fs::remove_dir_all(&file).unwrap();
    assert_mends(&place, &[file]);
}

#[test]
fn stats_count_every_byte_of_the_directory_index_files_included() {
    let Some(place) = many_segments() else { return };
    let stats = |place: &Place| place.run(&["stats", "--json"]).json()["store_bytes"].take();
    let bytes_of = |files: &[PathBuf]| files.iter().map(|file| std::fs::metadata(file).unwrap().len()).sum::<u64>();
    let assert_true = |stats: &Value| {
        let all: u64 = contents(&place.store()).iter().map(|(_, content)| content.len() as u64).sum();
        let part = |key: &str| stats[key].as_u64().unwrap();
        assert_eq!((part("total"), part("index")), (all, bytes_of(&index_files(&place))));
        assert_eq!(part("log") + part("index") + part("snapshots") + part("reserved"), all);
    };
    let whole = stats(&place);
    assert_true(&whole);
    let index = Reader::open(place.store()).unwrap().statistics().unwrap().index_bytes;
    assert_eq!(whole["index"], json!(index), "the engine counts the same");

    // A damaged file takes room as well.
    let files = index_files(&place);
    std::fs::write(&files[0], b"notes").unwrap();
    std::fs::remove_file(&files[1]).unwrap();
    let damaged = stats(&place);
    assert_true(&damaged);
    assert_eq!((&damaged["log"], &damaged["reserved"]), (&whole["log"], &whole["reserved"]));
    let people = place.run(&["stats"]).ok().stdout;
    let index = indicatif::HumanBytes(damaged["index"].as_u64().unwrap());
    assert!(people.contains(&format!("\nindex        {index}\n")), "{people}");
}
