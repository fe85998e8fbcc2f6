//! Tokens: who is let in, who is not and learns nothing from it, and files that are changed or broken at run time.

use gesta_server::access::{
    Access, CreateTokenError, Denied, FailureLimits, Grant, Moment, NewToken, Operation, RevokeTokenError, Role,
    Stores, TokenFile, TokenFileError,
};
use gesta_server::settings::{AccessSettings, SecretFileError};
use jiff::{SignedDuration, Timestamp};
use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// A directory with a file of tokens in it.
struct Tokens {
    directory: TempDir,
    file: TokenFile,
}

impl Tokens {
    fn new() -> Self {
        let directory = TempDir::new().unwrap();
        let file = TokenFile::new(directory.path().join("tokens"));
        Self { directory, file }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("tokens")
    }

    fn create(&self, name: &str, expires: Option<Timestamp>) -> String {
        self.file.create(new(name, expires), now().wall).unwrap().expose().to_owned()
    }

    fn access(&self) -> Access {
        Access::load(&self.path()).unwrap()
    }

    fn write(&self, text: &str) {
        fs::write(self.path(), text).unwrap();
        fs::set_permissions(self.path(), fs::Permissions::from_mode(0o600)).unwrap();
    }
}

/// A reader of the store `own`.
fn new(name: &str, expires: Option<Timestamp>) -> NewToken {
    let roles = [Role::Reader].into_iter().collect();
    NewToken { name: name.to_owned(), roles, stores: vec!["own".to_owned()], expires }
}

fn now() -> Moment {
    Moment { wall: "2026-03-01T12:00:00Z".parse().unwrap(), steady: Instant::now() }
}

fn peer() -> IpAddr {
    Ipv4Addr::new(192, 0, 2, 1).into()
}

fn knock(access: &Access, token: &str, at: Moment) -> Result<Grant, Denied> {
    access.authenticate(Some(token.as_bytes()), "own", peer(), at)
}

#[test]
fn a_token_lets_in_wherever_it_stands_in_the_file() {
    let tokens = Tokens::new();
    let secrets: Vec<String> = (0..9).map(|number| tokens.create(&format!("n{number}"), None)).collect();
    let access = tokens.access();
    assert_eq!((access.token_count(), access.is_open()), (9, false));
    for (number, secret) in secrets.iter().enumerate() {
        let grant = knock(&access, secret, now()).unwrap();
        assert_eq!(grant.name(), Some(&*format!("n{number}")));
        assert!(grant.roles().iter().eq([Role::Reader]));
        assert_eq!(grant.allow(Operation::Read, "own", now().wall), Ok(()));
        assert_eq!(grant.allow(Operation::Append, "own", now().wall), Err(Denied));
    }
}

#[test]
fn wrong_expired_revoked_foreign_empty_and_huge_tokens_get_the_same_answer() {
    let tokens = Tokens::new();
    let good = tokens.create("good", None);
    let expired = tokens.create("expired", Some(now().wall + HOUR));
    let revoked = tokens.create("revoked", None);
    tokens.file.revoke("revoked").unwrap();
    let access = tokens.access();
    let later = Moment { wall: now().wall + HOUR + HOUR, ..now() };
    // Each from an address of its own, so that none is refused for what another did.
    let mut number = 0;
    let mut answer = |token: Option<&[u8]>, store: &str| {
        number += 1;
        let from = Ipv4Addr::new(192, 0, 2, number).into();
        access.authenticate(token, store, from, later).map(|_| ()).map_err(|denied| format!("{denied} {denied:?}"))
    };
    assert_eq!(answer(Some(good.as_bytes()), "own"), Ok(()));
    let (upper, longer) = (good.to_uppercase(), format!("{good}A"));
    let huge = good.repeat(1024 * 1024 / good.len() + 1);
    let hash = fs::read_to_string(tokens.path()).unwrap().split('"').rev().nth(1).unwrap().to_owned();
    let denied = [
        answer(None, "own"),
        answer(Some(b""), "own"),
        answer(Some(b"gesta_"), "own"),
        answer(Some(expired.as_bytes()), "own"),
        answer(Some(revoked.as_bytes()), "own"),
        answer(Some(good.as_bytes()), "foreign"),
        answer(Some(good.as_bytes()), ""),
        answer(Some(good.as_bytes()), "*"),
        answer(Some(upper.as_bytes()), "own"),
        answer(Some(longer.as_bytes()), "own"),
        answer(Some(&good.as_bytes()[..48]), "own"),
        answer(Some(huge.as_bytes()), "own"),
        answer(Some(hash.as_bytes()), "own"),
        answer(Some(&[0xff; 49]), "own"),
    ];
    let text = "access denied: give a token that is good for this store and this operation Denied";
    assert!(denied.iter().all(|answer| answer == &Err(text.to_owned())), "{denied:?}");
}

