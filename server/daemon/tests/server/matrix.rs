//! Every operation, for every set of roles, on a store of one's own and on a foreign one: all cells of the table.

use gesta_server::access::{Access, Moment, NewToken, Operation, Role, Roles, TokenFile, is_allowed};
use jiff::Timestamp;
use std::net::Ipv4Addr;
use tempfile::TempDir;

/// The sets of roles, a letter each: appender, reader, projector, operator.
pub(crate) const SETS: [&str; 16] =
    ["", "a", "r", "ar", "p", "ap", "rp", "arp", "o", "ao", "ro", "aro", "po", "apo", "rpo", "arpo"];

/// Which of the sets may do what, written out by hand; `x` is yes.
#[rustfmt::skip]
const TABLE: [(Operation, &str); 20] = [
    //                                  none a  r  ar p  ap rp arp and the same with the operator
    (Operation::Hello,                 "x    x  x  x  x  x  x  x   x x x x x x x x"),
    (Operation::Append,                "-    x  -  x  -  x  -  x   x x x x x x x x"),
    (Operation::AppendReturningMissed, "-    -  -  x  -  x  -  x   x x x x x x x x"),
    (Operation::Read,                  "-    -  x  x  x  x  x  x   x x x x x x x x"),
    (Operation::Subscribe,             "-    -  x  x  x  x  x  x   x x x x x x x x"),
    (Operation::Standing,              "-    -  x  x  x  x  x  x   x x x x x x x x"),
    (Operation::Names,                 "-    -  x  x  x  x  x  x   x x x x x x x x"),
    (Operation::Statistics,            "-    -  x  x  x  x  x  x   x x x x x x x x"),
    (Operation::Verify,                "-    -  -  -  -  -  -  -   x x x x x x x x"),
    (Operation::VerifyIndex,           "-    -  -  -  -  -  -  -   x x x x x x x x"),
    (Operation::RebuildIndex,          "-    -  -  -  -  -  -  -   x x x x x x x x"),
    (Operation::CreateStore,           "-    -  -  -  -  -  -  -   x x x x x x x x"),
    (Operation::ListStores,            "-    -  -  -  -  -  -  -   x x x x x x x x"),
    (Operation::SaveSnapshot,          "-    x  -  x  -  x  -  x   x x x x x x x x"),
    (Operation::ListSnapshots,         "-    -  x  x  x  x  x  x   x x x x x x x x"),
    (Operation::DropSnapshots,         "-    -  -  -  -  -  -  -   x x x x x x x x"),
    (Operation::TellProjections,       "-    -  -  -  x  x  x  x   x x x x x x x x"),
    (Operation::ListProjections,       "-    -  x  x  x  x  x  x   x x x x x x x x"),
    (Operation::WaitForProjection,     "-    x  x  x  x  x  x  x   x x x x x x x x"),
    (Operation::ReplayParked,          "-    -  -  -  x  x  x  x   x x x x x x x x"),
];

pub(crate) fn roles(set: &str) -> Roles {
    let role = |letter| match letter {
        'a' => Role::Appender,
        'r' => Role::Reader,
        'p' => Role::Projector,
        'o' => Role::Operator,
        other => panic!("no role {other}"),
    };
    set.chars().map(role).collect()
}

/// Every cell: the operation, the set of roles, and whether that is allowed.
pub(crate) fn cells() -> impl Iterator<Item = (Operation, &'static str, bool)> {
    TABLE.into_iter().flat_map(|(operation, row)| {
        let answers: Vec<bool> = row.split_whitespace().map(|answer| answer == "x").collect();
        assert_eq!(answers.len(), SETS.len(), "{operation:?}");
        SETS.into_iter().zip(answers).map(move |(set, answer)| (operation, set, answer))
    })
}

#[test]
fn the_table_has_every_operation_once() {
    let mut written: Vec<Operation> = TABLE.iter().map(|(operation, _)| *operation).collect();
    let mut all = Operation::ALL.to_vec();
    written.sort();
    all.sort();
    assert_eq!(written, all);
}

#[test]
fn the_rule_is_the_table_for_every_set_of_roles() {
    for (operation, set, answer) in cells() {
        assert_eq!(is_allowed(roles(set), operation), answer, "{operation:?} {set:?}");
    }
}

#[test]
fn a_real_token_may_do_what_the_table_says_to_its_own_store_and_nothing_to_a_foreign_one() {
    let directory = TempDir::new().unwrap();
    let file = TokenFile::new(directory.path().join("tokens"));
    let now = Moment::now();
    // A token without roles cannot be made; the rule alone is asked about that, above.
    let tokens: Vec<_> = SETS[1..].iter().map(|set| (*set, token(&file, set, "own", now.wall))).collect();
    let everywhere: Vec<_> = SETS[1..].iter().map(|set| (*set, token(&file, set, "*", now.wall))).collect();
    let access = Access::load(&directory.path().join("tokens")).unwrap();
    let mut cell_count = 0;
    for (operation, set, answer) in cells().filter(|(_, set, _)| !set.is_empty()) {
        for (tokens, is_everywhere) in [(&tokens, false), (&everywhere, true)] {
            let (_, secret) = tokens.iter().find(|(other, _)| *other == set).unwrap();
            let peer = Ipv4Addr::LOCALHOST.into();
            let grant = access.authenticate(Some(secret.as_bytes()), "own", peer, now).unwrap();
            assert_eq!(grant.allow(operation, "own", now.wall).is_ok(), answer, "{operation:?} {set} own");
            let foreign = answer && (is_everywhere || operation == Operation::Hello);
            assert_eq!(grant.allow(operation, "foreign", now.wall).is_ok(), foreign, "{operation:?} {set} foreign");
            assert_eq!(grant.covers("foreign"), is_everywhere);
            cell_count += 2;
        }
    }
    assert_eq!(cell_count, 20 * 15 * 4);
}

pub(crate) fn token(file: &TokenFile, set: &str, store: &str, now: Timestamp) -> String {
    let new =
        NewToken { name: format!("{set} {store}"), roles: roles(set), stores: vec![store.to_owned()], expires: None };
    file.create(new, now).unwrap().expose().to_owned()
}
