//! What can happen to a store.

use super::wish::Change;
use crate::vocabulary::{EventDraft, event_draft, event_draft_of, prefix, query, stream_name};
use gesta::{Durability, NameKind, PartitionKey, Query};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

/// One thing that happens to a store.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Append(Draft),
    /// An append whose ticket is waited for later, if ever.
    Submit(Draft),
    /// Requests that arrive while the next sync is under way.
    SubmitDuringSync(Vec<EventDraft>),
    /// One of the last requests is made again.
    Again {
        which: u8,
        change: Change,
        since: Since,
        is_submitted: bool,
    },
    WaitForTickets,
    Sync,
    Mark,
    Read(ReadDraft),
    /// A read and a listing by an observer that looks on from another process.
    Observe(ReadDraft, NameKind),
    Names {
        kind: NameKind,
        prefix: &'static str,
    },
    /// A subscription begins, in place of the one before.
    Subscribe(FollowDraft),
    /// The subscription is asked for what comes next; after a crash or a reopening it begins again where it had come to.
    Follow {
        notice_count: u8,
        /// What is appended before it is asked once more.
        meanwhile: Option<Draft>,
    },
    Replay(ReplayDraft),
    /// Large events, so that segments fill up.
    Grow {
        request_count: u8,
    },
    /// All index files are made anew.
    RebuildIndex,
    /// The clock is set forward, or backward.
    SetClock {
        by: i8,
    },
    Reopen,
    /// Files of the index disappear, are damaged or are old ones when the store is opened again.
    LoseIndex {
        seed: u64,
    },
    PowerCut {
        seed: u64,
    },
    /// The power fails at a call from now on; what follows happens until then.
    PowerFailsAt {
        call: u8,
        seed: u64,
    },
    /// A sync fails, and the process starts again with the operating system's cache as it is.
    FailSyncAndReopen {
        sync: u8,
    },
    /// Recovery itself is cut off, twice.
    CutRecovery {
        calls: [u8; 2],
        seed: u64,
    },
    /// The options of the next openings are narrower or wider.
    Limits {
        request_bytes_max: u16,
        index_bytes_max: u16,
        has_long_segments: bool,
    },
}

/// What a request is made of, before it is known where the store stands.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub(super) events: Vec<EventDraft>,
    pub(super) checks: Vec<CheckDraft>,
    pub(super) durability: Durability,
    pub(super) is_named: bool,
    /// Whether a named request says what the head was.
    pub(super) tells_since: bool,
    pub(super) missed_max: u8,
}

/// A check.
#[derive(Clone, Debug)]
pub(super) enum CheckDraft {
    Stream { stream: &'static str, belief: Belief },
    Query { query: Query, after: After },
}

/// What the appending side believes of a stream.
#[derive(Clone, Copy, Debug)]
pub(super) enum Belief {
    Any,
    True,
    Exists,
    Absent,
    Behind(u8),
    Ahead(u8),
}

/// From where on nothing may match.
#[derive(Clone, Copy, Debug)]
pub(super) enum After {
    Start,
    Behind(u8),
    Head,
    Ahead(u8),
}

/// From where on an earlier try is looked for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Since {
    /// As the request said when it was first made.
    Said,
    Start,
    /// Too late to find it.
    Head,
}

/// A read; places are taken modulo the length of the log.
#[derive(Clone, Debug)]
pub(super) struct ReadDraft {
    pub(super) selection: Selection,
    pub(super) from: Option<u8>,
    /// So much time ago.
    pub(super) since: Option<u8>,
    pub(super) limit: Option<u8>,
    pub(super) is_backward: bool,
    pub(super) sees_unsynced: bool,
}

/// A subscription.
#[derive(Clone, Debug)]
pub(super) struct FollowDraft {
    /// Forward, without a limit, of what is durable; its place is taken modulo the head.
    pub(super) read: ReadDraft,
    pub(super) behind_after: u8,
    /// Whether it tells its progress all the time.
    pub(super) is_eager: bool,
    /// Whether it looks on from another process.
    pub(super) is_observer: bool,
}

