//! Changes of shape, noticed and unnoticed.

use super::*;
use crate::{Labels, OldEvent};
use serde_json::json;

#[derive(Serialize, Deserialize)]
enum Before {
    Opened { owner: String },
    Closed,
}

impl DomainEvent for Before {}

fn before() -> [Before; 2] {
    [Before::Opened { owner: "ada".to_owned() }, Before::Closed]
}

/// A golden file that knows the shapes of [`Before`].
fn file_of_before(directory: &tempfile::TempDir) -> PathBuf {
    let file = directory.path().join("events.golden");
    check_golden_file(&file, &before(), true).unwrap();
    file
}

#[derive(Serialize, Deserialize)]
enum Silent {
    Opened { owner: String, limit: u32 },
    Closed,
}

impl DomainEvent for Silent {}

#[derive(Serialize, Deserialize)]
enum Numbered {
    Opened { owner: String, limit: u32 },
    Closed,
}

impl DomainEvent for Numbered {
    fn describe(&self, _: &mut Labels) {}

    fn schema(event_type: &str) -> u32 {
        if event_type == "Opened" { 2 } else { 1 }
    }

    fn upcast(old: &mut OldEvent) -> Result<(), String> {
        old.data["limit"] = json!(100);
        Ok(())
    }
}

#[test]
fn a_new_shape_is_asked_for_once_and_then_remembered() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("events.golden");
    let refused = check_golden_file(&file, &before(), false).unwrap_err();
    assert!(matches!(&refused, GoldenError::New { event_type, schema: 1, .. } if event_type == "Opened"), "{refused}");
    assert!(!file.exists());
    check_golden_file(&file, &before(), true).unwrap();
    check_golden_file(&file, &before(), false).unwrap();
    let text = fs::read_to_string(&file).unwrap();
    assert_eq!(
        text,
        "{\"type\":\"Closed\",\"schema\":1,\"data\":null}\n{\"type\":\"Opened\",\"schema\":1,\"data\":{\"owner\":\"ada\"}}\n"
    );
}

#[test]
fn a_shape_that_changes_under_its_number_fails_the_check() {
    let directory = tempfile::tempdir().unwrap();
    let file = file_of_before(&directory);
    let samples = [Silent::Opened { owner: "ada".to_owned(), limit: 7 }, Silent::Closed];
    let refused = check_golden_file(&file, &samples, true).unwrap_err();
    // The old sample cannot be read into the new shape: that is noticed first.
    assert!(
        matches!(&refused, GoldenError::Unreadable { event_type, schema: 1, .. } if event_type == "Opened"),
        "{refused}"
    );
}

#[derive(Serialize, Deserialize)]
enum Lenient {
    Opened {
        owner: String,
        #[serde(default)]
        limit: u32,
    },
    Closed,
}

impl DomainEvent for Lenient {}

#[test]
fn a_shape_that_only_grows_fails_the_check_as_well() {
    let directory = tempfile::tempdir().unwrap();
    let file = file_of_before(&directory);
    let samples = [Lenient::Opened { owner: "ada".to_owned(), limit: 7 }, Lenient::Closed];
    let refused = check_golden_file(&file, &samples, false).unwrap_err();
    assert!(matches!(&refused, GoldenError::Changed { schema: 1, .. }), "{refused}");
    assert!(refused.to_string().contains("raise its number"), "{refused}");
}

#[test]
fn a_new_number_with_its_step_passes_and_keeps_the_old_sample() {
    let directory = tempfile::tempdir().unwrap();
    let file = file_of_before(&directory);
    let samples = [Numbered::Opened { owner: "ada".to_owned(), limit: 7 }, Numbered::Closed];
    check_golden_file(&file, &samples, true).unwrap();
    assert_eq!(fs::read_to_string(&file).unwrap().lines().count(), 3);
    // Going back to the program that does not know the new number is noticed too.
    let refused = check_golden_file(&file, &before(), false).unwrap_err();
    let is_newer =
        matches!(&refused, GoldenError::Unreadable { failure: DecodeFailure::NewerSchema { found: 2, known: 1 }, .. });
    assert!(is_newer, "{refused}");
}

#[test]
fn a_type_without_a_sample_and_a_broken_line_are_named() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("events.golden");
    let refused = check_golden_file(&file, &before()[1..], true).unwrap_err();
    assert!(matches!(&refused, GoldenError::NoSample { event_type } if event_type == "Opened"), "{refused}");
    fs::write(&file, "{}\n").unwrap();
    let refused = check_golden_file(&file, &before(), false).unwrap_err();
    assert!(matches!(&refused, GoldenError::Line { line: 1, .. }), "{refused}");
}

#[test]
fn kinds_count_and_what_is_absent_may_be_anything() {
    assert!(is_alike(&json!({"a": 1, "b": [{"c": "x"}]}), &json!({"b": [{"c": "y"}, {"c": "z"}], "a": 2})));
    assert!(is_alike(&json!({"a": null, "b": []}), &json!({"b": [1], "a": "x"})));
    assert!(!is_alike(&json!({"a": 1}), &json!({"a": "1"})));
    assert!(!is_alike(&json!({"a": 1}), &json!({"b": 1})));
    assert!(!is_alike(&json!([1]), &json!(["x"])));
}
