//! A server that is told things by signals, and that tells a service manager.

use crate::server::{PORTS, Server, Wire, line_of};
use crate::support::{Place, eventually};
use gesta_protocol::Plane;
use rcgen::{CertificateParams, KeyPair};
use rustix::process::Signal;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore};
use std::fs::{self, Permissions};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

#[test]
fn told_to_end_under_load_it_ends_well_and_keeps_all_that_it_acknowledged() {
    const CLIENTS: u64 = 4;
    let place = Place::new();
    let server = Server::start(&place, &[]);
    let answered = AtomicU64::new(0);
    let acknowledged: Vec<(u64, String)> = std::thread::scope(|scope| {
        let load = |client: u64| {
            let mut wire = server.connect(Plane::Append, "").unwrap();
            let answered = &answered;
            move || {
                let mut acknowledged = Vec::new();
                // Until the server refuses or the connection ends.
                for number in 0.. {
                    let data = format!("\"{client}-{number}\"");
                    let Ok(position) = wire.append(&data) else { break };
                    acknowledged.push((position, data));
                    answered.fetch_add(1, Ordering::Relaxed);
                }
                acknowledged
            }
        };
        let clients: Vec<_> = (0..CLIENTS).map(|client| scope.spawn(load(client))).collect();
        assert!(eventually(|| answered.load(Ordering::Relaxed) > 200));
        server.signal(Signal::TERM);
        clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    });
    let run = server.end();
    assert_eq!(run.status, 0, "{run:?}");
    let store = place.store().join("default");
    let store = store.to_str().unwrap();
    let kept = place.run(&["read", "--json", "--store", store]).ok().events();
    for (position, data) in &acknowledged {
        let event = &kept[usize::try_from(*position).unwrap()];
        assert_eq!((event["position"].as_u64(), event["data"].to_string()), (Some(*position), data.clone()));
    }
    assert!(acknowledged.len() > 200);
    assert_eq!(place.run(&["verify", "--deep", "--json", "--store", store]).json()["ok"], true);
}

#[test]
fn tokens_are_read_again_and_a_broken_file_changes_nothing() {
    let place = Place::new();
    let create = |name| {
        line_of(
            &place,
            &["token", "create", "--role", "appender", "--store", "*", "--name", name, "--tokens", "tokens"],
        )
    };
    let first = create("first");
    let server = Server::start(&place, &["--set", "access.tokens=tokens"]);
    let lets_in = |token: &str| server.connect(Plane::Append, token).is_ok();
    let second = create("second");
    assert!(lets_in(&first) && !lets_in(&second));
    server.signal(Signal::HUP);
    server.wait_for_log("certificates and tokens were read again tokens=2");
    assert!(lets_in(&first) && lets_in(&second));
    assert_eq!(server.metric("gesta_reload_failures_total"), 0.0);
    let good = fs::read(place.path("tokens")).unwrap();
    fs::write(place.path("tokens"), "{\"name\":\"third\"").unwrap();
    server.signal(Signal::HUP);
    server.wait_for_log("reload failed: what was in use stays in use");
    assert!(server.log().contains("tokens:1: not a token"), "{}", server.log());
    assert_eq!(server.metric("gesta_reload_failures_total"), 1.0);
    assert!(lets_in(&first) && lets_in(&second));
    fs::write(place.path("tokens"), &good).unwrap();
    fs::set_permissions(place.path("tokens"), Permissions::from_mode(0o604)).unwrap();
    server.signal(Signal::HUP);
    server.wait_for_log("(mode 0604): run chmod 600 tokens");
    assert!(lets_in(&first) && lets_in(&second));
    fs::remove_file(place.path("tokens")).unwrap();
    server.signal(Signal::HUP);
    server.wait_for_log("cannot read it");
    assert!(lets_in(&first) && lets_in(&second));
    assert_eq!(server.metric("gesta_reload_failures_total"), 3.0);
    server.stop();
}

/// Puts a new certificate for `localhost` and its key into the place; tells the certificate.
fn renew(place: &Place) -> CertificateDer<'static> {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(["localhost".to_owned()]).unwrap().self_signed(&key).unwrap();
    place.file("certificate.pem", certificate.pem());
    place.file("key.pem", key.serialize_pem());
    fs::set_permissions(place.path("key.pem"), Permissions::from_mode(0o600)).unwrap();
    certificate.der().clone()
}

/// Whether a client that trusts this certificate alone gets through the handshake.
fn shakes_hands(server: &Server, trusted: &CertificateDer<'static>) -> bool {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = Arc::new(config.with_root_certificates(roots).with_no_client_auth());
    let mut connection = ClientConnection::new(config, ServerName::try_from("localhost").unwrap()).unwrap();
    let mut stream = TcpStream::connect(server.address("append")).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    while connection.is_handshaking() {
        if connection.complete_io(&mut stream).is_err() {
            return false;
        }
    }
    true
}

#[test]
fn certificates_are_read_again_and_broken_ones_change_nothing() {
    let place = Place::new();
    let first = renew(&place);
    let server = Server::start(&place, &["--set", "tls.certificate=certificate.pem", "--set", "tls.key=key.pem"]);
    assert!(shakes_hands(&server, &first));
    assert!(server.connect(Plane::Append, "").is_err(), "plain text is not spoken any more");
    let second = renew(&place);
    assert!(shakes_hands(&server, &first) && !shakes_hands(&server, &second));
    server.signal(Signal::HUP);
    server.wait_for_log("were read again");
    assert!(shakes_hands(&server, &second) && !shakes_hands(&server, &first));
    let good = fs::read(place.path("certificate.pem")).unwrap();
    for (count, broken) in [(1.0, &good[..good.len() / 2]), (2.0, b"")] {
        fs::write(place.path("certificate.pem"), broken).unwrap();
        server.signal(Signal::HUP);
        assert!(eventually(|| server.metric("gesta_reload_failures_total") == count));
        assert!(shakes_hands(&server, &second));
    }
    assert!(server.stop().contains("reload failed: what was in use stays in use"));
}

/// What a service manager is told next.
fn told(manager: &UnixDatagram) -> String {
    let mut buffer = [0; 256];
    let length = manager.recv(&mut buffer).expect("it says something");
    String::from_utf8_lossy(&buffer[..length]).trim_end().to_owned()
}

#[test]
fn a_service_manager_is_told_when_it_is_ready_reloads_and_stops() {
    let place = Place::new();
    let path = place.path("notify");
    let manager = UnixDatagram::bind(&path).unwrap();
    manager.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let mut command = place.command(&[&["serve"], &PORTS[..]].concat());
    command.env("NOTIFY_SOCKET", &path);
    let server = Server::start_as(command);
    assert_eq!(told(&manager), "READY=1");
    Wire::to(server.address("append")).append("1").unwrap();
    server.signal(Signal::HUP);
    assert!(told(&manager).starts_with("RELOADING=1"));
    assert_eq!(told(&manager), "READY=1");
    server.signal(Signal::TERM);
    assert_eq!(told(&manager), "STOPPING=1");
    assert_eq!(server.end().status, 0);
}

#[test]
fn it_ends_by_an_interrupt_as_well_and_not_by_a_closed_pipe() {
    let place = Place::new();
    let server = Server::start(&place, &[]);
    server.signal(Signal::PIPE);
    assert_eq!(Wire::to(server.address("append")).append("1"), Ok(0));
    server.signal(Signal::INT);
    let run = server.end();
    assert_eq!(run.status, 0, "{run:?}");
}
