//! The terminal after a panic: as it was before, and the words of the panic on it.

use super::watch::Screen;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::tcgetattr;
use std::fs::File;
use std::io::Read;
use std::process::{Command, Stdio};

/// Set for the process that panics.
const CHILD: &str = "TOP_TEST_CHILD";

#[test]
fn child_that_panics() {
    if std::env::var_os(CHILD).is_some() {
        let _screen = Screen::take().expect("there is a terminal");
        panic!("on purpose");
    }
}

#[test]
fn a_panic_gives_the_terminal_back_before_it_speaks() {
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("the system has terminals");
    grantpt(&ours).and_then(|()| unlockpt(&ours)).expect("it may be used");
    let name = ptsname(&ours, Vec::new()).expect("it has a name").into_string().expect("which is text");
    let theirs = File::options().read(true).write(true).open(name).expect("it can be opened");
    let modes = || {
        let modes = tcgetattr(&theirs).expect("it has modes");
        format!("{:?} {:?}", modes.input_modes, modes.local_modes)
    };
    let before = modes();
    let end = || Stdio::from(theirs.try_clone().expect("it can be shared"));
    let mut command = Command::new(std::env::current_exe().expect("this is a program"));
    command.args(["--exact", "verbs::top::watch_test::child_that_panics", "--nocapture"]).env(CHILD, "1");
    let mut child = command.stdin(end()).stdout(end()).stderr(end()).spawn().expect("it starts");
    let mut written = Vec::new();
    let mut reading = File::from(ours);
    let mut buffer = [0; 4096];
    // The last words of the test's harness come after the panic's.
    while !String::from_utf8_lossy(&written).contains("test result: FAILED") {
        let count = reading.read(&mut buffer).expect("the terminal is open");
        written.extend_from_slice(&buffer[..count]);
    }
    child.wait().expect("it ends");
    let text = String::from_utf8_lossy(&written);
    let at = |what: &str| text.find(what).unwrap_or_else(|| panic!("{what:?} is not in {text:?}"));
    let (enter, leave, words) = (at("\u{1b}[?1049h"), at("\u{1b}[?1049l"), at("on purpose"));
    assert!(enter < leave && leave < words, "{text:?}");
    assert_eq!(modes(), before);
}