/// A replay; places are taken modulo the head.
#[derive(Clone, Debug)]
pub(super) struct ReplayDraft {
    pub(super) from: Option<u8>,
    pub(super) to: Option<u8>,
    pub(super) feed_count: u8,
    pub(super) by: PartitionKey,
    /// What is appended between the feeds' making and their reading.
    pub(super) meanwhile: Option<Draft>,
    pub(super) is_observer: bool,
}

/// What a read is about.
#[derive(Clone, Debug)]
pub(super) enum Selection {
    Everything,
    Stream { name: &'static str, from_revision: Option<u8> },
    Query(Query),
}

/// Any step.
pub(super) fn step() -> impl Strategy<Value = Step> {
    let change = prop_oneof![
        4 => Just(Change::Nothing),
        1 => Just(Change::AllIds),
        1 => Just(Change::FirstId),
        2 => Just(Change::LastId),
        1 => Just(Change::LastData),
        1 => Just(Change::NoRequestId),
    ];
    let since = prop_oneof![3 => Just(Since::Said), 2 => Just(Since::Start), 1 => Just(Since::Head)];
    let again = (prop_oneof![1 => Just(0), 1 => 0_u8..6], change, since, any::<bool>());
    let kind = || select(&[NameKind::Stream, NameKind::Category, NameKind::Type, NameKind::Tag][..]);
    let limits = (1500_u16..4000, prop_oneof![1000_u16..6000, Just(u16::MAX)], any::<bool>());
    let limits = limits.prop_map(|(request_bytes_max, index_bytes_max, has_long_segments)| Step::Limits {
        request_bytes_max,
        index_bytes_max,
        has_long_segments,
    });
    prop_oneof![
        9 => draft().prop_map(Step::Append),
        4 => draft().prop_map(Step::Submit),
        2 => vec(event_draft(), 1..3).prop_map(Step::SubmitDuringSync),
        8 => again.prop_map(|(which, change, since, is_submitted)| Step::Again { which, change, since, is_submitted }),
        2 => Just(Step::WaitForTickets),
        1 => Just(Step::Sync),
        1 => Just(Step::Mark),
        6 => read().prop_map(Step::Read),
        2 => (read(), kind()).prop_map(|(draft, kind)| Step::Observe(draft, kind)),
        1 => (kind(), prefix()).prop_map(|(kind, prefix)| Step::Names { kind, prefix }),
        1 => (-3_i8..9).prop_map(|by| Step::SetClock { by }),
        1 => Just(Step::Reopen),
        1 => any::<u64>().prop_map(|seed| Step::LoseIndex { seed }),
        7 => any::<u64>().prop_map(|seed| Step::PowerCut { seed }),
        5 => (1_u8..40, any::<u64>()).prop_map(|(call, seed)| Step::PowerFailsAt { call, seed }),
        1 => (1_u8..6).prop_map(|sync| Step::FailSyncAndReopen { sync }),
        1 => (any::<[u8; 2]>(), any::<u64>()).prop_map(|(calls, seed)| Step::CutRecovery { calls, seed }),
        1 => limits,
        2 => subscription().prop_map(Step::Subscribe),
        5 => (1_u8..60, option::of(draft())).prop_map(|(notice_count, meanwhile)| Step::Follow { notice_count, meanwhile }),
        2 => replay().prop_map(Step::Replay),
        1 => (3_u8..20).prop_map(|request_count| Step::Grow { request_count }),
        1 => Just(Step::RebuildIndex),
    ]
}

fn durability() -> impl Strategy<Value = Durability> {
    prop_oneof![3 => Just(Durability::Durable), 2 => Just(Durability::Written), 2 => Just(Durability::Buffered)]
}

fn draft() -> impl Strategy<Value = Draft> {
    prop_oneof![2 => draft_of_one_stream(), 3 => draft_of_several_streams()]
}

/// The events of one stream under its expected revision: what the ids of a retry are compared for.
fn draft_of_one_stream() -> impl Strategy<Value = Draft> {
    (stream_name(), durability(), 0_u8..4).prop_flat_map(|(stream, durability, missed_max)| {
        (vec(event_draft_of(Just(Some(stream))), 1..5), belief()).prop_map(move |(events, belief)| {
            let checks = vec![CheckDraft::Stream { stream, belief }];
            Draft { events, checks, durability, is_named: false, tells_since: false, missed_max }
        })
    })
}

fn draft_of_several_streams() -> impl Strategy<Value = Draft> {
    let checks = prop_oneof![3 => Just(Vec::new()), 4 => vec(check(), 1..4)];
    (vec(event_draft(), 0..4), checks, durability(), proptest::bool::weighted(0.7), any::<bool>(), 0_u8..6).prop_map(
        |(events, checks, durability, is_named, tells_since, missed_max)| Draft {
            events,
            checks,
            durability,
            is_named,
            tells_since,
            missed_max,
        },
    )
}

fn check() -> impl Strategy<Value = CheckDraft> {
    let after = prop_oneof![
        1 => Just(After::Start),
        2 => (1_u8..12).prop_map(After::Behind),
        2 => Just(After::Head),
        1 => (1_u8..4).prop_map(After::Ahead),
    ];
    prop_oneof![
        (stream_name(), belief()).prop_map(|(stream, belief)| CheckDraft::Stream { stream, belief }),
        (query(), after).prop_map(|(query, after)| CheckDraft::Query { query, after }),
    ]
}

fn belief() -> impl Strategy<Value = Belief> {
    prop_oneof![
        1 => Just(Belief::Any),
        4 => Just(Belief::True),
        1 => Just(Belief::Exists),
        1 => Just(Belief::Absent),
        1 => (1_u8..5).prop_map(Belief::Behind),
        1 => (1_u8..3).prop_map(Belief::Ahead),
    ]
}

fn read() -> impl Strategy<Value = ReadDraft> {
    let selection = prop_oneof![
        1 => Just(Selection::Everything),
        2 => (stream_name(), option::of(0_u8..20))
            .prop_map(|(name, from_revision)| Selection::Stream { name, from_revision }),
        4 => query().prop_map(Selection::Query),
    ];
    let flags = (any::<bool>(), any::<bool>());
    (selection, option::of(any::<u8>()), option::weighted(0.3, 0_u8..40), option::weighted(0.4, 0_u8..9), flags)
        .prop_map(|(selection, from, since, limit, (is_backward, sees_unsynced))| ReadDraft {
            selection,
            from,
            since,
            limit,
            is_backward,
            sees_unsynced,
        })
}

fn subscription() -> impl Strategy<Value = FollowDraft> {
    (read(), 0_u8..4, any::<bool>(), proptest::bool::weighted(0.3)).prop_map(
        |(read, behind_after, is_eager, is_observer)| FollowDraft {
            read: ReadDraft { limit: None, is_backward: false, sees_unsynced: false, ..read },
            behind_after,
            is_eager,
            is_observer,
        },
    )
}

fn replay() -> impl Strategy<Value = ReplayDraft> {
    let by = prop_oneof![
        Just(PartitionKey::Stream),
        select(&["a", "b", "none"][..]).prop_map(|key| PartitionKey::Tag(key.to_owned()))
    ];
    let places = (option::weighted(0.4, any::<u8>()), option::weighted(0.3, any::<u8>()));
    (places, 0_u8..5, by, option::weighted(0.4, draft()), proptest::bool::weighted(0.2)).prop_map(
        |((from, to), feed_count, by, meanwhile, is_observer)| ReplayDraft {
            from,
            to,
            feed_count,
            by,
            meanwhile,
            is_observer,
        },
    )
}
