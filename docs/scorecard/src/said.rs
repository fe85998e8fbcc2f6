//! What tests said when `cargo test` ran them, as `.ci/record` keeps it.
//!
//! What must stay true: a test counts as run only when its binary passed as a whole and was not built again since.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The lines of `.ci/record` before and after what a test binary says; the second only when the binary has passed.
const BEGAN: &str = ".ci/record: began ";
const PASSED: &str = ".ci/record: passed ";

/// What tests have come to that ran before.
#[derive(Debug, Default)]
pub(crate) struct Said {
    passed: HashMap<PathBuf, Binary>,
}

/// What the tests of a binary have come to.
#[derive(Debug, Default)]
struct Binary {
    tests: HashSet<String>,
    skipped: HashMap<String, String>,
}

/// How a test ended that ran before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Earlier<'s> {
    /// It passed.
    Passed,
    /// It skipped itself, and said why.
    Skipped(&'s str),
}

impl Said {
    /// Reads what was kept, and leaves out what was built again since.
    pub(crate) fn read(file: &Path) -> io::Result<Self> {
        let kept = fs::metadata(file)?.modified()?;
        let built = |program: &Path| fs::metadata(program).and_then(|metadata| metadata.modified());
        let mut said = Self::of(&String::from_utf8_lossy(&fs::read(file)?));
        said.passed.retain(|program, _| built(program).is_ok_and(|built| built <= kept));
        Ok(said)
    }

    fn of(text: &str) -> Self {
        let mut said = Self::default();
        let (mut binary, mut speaking) = (Binary::default(), None);
        for line in text.lines() {
            if line.starts_with(BEGAN) {
                (binary, speaking) = (Binary::default(), None);
            } else if let Some(program) = line.strip_prefix(PASSED) {
                said.passed.insert(program.into(), std::mem::take(&mut binary));
            } else if let Some(test) = line.strip_prefix("---- ").and_then(|line| line.strip_suffix(" stdout ----")) {
                speaking = Some(test);
            } else if let (Some(test), Some((_, why))) = (speaking, line.split_once("skipped: ")) {
                binary.skipped.insert(test.to_owned(), why.to_owned());
            } else if let Some(test) = line.strip_prefix("test ").and_then(|line| line.strip_suffix(" ... ok")) {
                binary.tests.insert(test.trim_end_matches(" - should panic").to_owned());
            }
        }
        said
    }

    /// How a test of a binary ended; `None` when it did not run.
    pub(crate) fn of_test(&self, program: &Path, name: &str) -> Option<Earlier<'_>> {
        let binary = self.passed.get(program)?;
        let skipped = binary.skipped.get(name).map(|why| Earlier::Skipped(why));
        binary.tests.contains(name).then(|| skipped.unwrap_or(Earlier::Passed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEPT: &str = "\
.ci/record: began /t/a
running 3 tests
test one ... ok
test deep::two ... ok
test three - should panic ... ok
test four ... ignored
successes:
---- deep::two stdout ----
all is skipped: no disk
---- one stdout ----
a line
test result: ok. 3 passed; 0 failed
.ci/record: passed /t/a
.ci/record: began /t/b
test one ... ok
test two ... FAILED
";

    #[test]
    fn a_test_counts_when_its_binary_passed() {
        let said = Said::of(KEPT);
        let of = |program: &str, name| said.of_test(Path::new(program), name);
        assert_eq!(of("/t/a", "one"), Some(Earlier::Passed));
        assert_eq!(of("/t/a", "three"), Some(Earlier::Passed));
        assert_eq!(of("/t/a", "deep::two"), Some(Earlier::Skipped("no disk")));
        assert_eq!([of("/t/a", "four"), of("/t/a", "two"), of("/t/b", "one"), of("/t/c", "one")], [None; 4]);
    }

    #[test]
    fn what_was_built_again_since_does_not_count() {
        let directory = std::env::temp_dir().join(format!("gesta-scorecard-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        let (kept, program) = (directory.join("kept"), directory.join("a"));
        fs::write(&program, "").unwrap();
        fs::write(&kept, KEPT.replace("/t/a", &program.display().to_string())).unwrap();
        let before = Said::read(&kept).unwrap();
        let built = fs::metadata(&kept).unwrap().modified().unwrap() + std::time::Duration::from_secs(1);
        fs::File::options().append(true).open(&program).unwrap().set_modified(built).unwrap();
        let after = Said::read(&kept).unwrap();
        fs::remove_dir_all(&directory).unwrap();
        assert_eq!(before.of_test(&program, "one"), Some(Earlier::Passed));
        assert_eq!(after.of_test(&program, "one"), None);
    }
}
