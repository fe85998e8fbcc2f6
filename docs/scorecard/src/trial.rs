//! The tests of a row, and what comes of them.

use crate::build::{Binaries, Binary};
use crate::row::{Expected, Row, TestName};
use crate::said::{Earlier, Said};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// What a row comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// S: nothing that was acknowledged is lost, and service goes on.
    Survived,
    /// R: it is refused loudly, and nothing is lost.
    Refused,
    /// X: a test of it fails.
    Failed(String),
    /// The machine lacks something.
    Skipped(String),
    /// No test provokes it, or not all of it.
    NotAutomated(String),
}

/// What came of a row, and how long it took.
#[derive(Debug)]
pub(crate) struct Judged {
    pub(crate) verdict: Verdict,
    pub(crate) took: Duration,
    /// The rows for which tests of this one have run.
    pub(crate) shared_with: BTreeSet<u32>,
}

/// Rounds before a release, for tests that take them from the environment.
const ROUNDS: [(&str, &str); 6] = [
    ("GESTA_KILLS", "1000"),
    ("GESTA_POWER_CUTS", "500"),
    ("GESTA_BLOCK_IMAGES", "300"),
    ("GESTA_ALL_BITS", "1"),
    ("GESTA_HOLD_UP_MS", "30000"),
    ("GESTA_HANG_MS", "60000"),
];

/// The trials of one run. A test that passed for a row does not run again for another: its binary, its rounds and its
/// environment would be the same.
#[derive(Debug)]
pub(crate) struct Trials<'r> {
    binaries: &'r Binaries,
    said: &'r Said,
    is_quick: bool,
    /// The tests that have passed, and the rows that they ran for.
    passed: BTreeMap<TestName<'r>, u32>,
}

enum Outcome {
    Passed,
    Skipped(String),
    Failed(String),
}

impl<'r> Trials<'r> {
    pub(crate) fn new(binaries: &'r Binaries, said: &'r Said, is_quick: bool) -> Self {
        Self { binaries, said, is_quick, passed: BTreeMap::new() }
    }

    /// Runs the tests of a row. One whose verdict is still out has its tests run as well: they may fail.
    /// One that ran before is asked for what it said then.
    pub(crate) fn judge(&mut self, row: &'r Row) -> Judged {
        let began = Instant::now();
        let mut groups: BTreeMap<(&str, &str), Vec<TestName<'r>>> = BTreeMap::new();
        let mut shared_with = BTreeSet::new();
        for test in row.tests() {
            match self.passed.get(&test) {
                Some(other) => _ = shared_with.insert(*other),
                None => groups.entry((test.package, test.target)).or_default().push(test),
            }
        }
        let mut verdict = match row.verdict {
            Some(Expected::Survived) => Verdict::Survived,
            Some(Expected::Refused) => Verdict::Refused,
            None => Verdict::NotAutomated(row.missing.clone()),
        };
        for tests in groups.values() {
            match self.outcome_of(tests, row.number) {
                Outcome::Passed => {}
                Outcome::Skipped(why) if row.verdict.is_some() => verdict = Verdict::Skipped(why),
                Outcome::Skipped(_) => {}
                Outcome::Failed(why) => {
                    verdict = Verdict::Failed(why);
                    break;
                }
            }
        }
        Judged { verdict, took: began.elapsed(), shared_with }
    }

