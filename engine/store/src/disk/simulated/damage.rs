//! Damage that no sync prevents: what a device, a copy or a person does to files behind the store's back.
//!
//! All of it strikes the durable and the cached image alike, leaves no trace and counts as no call. A name that does
//! not exist and a range beyond the file are mistakes of the test and panic.

use std::ops::Range;

use super::contents::Contents;
use super::directory::SimulatedDisk;
use super::file::index;
use super::names::FileId;
use super::state::State;

impl SimulatedDisk {
    /// The names of all files.
    pub fn file_names(&self) -> Vec<String> {
        self.state().names.list()
    }

    /// The bytes of a file as a reader sees them.
    pub fn image(&self, name: &str) -> Vec<u8> {
        let mut state = self.state();
        let id = find(&state, name);
        state.contents(id).cached().to_vec()
    }

    /// Replaces a file's bytes, or makes the file: a stale copy that somebody put back.
    pub fn restore(&self, name: &str, bytes: Vec<u8>) {
        let mut state = self.state();
        let contents = Contents::settled(bytes);
        if let Some(id) = state.names.find(name) {
            *state.contents(id) = contents;
        } else {
            let id = state.add_file(contents);
            state.names.plant(name, id);
        }
    }

    /// Flips one bit (0 to 7) of the byte at `offset`.
    pub fn flip_bit(&self, name: &str, offset: u64, bit: u8) {
        assert!(bit < 8, "a byte has eight bits");
        let byte = self.read_range(name, offset..offset + 1)[0];
        self.overwrite(name, offset, &[byte ^ (1 << bit)]);
    }

    /// Turns a range into zeros: a write that never happened.
    pub fn zero(&self, name: &str, range: Range<u64>) {
        let len = self.read_range(name, range.clone()).len();
        self.overwrite(name, range.start, &vec![0; len]);
    }

    /// Puts bytes over what is there.
    pub fn overwrite(&self, name: &str, offset: u64, bytes: &[u8]) {
        let mut state = self.state();
        let id = find(&state, name);
        let contents = state.contents(id);
        let offset = index(offset).expect("an offset in memory");
        assert!(offset + bytes.len() <= contents.len(), "damage beyond the end of {name}");
        contents.damage(offset, bytes);
    }

    /// Copies a range over another place, in the same file or in another one: a misdirected write.
    pub fn copy_within(&self, from_name: &str, from_range: Range<u64>, to_name: &str, to_offset: u64) {
        let bytes = self.read_range(from_name, from_range);
        self.overwrite(to_name, to_offset, &bytes);
    }

    /// Cuts a file to `len` bytes.
    pub fn truncate(&self, name: &str, len: u64) {
        let mut state = self.state();
        let id = find(&state, name);
        state.contents(id).truncate(index(len).expect("a length in memory"));
    }

    /// Makes a file disappear. Files that are open keep their bytes.
    pub fn delete(&self, name: &str) {
        let mut state = self.state();
        let id = find(&state, name);
        state.names.wipe(id);
        state.reap();
    }

    fn read_range(&self, name: &str, range: Range<u64>) -> Vec<u8> {
        let image = self.image(name);
        let start = index(range.start).expect("an offset in memory");
        let end = index(range.end).expect("an offset in memory");
        image.get(start..end).unwrap_or_else(|| panic!("{range:?} is beyond the end of {name}")).to_vec()
    }
}

fn find(state: &State, name: &str) -> FileId {
    state.names.find(name).unwrap_or_else(|| panic!("the simulated disk has no file {name}"))
}
