//! `gesta demo` and `gesta import-git`: a repository that the test makes, with everything that is odd about files, and git
//! itself as the judge.

use crate::support::{Place, Run, finish};
use serde_json::{Value, json};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

/// A repository, and nothing of the tester's own settings.
struct Repository {
    place: Place,
}

impl Repository {
    fn new() -> Self {
        let repository = Self { place: Place::new() };
        std::fs::create_dir(repository.path("")).unwrap();
        repository.git(&["init", "--quiet", "--initial-branch=main"]);
        repository
    }

    fn path(&self, name: &str) -> PathBuf {
        self.place.path("repository").join(name)
    }

    fn write(&self, name: impl AsRef<OsStr>, content: &str) {
        let path = self.path("").join(Path::new(name.as_ref()));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    fn git(&self, arguments: &[&str]) -> String {
        let output = self.place.git().args(arguments).current_dir(self.path("")).output().unwrap();
        assert!(output.status.success(), "git {arguments:?}: {output:?}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn commit(&self, message: &str) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--allow-empty-message", "-m", message]);
    }

    /// The program, in a folder of the repository.
    fn run_in(&self, folder: &str, arguments: &[&str]) -> Run {
        finish(self.place.command(arguments).current_dir(self.path(folder)))
    }

    fn run(&self, arguments: &[&str]) -> Run {
        self.run_in("", arguments)
    }

    fn file_count(&self) -> usize {
        self.git(&["ls-tree", "-r", "-z", "HEAD"]).matches('\0').count()
    }

    /// Demands that the demo arrives at the tree that git lists.
    #[track_caller]
    fn assert_proven(&self) -> Value {
        let result = self.run(&["demo", "--json"]).json();
        let count = json!(self.file_count());
        assert_eq!((&result["matching"], &result["files"]), (&count, &count), "{result}");
        result
    }
}

/// A repository with every kind of change and file that git knows, submodules left out.
fn odd_repository() -> Repository {
    let repository = Repository::new();
    repository.write("plain", "one\ntwo\nthree\n");
    repository.write("gone", "will be deleted\n");
    repository.write("old name", "a text that is long enough\nto be known again\nafter it was renamed\n");
    repository.write("folder/deep/\u{e9}t\u{e9}", "accents\n");
    repository.write("\"quoted\" \\ name", "quotes\n");
    repository.write(" leading and trailing ", "spaces\n");
    repository.write("tab\tand\nline feed", "control\n");
    repository.write(OsStr::from_bytes(b"not-utf-8-\xff\xfe"), "bytes\n");
    repository.write(":colon", "begins like a line of git's own\n");
    repository.write("1\t2\tcounts", "looks like a count of lines\n");
    repository.write("-dash", "looks like an option\n");
    repository.write("empty", "");
    repository.write("binary", "\0\u{1}\0");
    repository.write("script", "#!/bin/sh\n");
    symlink("plain", repository.path("link")).unwrap();
    repository.commit("Add all sorts of files");
    repository.write("plain", "one\n2\nthree\n");
    std::fs::remove_file(repository.path("gone")).unwrap();
    repository.commit("Modify one\n\nand delete another");
    std::fs::rename(repository.path("old name"), repository.path("new name")).unwrap();
    std::fs::set_permissions(repository.path("script"), std::fs::Permissions::from_mode(0o755)).unwrap();
    repository.commit("Rename, and change a mode");
    std::fs::remove_file(repository.path("link")).unwrap();
    repository.write("link", "a file now\n");
    std::fs::remove_file(repository.path("empty")).unwrap();
    symlink("plain", repository.path("empty")).unwrap();
    repository.commit("\u{1}Turn a link into a file \u{2} and a file into a link");
    repository.commit("");
    repository
}

#[test]
fn the_demo_arrives_at_the_tree_that_git_lists() {
    let repository = odd_repository();
    let result = repository.assert_proven();
    // 15 added; 1 modified, 1 deleted; 1 renamed, 1 with another mode; 2 of another type.
    assert_eq!((&result["events"], &result["files"]), (&json!(21), &json!(14)));
    let run = repository.run(&["demo"]).ok();
    assert!(run.stdout.contains("\nresult   14 of 14 files match what git lists\n"), "{}", run.stdout);
    assert!(run.stdout.contains("events   21 in "), "{}", run.stdout);
    assert!(!repository.place.store().exists(), "the demo has a store of its own");
}

#[test]
fn the_demo_shows_the_whole_repository_from_any_folder() {
    let repository = odd_repository();
    let result = repository.run_in("folder/deep", &["demo", "--json"]).json();
    assert_eq!((&result["matching"], &result["files"]), (&json!(14), &json!(14)));
}

#[test]
fn merges_are_followed_along_first_parents() {
    let repository = odd_repository();
    repository.git(&["checkout", "--quiet", "-b", "side", "HEAD~2"]);
    repository.write("side", "on the side\n");
    repository.write("plain", "one\ntwo\nTHREE\n");
    repository.commit("Work on the side");
    repository.git(&["checkout", "--quiet", "main"]);
    repository.write("main", "on the main line\n");
    repository.commit("Work on the main line");
    repository.git(&["merge", "--quiet", "--no-edit", "--strategy-option=theirs", "side"]);
    repository.assert_proven();
}

