//! Encrypted connections.

use crate::script::{request, welcome};
use gesta_client::{Address, BlockingClient, ClientOptions, ConnectError, Tls};
use gesta_model::{AppendError, EventStore, Position, RemoteError};
use gesta_protocol::{Answer, FrameBuffer, Kind};
use rcgen::{CertificateParams, CertifiedIssuer, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use tempfile::TempDir;

/// An authority, and a directory for its files.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    directory: TempDir,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        Self { issuer, directory: tempfile::tempdir().unwrap() }
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    fn ca_file(&self) -> PathBuf {
        self.write("ca.pem", &self.issuer.pem())
    }

    /// A certificate for a name, and its key.
    fn issue(&self, name: &str) -> (rcgen::Certificate, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        (params.signed_by(&key, &self.issuer).unwrap(), key)
    }

    /// A server that asks for a certificate of this authority as well, welcomes one client and answers one append.
    fn serve(&self, name: &str) -> (Address, JoinHandle<std::io::Result<()>>) {
        let (certificate, key) = self.issue(name);
        let mut roots = rustls::RootCertStore::empty();
        roots.add(self.issuer.der().clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = rustls::server::WebPkiClientVerifier::builder_with_provider(roots.into(), provider.clone());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(verifier.build().unwrap())
            .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = std::thread::spawn(move || serve_one(&listener, config));
        (Address::new("127.0.0.1").with_ports(port, port), server)
    }
}

fn serve_one(listener: &TcpListener, config: ServerConfig) -> std::io::Result<()> {
    let (stream, _) = listener.accept()?;
    let mut stream = StreamOwned::new(ServerConnection::new(Arc::new(config)).unwrap(), stream);
    let mut buffer = FrameBuffer::new(1 << 20);
    loop {
        let count = stream.read(buffer.room())?;
        if count == 0 {
            return Ok(());
        }
        buffer.filled(count);
        let mut out = Vec::new();
        while let Some(frame) = buffer.next_frame().unwrap() {
            match Kind::of(frame.kind) {
                Some(Kind::Hello) => Answer::Welcome(Box::new(welcome())).encode(frame.id, &mut out),
                _ => Answer::Receipt(crate::script::receipt(6)).encode(frame.id, &mut out),
            }
        }
        stream.write_all(&out)?;
    }
}

fn with_tls(tls: Tls) -> ClientOptions {
    ClientOptions { tls: Some(tls), retry_for: std::time::Duration::ZERO, ..ClientOptions::default() }
}

#[test]
fn both_ends_show_who_they_are_and_what_is_sent_is_encrypted() {
    let authority = Authority::new();
    let (certificate, key) = authority.issue("client");
    let certificate = authority.write("client.pem", &certificate.pem());
    let key = authority.write("client.key", &key.serialize_pem());
    let (address, server) = authority.serve("events.example");
    let tls = Tls {
        ca_files: vec![authority.ca_file()],
        client_certificate: Some((certificate, key)),
        server_name: Some("events.example".to_owned()),
    };
    let client = BlockingClient::connect(address, with_tls(tls)).unwrap();
    assert_eq!(client.append(request(100_000)).unwrap().positions.start, Position(6));
    drop(client);
    let _ = server.join().unwrap();
}

#[test]
fn a_server_that_is_not_vouched_for_is_not_spoken_to() {
    let (authority, other) = (Authority::new(), Authority::new());
    for (ca_file, server_name) in [(other.ca_file(), "events.example"), (authority.ca_file(), "other.example")] {
        let (address, server) = authority.serve("events.example");
        let tls = Tls { ca_files: vec![ca_file], server_name: Some(server_name.to_owned()), ..Tls::default() };
        let client = BlockingClient::connect(address, with_tls(tls)).unwrap();
        let refused = client.append(request(1)).unwrap_err();
        let is_told = matches!(&refused, AppendError::Remote(RemoteError::Unreachable { cause, .. }) if cause.contains("certificate"));
        assert!(is_told, "{refused:?}");
        assert!(server.join().unwrap().is_err());
    }
}

#[test]
fn files_that_do_not_hold_what_they_should_are_named() {
    let authority = Authority::new();
    let connect = |tls| BlockingClient::connect(Address::new("events.example"), with_tls(tls)).err();
    assert!(matches!(connect(Tls::default()), Some(ConnectError::NoAuthority)));
    let (empty, absent) = (authority.write("empty.pem", ""), authority.directory.path().join("absent.pem"));
    for bad in [empty.clone(), absent] {
        let error = connect(Tls { ca_files: vec![bad.clone()], ..Tls::default() });
        assert!(matches!(error, Some(ConnectError::File { path, .. }) if path == bad));
    }
    let (certificate, _) = authority.issue("client");
    let (_, other_key) = authority.issue("client");
    let certificate = authority.write("client.pem", &certificate.pem());
    let other_key = authority.write("other.key", &other_key.serialize_pem());
    let ca_files = vec![authority.ca_file()];
    let with_key = |key| Tls {
        ca_files: ca_files.clone(),
        client_certificate: Some((certificate.clone(), key)),
        server_name: None,
    };
    assert!(matches!(connect(with_key(empty.clone())), Some(ConnectError::File { path, .. }) if path == empty));
    assert!(matches!(connect(with_key(other_key)), Some(ConnectError::Certificate { .. })));
    let nameless = Tls { ca_files: ca_files.clone(), server_name: Some("not a name".to_owned()), ..Tls::default() };
    assert!(matches!(connect(nameless), Some(ConnectError::ServerName { .. })));
}
