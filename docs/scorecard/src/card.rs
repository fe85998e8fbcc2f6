//! What all rows have come to.

use crate::row::Row;
use crate::trial::{Judged, Verdict};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// What all rows have come to, so far.
#[derive(Debug)]
pub(crate) struct Card {
    is_json: bool,
    lines: Vec<Line>,
}

/// A row and what it has come to.
#[derive(Debug, Serialize)]
struct Line {
    row: u32,
    fault: String,
    expected: String,
    verdict: &'static str,
    note: String,
    seconds: f64,
    shared_with: BTreeSet<u32>,
}

#[derive(Serialize)]
struct Sum {
    standing: usize,
    rows: usize,
    failed: usize,
    skipped: usize,
    not_automated: usize,
}

const SURVIVED: &str = "S";
const REFUSED: &str = "R";
const FAILED: &str = "X";
const SKIPPED: &str = "skipped";
const NOT_AUTOMATED: &str = "-";

impl Card {
    pub(crate) fn new(is_json: bool) -> Self {
        Self { is_json, lines: Vec::new() }
    }

    /// Puts down a row, and prints it.
    pub(crate) fn add(&mut self, row: &Row, judged: Judged) {
        let (verdict, note) = match judged.verdict {
            Verdict::Survived => (SURVIVED, String::new()),
            Verdict::Refused => (REFUSED, String::new()),
            Verdict::Failed(why) => (FAILED, why),
            Verdict::Skipped(why) => (SKIPPED, why),
            Verdict::NotAutomated(why) => (NOT_AUTOMATED, why),
        };
        let line = Line {
            row: row.number,
            fault: row.fault.clone(),
            expected: row.expected.clone(),
            verdict,
            note,
            seconds: judged.took.as_secs_f64(),
            shared_with: judged.shared_with,
        };
        if self.is_json {
            println!("{}", serde_json::to_string(&line).expect("a line is JSON"));
        } else {
            println!("{}", line.text());
        }
        self.lines.push(line);
    }

    /// Prints the sum.
    pub(crate) fn finish(&self) {
        let sum = self.sum();
        if self.is_json {
            println!("{}", serde_json::to_string(&sum).expect("a sum is JSON"));
        } else {
            println!("{}", sum.text());
        }
    }

    /// Whether a test of a row failed.
    pub(crate) fn has_failed(&self) -> bool {
        self.count(FAILED) > 0
    }

    /// The rows that stood before and do not any more. What only this machine lacks is not worse.
    pub(crate) fn worse_than(&self, before: &BTreeMap<u32, String>) -> Vec<u32> {
        let stood =
            |line: &&Line| before.get(&line.row).is_some_and(|verdict| [SURVIVED, REFUSED].contains(&&**verdict));
        let falls = |line: &&Line| [FAILED, NOT_AUTOMATED].contains(&line.verdict);
        self.lines.iter().filter(stood).filter(falls).map(|line| line.row).collect()
    }

    /// The page of the card, as of a commit and a day.
    pub(crate) fn page(&self, is_quick: bool, as_of: &str) -> String {
        let (quick, rounds) = match is_quick {
            true => {
                (" --quick", "With as many rounds as the tests have by themselves; before a release there are more.")
            }
            false => ("", "With as many rounds as before a release."),
        };
        let mut page = format!(
            "# The score-card\n\nWhat `cargo run --bin scorecard --{quick} --write docs/SCORECARD.md` found, as root, at \
             {as_of}.\n{rounds}\n\n**S**: nothing that was acknowledged is lost, and service goes on. **R**: it is refused loudly, and \
             nothing is lost.\n**X**: a test of it fails. **-**: no test provokes it, or not all of it. The tests of a row are in \
             [rows.toml](scorecard/rows.toml).\n\n"
        );
        let _ = writeln!(page, "{}\n\n| row | fault | expected | | |\n|---|---|---|---|---|", self.sum().text());
        for Line { row, fault, expected, verdict, note, .. } in &self.lines {
            let _ = writeln!(page, "| {row} | {} | {} | {verdict} | {} |", cell(fault), cell(expected), cell(note));
        }
        page
    }