#[test]
fn submodules_are_objects_like_files() {
    let repository = odd_repository();
    let head = repository.git(&["rev-parse", "HEAD"]);
    let entry = format!("160000,{},sub/module", head.trim());
    repository.git(&["update-index", "--add", "--cacheinfo", &entry]);
    repository.git(&["commit", "--quiet", "-m", "Add a submodule"]);
    let result = repository.assert_proven();
    assert_eq!(result["files"], json!(15));
}

#[test]
fn no_setting_of_the_user_changes_what_comes_out() {
    let repository = odd_repository();
    repository.run(&["import-git", "."]).ok();
    let plain = repository.run(&["export"]).ok().stdout;
    let settings = "[core]\n quotePath = true\n pager = false\n[color]\n ui = always\n[log]\n showRoot = false\n follow = true\n \
                    decorate = full\n date = relative\n[diff]\n renames = false\n noprefix = true\n mnemonicPrefix = true\n \
                    external = false\n relative = true\n renameLimit = 1\n orderFile = /dev/null\n algorithm = patience\n \
                    ignoreSubmodules = all\n[format]\n pretty = oneline\n[i18n]\n logOutputEncoding = ISO-8859-1\n";
    repository.place.file("gitconfig", settings);
    let other = repository.place.path("other");
    repository.run(&["import-git", ".", "--store", other.to_str().unwrap()]).ok();
    let exported = repository.run(&["export", "--store", other.to_str().unwrap()]).ok().stdout;
    assert_eq!(exported, plain);
    repository.assert_proven();
}

#[test]
fn outside_a_repository_the_demo_uses_its_sample() {
    let place = Place::new();
    std::fs::create_dir(place.path("folder")).unwrap();
    let demo = |arguments: &[&str]| finish(place.command(arguments).current_dir(place.path("folder")));
    let run = demo(&["demo"]);
    assert!(run.failure(0).contains("not a git repository"), "{run:?}");
    assert!(run.failure(0).contains("using the sample"), "{run:?}");
    assert!(run.stdout.contains("10 of 10 files match"), "{}", run.stdout);
    let result = demo(&["demo", "--json"]).json();
    assert_eq!((&result["events"], &result["matching"]), (&json!(47), &json!(10)));
}

#[test]
fn in_a_repository_without_commits_the_demo_uses_its_sample() {
    let repository = Repository::new();
    let run = repository.run(&["demo"]);
    assert!(run.failure(0).contains("no commits yet"), "{run:?}");
    assert!(run.stdout.contains("10 of 10 files match"), "{}", run.stdout);
    let none = json!({"read": 0, "added": 0, "duplicate": 0, "failed": 0});
    assert_eq!(repository.run(&["import-git", "--json"]).json(), none);
}

#[test]
fn importing_a_repository_again_adds_what_is_new() {
    let repository = odd_repository();
    let counts = |read, added| json!({"read": read, "added": added, "duplicate": read - added, "failed": 0});
    assert_eq!(repository.run(&["import-git", "--json"]).json(), counts(21, 21));
    assert_eq!(repository.run(&["import-git", "--json"]).json(), counts(21, 0));
    repository.write("plain", "changed again\n");
    repository.commit("Change one more");
    assert_eq!(repository.run_in("folder", &["import-git", "--json"]).json(), counts(22, 1));
    assert_eq!(repository.run(&["stats", "--json"]).json()["events"], json!(22));
    repository.run(&["verify", "--deep"]).ok();
}

#[test]
fn an_event_of_a_commit_has_the_shape_of_the_shared_sample() {
    let repository = Repository::new();
    repository.write("src/lib.rs", "one\ntwo\n");
    repository.commit("Begin \"well\"");
    repository.run(&["import-git"]).ok();
    let hash = repository.git(&["rev-parse", "HEAD"]).trim().to_owned();
    let blob = repository.git(&["rev-parse", "HEAD:src/lib.rs"]).trim().to_owned();
    let event = repository.run(&["read", "--json"]).ok().events().remove(0);
    let id = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_URL, format!("{hash}src/lib.rs").as_bytes());
    let expected = json!({
        "position": 0, "revision": 0, "stream": "file-src/lib.rs", "type": "FileAdded", "id": id.to_string(),
        "time": "2026-01-31T12:00:00Z", "tags": [format!("commit:{hash}"), event["tags"][1], "dir:src"],
        "metadata": null,
        "data": {"path": "src/lib.rs", "commit": hash, "subject": "Begin \"well\"", "blob": blob, "added": 2, "removed": 0},
    });
    assert_eq!(event, expected);
    let author = event["tags"][1].as_str().unwrap();
    assert!(author.starts_with("author:") && author.len() == 19 && !author.contains('@'), "{author}");
}
