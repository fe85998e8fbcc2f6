//! Any text is a query or an error that points into it; the text of a query reads back as that query.
#![no_main]

use gesta_model::Query;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| match text.parse::<Query>() {
    Ok(query) => {
        let written = query.to_string();
        assert!(!written.contains(char::is_control), "{written:?}");
        assert_eq!(written.parse(), Ok(query));
    }
    Err(error) => assert!((1..=text.chars().count() + 1).contains(&error.column), "{error}"),
});
