//! Encryption: real handshakes with certificates made for the purpose, good ones and all kinds of bad ones, and files
//! that are changed or broken at run time.

use gesta_server::settings::{Settings, TlsSettings};
use gesta_server::tls::{TlsConfig, TlsError, TlsFiles};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, date_time_ymd,
};
use rustls::crypto::ring;
use rustls::{ClientConfig, HandshakeKind, ProtocolVersion, RootCertStore, SupportedProtocolVersion, version};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio_rustls::{TlsAcceptor, TlsConnector, client, server};

/// Who signs certificates.
pub(crate) type Ca = CertifiedIssuer<'static, KeyPair>;

const LONG: (i32, i32) = (2020, 4000);
const PAST: (i32, i32) = (2020, 2021);
const FUTURE: (i32, i32) = (3000, 4000);

/// A new one, of a name of its own.
pub(crate) fn ca() -> Ca {
    let key = KeyPair::generate().unwrap();
    let mut parameters = CertificateParams::new(Vec::new()).unwrap();
    parameters.distinguished_name.push(DnType::CommonName, format!("CA {:?}", &key.public_key_raw()[1..9]));
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(parameters, key).unwrap()
}

/// A certificate of this CA and its key, good in these years.
fn certificate(ca: &Ca, (from, until): (i32, i32)) -> (rcgen::Certificate, KeyPair) {
    let key = KeyPair::generate().unwrap();
    let mut parameters = CertificateParams::new(["localhost".to_owned()]).unwrap();
    (parameters.not_before, parameters.not_after) = (date_time_ymd(from, 1, 1), date_time_ymd(until, 1, 1));
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    (parameters.signed_by(&key, ca).unwrap(), key)
}

/// A server's files in a directory.
pub(crate) struct Files {
    directory: TempDir,
    is_mutual: bool,
}

impl Files {
    pub(crate) fn new(ca: &Ca, client_ca: Option<&Ca>) -> Self {
        let files = Self { directory: TempDir::new().unwrap(), is_mutual: client_ca.is_some() };
        files.renew(ca);
        if let Some(client_ca) = client_ca {
            fs::write(files.path("client_ca"), client_ca.pem()).unwrap();
        }
        files
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Puts a new certificate of this CA there.
    pub(crate) fn renew(&self, ca: &Ca) {
        let (certificate, key) = certificate(ca, LONG);
        self.write(&certificate.pem(), &key.serialize_pem());
    }

    fn write(&self, certificate: &str, key: &str) {
        fs::write(self.path("certificate"), certificate).unwrap();
        fs::write(self.path("key"), key).unwrap();
        fs::set_permissions(self.path("key"), fs::Permissions::from_mode(0o600)).unwrap();
    }

    fn files(&self) -> TlsFiles {
        let client_ca = self.is_mutual.then(|| self.path("client_ca"));
        TlsFiles { certificate: self.path("certificate"), key: self.path("key"), client_ca }
    }

    fn load(&self) -> Result<TlsConfig, TlsError> {
        TlsConfig::load(self.files())
    }
}

/// A client that trusts this CA and shows this certificate, if any.
pub(crate) fn client(trusted: &Ca, shown: Option<&(rcgen::Certificate, KeyPair)>) -> ClientConfig {
    client_of(trusted, shown, &[&version::TLS13, &version::TLS12])
}

fn client_of(
    trusted: &Ca,
    shown: Option<&(rcgen::Certificate, KeyPair)>,
    versions: &[&'static SupportedProtocolVersion],
) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.der().clone()).unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_protocol_versions(versions).unwrap().with_root_certificates(roots);
    match shown {
        None => builder.with_no_client_auth(),
        Some((certificate, key)) => {
            let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
            builder.with_client_auth_cert(vec![certificate.der().clone()], key).unwrap()
        }
    }
}

/// Both ends of a connection.
struct Pair {
    client: client::TlsStream<DuplexStream>,
    server: server::TlsStream<DuplexStream>,
}

impl Pair {
    /// A whole handshake, and a word both ways: with TLS 1.3 a client believes in a handshake before the server does.
    async fn connect(config: &TlsConfig, client: ClientConfig) -> io::Result<Self> {
        let (near, far) = duplex(64 * 1024);
        let name = ServerName::try_from("localhost").unwrap();
        let connector = TlsConnector::from(Arc::new(client));
        let (client, server) =
            tokio::join!(connector.connect(name, near), TlsAcceptor::from(config.current()).accept(far),);
        // The server's answer first: of two that fail, it is the one that judges.
        let (server, client) = match (server, client) {
            (Ok(server), Ok(client)) => (server, client),
            (Err(error), _) | (_, Err(error)) => return Err(error),
        };
        let mut pair = Self { client, server };
        pair.talk().await?;
        Ok(pair)
    }

