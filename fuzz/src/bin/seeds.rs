//! Writes the inputs that fuzzing starts from into a folder, one folder a target: frames and records of the tests, and
//! pieces of real files.

use gesta::codec::{HEADER_PAGE_BYTES, HEADERS_BYTES, encode_record};
use gesta::disk::SimulatedDisk;
use gesta::{Options, Position, ProjectionId, ProjectionState, ProjectionStatus, Snapshot, SnapshotKey, Store, Uuid};
use gesta_fuzz::{append, batches, files, options};
use std::error::Error;
use std::fs;
use std::path::PathBuf;

#[allow(dead_code, reason = "the tests use more of it")]
#[path = "../../../server/protocol/tests/protocol/samples.rs"]
mod samples;

type Outcome = Result<(), Box<dyn Error>>;

fn main() -> Outcome {
    let folder = std::env::args_os().nth(1).ok_or("usage: seeds FOLDER")?;
    let seeds = Seeds { folder: PathBuf::from(folder) };
    seeds.of_frames()?;
    seeds.of_log()?;
    seeds.of_index()?;
    seeds.of_projections()?;
    seeds.of_mutations()?;
    seeds.of_misplaced_headers()?;
    seeds.of_lives()
}

struct Seeds {
    folder: PathBuf,
}

impl Seeds {
    /// Writes the parts, one after another, as an input of a target.
    fn put(&self, target: &str, name: &str, parts: &[&[u8]]) -> Outcome {
        let folder = self.folder.join(target);
        fs::create_dir_all(&folder)?;
        let name: String = name.chars().map(|char| if char.is_ascii_alphanumeric() { char } else { '-' }).collect();
        Ok(fs::write(folder.join(format!("seed-{name}")), parts.concat())?)
    }

    /// One frame of each kind, as it is and as a kind with a body.
    fn of_frames(&self) -> Outcome {
        for (number, sample) in samples::samples().iter().enumerate() {
            let target = match sample.end {
                samples::End::Client => "frames_from_client",
                samples::End::Server => "frames_from_server",
            };
            let (kind, body) = (&sample.frame[4..5], &sample.frame[gesta_protocol::FRAME_HEADER_BYTES..]);
            self.put(target, &format!("{number}-whole"), &[&[2, 0, 30], &sample.frame])?;
            self.put(target, &format!("{number}-body"), &[&[0], kind, body])?;
        }
        Ok(())
    }

    fn of_log(&self) -> Outcome {
        let mut record = Vec::new();
        encode_record(&samples::order_placed(), Uuid::from_u128(9), &mut record);
        self.put("record", "order-placed", &[&record])?;
        let disk = SimulatedDisk::new(1);
        let store = Store::open_on(disk.clone(), options())?;
        append(&store, 0..28);
        for (name, position) in [("a-1", 20), ("a-22", 25), ("a-1", 28)] {
            let data = name.repeat(30).into_bytes();
            let key = SnapshotKey::new(name)?;
            store.save_snapshot(&Snapshot { key, schema: 1, position: Position(position), data })?;
        }
        store.close()?;
        let snapshots = disk.image(&files(&disk, ".snp")[0]);
        let used = snapshots.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        // Without true checks, which the target makes: with them, these would be snapshots of its own store.
        let mut entries = snapshots[48..used].to_vec();
        entries[64..72].fill(0);
        self.put("snapshot_file", "entries", &[&[3], &entries])?;
        for (number, batch) in batches(&disk).iter().enumerate().take(6) {
            let image = disk.image(&batch.name);
            let bytes = &image[batch.bytes.clone()];
            self.put("batch", &number.to_string(), &[bytes])?;
            self.put("request", &number.to_string(), &[&[2], &bytes[HEADERS_BYTES..]])?;
            self.put("record", &number.to_string(), &[&bytes[HEADERS_BYTES + gesta::codec::REQUEST_HEADER_BYTES..]])?;
            self.put("segment_header", &number.to_string(), &[&image[..128], &image[2048..2176]])?;
            let which = u8::try_from(number)?;
            self.put("segment_recovery", &format!("{number}-headers"), &[&[which, 0], &[0xff; HEADERS_BYTES]])?;
            for flags in [0, 1, 3, 7] {
                let tail = &image[batch.bytes.start..image.len().min(batch.bytes.start + 1500)];
                self.put("segment_recovery", &format!("{number}-{flags}"), &[&[which, flags], tail])?;
            }
        }
        Ok(())
    }