#[test]
fn a_token_ends_at_its_time_also_on_a_connection_that_is_open() {
    let tokens = Tokens::new();
    let end = now().wall + HOUR;
    let secret = tokens.create("short", Some(end));
    let access = tokens.access();
    let grant = knock(&access, &secret, now()).unwrap();
    let leeway = SignedDuration::from_secs(30);
    for (wall, is_good) in [(end, true), (end + leeway - SignedDuration::from_secs(1), true), (end + leeway, false)] {
        assert_eq!(grant.allow(Operation::Read, "own", wall).is_ok(), is_good, "{wall}");
        assert_eq!(knock(&access, &secret, Moment { wall, ..now() }).is_ok(), is_good, "{wall}");
    }
    // Clocks are set back and forth, and far.
    for wall in [Timestamp::MIN, Timestamp::UNIX_EPOCH] {
        assert!(grant.allow(Operation::Read, "own", wall).is_ok());
    }
    assert!(grant.allow(Operation::Read, "own", Timestamp::MAX).is_err());
}

#[test]
fn without_a_file_this_machine_is_let_in_and_no_other() {
    for access in [Access::open(), Access::from_settings(&AccessSettings::default()).unwrap()] {
        assert!(access.is_open());
        for here in ["127.0.0.1", "127.3.2.1", "::1", "::ffff:127.0.0.1"] {
            let grant = access.authenticate(None, "any", here.parse().unwrap(), now()).unwrap();
            assert!(Operation::ALL.iter().all(|operation| grant.allow(*operation, "other", now().wall).is_ok()));
            assert!(access.refresh(&mut grant.clone()).is_ok());
        }
        for there in ["192.0.2.1", "::", "2001:db8::1", "::ffff:192.0.2.1"] {
            assert!(access.authenticate(Some(b"gesta_"), "any", there.parse().unwrap(), now()).is_err(), "{there}");
        }
    }
}

#[test]
fn an_empty_file_denies_everyone_and_a_missing_one_is_no_file() {
    let tokens = Tokens::new();
    let missing = Access::load(&tokens.path()).err().unwrap();
    assert!(matches!(missing, TokenFileError::File(SecretFileError::Unreadable { .. })), "{missing}");
    tokens.write("\n\n");
    let access = tokens.access();
    assert_eq!(access.authenticate(None, "own", Ipv4Addr::LOCALHOST.into(), now()).err(), Some(Denied));
    assert_eq!(access.authenticate(Some(b""), "own", Ipv4Addr::LOCALHOST.into(), now()).err(), Some(Denied));
}

#[test]
fn reading_the_file_again_takes_new_tokens_in_and_revoked_ones_out_of_open_connections() {
    let tokens = Tokens::new();
    let (kept, revoked) = (tokens.create("kept", None), tokens.create("revoked", None));
    let access = tokens.access();
    let mut grants = [&kept, &revoked].map(|secret| knock(&access, secret, now()).unwrap());
    let fresh = tokens.create("fresh", None);
    tokens.file.revoke("revoked").unwrap();
    // Until then, what was read stands.
    assert!(knock(&access, &fresh, now()).is_err());
    assert!(grants.iter_mut().all(|grant| access.refresh(grant).is_ok()));

    access.reload().unwrap();
    assert!(knock(&access, &fresh, now()).is_ok());
    assert!(knock(&access, &revoked, now()).is_err());
    assert_eq!(grants.each_mut().map(|grant| access.refresh(grant)), [Ok(()), Err(Denied)]);
}