    async fn talk(&mut self) -> io::Result<()> {
        let mut heard = [0; 4];
        self.client.write_all(b"ping").await?;
        self.client.flush().await?;
        self.server.read_exact(&mut heard).await?;
        assert_eq!(&heard, b"ping");
        self.server.write_all(b"pong").await?;
        self.server.flush().await?;
        self.client.read_exact(&mut heard).await?;
        assert_eq!(&heard, b"pong");
        Ok(())
    }

    fn shown(&self) -> CertificateDer<'static> {
        self.client.get_ref().1.peer_certificates().unwrap()[0].clone().into_owned()
    }
}

async fn refusal(config: &TlsConfig, client: ClientConfig) -> String {
    Pair::connect(config, client).await.err().expect("the handshake should have failed").to_string()
}

#[tokio::test]
async fn a_client_that_trusts_the_ca_gets_in_with_both_versions_and_any_other_client_does_not() {
    let (right, wrong) = (ca(), ca());
    let config = Files::new(&right, None).load().unwrap();
    for (offered, version) in [(&version::TLS13, ProtocolVersion::TLSv1_3), (&version::TLS12, ProtocolVersion::TLSv1_2)]
    {
        let pair = Pair::connect(&config, client_of(&right, None, &[offered])).await.unwrap();
        assert_eq!(pair.server.get_ref().1.protocol_version(), Some(version));
        assert!(refusal(&config, client_of(&wrong, None, &[offered])).await.contains("UnknownCA"));
    }
}

#[tokio::test]
async fn under_mutual_tls_a_client_gets_in_with_a_certificate_of_the_right_ca_alone() {
    let (servers, clients, strangers) = (ca(), ca(), ca());
    let config = Files::new(&servers, Some(&clients)).load().unwrap();
    for versions in [[&version::TLS13], [&version::TLS12]] {
        let with = |shown| client_of(&servers, shown, &versions);
        let good = certificate(&clients, LONG);
        assert!(Pair::connect(&config, with(Some(&good))).await.is_ok());
        let table = [
            (with(None), "peer sent no certificates"),
            (with(Some(&certificate(&strangers, LONG))), "UnknownIssuer"),
            (with(Some(&certificate(&servers, LONG))), "UnknownIssuer"),
            (with(Some(&certificate(&clients, PAST))), "certificate expired"),
            (with(Some(&certificate(&clients, FUTURE))), "certificate not valid yet"),
        ];
        for (client, why) in table {
            let found = refusal(&config, client).await;
            assert!(found.contains(why), "{found}: not {why}");
        }
    }
}

/// A hello as a client of this version sends it, with what a server needs to answer it.
fn hello(version: u8) -> Vec<u8> {
    let extensions: &[u8] = &[
        0, 10, 0, 4, 0, 2, 0, 0x17, // groups: P-256
        0, 11, 0, 2, 1, 0, // points: uncompressed
        0, 13, 0, 4, 0, 2, 4, 3, // signatures: ECDSA, P-256, SHA-256
        0, 23, 0, 0, // extended master secret
    ];
    let mut body = vec![3, version];
    body.extend([7; 32]);
    body.push(0);
    // ECDHE, ECDSA, AES-128: with GCM for TLS 1.2, with CBC and SHA-1 for what came before.
    body.extend([0, 4, 0xc0, 0x2b, 0xc0, 0x09, 1, 0]);
    body.extend(u16::try_from(extensions.len()).unwrap().to_be_bytes());
    body.extend(extensions);
    let framed = |head: &[u8], body: &[u8]| {
        let length = u16::try_from(body.len()).unwrap().to_be_bytes();
        [head, &length, body].concat()
    };
    framed(&[0x16, 3, 1], &framed(&[1, 0], &body))
}

/// What the server sends back for these bytes, and whether it would go on.
async fn answer(config: &TlsConfig, bytes: &[u8]) -> (Vec<u8>, io::Result<()>) {
    let (mut near, far) = duplex(64 * 1024);
    near.write_all(bytes).await.unwrap();
    near.shutdown().await.unwrap();
    let result = TlsAcceptor::from(config.current()).accept(far).await.map(|_| ());
    let mut answer = Vec::new();
    near.read_to_end(&mut answer).await.unwrap();
    (answer, result)
}

