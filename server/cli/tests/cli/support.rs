//! Running the program and looking at what it said.

use serde_json::Value;
use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long something that must happen may take before the test gives up on it.
const PATIENCE: Duration = Duration::from_secs(60);

/// A temporary directory with the place of a store in it, and the program run on that store.
pub(crate) struct Place {
    directory: TempDir,
}

/// What one run of the program left behind.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Place {
    /// A place without a store in it.
    pub(crate) fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    /// A place in this directory.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The directory of the store.
    pub(crate) fn store(&self) -> PathBuf {
        self.path("store")
    }

    /// Writes a file beside the store and tells its path as an argument.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// The program with these arguments, told of the store by its environment and started beside it.
    pub(crate) fn command<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Command {
        let mut command = bare_command(arguments);
        self.hide_git_settings(&mut command).current_dir(self.directory.path()).env("GESTA_STORE", self.store());
        command
    }

    /// Git, with none of the tester's settings.
    pub(crate) fn git(&self) -> Command {
        let mut command = Command::new("git");
        self.hide_git_settings(&mut command);
        command
    }

    /// Takes every setting of git that is not the test's own away from a command: those in `gitconfig` beside the store
    /// remain.
    fn hide_git_settings<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        for (variable, _) in std::env::vars_os() {
            if variable.as_encoded_bytes().starts_with(b"GIT_") {
                command.env_remove(variable);
            }
        }
        command
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", self.path("gitconfig"))
            .env("GIT_CEILING_DIRECTORIES", self.directory.path().canonicalize().unwrap())
            .env("GIT_AUTHOR_NAME", "A")
            .env("GIT_AUTHOR_EMAIL", "author@example.org")
            .env("GIT_AUTHOR_DATE", "2026-01-31T12:00:00Z")
            .env("GIT_COMMITTER_NAME", "C")
            .env("GIT_COMMITTER_EMAIL", "committer@example.org")
            .env("GIT_COMMITTER_DATE", "2026-01-31T12:00:00Z")
    }

    /// Runs the program on the store.
    pub(crate) fn run<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Run {
        finish(&mut self.command(arguments))
    }

    /// Runs the program on the store and gives it this on standard input.
    pub(crate) fn run_with(&self, arguments: &[&str], input: impl Into<Vec<u8>>) -> Run {
        let mut child = self.start(arguments, Stdio::piped());
        let mut standard_input = child.stdin.take().unwrap();
        let input = input.into();
        // The program may end before it has read all of it.
        let feeder = std::thread::spawn(move || standard_input.write_all(&input).ok());
        let run = Run::new(child.wait_with_output().unwrap());
        feeder.join().unwrap();
        run
    }

    /// Starts the program on the store, its output in pipes.
    pub(crate) fn start(&self, arguments: &[&str], input: Stdio) -> Child {
        self.command(arguments).stdin(input).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Appends one event and tells its receipt.
    pub(crate) fn append(&self, arguments: &[&str]) -> Value {
        self.run(&[&["append", "--type", "Happened"], arguments].concat()).json()
    }

    /// Imports lines, all of which must be good.
    pub(crate) fn import(&self, lines: impl Into<Vec<u8>>) -> Value {
        self.run_with(&["import", "--json"], lines).json()
    }

    /// The data of the events that a read prints.
    pub(crate) fn data(&self, arguments: &[&str]) -> Vec<Value> {
        let events = self.run(&[&["read", "--json"], arguments].concat()).ok().events();
        events.into_iter().map(|mut event| event["data"].take()).collect()
    }
}

impl Run {
    pub(crate) fn new(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("the program prints UTF-8");
        let status = output.status.code().unwrap_or_else(|| panic!("ended by {}", output.status));
        Self { status, stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// Demands that all went well and nothing was said about it.
    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        assert_eq!((self.status, self.stderr.as_str()), (0, ""), "{}", self.stdout);
        self
    }

    /// The one line of JSON of a run that went well.
    #[track_caller]
    pub(crate) fn json(self) -> Value {
        self.ok().value()
    }

    /// The one line of JSON on standard output.
    #[track_caller]
    pub(crate) fn value(&self) -> Value {
        assert_eq!(self.stdout.lines().count(), 1, "{self:?}");
        parse(&self.stdout)
    }

    /// Each line of standard output as JSON.
    #[track_caller]
    pub(crate) fn events(&self) -> Vec<Value> {
        self.stdout.lines().map(parse).collect()
    }

    /// Demands this exit status and one line for people on standard error; tells the line.
    #[track_caller]
    pub(crate) fn failure(&self, status: i32) -> &str {
        assert_eq!(self.status, status, "{self:?}");
        let line = self.stderr.strip_suffix('\n').unwrap_or_else(|| panic!("no line: {self:?}"));
        assert!(!line.contains('\n') && line.starts_with("gesta: "), "{self:?}");
        line
    }

    /// Demands this exit status and one line of JSON on standard error; tells the error's code and message.
    #[track_caller]
    pub(crate) fn error(&self, status: i32) -> (String, String) {
        assert_eq!((self.status, self.stderr.lines().count()), (status, 1), "{self:?}");
        let error = parse(&self.stderr)["error"].take();
        let text = |key: &str| error[key].as_str().unwrap_or_else(|| panic!("no {key}: {self:?}")).to_owned();
        (text("code"), text("message"))
    }
}

/// The program with these arguments, and nothing of the tester's environment that it would heed.
pub(crate) fn bare_command<A: AsRef<OsStr>>(arguments: &[A]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gesta"));
    hide_settings(command.args(arguments).stdin(Stdio::null()));
    command
}

/// Takes the tester's settings away from a command: all of them, because a server takes every such variable for a setting.
pub(crate) fn hide_settings(command: &mut Command) {
    for (variable, _) in std::env::vars_os().filter(|(name, _)| name.as_encoded_bytes().starts_with(b"GESTA_")) {
        command.env_remove(variable);
    }
}

/// Runs a command to its end.
pub(crate) fn finish(command: &mut Command) -> Run {
    Run::new(command.output().unwrap())
}

/// Waits for a program that was started, and fails when it does not end.
#[track_caller]
pub(crate) fn wait(mut child: Child) -> Run {
    if !eventually(|| child.try_wait().unwrap().is_some()) {
        child.kill().unwrap();
        panic!("it did not end: {:?}", output_of(child));
    }
    Run::new(output_of(child))
}

/// The output of a program that has ended; fails when a process that it left behind holds the pipes.
#[track_caller]
fn output_of(child: Child) -> Output {
    in_time(move || child.wait_with_output()).expect("its output ends with it").unwrap()
}

/// What an act comes to that may wait without end; none when it does.
pub(crate) fn in_time<T: Send + 'static>(act: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || sender.send(act()));
    receiver.recv_timeout(PATIENCE).ok()
}

/// Looks until something is so; false when it does not come true.
pub(crate) fn eventually(mut is_so: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        if is_so() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    false
}

/// Every file of a directory with its content, in the order of the names.
pub(crate) fn contents(directory: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let entries = std::fs::read_dir(directory).unwrap();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.into_iter().map(|path| (path.clone(), std::fs::read(path).unwrap())).collect()
}

#[track_caller]
pub(crate) fn parse(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
}
