//! What the server is told: precedence, origins, and the exact words with which bad settings are refused.

use gesta_server::settings::{Loaded, LogFormat, LogLevel, Origin, Settings, SettingsError};
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const NOTHING: [(&str, &str); 0] = [];

/// Loads a settings file of this text.
fn load(text: &str) -> Result<Loaded, SettingsError> {
    let directory = TempDir::new().unwrap();
    Settings::load(Some(&file(&directory, text)), NOTHING, &[])
}

/// The message for a file of this text, without the directory it lies in.
fn refusal(text: &str) -> String {
    let directory = TempDir::new().unwrap();
    let message = Settings::load(Some(&file(&directory, text)), NOTHING, &[]).unwrap_err().to_string();
    message.replace(&format!("{}/", directory.path().display()), "")
}

fn file(directory: &TempDir, text: &str) -> PathBuf {
    let path = directory.path().join("gesta.toml");
    fs::write(&path, text).unwrap();
    path
}

fn flag_refusal(key: &str, value: &str) -> String {
    Settings::load(None, NOTHING, &[(key, value.to_owned())]).unwrap_err().to_string()
}

fn row(loaded: &Loaded, key: &str) -> (String, Origin) {
    let row = loaded.rows().find(|row| row.key == key).unwrap();
    (row.value.to_string(), row.origin.clone())
}

/// The settings as a file that says every one of them.
fn as_file(loaded: &Loaded) -> String {
    loaded.rows().map(|row| format!("{} = {}\n", row.key, row.value)).collect()
}

#[test]
fn without_any_source_everything_has_its_default() {
    let loaded = Settings::load(None, NOTHING, &[]).unwrap();
    assert_eq!(*loaded.settings(), Settings::default());
    assert!(loaded.rows().all(|row| *row.origin == Origin::Default));
    assert_eq!(row(&loaded, "append").0, "\"127.0.0.1:4701\"");
    assert_eq!(row(&loaded, "limits.frame_bytes_max").0, (34 * 1024 * 1024).to_string());
    assert_eq!(row(&loaded, "http").0, "\"\"");
    assert_eq!(loaded.settings().limits.events(), gesta::Limits::default());
    assert!(matches!(loaded.settings().directory(), Err(SettingsError::NoDirectory)));
}

#[test]
fn a_later_source_wins_key_by_key_and_the_origin_says_which() {
    let directory = TempDir::new().unwrap();
    let path = file(
        &directory,
        "dir = \"from file\"\nread = \"127.0.0.1:1\"\n\n[limits]\nidle_timeout_ms = 70_000\nheartbeat_ms = 0x10\n\n[log]\nformat = \"json\"\n",
    );
    let environment = [("GESTA_READ", "127.0.0.1:2"), ("GESTA_LIMITS_IDLE_TIMEOUT_MS", "80000"), ("PATH", "gesta")];
    let loaded = Settings::load(Some(&path), environment, &[("read", "127.0.0.1:3".to_owned())]).unwrap();

    let line = |line| Origin::File { path: path.display().to_string(), line };
    assert_eq!(row(&loaded, "dir"), ("\"from file\"".to_owned(), line(1)));
    assert_eq!(row(&loaded, "read"), ("\"127.0.0.1:3\"".to_owned(), Origin::Flag("--read".to_owned())));
    let variable = Origin::Environment("GESTA_LIMITS_IDLE_TIMEOUT_MS".to_owned());
    assert_eq!(row(&loaded, "limits.idle_timeout_ms"), ("80000".to_owned(), variable));
    assert_eq!(row(&loaded, "limits.heartbeat_ms"), ("16".to_owned(), line(6)));
    assert_eq!(row(&loaded, "append").1, Origin::Default);
    assert_eq!(row(&loaded, "log.format").1.to_string(), format!("{}:9", path.display()));

    let settings = loaded.into_settings();
    assert_eq!(settings.directory().unwrap(), Path::new("from file"));
    assert_eq!(settings.limits.idle_timeout_ms, 80_000);
    assert_eq!((settings.log.format, settings.log.level), (LogFormat::Json, LogLevel::Info));
}