#[test]
fn a_grant_takes_over_what_its_token_says_now() {
    let tokens = Tokens::new();
    let secret = tokens.create("changing", None);
    let access = tokens.access();
    let mut grant = knock(&access, &secret, now()).unwrap();
    tokens.write(&fs::read_to_string(tokens.path()).unwrap().replace("reader", "appender"));
    access.reload().unwrap();
    access.refresh(&mut grant).unwrap();
    assert!(grant.allow(Operation::Append, "own", now().wall).is_ok());
    assert!(grant.allow(Operation::Read, "own", now().wall).is_err());
}

#[test]
fn a_broken_file_at_run_time_changes_nothing_and_is_named() {
    let tokens = Tokens::new();
    let secret = tokens.create("good", None);
    let text = fs::read_to_string(tokens.path()).unwrap();
    let access = tokens.access();
    let mut grant = knock(&access, &secret, now()).unwrap();
    let mut still_good = |access: &Access| {
        assert!(knock(access, &secret, now()).is_ok());
        assert!(access.refresh(&mut grant).is_ok());
    };

    tokens.write(&format!("{text}half a li"));
    let broken = access.reload().unwrap_err().to_string();
    assert!(broken.starts_with(&format!("{}:2: not a token: ", tokens.path().display())), "{broken}");
    still_good(&access);
    fs::set_permissions(tokens.path(), fs::Permissions::from_mode(0o644)).unwrap();
    assert!(matches!(access.reload(), Err(TokenFileError::File(SecretFileError::Open { mode: 0o644, .. }))));
    still_good(&access);
    fs::remove_file(tokens.path()).unwrap();
    assert!(matches!(access.reload(), Err(TokenFileError::File(SecretFileError::Unreadable { .. }))));
    still_good(&access);
    tokens.write(&text);
    access.reload().unwrap();
    still_good(&access);
}

#[test]
fn a_line_that_is_not_wholly_understood_is_refused_with_its_number() {
    let tokens = Tokens::new();
    let secret = tokens.create("good", None);
    let good = fs::read_to_string(tokens.path()).unwrap();
    let table = [
        (good.replace("\"expires\"", "\"expirse\""), "unknown field `expirse`"),
        (good.replace("\"expires\":null", "\"expires\":\"tomorrow\""), "\"tomorrow\" is not a time such as"),
        (good.replace("\"reader\"", "\"root\""), "there is no role \"root\": give appender"),
        (good.replace("[\"reader\"]", "[]"), "it has no role"),
        (good.replace("[\"own\"]", "[]"), "its stores must be a list of names, or [\"*\"] for every store"),
        (good.replace("[\"own\"]", "[\"own\",\"*\"]"), "its stores must be"),
        (good.replace("[\"own\"]", "[\"\"]"), "its stores must be"),
        (good.replace("\"sha256\":\"", "\"sha256\":\"0"), "sha256 is not 64 hexadecimal digits"),
        (good.replace("\"good\"", "\"\""), "its name must be 1 to 255 bytes"),
        (good.clone(), "its name or its hash stands in a line before"),
        (good.replace("\"good\"", "\"other\""), "its name or its hash stands in a line before"),
        (format!("{secret}\n"), "expected value"),
        (format!("{{\"{secret}\":1}}\n"), "(a secret, not shown)"),
    ];
    for (line, what) in table {
        tokens.write(&format!("{good}\n{line}"));
        let message = tokens.file.list().err().unwrap().to_string();
        assert!(message.starts_with(&format!("{}:3: not a token: {what}", tokens.path().display())), "{message}");
        assert!(!message.contains(&secret));
    }
    fs::write(tokens.path(), [good.as_bytes(), b"\xff"].concat()).unwrap();
    assert!(matches!(tokens.file.list(), Err(TokenFileError::Line { line: 2, .. })));
}

