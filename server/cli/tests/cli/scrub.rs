//! The scrub of a server: damage under it is told before anybody comes upon it.

use crate::server::Server;
use crate::support::{Place, eventually};
use gesta_protocol::Plane;
use std::fs::File;
use std::os::unix::fs::FileExt;

/// Slow enough that the pass over twelve megabytes which begins with the server is still under way when they are damaged.
const RATE: &str = "scrub.bytes_per_second=524288";
const DAMAGED_BATCHES: &str = "gesta_scrub_damaged_batches{store=\"default\"}";

#[test]
fn a_sealed_file_that_is_damaged_under_a_server_shows_in_its_metrics_before_anybody_reads_it() {
    let place = Place::new();
    let server = Server::start(&place, &[]);
    let mut wire = server.connect(Plane::Append, "").unwrap();
    let data = format!("\"{}\"", "x".repeat(1_000_000));
    let mut count = 0;
    let store = place.store().join("default");
    // Two segments are sealed, and a third one is written to.
    while count < 14 {
        assert_eq!(wire.append(&data), Ok(count));
        count += 1;
    }
    server.stop();

    let server = Server::start(&place, &["--set", RATE]);
    // A store is opened by the first who asks for it.
    let _asked = server.connect(Plane::Append, "").unwrap();
    assert!(server.metric(DAMAGED_BATCHES) < 1.0);
    for (name, offset) in [("0000000001-0000.log", 3 << 20), ("0000000002-0000.log", 6 << 20)] {
        let file = File::options().read(true).write(true).open(store.join(name)).unwrap();
        let mut byte = [0];
        file.read_exact_at(&mut byte, offset).unwrap();
        assert_eq!(&byte, b"x", "{name}");
        file.write_all_at(b"y", offset).unwrap();
    }
    assert!(eventually(|| server.metric(DAMAGED_BATCHES) >= 1.0), "{}", server.page("/metrics").1);
    assert!(server.metric("gesta_scrub_bytes_total{store=\"default\"}") > 1e6);
    server.wait_for_log("the scrub found damage: run `gesta verify --deep`");
    assert!(server.log().contains("default/000000000"), "the file is named: {}", server.log());

    let (status, readiness) = server.page("/readyz");
    assert_eq!(status, 200, "the rest is served: {readiness}");
    assert!(readiness.starts_with("ready\nwarning: store default is damaged"), "{readiness}");
    let mut wire = server.connect(Plane::Append, "").unwrap();
    assert_eq!(wire.append("\"goes on\""), Ok(count));
    let [append, read] = ["append", "read"].map(|plane| server.address(plane).port());
    let address = format!("gesta://127.0.0.1:{append},{read}");
    let figures = place.run(&["stats", "--json", "--store", &address]).ok().value();
    assert!(figures["scrub"]["damaged_batches"].as_u64() >= Some(1), "{figures}");
    assert!(figures["scrub"]["damage"][0].as_str().unwrap().contains("positions"), "{figures}");
    server.stop();
}

#[test]
fn a_server_that_is_told_not_to_scrub_does_not() {
    let place = Place::new();
    let server = Server::start(&place, &["--set", "scrub.bytes_per_second=0"]);
    assert_eq!(server.connect(Plane::Append, "").unwrap().append("0"), Ok(0));
    let (_, page) = server.page("/metrics");
    assert!(!page.contains("gesta_scrub_bytes_total{"), "{page}");
    assert!(page.contains("gesta_head_position{"), "{page}");
    server.stop();
}
