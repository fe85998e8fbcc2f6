//! From files to one configuration.
//!
//! What must stay true: what is returned can serve; whatever is wrong is found here and not by the first client, and the
//! file that it is wrong with is named.

use super::error::TlsError;
use super::files::TlsFiles;
use super::validity::validity;
use crate::settings::read_secret;
use jiff::Timestamp;
use rustls::crypto::ring;
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::version::{TLS12, TLS13};
use rustls::{RootCertStore, ServerConfig};
use rustls_pki_types::pem::{self, PemObject};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

/// Longer than any chain of certificates, and than the roots of the whole world.
const CERTIFICATES_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Reads the files and makes a configuration that is good now.
pub(super) fn build(files: &TlsFiles, now: Timestamp) -> Result<ServerConfig, TlsError> {
    let provider = Arc::new(ring::default_provider());
    let chain = certificates(&files.certificate)?;
    check_validity(&files.certificate, &chain[0], now)?;
    let key = private_key(&files.key)?;
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[&TLS13, &TLS12])
        .map_err(|error| unusable(&files.certificate, &error))?;
    let builder = match &files.client_ca {
        Some(path) => {
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots(path)?), provider).build();
            builder.with_client_cert_verifier(verifier.map_err(|error| unusable(path, &error))?)
        }
        None => builder.with_no_client_auth(),
    };
    let config = builder.with_single_cert(chain, key);
    let mut config = config.map_err(|error| explain(files, &error))?;
    // Nothing is resumed where nothing is kept.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    Ok(config)
}

/// The certificates of a file, one at least.
fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let bytes = read(path)?;
    let found: Result<Vec<_>, pem::Error> = CertificateDer::pem_slice_iter(&bytes).collect();
    let found = found.map_err(|error| not_pem(path, describe(&error)))?;
    if found.is_empty() { Err(not_pem(path, "there is no certificate in it")) } else { Ok(found) }
}

fn roots(path: &Path) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(path)? {
        roots.add(certificate).map_err(|error| unusable(path, &error))?;
    }
    Ok(roots)
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let bytes = read_secret(path)?;
    PrivateKeyDer::from_pem_slice(&bytes).map_err(|error| match error {
        pem::Error::NoItemsFound => not_pem(path, "there is no private key in it"),
        other => not_pem(path, describe(&other)),
    })
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    let unreadable = |source| TlsError::Unreadable { path: path.display().to_string(), source };
    // Opening a pipe would wait for its other end.
    if !path.metadata().map_err(unreadable)?.is_file() {
        return Err(unreadable(io::Error::other("not a file")));
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(CERTIFICATES_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > CERTIFICATES_BYTES_MAX {
        return Err(unreadable(io::Error::other(format!("longer than {CERTIFICATES_BYTES_MAX} bytes"))));
    }
    Ok(bytes)
}

/// Refuses a certificate that every client would refuse.
fn check_validity(path: &Path, certificate: &[u8], now: Timestamp) -> Result<(), TlsError> {
    let path = || path.display().to_string();
    let good = validity(certificate)
        .ok_or_else(|| TlsError::Unusable { path: path(), what: "not a certificate in X.509".to_owned() })?;
    if now < *good.start() {
        return Err(TlsError::NotYetValid { path: path(), from: *good.start() });
    }
    if now > *good.end() {
        return Err(TlsError::Expired { path: path(), since: *good.end() });
    }
    Ok(())
}

/// Which of the two files it is that the server cannot be with.
fn explain(files: &TlsFiles, error: &rustls::Error) -> TlsError {
    match error {
        rustls::Error::InconsistentKeys(_) => TlsError::KeyMismatch {
            certificate: files.certificate.display().to_string(),
            key: files.key.display().to_string(),
        },
        rustls::Error::InvalidCertificate(_) => unusable(&files.certificate, error),
        _ => unusable(&files.key, error),
    }
}

fn unusable(path: &Path, error: &dyn std::error::Error) -> TlsError {
    TlsError::Unusable { path: path.display().to_string(), what: error.to_string() }
}

fn not_pem(path: &Path, what: &str) -> TlsError {
    TlsError::NotPem { path: path.display().to_string(), what: what.to_owned() }
}

/// In words of our own: those of the parser repeat lines of the file, which may be a private key's.
fn describe(error: &pem::Error) -> &'static str {
    match error {
        pem::Error::MissingSectionEnd { .. } => "a section has no end",
        pem::Error::IllegalSectionStart { .. } => "a section begins in a line that is damaged",
        pem::Error::Base64Decode(_) => "a section is not base64",
        _ => "it is damaged",
    }
}