    fn of_index(&self) -> Outcome {
        let disk = SimulatedDisk::new(1);
        let store = Store::open_on(disk.clone(), options())?;
        append(&store, 0..120);
        store.close()?;
        for (which, name) in [files(&disk, ".sum"), files(&disk, ".idx")].concat().iter().enumerate().take(2) {
            let image = disk.image(name);
            assert!(image.len() > HEADER_PAGE_BYTES);
            self.put("index_file", &which.to_string(), &[&[u8::try_from(which)?, 1], &image])?;
        }
        Ok(())
    }

    /// Reports in every state, as the store writes them, without magic, store and check.
    fn of_projections(&self) -> Outcome {
        let directory = tempfile::tempdir()?;
        let store = Store::open(directory.path(), Options::default())?;
        let error = || "the rows are gone".to_owned();
        let states = [
            ProjectionState::CatchingUp,
            ProjectionState::Building,
            ProjectionState::Live,
            ProjectionState::Superseded { by: 4 },
            ProjectionState::Retrying { error: error(), failures: 9 },
            ProjectionState::Failed { error: error() },
        ];
        for (version, state) in (1..).zip(states) {
            let projection = ProjectionId { name: "balances".to_owned(), version };
            let (position, lag) = (Position(7), u64::from(version));
            let status =
                ProjectionStatus { projection, position, lag, is_serving: true, parked_count: 0, eta: None, state };
            store.reader().tell_projections(&[status]);
        }
        for (number, file) in fs::read_dir(directory.path().join("projections"))?.enumerate() {
            let bytes = fs::read(file?.path())?;
            self.put("projection_file", &number.to_string(), &[&[0], &bytes[..bytes.len() - 8]])?;
            self.put("projection_file", &format!("{number}-whole"), &[&bytes])?;
        }
        Ok(())
    }

    /// One of each mutation, in several files.
    fn of_mutations(&self) -> Outcome {
        for kind in 0..6_u8 {
            let mutation = |file: u8, offset: u8| [kind, file, 0, offset, 40, 0, 0, 17];
            let (one, other) = (mutation(kind, 17), mutation(kind + 1, 19));
            self.put("segment_damage", &kind.to_string(), &[&one, &other])?;
            self.put("snapshot_file", &format!("mutation-{kind}"), &[&[0], &mutation(0, kind + 1)])?;
            self.put("projection_file", &format!("mutation-{kind}"), &[&[0], &[kind, 0, 40, 0, 3, 0, 17, 0]])?;
            for flags in [0, 2] {
                self.put("index_file", &format!("mutation-{kind}-{flags}"), &[&[kind, flags], &one, &other])?;
            }
        }
        Ok(())
    }

    /// The headers of a batch within it, and damaged where they stood: they are true there, and lead astray.
    fn of_misplaced_headers(&self) -> Outcome {
        let disk = SimulatedDisk::new(1);
        let store = Store::open_on(disk.clone(), options())?;
        append(&store, 0..60);
        store.close()?;
        let names = files(&disk, ".log");
        for (number, batch) in batches(&disk).iter().enumerate().step_by(5) {
            let file = u8::try_from(names.binary_search(&batch.name).expect("it is one of them"))?;
            let start = u16::try_from(batch.bytes.start)?;
            let headers = u16::try_from(HEADERS_BYTES)?;
            let mutation = |kind: u8, offset: u16, length: u16, from: u16| {
                [&[kind, file][..], &offset.to_le_bytes(), &length.to_le_bytes(), &from.to_le_bytes()].concat()
            };
            let copy = mutation(3, start + headers + 8, headers - 1, start);
            let flip = mutation(0, start + 10, 3, 0);
            self.put("segment_damage", &format!("headers-{number}"), &[&copy, &flip])?;
        }
        Ok(())
    }

    /// Numbers that look like random ones: each input is another life of a store.
    fn of_lives(&self) -> Outcome {
        let mut state = 1_u64;
        for number in 0..40 {
            let bytes: Vec<u8> = std::iter::repeat_with(|| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                state.to_be_bytes()[0]
            })
            .take(120)
            .collect();
            self.put("store_operations", &number.to_string(), &[&bytes])?;
        }
        Ok(())
    }
}
