//! The program of the bank runs, and goes on; its domain is that of other tests as well.

#[path = "../../examples/bank/main.rs"]
#[allow(dead_code, reason = "main is for whoever calls the program")]
mod program;

pub(super) use program::account::{AccountEvent, Bank, Command, Refusal};

use gesta::{Options, Read, Store};

/// How many events are there, and how many of them opened an account.
fn count(directory: &std::path::Path) -> (usize, usize) {
    let store = Store::open(directory.join("store"), Options::default()).unwrap();
    let mut events = store.read(Read::all());
    let (mut all, mut opened) = (0, 0);
    while let Some(event) = events.next_record() {
        all += 1;
        opened += usize::from(event.unwrap().event_type() == "Opened");
    }
    (all, opened)
}

#[test]
fn the_program_of_the_bank_runs_and_goes_on_where_it_stood() {
    let directory = tempfile::tempdir().unwrap();
    let mut before = 0;
    for _ in 0..2 {
        assert_eq!(program::run(directory.path()).unwrap(), 100 * 1_000);
        let (all, opened) = count(directory.path());
        assert!(all > before + 1_000, "from {before} to {all} events is no day at a bank");
        assert_eq!(opened, 100, "each account is opened once");
        before = all;
    }
}
