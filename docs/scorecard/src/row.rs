//! The faults, as rows.toml has them.

use serde::Deserialize;
use std::collections::BTreeSet;
use thiserror::Error;

/// A fault or a bad input.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Row {
    /// Its number, from 1 on.
    pub(crate) number: u32,
    /// What is provoked.
    pub(crate) fault: String,
    /// What is to come of it.
    pub(crate) expected: String,
    /// What a row whose tests pass counts as.
    pub(crate) verdict: Option<Expected>,
    /// The tests that provoke it, each as `package target name`: the target is `lib`, a binary's or a test file's name.
    #[serde(default)]
    pub(crate) tests: Vec<String>,
    /// Why no test provokes all of it.
    #[serde(default)]
    pub(crate) missing: String,
}

/// What a row whose tests pass counts as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(crate) enum Expected {
    /// Nothing that was acknowledged is lost, and service goes on.
    #[serde(rename = "S")]
    Survived,
    /// It is refused loudly, and nothing is lost.
    #[serde(rename = "R")]
    Refused,
}

/// A test, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TestName<'r> {
    pub(crate) package: &'r str,
    pub(crate) target: &'r str,
    pub(crate) name: &'r str,
}

/// Why the rows cannot be read.
#[derive(Debug, Error)]
pub(crate) enum RowsError {
    /// The file is not as it should be.
    #[error("rows.toml: {0}")]
    Format(#[from] toml::de::Error),
    /// A row contradicts itself.
    #[error("rows.toml, row {number}: {what}")]
    Row {
        /// Which one.
        number: u32,
        /// What is wrong.
        what: &'static str,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rows {
    row: Vec<Row>,
}

/// All rows, in their order.
pub(crate) fn all() -> Result<Vec<Row>, RowsError> {
    read(include_str!("../rows.toml"))
}

fn read(text: &str) -> Result<Vec<Row>, RowsError> {
    let Rows { row: rows } = toml::from_str(text)?;
    for (row, number) in rows.iter().zip(1..) {
        row.check(number).map_err(|what| RowsError::Row { number: row.number, what })?;
    }
    Ok(rows)
}

impl Row {
    fn check(&self, number: u32) -> Result<(), &'static str> {
        if self.number != number {
            return Err("rows are numbered from 1 on, in their order");
        }
        let names: BTreeSet<_> = self.tests.iter().map(|test| test_name(test)).collect();
        if names.contains(&None) || names.len() < self.tests.len() {
            return Err("a test is `package target name`, and named once");
        }
        match (self.verdict, self.tests.is_empty(), self.missing.is_empty()) {
            (Some(_), true, _) => Err("a verdict comes of tests"),
            (None, _, true) => Err("without a verdict it says what is missing"),
            (Some(_), _, false) => Err("what has a verdict misses nothing"),
            _ => Ok(()),
        }
    }

    /// Its tests.
    pub(crate) fn tests(&self) -> impl Iterator<Item = TestName<'_>> {
        self.tests.iter().filter_map(|test| test_name(test))
    }
}

fn test_name(test: &str) -> Option<TestName<'_>> {
    let mut parts = test.split_ascii_whitespace();
    let name = TestName { package: parts.next()?, target: parts.next()?, name: parts.next()? };
    parts.next().is_none().then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rows_of_this_repository_are_whole() {
        assert_eq!(all().unwrap().len(), 72);
    }

    #[test]
    fn a_row_that_contradicts_itself_is_refused() {
        let row = |rest: &str| read(&format!("[[row]]\nnumber = 1\nfault = 'a'\nexpected = 'b'\n{rest}"));
        row("verdict = 'S'\ntests = ['gesta store a::b']").unwrap();
        row("missing = 'a rig'").unwrap();
        for wrong in [
            "",
            "verdict = 'S'",
            "verdict = 'X'\ntests = ['gesta store a::b']",
            "verdict = 'R'\ntests = ['gesta store a::b']\nmissing = 'half of it'",
            "verdict = 'R'\ntests = ['a::b']",
            "verdict = 'R'\ntests = ['gesta store a::b', 'gesta store  a::b']",
            "missing = 'a rig'\nnote = 'b'",
        ] {
            assert!(row(wrong).is_err(), "{wrong}");
        }
        let second = "[[row]]\nnumber = 2\nfault = 'a'\nexpected = 'b'\nmissing = 'c'";
        assert!(matches!(read(second), Err(RowsError::Row { number: 2, .. })));
    }
}
