//! Eight callers race with conditions, and readers look on; then a judge asks whether one order explains it all.

use crate::support::stream;
use gesta::{
    AppendError, AppendRequest, Check, Durability, Event, EventType, ExpectedRevision, FailedCheck, Notice, Options,
    Position, Query, QueryItem, Read, Receipt, Revision, Store, Tag, Uuid,
};
use gesta_conformance::history::{Answer, AppendCall, Call, History, Log, ReadCall};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

const THREADS: u64 = 8;
const OPERATIONS: u64 = 13_000;
/// Streams that all threads write to.
const SHARED_STREAMS: u64 = 60;
/// Streams from here on are fought over by those who want to be the first.
const FRESH_STREAMS: u64 = 1000;
const TAGS: u64 = 40;

/// What all threads share.
struct World {
    store: Store,
    ticks: AtomicU64,
    /// How many events each shared stream is believed to have.
    counts: Vec<AtomicU64>,
    /// Up to where each tag is known.
    tags_known: Vec<AtomicU64>,
    fresh: AtomicU64,
    is_over: AtomicBool,
}

/// Numbers that look random, the same ones each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % below
    }
}

impl World {
    fn tick(&self) -> u64 {
        self.ticks.fetch_add(1, Ordering::SeqCst)
    }

    /// What a caller believes: often true, sometimes overtaken, sometimes made up.
    fn believe(&self, dice: &mut Dice) -> Check {
        let of = |number, expected| Check::Stream { stream: name(number), expected };
        let shared = dice.roll(SHARED_STREAMS);
        match dice.roll(10) {
            0..=4 => match self.counts[index(shared)].load(Ordering::Relaxed) {
                0 => of(shared, ExpectedRevision::NoStream),
                count => {
                    let last = (count - 1).saturating_sub(u64::from(dice.roll(50) == 0));
                    of(shared, ExpectedRevision::Exactly(Revision(last)))
                }
            },
            // Four callers, on average, want to be the first.
            5 => {
                let fresh = FRESH_STREAMS + self.fresh.fetch_add(1, Ordering::Relaxed) / 4;
                of(fresh, ExpectedRevision::NoStream)
            }
            _ => {
                let tag = dice.roll(TAGS);
                let after = Position(self.tags_known[index(tag)].load(Ordering::Relaxed));
                Check::NoEvents { query: query(tag), after }
            }
        }
    }

    /// Makes one request, in one to three tries.
    fn operate(&self, number: u64, dice: &mut Dice) -> Vec<Call> {
        let check = self.believe(dice);
        let event_count = 1 + dice.roll(3);
        let events = (0..event_count).map(|ordinal| event(id(number, ordinal), ordinal == 0, &check, dice));
        let request = AppendRequest::new().events(events.collect::<Vec<_>>());
        let durability = match dice.roll(100) {
            0 => Durability::Durable,
            1..=9 => Durability::Buffered,
            _ => Durability::Written,
        };
        let is_retried = dice.roll(8) == 0;
        let mut request = match check.clone() {
            Check::Stream { stream, expected } => request.expect(stream, expected),
            Check::NoEvents { query, after } => request.unless(query, after),
            check => panic!("{check:?}"),
        };
        request = request.durability(durability);
        let call = |call: &dyn Fn() -> Option<Result<Receipt, AppendError>>| {
            let called = self.tick();
            let outcome = call();
            let returned = self.tick();
            let answer = outcome.as_ref().map_or(Answer::Unknown, |outcome| Answer::of(outcome, durability));
            self.learn(outcome);
            let ids = (0..event_count).map(|ordinal| id(number, ordinal)).collect();
            Call::Append(AppendCall { called, returned, ids, checks: vec![check.clone()], answer })
        };
        let mut calls = Vec::new();
        if is_retried {
            request = request.request_id(Uuid::from_u128(u128::from(number) + 1));
            // The answer is lost on its way.
            calls.push(call(&|| self.store.submit(request.clone()).map_or_else(|error| Some(Err(error)), |_| None)));
        }
        let append = || Some(self.store.append(request.clone()));
        let is_retried_again = is_retried && dice.roll(2) == 0;
        calls.push(call(&append));
        if is_retried_again {
            calls.push(call(&append));
        }
        calls
    }

    /// Remembers what an answer tells of streams and tags, so that beliefs come true.
    fn learn(&self, outcome: Option<Result<Receipt, AppendError>>) {
        match outcome {
            None => {}
            Some(Ok(receipt)) => {
                for (stream, revision) in &receipt.revisions {
                    self.learn_count(number_of(stream.as_str()), revision.0 + 1);
                }
            }
            Some(Err(AppendError::Conflict(conflict))) => {
                for failed in &conflict.failed {
                    match failed {
                        FailedCheck::Stream { stream, actual, .. } => {
                            let count = actual.map_or(0, |revision| revision.0 + 1);
                            self.learn_count(number_of(stream.as_str()), count);
                        }
                        FailedCheck::Query { query, .. } => {
                            let tag = number_of(query.items()[0].tags[0].as_str());
                            self.tags_known[index(tag)].fetch_max(conflict.head.0, Ordering::Relaxed);
                        }
                        failed => panic!("{failed}"),
                    }
                }
            }
            Some(Err(error)) => panic!("{error}"),
        }
    }

    fn learn_count(&self, stream: u64, count: u64) {
        if stream < SHARED_STREAMS {
            self.counts[index(stream)].fetch_max(count, Ordering::Relaxed);
        }
    }