#[test]
fn what_is_shown_loads_again_to_the_same_settings() {
    let changed = "dir = \"a \\\"quoted\\\" \\\\ path\"\nhttp = \"[::1]:4703\"\ninsecure = true\nappend_threads = 7\n\
                   log.level = \"trace\"\nlimits.stop_timeout_ms = 1\n";
    for text in ["", changed] {
        let loaded = load(text).unwrap();
        let again = load(&as_file(&loaded)).unwrap();
        assert_eq!(again.settings(), loaded.settings());
        assert!(again.rows().all(|row| *row.origin != Origin::Default));
    }
}

#[test]
fn every_key_is_taken_from_the_environment_and_from_flags_too() {
    let loaded = load("append_threads = 3\nlog.level = \"warn\"\nlimits.hello_bytes_max = 8192").unwrap();
    let rows: Vec<(&str, String)> =
        loaded.rows().map(|row| (row.key, row.value.to_string().trim_matches('"').to_owned())).collect();
    let variables = rows.iter().map(|(key, value)| (format!("GESTA_{}", key.replace('.', "_").to_uppercase()), value));
    let from_environment = Settings::load(None, variables, &[]).unwrap();
    let from_flags = Settings::load(None, NOTHING, &rows).unwrap();
    assert_eq!(from_environment.settings(), loaded.settings());
    assert_eq!(from_flags.settings(), loaded.settings());
    assert!(from_flags.rows().all(|row| matches!(row.origin, Origin::Flag(_))));
}

#[test]
fn an_empty_text_takes_an_optional_value_back() {
    let directory = TempDir::new().unwrap();
    let path = file(&directory, "http = \"127.0.0.1:4703\"\naccess.tokens = \"tokens\"\n");
    let environment = [("GESTA_HTTP", ""), ("GESTA_ACCESS_TOKENS", "")];
    let settings = Settings::load(Some(&path), environment, &[]).unwrap().into_settings();
    assert_eq!((settings.http, settings.access.tokens), (None, None));
}

#[test]
fn an_unknown_key_is_refused_with_its_line_and_the_nearest_known_one() {
    let table = [
        ("\nfoo = 1", "gesta.toml:2: there is no setting `foo`: see `gesta config show` for all there are"),
        (
            "[limits]\nframe_byte_max = 1",
            "gesta.toml:2: there is no setting `limits.frame_byte_max`: did you mean `limits.frame_bytes_max`?",
        ),
        (
            "frame_bytes_max = 1",
            "gesta.toml:1: there is no setting `frame_bytes_max`: did you mean `limits.frame_bytes_max`?",
        ),
        ("[limit]\nx = 1", "gesta.toml:1: there is no setting `limit`: did you mean `limits`?"),
        (
            "[tls.deep]\nx = 1",
            "gesta.toml:1: there is no setting `tls.deep`: see `gesta config show` for all there are",
        ),
        (
            "log = \"text\"",
            "gesta.toml:1: log cannot be \"text\": give a section: [log] on a line of its own, its keys below",
        ),
        // The first mistake of the file comes first, whatever the names.
        ("zeal = 1\nant = 2", "gesta.toml:1: there is no setting `zeal`: see `gesta config show` for all there are"),
    ];
    for (text, message) in table {
        assert_eq!(refusal(text), message);
    }
}

#[test]
fn a_value_of_the_wrong_type_or_out_of_range_is_refused_with_what_is_allowed() {
    let table = [
        ("append = 4701", "append cannot be 4701: give an IP address and a port"),
        ("append = \"localhost\"", "append cannot be \"localhost\": give an IP address and a port"),
        ("read = \"\"", "read cannot be \"\": give an IP address and a port"),
        ("http = \"127.0.0.1:99999\"", "http cannot be \"127.0.0.1:99999\": give an IP address"),
        ("insecure = \"true\"", "insecure cannot be \"true\": give true or false"),
        ("append_threads = 0", "append_threads cannot be 0: give a whole number from 1 to 1024"),
        ("append_threads = -1", "append_threads cannot be -1: give a whole number from 1 to 1024"),
        ("append_threads = 1.5", "append_threads cannot be a fraction: give a whole number from 1 to 1024"),
        ("append_threads = \"2\"", "append_threads cannot be \"2\": give a whole number"),
        ("dir = [\"a\"]", "dir cannot be a list: give a path"),
        ("dir = 1979-05-27", "dir cannot be a date: give a path"),
        ("[append]\nx = 1", "append cannot be a section: give an IP address"),
        (
            "limits.idle_timeout_ms = 86400001",
            "limits.idle_timeout_ms cannot be 86400001: give a whole number of milliseconds from 1 to 86400000",
        ),
        (
            "limits.data_bytes_max = 99999999999999999999999",
            "limits.data_bytes_max cannot be 99999999999999999999999: give",
        ),
        ("log.format = \"xml\"", "log.format cannot be \"xml\": give \"text\" or \"json\""),
        (
            "log.level = \"loud\"",
            "log.level cannot be \"loud\": give \"error\" or \"warn\" or \"info\" or \"debug\" or \"trace\"",
        ),
    ];
    for (text, message) in table {
        let found = refusal(text);
        assert!(found.starts_with(&format!("gesta.toml:1: {message}")), "{text}: {found}");
    }
    assert_eq!(flag_refusal("insecure", "yes"), "--insecure: insecure cannot be \"yes\": give true or false");
}