#[test]
fn a_token_is_made_once_kept_as_a_hash_and_its_file_is_for_its_owner_alone() {
    let tokens = Tokens::new();
    let secret = tokens.create("first", Some(now().wall + HOUR));
    let mode = || tokens.path().metadata().unwrap().mode() & 0o777;
    assert_eq!(mode(), 0o600);
    assert!(!fs::read_to_string(tokens.path()).unwrap().contains(&secret["gesta_".len()..]));
    let listed = tokens.file.list().unwrap();
    assert_eq!((listed.len(), &*listed[0].name, listed[0].created), (1, "first", now().wall));
    assert_eq!((listed[0].expires, &listed[0].stores), (Some(now().wall + HOUR), &Stores::of(["own"]).unwrap()));

    // Let in by hand, the group stays in; the owner loses nothing; nothing else is left lying about.
    fs::set_permissions(tokens.path(), fs::Permissions::from_mode(0o440)).unwrap();
    tokens.create("second", None);
    assert_eq!(mode(), 0o640);
    tokens.file.revoke("first").unwrap();
    assert!(tokens.file.list().unwrap().iter().map(|entry| &*entry.name).eq(["second"]));
    let left: Vec<_> = fs::read_dir(tokens.directory.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(left, ["tokens"]);
}

#[test]
fn what_is_no_token_is_not_made_and_changes_nothing() {
    let tokens = Tokens::new();
    tokens.create("taken", None);
    let before = fs::read(tokens.path()).unwrap();
    let past = Some(now().wall);
    let unfit = [
        NewToken { roles: [].into_iter().collect(), ..new("a", None) },
        NewToken { stores: Vec::new(), ..new("a", None) },
        NewToken { stores: vec!["a".to_owned(), "*".to_owned()], ..new("a", None) },
        NewToken { stores: vec!["a\nb".to_owned()], ..new("a", None) },
        new("", None),
        new("line\nbreak", None),
        new(&"a".repeat(256), None),
        new("a", past),
    ];
    for new in unfit {
        let shown = format!("{new:?}");
        let error = tokens.file.create(new, now().wall).unwrap_err();
        assert!(matches!(error, CreateTokenError::Unfit { .. }), "{shown}: {error}");
    }
    let taken = tokens.file.create(new("taken", None), now().wall).unwrap_err();
    assert!(matches!(taken, CreateTokenError::NameTaken { .. }), "{taken}");
    assert!(matches!(tokens.file.revoke("nobody"), Err(RevokeTokenError::NotFound { .. })));
    let nowhere = TokenFile::new(tokens.directory.path().join("no/such/tokens"));
    assert!(matches!(nowhere.create(new("a", None), now().wall), Err(CreateTokenError::Write { .. })));
    let missing = TokenFile::new(tokens.directory.path().join("missing"));
    assert!(matches!(missing.revoke("a"), Err(RevokeTokenError::File(_))));
    assert!(!tokens.directory.path().join("missing").exists());
    assert_eq!(fs::read(tokens.path()).unwrap(), before);
}

#[test]
fn tokens_that_are_made_at_the_same_time_are_all_kept() {
    let tokens = Tokens::new();
    thread::scope(|scope| {
        for worker in 0..4 {
            let tokens = &tokens;
            scope.spawn(move || (0..8).for_each(|number| drop(tokens.create(&format!("{worker} {number}"), None))));
        }
    });
    assert_eq!(tokens.file.list().unwrap().len(), 32);
}

#[test]
fn a_link_to_the_file_stays_a_link_and_what_an_interruption_left_is_swept_away() {
    let tokens = Tokens::new();
    let link = tokens.directory.path().join("link");
    tokens.create("first", None);
    symlink(tokens.path(), &link).unwrap();
    fs::write(tokens.directory.path().join("tokens.new"), "half a li").unwrap();
    TokenFile::new(&link).create(new("second", None), now().wall).unwrap();
    assert!(link.symlink_metadata().unwrap().is_symlink());
    assert_eq!(tokens.file.list().unwrap().len(), 2);
    assert!(!tokens.directory.path().join("tokens.new").exists());
}

#[test]
fn an_address_that_guesses_does_not_keep_out_who_has_a_good_token() {
    let tokens = Tokens::new();
    let secret = tokens.create("good", None);
    let access = tokens.access();
    let FailureLimits { failures_max, window, .. } = FailureLimits::default();
    let start = now();
    for _ in 0..failures_max {
        assert!(knock(&access, &secret, start).is_ok());
        assert!(knock(&access, "gesta_guess", start).is_err());
    }
    let at = |passed: Duration| Moment { steady: start.steady + passed, ..start };
    assert_eq!(knock(&access, "gesta_guess", at(window / 2)).err(), Some(Denied));
    assert!(knock(&access, &secret, at(window / 2)).is_ok());
    assert!(access.authenticate(Some(secret.as_bytes()), "own", Ipv4Addr::LOCALHOST.into(), at(window / 2)).is_ok());
    assert!(knock(&access, &secret, at(window)).is_ok());
}
