//! Whatever stands where the report of a projection should be, listing and waiting go on. A report is believed only when it
//! is whole and under its own name; one that is believed and told again is listed as it was.
#![no_main]

use gesta::{Options, Position, ProjectionId, ProjectionState, ProjectionStatus, Reader, Store};
use gesta_fuzz::mutations;
use libfuzzer_sys::fuzz_target;
use siphasher::sip::SipHasher13;
use std::fs;
use std::hash::Hasher;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::Duration;
use tempfile::TempDir;

const HEAD_BYTES: usize = 96;
const NAME_BYTES: usize = 88;
const ERROR_BYTES: usize = 92;
const VERSION: usize = 72;
const STORE_ID: usize = 16;

struct World {
    directory: TempDir,
    key: [u8; 16],
    store_id: [u8; 16],
    /// A file as the store writes it, and its name.
    told: (String, Vec<u8>),
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let directory = tempfile::tempdir().expect("a folder for the store");
    let store = Store::open(directory.path(), Options::default()).expect("a new store");
    let projection = ProjectionId { name: "balances".to_owned(), version: 3 };
    let state = ProjectionState::Retrying { error: "locked".to_owned(), failures: 2 };
    let (position, eta) = (Position(4), Some(Duration::from_secs(1)));
    store.reader().tell_projections(&[ProjectionStatus {
        projection,
        position,
        lag: 3,
        is_serving: true,
        parked_count: 1,
        eta,
        state,
    }]);
    store.close().expect("a good disk");
    let manifest = fs::read(directory.path().join("manifest")).expect("a store has one");
    let field = |at: usize| manifest[at..at + 16].try_into().expect("sixteen bytes");
    let path = only_file(&folder(directory.path())).expect("what was told is kept");
    let name = path.file_name().and_then(|name| name.to_str()).expect("a name in ASCII").to_owned();
    let told = (name, fs::read(&path).expect("it was just written"));
    World { key: field(56), store_id: field(40), told, directory }
});

fn folder(directory: &Path) -> PathBuf {
    directory.join("projections")
}

fn only_file(folder: &Path) -> Option<PathBuf> {
    fs::read_dir(folder).ok()?.next()?.ok().map(|entry| entry.path())
}

fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = SipHasher13::new_with_key(&WORLD.key);
    hasher.write(bytes);
    hasher.finish()
}

fuzz_target!(|input: &[u8]| {
    let (name, told) = &WORLD.told;
    look(name, input, input == told);
    let Some((flags, bytes)) = input.split_first() else { return };
    let mut damaged = told.clone();
    mutations(bytes).for_each(|mutation| drop(mutation.apply(&mut damaged)));
    look(name, &damaged, damaged == *told);
    let Some(bytes) = repaired(bytes) else { return };
    let of_report = bytes.get(HEAD_BYTES..HEAD_BYTES + number(&bytes, NAME_BYTES) as usize).unwrap_or_default();
    let true_name = if flags & 1 == 0 {
        format!("{:016x}-{:010}.prj", hash(of_report), number(&bytes, VERSION))
    } else {
        format!("{:016x}.ask", hash(of_report))
    };
    look(&true_name, &bytes, true);
});

fn number(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(*bytes[at..].first_chunk().expect("within the head"))
}

/// These bytes as a file of this store, with a true check at their end and lengths that fit.
fn repaired(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = bytes.to_vec();
    let texts = u32::try_from(bytes.len().checked_sub(HEAD_BYTES)?).ok()?;
    bytes[..STORE_ID - 4].copy_from_slice(&WORLD.told.1[..STORE_ID - 4]);
    bytes[STORE_ID..STORE_ID + 16].copy_from_slice(&WORLD.store_id);
    let name_bytes = number(&bytes, NAME_BYTES).min(texts);
    bytes[NAME_BYTES..NAME_BYTES + 4].copy_from_slice(&name_bytes.to_le_bytes());
    bytes[ERROR_BYTES..ERROR_BYTES + 4].copy_from_slice(&(texts - name_bytes).to_le_bytes());
    let check = hash(&bytes);
    bytes.extend(check.to_le_bytes());
    Some(bytes)
}

/// Puts the file alone into the folder and looks at the store.
fn look(name: &str, bytes: &[u8], may_be_believed: bool) {
    let folder = folder(WORLD.directory.path());
    while let Some(left) = only_file(&folder) {
        fs::remove_file(left).expect("it is there");
    }
    fs::write(folder.join(name), bytes).expect("a good disk");
    let listed = reader().projections("");
    assert!(listed.len() <= usize::from(may_be_believed), "believed without a right to be: {listed:?}");
    let Some(report) = listed.into_iter().next() else { return };
    let status = report.status.clone();
    let id = &status.projection;
    assert_eq!(
        format!("{:016x}-{:010}.prj", hash(id.name.as_bytes()), id.version),
        name,
        "a report under its own name"
    );
    let teller = reader();
    teller.tell_projections(std::slice::from_ref(&status));
    let again = reader().projections("");
    let Some(again) = again.first() else {
        // Nothing that stands by or cannot be told is written.
        return;
    };
    assert_eq!(again.status, status, "told again");
}

fn reader() -> Reader {
    Reader::open(WORLD.directory.path()).expect("reports are never in the way of an opening")
}