#[test]
fn a_file_that_is_no_toml_or_cannot_be_read_is_refused_with_its_place() {
    assert!(refusal("dir = \"a\"\ndir = \"b\"").starts_with("gesta.toml:2: not valid TOML: "));
    assert!(refusal("dir = \"a\"\nread = ").starts_with("gesta.toml:2: not valid TOML: "));
    let missing = Settings::load(Some(Path::new("no/such/file.toml")), NOTHING, &[]).unwrap_err().to_string();
    assert!(missing.starts_with("no/such/file.toml: cannot read the settings (No such file"), "{missing}");

    let directory = TempDir::new().unwrap();
    let path = directory.path().join("binary.toml");
    fs::write(&path, b"dir = \"a\"\n\xff\xfe").unwrap();
    let binary = Settings::load(Some(&path), NOTHING, &[]).unwrap_err();
    assert!(matches!(binary, SettingsError::NotToml { line: 2, .. }), "{binary}");
    fs::write(&path, vec![b'#'; 1024 * 1024 + 1]).unwrap();
    let long = Settings::load(Some(&path), NOTHING, &[]).unwrap_err();
    assert!(matches!(long, SettingsError::TooLarge { bytes_max: 1_048_576, .. }), "{long}");
}

#[test]
fn an_unknown_variable_is_refused_but_those_of_the_client_are_none_of_ours() {
    let refusal = |name: &str| Settings::load(None, [(name, "1")], &[]).unwrap_err().to_string();
    assert_eq!(
        refusal("GESTA_LIMITS_FRAME_BYTE_MAX"),
        "environment: there is no setting `GESTA_LIMITS_FRAME_BYTE_MAX`: did you mean `GESTA_LIMITS_FRAME_BYTES_MAX`?"
    );
    assert_eq!(
        refusal("GESTA_APPEND"),
        "GESTA_APPEND: append cannot be \"1\": give an IP address and a port, such as \"127.0.0.1:4701\" or \"[::1]:4701\""
    );
    assert!(Settings::load(None, [("GESTA_STORE", "x"), ("GESTA_TOKEN", "y"), ("gesta_read", "z")], &[]).is_ok());
    let bytes = std::ffi::OsString::from_vec(b"\xff".to_vec());
    let binary = Settings::load(None, [(std::ffi::OsString::from("GESTA_DIR"), bytes)], &[]).unwrap_err().to_string();
    assert_eq!(binary, "GESTA_DIR: dir cannot be bytes that are no text: give text in UTF-8");
}