    /// Reads now this, now that, until all is over.
    fn look_on(&self) -> Vec<Call> {
        let mut dice = Dice(77);
        let mut calls = Vec::new();
        while !self.is_over.load(Ordering::Relaxed) {
            let read = match dice.roll(4) {
                0 => Read::all(),
                1 => Read::query(query(dice.roll(TAGS))),
                2 => Read::stream(name(FRESH_STREAMS + dice.roll(500))),
                _ => Read::stream(name(dice.roll(SHARED_STREAMS))),
            };
            let from = self.store.reader().head().0.saturating_sub(dice.roll(3000));
            let is_of_all = read == Read::all();
            let from = Position(if is_of_all { from } else { from / (1 + dice.roll(2)) });
            let sees_unsynced = dice.roll(3) == 0;
            let selection = read.selection.clone();
            let read = if sees_unsynced { read.unsynced() } else { read };
            let called = self.tick();
            let mut cursor = self.store.read(read.from(from));
            let returned = self.tick();
            let head = cursor.head();
            let mut shown = Vec::new();
            while let Some(record) = cursor.next_record() {
                shown.push(record.unwrap().id());
            }
            let from = from.min(head);
            calls.push(Call::Read(ReadCall { called, returned, selection, from, head, sees_unsynced, shown }));
            std::thread::sleep(Duration::from_millis(1));
        }
        calls
    }

    /// Follows everything, or a tag, from the start to the end.
    fn follow(&self, read: Read) -> Call {
        let selection = read.selection.clone();
        let mut subscription = self.store.subscribe(read).behind_after(50);
        let mut shown = Vec::new();
        let head = loop {
            let is_over = self.is_over.load(Ordering::SeqCst);
            match subscription.next(Duration::from_millis(20)).unwrap() {
                Notice::Event(record) => shown.push(record.id()),
                Notice::TimedOut(position) if is_over => break position,
                _ => {}
            }
        };
        // What it says of its head is asked of the whole time.
        let (called, returned, from) = (0, self.tick(), Position::START);
        Call::Read(ReadCall { called, returned, selection, from, head, sees_unsynced: false, shown })
    }
}

/// The id of an event, by which the judge knows it.
fn id(operation: u64, ordinal: u64) -> Uuid {
    Uuid::from_u128(u128::from(operation) << 8 | u128::from(ordinal + 1))
}

/// An event of a request with this check: the first one of what it is about, the others of anything.
fn event(id: Uuid, is_first: bool, check: &Check, dice: &mut Dice) -> Event {
    let any = dice.roll(SHARED_STREAMS + 5);
    let stream = match check {
        Check::Stream { stream, .. } if is_first => Some(stream.clone()),
        _ => (any < SHARED_STREAMS).then(|| name(any)),
    };
    let any = dice.roll(TAGS);
    let tag = match check {
        Check::NoEvents { query, .. } if is_first => query.items()[0].tags[0].clone(),
        _ => Tag::new(format!("t:{any}")).unwrap(),
    };
    let event = Event::new(EventType::new("Happened").unwrap()).id(id).tag(tag);
    stream.into_iter().fold(event, Event::stream)
}

fn index(number: u64) -> usize {
    usize::try_from(number).unwrap()
}

fn name(number: u64) -> gesta::StreamName {
    stream(&format!("s:{number}"))
}

/// The number in a name or tag.
fn number_of(name: &str) -> u64 {
    name.split_once(':').unwrap().1.parse().unwrap()
}

fn query(tag: u64) -> Query {
    Query::from(QueryItem::new().tag(Tag::new(format!("t:{tag}")).unwrap()))
}

/// Lets everybody race, and returns what they did and saw.
fn race(world: &World) -> History {
    let mut history = History::new();
    std::thread::scope(|scope| {
        let look = scope.spawn(|| world.look_on());
        let follow = [Read::all(), Read::query(query(7))].map(|read| scope.spawn(move || world.follow(read)));
        let callers: Vec<_> = (0..THREADS)
            .map(|thread| {
                scope.spawn(move || {
                    let mut dice = Dice(thread + 1);
                    let numbers = thread * OPERATIONS..(thread + 1) * OPERATIONS;
                    numbers.flat_map(|number| world.operate(number, &mut dice)).collect::<Vec<_>>()
                })
            })
            .collect();
        for caller in callers {
            history.extend(caller.join().unwrap());
        }
        world.store.sync().unwrap();
        world.is_over.store(true, Ordering::SeqCst);
        history.extend(look.join().unwrap());
        history.extend(follow.map(|follow| follow.join().unwrap()));
    });
    history
}

#[test]
fn a_hundred_thousand_conditional_appends_have_one_order() {
    let directory = tempfile::tempdir().unwrap();
    let options = Options { first_segment_bytes: 1 << 20, segment_bytes_max: 4 << 20, ..Options::default() };
    let zeros = |count| (0..count).map(|_| AtomicU64::new(0)).collect();
    let world = World {
        store: Store::open(directory.path(), options).unwrap(),
        ticks: AtomicU64::new(1),
        counts: zeros(SHARED_STREAMS),
        tags_known: zeros(TAGS),
        fresh: AtomicU64::new(0),
        is_over: AtomicBool::new(false),
    };
    let history = race(&world);
    world.store.close().unwrap();
    let store = Store::open(directory.path(), Options::default()).unwrap();
    let log = Log::read(&mut store.read(Read::all())).unwrap();

    let summary = history.check(&log, Durability::Buffered).unwrap_or_else(|anomalies| {
        let shown: Vec<String> = anomalies.iter().take(10).map(ToString::to_string).collect();
        panic!("{} anomalies, such as:\n{}", anomalies.len(), shown.join("\n"))
    });
    println!("{summary}");
    // Too tame a race would prove nothing.
    assert!(summary.requests > 100_000 && summary.acknowledged > 20_000 && summary.conflicts > 20_000);
    assert!(summary.unknown > 2_000 && summary.refused == 0 && summary.reads > 100);
}
