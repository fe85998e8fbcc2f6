//! Encryption: whom a connection trusts, and as whom it is made.

use crate::{Address, ConnectError, Tls};
use std::path::Path;
use std::sync::Arc;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// What is needed to encrypt a connection.
#[derive(Clone)]
pub(crate) struct Encryption {
    pub(super) connector: TlsConnector,
    pub(super) server_name: ServerName<'static>,
}

impl Encryption {
    /// Reads the files that the options name.
    pub(crate) fn load(tls: &Tls, address: &Address) -> Result<Self, ConnectError> {
        let mut roots = RootCertStore::empty();
        for path in &tls.ca_files {
            for certificate in certificates(path)? {
                roots.add(certificate).map_err(|error| unfit(path, error))?;
            }
        }
        if roots.is_empty() {
            return Err(ConnectError::NoAuthority);
        }
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("the provider has the default versions")
            .with_root_certificates(roots);
        let config = match &tls.client_certificate {
            None => builder.with_no_client_auth(),
            Some((path, key)) => {
                let chain = certificates(path)?;
                let key = PrivateKeyDer::from_pem_file(key).map_err(|error| unfit(key, error))?;
                builder
                    .with_client_auth_cert(chain, key)
                    .map_err(|error| ConnectError::Certificate { path: path.clone(), what: error.to_string() })?
            }
        };
        let name = tls.server_name.clone().unwrap_or_else(|| address.host().to_owned());
        let server_name = ServerName::try_from(name.clone()).map_err(|_| ConnectError::ServerName { name })?;
        Ok(Self { connector: TlsConnector::from(Arc::new(config)), server_name })
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, ConnectError> {
    let found: Result<Vec<_>, _> =
        CertificateDer::pem_file_iter(path).and_then(Iterator::collect).map_err(|error| unfit(path, error));
    match found {
        Ok(found) if found.is_empty() => Err(unfit(path, "no certificate is in it")),
        found => found,
    }
}

fn unfit(path: &Path, what: impl ToString) -> ConnectError {
    ConnectError::File { path: path.to_owned(), what: what.to_string() }
}
