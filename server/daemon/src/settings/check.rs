//! What must hold between settings.
//!
//! ```text
//!  beyond this machine:  no plain text, unless told so; nobody without a token
//!  certificate and key:  both or neither
//!  addresses:            one for each port
//!  sizes and times:      what must fit in something fits
//!  secrets:              in files that only their owner may read
//! ```

use super::error::SettingsError;
use super::loaded::Loaded;
use super::secret_file::refuse_open;
use super::settings::Settings;
use std::net::SocketAddr;
use std::path::Path;

/// What a frame holds beside the events of its request.
const FRAME_ROOM_BYTES: usize = 1024 * 1024;

/// Refuses settings that are allowed one by one, but not together.
pub(super) fn together(loaded: &Loaded) -> Result<(), SettingsError> {
    encryption(loaded)?;
    addresses(loaded)?;
    limits(loaded)?;
    secrets(loaded)
}

fn encryption(loaded: &Loaded) -> Result<(), SettingsError> {
    let tls = &loaded.settings().tls;
    let alone = |key, path: &Path, what: &str| Err(contradiction(loaded, key, path.display(), what));
    match (&tls.certificate, &tls.key, &tls.client_ca) {
        (Some(path), None, _) => {
            alone("tls.certificate", path, "a certificate is of no use without its private key: give tls.key too")
        }
        (None, Some(path), _) => {
            alone("tls.key", path, "a private key is of no use without its certificate: give tls.certificate too")
        }
        (None, None, Some(path)) => alone(
            "tls.client_ca",
            path,
            "clients cannot show certificates in plain text: give tls.certificate and tls.key too",
        ),
        _ => Ok(()),
    }
}

fn addresses(loaded: &Loaded) -> Result<(), SettingsError> {
    let settings = loaded.settings();
    let planes = [("append", settings.append), ("read", settings.read)];
    for (key, address) in planes.into_iter().filter(|(_, address)| !is_loopback(*address)) {
        if settings.tls.certificate.is_none() && !settings.insecure {
            return Err(contradiction(loaded, key, address, PLAIN_TEXT));
        }
        if settings.access.tokens.is_none() {
            return Err(contradiction(loaded, key, address, NO_TOKENS));
        }
    }
    if let Some(address) = settings.http.filter(|address| !is_loopback(*address) && !settings.insecure) {
        return Err(contradiction(loaded, "http", address, PLAIN_HTTP));
    }
    let listeners = planes.into_iter().chain(settings.http.map(|address| ("http", address)));
    let listeners: Vec<_> = listeners.filter(|(_, address)| address.port() != 0).collect();
    for (index, (key, address)) in listeners.iter().enumerate() {
        if let Some((other, _)) = listeners[..index].iter().find(|(_, earlier)| earlier == address) {
            let what = format!("`{other}` listens there: each needs an address of its own");
            return Err(contradiction(loaded, key, address, &what));
        }
    }
    Ok(())
}

const PLAIN_TEXT: &str = "events and tokens would leave this machine in plain text: give tls.certificate and tls.key, \
                          or listen on 127.0.0.1, or set insecure = true where the network itself is trusted";
const NO_TOKENS: &str = "without tokens everyone who reaches this address could do everything: make one with \
                         `gesta token create` and give its file as access.tokens, or listen on 127.0.0.1";
const PLAIN_HTTP: &str = "the operator's port speaks plain text only: listen on 127.0.0.1, or set insecure = true where \
                          the network itself is trusted";

fn limits(loaded: &Loaded) -> Result<(), SettingsError> {
    let limits = &loaded.settings().limits;
    let frame_bytes = limits.request_bytes_max + FRAME_ROOM_BYTES;
    let holds = [
        (
            "limits.frame_bytes_max",
            limits.frame_bytes_max as u64,
            frame_bytes as u64,
            "a request of limits.request_bytes_max and what goes with it",
        ),
        (
            "limits.append_bytes_in_flight_max",
            limits.append_bytes_in_flight_max as u64,
            limits.frame_bytes_max as u64,
            "one frame of limits.frame_bytes_max",
        ),
        (
            "limits.idle_timeout_ms",
            limits.idle_timeout_ms,
            limits.heartbeat_ms + 1,
            "a heartbeat, which comes every limits.heartbeat_ms",
        ),
    ];
    match holds.into_iter().find(|(_, given, needed, _)| given < needed) {
        Some((key, given, needed, what)) => {
            Err(contradiction(loaded, key, given, &format!("too little for {what}: give {needed} or more")))
        }
        None => Ok(()),
    }
}

fn secrets(loaded: &Loaded) -> Result<(), SettingsError> {
    let Settings { tls, access, .. } = loaded.settings();
    for (key, path) in [("tls.key", &tls.key), ("access.tokens", &access.tokens)] {
        if let Some(path) = path {
            refuse_open(path).map_err(|source| SettingsError::Secret { origin: loaded.origin(key), key, source })?;
        }
    }
    Ok(())
}

fn is_loopback(address: SocketAddr) -> bool {
    address.ip().to_canonical().is_loopback()
}

fn contradiction(loaded: &Loaded, key: &'static str, found: impl ToString, what: &str) -> SettingsError {
    SettingsError::Contradiction { origin: loaded.origin(key), key, found: found.to_string(), what: what.to_owned() }
}