#[test]
fn plain_text_and_open_access_stay_on_this_machine() {
    for address in ["0.0.0.0:4701", "[::]:4701", "192.0.2.1:4701", "[::ffff:192.0.2.1]:4701"] {
        let message = flag_refusal("append", address);
        assert!(
            message.starts_with(&format!("--append: append = {address}: events and tokens would leave")),
            "{message}"
        );
        assert!(message.contains("set insecure = true"), "{message}");
        assert!(flag_refusal("http", address).contains("the operator's port speaks plain text only"));
    }
    for address in ["127.0.0.9:4701", "[::1]:4701", "[::ffff:127.0.0.1]:4701"] {
        assert!(Settings::load(None, NOTHING, &[("append", address.to_owned())]).is_ok(), "{address}");
    }
    // Told so, plain text may leave, but not without tokens; and a certificate does as well as being told.
    let open = refusal("read = \"0.0.0.0:1\"\ninsecure = true");
    assert!(open.starts_with("gesta.toml:1: read = 0.0.0.0:1: without tokens everyone"), "{open}");
    assert!(load("read = \"0.0.0.0:1\"\ninsecure = true\naccess.tokens = \"tokens\"").is_ok());
    let encrypted = "read = \"0.0.0.0:1\"\naccess.tokens = \"t\"\n[tls]\ncertificate = \"c\"\nkey = \"k\"\n";
    assert!(load(encrypted).is_ok());
    assert!(refusal(&format!("http = \"0.0.0.0:2\"\n{encrypted}")).starts_with("gesta.toml:1: http = 0.0.0.0:2: "));
}

#[test]
fn settings_that_do_not_fit_together_are_refused() {
    let table = [
        (
            "tls.certificate = \"c\"",
            "tls.certificate = c: a certificate is of no use without its private key: give tls.key too",
        ),
        (
            "tls.key = \"k\"",
            "tls.key = k: a private key is of no use without its certificate: give tls.certificate too",
        ),
        ("tls.client_ca = \"a\"", "tls.client_ca = a: clients cannot show certificates in plain text"),
        (
            "read = \"127.0.0.1:4701\"",
            "read = 127.0.0.1:4701: `append` listens there: each needs an address of its own",
        ),
        ("http = \"127.0.0.1:4702\"", "http = 127.0.0.1:4702: `read` listens there"),
        (
            "limits.frame_bytes_max = 33554432",
            "limits.frame_bytes_max = 33554432: too little for a request of limits.request_bytes_max and what goes with it: give 34603008 or more",
        ),
        (
            "limits.append_bytes_in_flight_max = 70000",
            "limits.append_bytes_in_flight_max = 70000: too little for one frame",
        ),
        (
            "limits.idle_timeout_ms = 15000",
            "limits.idle_timeout_ms = 15000: too little for a heartbeat, which comes every limits.heartbeat_ms: give 15001 or more",
        ),
    ];
    for (text, message) in table {
        let found = refusal(text);
        assert!(found.starts_with(&format!("gesta.toml:1: {message}")), "{text}: {found}");
    }
    // Port 0 is a port of the system's choosing, a different one each time.
    assert!(load("append = \"127.0.0.1:0\"\nread = \"127.0.0.1:0\"").is_ok());
}

#[test]
fn a_file_of_secrets_that_everyone_may_use_is_refused() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("secret");
    fs::write(&path, "").unwrap();
    let shown = path.display().to_string();
    for (mode, refused) in [(0o600, false), (0o640, false), (0o400, false), (0o604, true), (0o602, true), (0o644, true)]
    {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let tokens = Settings::load(None, NOTHING, &[("access.tokens", shown.clone())]);
        let key = Settings::load(None, NOTHING, &[("tls.key", shown.clone()), ("tls.certificate", "c".to_owned())]);
        assert_eq!((tokens.is_err(), key.is_err()), (refused, refused), "{mode:o}");
        if let Err(error) = tokens {
            let expected = format!(
                "--set access.tokens: access.tokens: {shown}: holds secrets, but every user of this machine may use it \
                 (mode {mode:04o}): run chmod 600 {shown}"
            );
            assert_eq!(error.to_string(), expected);
        }
    }
    let directory = directory.path().display().to_string();
    assert!(flag_refusal("access.tokens", &directory).ends_with(": not a file: check the path"));
}

#[test]
fn a_secret_in_the_place_of_its_file_is_not_repeated() {
    let token = format!("gesta_{}", "A1-_".repeat(11));
    let key = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2Vw".to_owned();
    for (setting, secret) in [("access.tokens", &token), ("tls.key", &key), ("append", &token), ("log.level", &key)] {
        let message = flag_refusal(setting, secret);
        assert!(message.contains("(a secret, not shown)"), "{message}");
        assert!(!message.contains("A1-_") && !message.contains("MC4C"), "{message}");
    }
    for message in [refusal(&format!("dir = \"{token}\"")), refusal(&format!("{token} = 1"))] {
        assert!(!message.contains("A1-_"), "{message}");
    }
}