    /// What tests of one binary come to, now or before.
    fn outcome_of(&mut self, tests: &[TestName<'r>], row: u32) -> Outcome {
        let Some(binary) = tests.first().and_then(|test| self.binaries.of(*test)) else {
            let names: Vec<_> = tests.iter().map(|test| format!("{} {}", test.package, test.target)).collect();
            return Outcome::Failed(format!("there is no test binary {}", names.join(", ")));
        };
        let (mut others, mut outcome) = (Vec::new(), Outcome::Passed);
        for test in tests {
            match self.said.of_test(&binary.program, test.name) {
                None => others.push(*test),
                Some(Earlier::Passed) => {}
                Some(Earlier::Skipped(why)) => outcome = Outcome::Skipped(why.to_owned()),
            }
        }
        if others.is_empty() {
            return outcome;
        }
        match run(&others, binary, self.is_quick) {
            Outcome::Passed => {
                self.passed.extend(others.into_iter().map(|test| (test, row)));
                outcome
            }
            // Which of them it was is not known, so they run again for another row.
            of_others => of_others,
        }
    }
}

/// Runs tests of one binary.
fn run(tests: &[TestName<'_>], binary: &Binary, is_quick: bool) -> Outcome {
    let mut command = Command::new(&binary.program);
    command.args(["--exact", "--nocapture"]).args(tests.iter().map(|test| test.name));
    command.current_dir(&binary.directory).env("CARGO_MANIFEST_DIR", &binary.directory);
    // A test that lacks something is to skip itself and say so, not to fail.
    command.env_remove("CI");
    if !is_quick {
        command.envs(ROUNDS);
    }
    match command.output() {
        Ok(output) => {
            let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
            outcome(tests.len(), output.status.success(), &said)
        }
        Err(error) => Outcome::Failed(format!("{}: {error}", Path::new(&binary.program).display())),
    }
}

/// What tests have come to, by what they said.
fn outcome(test_count: usize, is_success: bool, said: &[String; 2]) -> Outcome {
    let lines = || said.iter().flat_map(|said| said.lines()).map(str::trim);
    if !is_success {
        let panic = lines().skip_while(|line| !line.contains("panicked at")).nth(1);
        return Outcome::Failed(panic.unwrap_or("a test failed").to_owned());
    }
    if !lines().any(|line| line.starts_with(&format!("test result: ok. {test_count} passed;"))) {
        return Outcome::Failed(format!("not all of its {test_count} tests are there: were they renamed?"));
    }
    // A test may say it in a line that the harness has begun.
    let skipped = lines().find_map(|line| line.split_once("skipped: ").map(|(_, why)| why));
    skipped.map_or(Outcome::Passed, |why| Outcome::Skipped(why.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    fn outcome_of(test_count: usize, is_success: bool, out: &str, error: &str) -> String {
        match outcome(test_count, is_success, &[out.to_owned(), error.to_owned()]) {
            Outcome::Passed => "passed".to_owned(),
            Outcome::Skipped(why) => format!("skipped {why}"),
            Outcome::Failed(why) => format!("failed {why}"),
        }
    }

    #[test]
    fn tests_count_only_when_all_of_them_ran_and_passed() {
        let passed = "test a ... ok\n\ntest result: ok. 2 passed; 0 failed; 0 ignored";
        assert_eq!(outcome_of(2, true, passed, ""), "passed");
        assert!(outcome_of(3, true, passed, "").starts_with("failed not all of its 3 tests"));
        assert!(outcome_of(12, true, passed, "").starts_with("failed not all of its 12 tests"));
        assert_eq!(outcome_of(2, true, passed, "skipped: needs root\n"), "skipped needs root");
        assert_eq!(
            outcome_of(2, true, &passed.replace("a ... ok", "a ... skipped: no disk\nok"), ""),
            "skipped no disk"
        );
        let panicked = "thread 'a' panicked at a.rs:7:5:\nleft is not right\nstack backtrace:";
        assert_eq!(outcome_of(2, false, "", panicked), "failed left is not right");
        assert_eq!(outcome_of(2, false, passed, ""), "failed a test failed");
    }

    /// A test binary that writes down which tests it is to run.
    const PROGRAM: &str = "\
#!/bin/sh
shift 2
echo \"$*\" >> ran
case \"$*\" in
    *fails*) exit 1 ;;
    *skips*) echo 'skipped: no disk' ;;
esac
echo \"test result: ok. $# passed; 0 failed\"
";

    fn row(number: u32, tests: &[&str]) -> Row {
        Row {
            number,
            fault: "a".to_owned(),
            expected: "b".to_owned(),
            verdict: Some(Expected::Survived),
            tests: tests.iter().map(|name| format!("gesta store {name}")).collect(),
            missing: String::new(),
        }
    }

    #[test]
    fn a_test_that_passed_does_not_run_again_for_another_row_and_any_other_does() {
        let directory = std::env::temp_dir().join(format!("gesta-scorecard-trials-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        let program = directory.join("program");
        fs::write(&program, PROGRAM).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let binaries = Binaries::of_one("gesta", "store", Binary { program, directory: directory.clone() });
        let rows = [
            row(1, &["cuts", "bits"]),
            row(2, &["cuts", "fails"]),
            row(3, &["bits", "skips"]),
            row(4, &["fails"]),
            row(5, &["skips"]),
            row(6, &["new"]),
            row(7, &["new", "cuts"]),
        ];
        let said = Said::default();
        let mut trials = Trials::new(&binaries, &said, true);
        let judged: Vec<_> = rows.iter().map(|row| trials.judge(row)).collect();
        let ran = fs::read_to_string(directory.join("ran")).unwrap();
        fs::remove_dir_all(&directory).unwrap();
        assert_eq!(ran.lines().collect::<Vec<_>>(), ["cuts bits", "fails", "skips", "fails", "skips", "new"]);
        let failed = || Verdict::Failed("a test failed".to_owned());
        let skipped = || Verdict::Skipped("no disk".to_owned());
        let verdicts: Vec<_> = judged.iter().map(|judged| judged.verdict.clone()).collect();
        let survived = || Verdict::Survived;
        assert_eq!(verdicts, [survived(), failed(), skipped(), failed(), skipped(), survived(), survived()]);
        let shared: Vec<Vec<u32>> = judged.iter().map(|judged| judged.shared_with.iter().copied().collect()).collect();
        assert_eq!(shared, [vec![], vec![1], vec![1], vec![], vec![], vec![], vec![1, 6]]);
    }
}