    fn count(&self, verdict: &str) -> usize {
        self.lines.iter().filter(|line| line.verdict == verdict).count()
    }

    fn sum(&self) -> Sum {
        Sum {
            standing: self.count(SURVIVED) + self.count(REFUSED),
            rows: self.lines.len(),
            failed: self.count(FAILED),
            skipped: self.count(SKIPPED),
            not_automated: self.count(NOT_AUTOMATED),
        }
    }
}

impl Line {
    fn text(&self) -> String {
        let Self { row, fault, verdict, note, seconds, shared_with, .. } = self;
        let note = if note.is_empty() { String::new() } else { format!(": {note}") };
        let shared = match &shared_with.iter().map(u32::to_string).collect::<Vec<_>>()[..] {
            [] => String::new(),
            [other] => format!(" (tests that it shares with row {other} ran there)"),
            others => format!(" (tests that it shares with rows {} ran there)", others.join(", ")),
        };
        format!("{row:>2}  {verdict:<7}  {seconds:>6.1} s  {fault}{note}{shared}")
    }
}

impl Sum {
    fn text(&self) -> String {
        let Self { standing, rows, failed, skipped, not_automated } = self;
        format!("{standing} of {rows} S/R, {failed} X, {skipped} skipped, {not_automated} not automated")
    }
}

/// Text within a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

/// The verdicts of a page that was written before.
pub(crate) fn verdicts_of(file: &Path) -> Result<BTreeMap<u32, String>, String> {
    let page = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let verdicts: BTreeMap<_, _> = page.lines().filter_map(verdict_of).collect();
    if verdicts.is_empty() { Err(format!("{}: there are no rows", file.display())) } else { Ok(verdicts) }
}

fn verdict_of(line: &str) -> Option<(u32, String)> {
    let cells: Vec<_> = line.strip_prefix("| ")?.split(" | ").collect();
    let [row, .., verdict, _] = &cells[..] else { return None };
    Some((row.parse().ok()?, (*verdict).to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn card(verdicts: Vec<Verdict>) -> Card {
        let mut card = Card::new(true);
        for (verdict, number) in verdicts.into_iter().zip(1..) {
            let row = Row {
                number,
                fault: "a | b".to_owned(),
                expected: "c".to_owned(),
                verdict: None,
                tests: Vec::new(),
                missing: "d".to_owned(),
            };
            card.add(&row, Judged { verdict, took: Duration::ZERO, shared_with: BTreeSet::new() });
        }
        card
    }

    #[test]
    fn a_row_that_stood_and_stands_no_more_is_worse() {
        let before = card(vec![
            Verdict::Survived,
            Verdict::Refused,
            Verdict::Survived,
            Verdict::NotAutomated("a rig".to_owned()),
        ]);
        let page = before.page(true, "commit 0");
        let verdicts: BTreeMap<_, _> = page.lines().filter_map(verdict_of).collect();
        assert_eq!(verdicts.values().collect::<Vec<_>>(), ["S", "R", "S", "-"]);
        let failed = || Verdict::Failed("lost".to_owned());
        let after = card(vec![
            failed(),
            Verdict::NotAutomated("gone".to_owned()),
            Verdict::Skipped("root".to_owned()),
            failed(),
        ]);
        assert_eq!(after.worse_than(&verdicts), [1, 2]);
        assert_eq!(after.sum().text(), "0 of 4 S/R, 2 X, 1 skipped, 1 not automated");
        assert!(after.has_failed() && !before.has_failed());
        assert_eq!(before.worse_than(&verdicts), [0_u32; 0]);
    }

    #[test]
    fn a_row_says_where_the_tests_ran_that_it_shares() {
        let text = |others: &[u32]| {
            let mut card = card(vec![Verdict::Survived]);
            card.lines[0].shared_with = others.iter().copied().collect();
            card.lines[0].text()
        };
        assert_eq!(text(&[]), " 1  S           0.0 s  a | b");
        assert_eq!(text(&[1]), " 1  S           0.0 s  a | b (tests that it shares with row 1 ran there)");
        assert_eq!(text(&[1, 2]), " 1  S           0.0 s  a | b (tests that it shares with rows 1, 2 ran there)");
    }
}