#[tokio::test]
async fn older_versions_and_plain_text_are_refused() {
    const ALERT: u8 = 0x15;
    const HANDSHAKE: u8 = 0x16;
    const PROTOCOL_VERSION: u8 = 70;
    let config = Files::new(&ca(), None).load().unwrap();
    // The same hello, of a version that is spoken, is answered: it is the version that is refused.
    let (spoken, _) = answer(&config, &hello(3)).await;
    assert_eq!((spoken[0], spoken[5]), (HANDSHAKE, 2));
    for version in [0, 1, 2] {
        let (refused, result) = answer(&config, &hello(version)).await;
        assert_eq!((refused[0], &refused[5..]), (ALERT, &[2, PROTOCOL_VERSION][..]), "version 3.{version}");
        assert_eq!(result.unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
    for plain in [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0; 64], &[0xff; 64]] {
        let (refused, result) = answer(&config, plain).await;
        assert!(result.is_err());
        assert!(refused.first().is_none_or(|first| *first == ALERT), "{refused:?}");
    }
}

#[tokio::test]
async fn every_connection_shows_its_certificates_anew_and_nothing_comes_early() {
    let (servers, clients) = (ca(), ca());
    let config = Files::new(&servers, Some(&clients)).load().unwrap();
    assert_eq!(config.current().max_early_data_size, 0);
    for versions in [[&version::TLS13], [&version::TLS12]] {
        // A client remembers sessions and would resume them.
        let client = client_of(&servers, Some(&certificate(&clients, LONG)), &versions);
        for _ in 0..3 {
            let pair = Pair::connect(&config, client.clone()).await.unwrap();
            assert_eq!(pair.client.get_ref().1.handshake_kind(), Some(HandshakeKind::Full));
        }
    }
}

#[tokio::test]
async fn a_new_certificate_is_for_new_connections_and_the_open_ones_live_on() {
    let (old, new) = (ca(), ca());
    let files = Files::new(&old, None);
    let config = files.load().unwrap();
    let mut open = Pair::connect(&config, client(&old, None)).await.unwrap();
    files.renew(&new);
    // Until then, what was read stands.
    assert!(Pair::connect(&config, client(&old, None)).await.is_ok());
    config.reload().unwrap();

    let fresh = Pair::connect(&config, client(&new, None)).await.unwrap();
    assert_ne!(fresh.shown(), open.shown());
    assert!(refusal(&config, client(&old, None)).await.contains("UnknownCA"));
    open.talk().await.unwrap();
}

#[tokio::test]
async fn a_client_ca_that_is_taken_out_counts_for_the_next_connection() {
    let (servers, before, after) = (ca(), ca(), ca());
    let files = Files::new(&servers, Some(&before));
    let config = files.load().unwrap();
    let known = client(&servers, Some(&certificate(&before, LONG)));
    let mut open = Pair::connect(&config, known.clone()).await.unwrap();
    fs::write(files.path("client_ca"), after.pem()).unwrap();
    config.reload().unwrap();
    assert!(refusal(&config, known).await.contains("UnknownIssuer"));
    assert!(Pair::connect(&config, client(&servers, Some(&certificate(&after, LONG)))).await.is_ok());
    open.talk().await.unwrap();
}

/// How the files were broken, what came of it, and whether an error is the one of that.
type Outcome = (&'static str, Result<(), TlsError>, fn(&TlsError) -> bool);

/// Breaks the files in every way.
fn break_files(files: &Files, ca: &Ca) -> Vec<Outcome> {
    let config = files.load().unwrap();
    let mut outcomes: Vec<Outcome> = Vec::new();
    let (good, good_key) = certificate(ca, LONG);
    let (good, good_key) = (good.pem(), good_key.serialize_pem());
    let mut write = |what, certificate: &str, key: &str, is_it: fn(&TlsError) -> bool| {
        files.write(certificate, key);
        outcomes.push((what, config.reload(), is_it));
    };
    let not_pem = |error: &TlsError| matches!(error, TlsError::NotPem { .. });
    let unusable = |error: &TlsError| matches!(error, TlsError::Unusable { .. });
    let pem = |kind: &str, base64: &str| format!("-----BEGIN {kind}-----\n{base64}\n-----END {kind}-----\n");
    let (past, past_key) = certificate(ca, PAST);
    let (future, future_key) = certificate(ca, FUTURE);
    write("empty certificate", "", &good_key, not_pem);
    write("empty key", &good, "", not_pem);
    write("exchanged", &good_key, &good, not_pem);
    write("half a certificate", &good[..good.len() / 2], &good_key, not_pem);
    write("half a key", &good, &good_key[..good_key.len() / 2], not_pem);
    write("no base64", &pem("CERTIFICATE", "?"), &good_key, not_pem);
    write("no certificate", &pem("CERTIFICATE", "AAAA"), &good_key, unusable);
    write("no key", &good, &pem("PRIVATE KEY", "AAAA"), unusable);
    let is_mismatch = |error: &TlsError| matches!(error, TlsError::KeyMismatch { .. });
    write("another key", &good, &KeyPair::generate().unwrap().serialize_pem(), is_mismatch);
    let is_past = |error: &TlsError| matches!(error, TlsError::Expired { since, .. } if since.to_string() == "2021-01-01T00:00:00Z");
    write("past", &past.pem(), &past_key.serialize_pem(), is_past);
    let is_future = |error: &TlsError| matches!(error, TlsError::NotYetValid { from, .. } if from.to_string() == "3000-01-01T00:00:00Z");
    write("future", &future.pem(), &future_key.serialize_pem(), is_future);

    files.write(&good, &good_key);
    fs::set_permissions(files.path("key"), fs::Permissions::from_mode(0o604)).unwrap();
    outcomes.push(("open key", config.reload(), |error| matches!(error, TlsError::Key(_))));
    fs::remove_file(files.path("key")).unwrap();
    outcomes.push(("missing key", config.reload(), |error| matches!(error, TlsError::Key(_))));
    files.write(&good, &good_key);
    fs::remove_file(files.path("certificate")).unwrap();
    outcomes.push(("missing certificate", config.reload(), |error| matches!(error, TlsError::Unreadable { .. })));
    files.write(&good, &good_key);
    fs::write(files.path("client_ca"), pem("CERTIFICATE", "AAAA")).unwrap();
    outcomes.push(("broken CA", config.reload(), unusable));
    fs::remove_file(files.path("client_ca")).unwrap();
    outcomes.push(("missing CA", config.reload(), |error| matches!(error, TlsError::Unreadable { .. })));
    outcomes
}

#[test]
fn every_broken_file_is_refused_for_what_it_is_and_named() {
    let ca = ca();
    let files = Files::new(&ca, Some(&ca));
    let place = files.directory.path().display().to_string();
    for (what, outcome, is_it) in break_files(&files, &ca) {
        let error = outcome.expect_err(what);
        assert!(is_it(&error), "{what}: {error:?}");
        let name = if what.contains("key") || what == "half a key" {
            "key"
        } else if what.contains("CA") {
            "client_ca"
        } else {
            "certificate"
        };
        assert!(error.to_string().starts_with(&format!("{place}/{name}: ")), "{what}: {error}");
        assert!(!error.to_string().contains("BEGIN"), "{what}: {error}");
    }
}

#[test]
fn what_is_refused_at_run_time_is_refused_at_the_start_too() {
    let ca = ca();
    let files = Files::new(&ca, None);
    let (past, key) = certificate(&ca, PAST);
    files.write(&past.pem(), &key.serialize_pem());
    assert!(matches!(files.load(), Err(TlsError::Expired { .. })));
    fs::remove_file(files.path("certificate")).unwrap();
    assert!(matches!(files.load(), Err(TlsError::Unreadable { .. })));
    fs::create_dir(files.path("certificate")).unwrap();
    let directory = files.load().err().unwrap().to_string();
    assert!(directory.contains("not a file"), "{directory}");
}

#[tokio::test]
async fn files_that_are_broken_at_run_time_change_nothing() {
    let (servers, clients) = (ca(), ca());
    let files = Files::new(&servers, Some(&clients));
    let config = files.load().unwrap();
    let before = config.current();
    let known = client(&servers, Some(&certificate(&clients, LONG)));
    let shown = Pair::connect(&config, known.clone()).await.unwrap().shown();
    files.write("", "");
    assert!(config.reload().is_err());
    files.renew(&servers);
    fs::write(files.path("client_ca"), "").unwrap();
    assert!(config.reload().is_err());

    assert!(Arc::ptr_eq(&before, &config.current()));
    assert_eq!(Pair::connect(&config, known.clone()).await.unwrap().shown(), shown);
    // Mended, they count.
    fs::write(files.path("client_ca"), clients.pem()).unwrap();
    config.reload().unwrap();
    assert_ne!(Pair::connect(&config, known).await.unwrap().shown(), shown);
}

#[test]
fn the_settings_name_the_files_or_say_plain_text() {
    assert_eq!(TlsFiles::from_settings(&Settings::default().tls), None);
    let files = Files::new(&ca(), Some(&ca())).files();
    let TlsFiles { certificate, key, client_ca } = files.clone();
    let settings = TlsSettings { certificate: Some(certificate), key: Some(key), client_ca };
    assert_eq!(TlsFiles::from_settings(&settings), Some(files));
}
