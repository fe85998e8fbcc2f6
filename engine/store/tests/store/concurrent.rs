//! Eight callers race with conditions, and readers look on; then a judge asks whether one order explains it all.

use crate::linearity::{Answer, Attempt, Belief, Fact, History, Observation, Operation, Subject};
use crate::support::{stream, text};
use gesta::{
    AppendError, AppendRequest, Durability, Event, EventType, ExpectedRevision, FailedCheck, Notice, Options, Position,
    Query, QueryItem, Read, Receipt, Record, Revision, Store, Tag, Uuid,
};
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
    fn believe(&self, dice: &mut Dice) -> Belief {
        let shared = dice.roll(SHARED_STREAMS);
        match dice.roll(10) {
            0..=4 => match self.counts[index(shared)].load(Ordering::Relaxed) {
                0 => Belief::NoStream(shared),
                count => Belief::Exactly(shared, (count - 1).saturating_sub(u64::from(dice.roll(50) == 0))),
            },
            // Four callers, on average, want to be the first.
            5 => Belief::NoStream(FRESH_STREAMS + self.fresh.fetch_add(1, Ordering::Relaxed) / 4),
            _ => {
                let tag = dice.roll(TAGS);
                Belief::NoneOfTag { tag, after: self.tags_known[index(tag)].load(Ordering::Relaxed) }
            }
        }
    }

    /// Does one operation, in one or two attempts.
    fn operate(&self, number: u64, dice: &mut Dice) -> Operation {
        let belief = self.believe(dice);
        let events: Vec<Fact> = (0..=dice.roll(3)).map(|ordinal| belief.fact(number, ordinal, dice)).collect();
        let durability = match dice.roll(100) {
            0 => Durability::Durable,
            1..=9 => Durability::Buffered,
            _ => Durability::Written,
        };
        let is_retried = dice.roll(8) == 0;
        let mut request = AppendRequest::new().events(events.iter().map(event)).durability(durability);
        request = match &belief {
            Belief::NoStream(stream) => request.expect(name(*stream), ExpectedRevision::NoStream),
            Belief::Exactly(stream, revision) => {
                request.expect(name(*stream), ExpectedRevision::Exactly(Revision(*revision)))
            }
            Belief::NoneOfTag { tag, after } => request.unless(query(*tag), Position(*after)),
        };
        let mut attempts = Vec::new();
        if is_retried {
            request = request.request_id(Uuid::from_u128(u128::from(number) + 1));
            attempts.push(self.attempt(|| match self.store.submit(request.clone()) {
                // The answer is lost on its way.
                Ok(_) => None,
                Err(error) => Some(Err(error)),
            }));
        }
        let is_retried_again = is_retried && dice.roll(2) == 0;
        attempts.push(self.attempt(|| Some(self.store.append(request.clone()))));
        if is_retried_again {
            attempts.push(self.attempt(|| Some(self.store.append(request))));
        }
        Operation { events, belief, attempts }
    }

    fn attempt(&self, call: impl FnOnce() -> Option<Result<Receipt, AppendError>>) -> Attempt {
        let called = self.tick();
        let outcome = call();
        let returned = self.tick();
        let answer = match outcome {
            None => Answer::Unknown,
            Some(Ok(receipt)) => {
                for (stream, revision) in &receipt.revisions {
                    self.learn_count(number_of(stream.as_str()), revision.0 + 1);
                }
                let positions = receipt.positions.start.0..receipt.positions.end.0;
                Answer::Acknowledged { positions, durability: receipt.durability }
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
                Answer::Refused { head: conflict.head.0 }
            }
            Some(Err(error)) => panic!("{error}"),
        };
        Attempt { called, returned, answer }
    }

    fn learn_count(&self, stream: u64, count: u64) {
        if stream < SHARED_STREAMS {
            self.counts[index(stream)].fetch_max(count, Ordering::Relaxed);
        }
    }

    /// Reads now this, now that, until all is over.
    fn look_on(&self) -> Vec<Observation> {
        let mut dice = Dice(77);
        let mut observations = Vec::new();
        while !self.is_over.load(Ordering::Relaxed) {
            let subject = match dice.roll(4) {
                0 => Subject::Everything,
                1 => Subject::Tag(dice.roll(TAGS)),
                2 => Subject::Stream(FRESH_STREAMS + dice.roll(500)),
                _ => Subject::Stream(dice.roll(SHARED_STREAMS)),
            };
            let from = self.store.reader().head().0.saturating_sub(dice.roll(3000));
            let from = if matches!(subject, Subject::Everything) { from } else { from / (1 + dice.roll(2)) };
            let read = match subject {
                Subject::Everything => Read::all(),
                Subject::Stream(number) => Read::stream(name(number)),
                Subject::Tag(tag) => Read::query(query(tag)),
            };
            let sees_unsynced = dice.roll(3) == 0;
            let read = if sees_unsynced { read.unsynced() } else { read };
            let called = self.tick();
            let mut cursor = self.store.read(read.from(Position(from)));
            let returned = self.tick();
            let head = cursor.head().0;
            let mut shown = Vec::new();
            while let Some(record) = cursor.next_record() {
                shown.push(identity(record.unwrap()));
            }
            observations.push(Observation { called, returned, subject, from, head, sees_unsynced, shown });
            std::thread::sleep(Duration::from_millis(1));
        }
        observations
    }

    /// Follows everything, or a tag, from the start to the end.
    fn follow(&self, subject: Subject) -> Observation {
        let read = match subject {
            Subject::Tag(tag) => Read::query(query(tag)),
            _ => Read::all(),
        };
        let mut subscription = self.store.subscribe(read).behind_after(50);
        let mut shown = Vec::new();
        let head = loop {
            let is_over = self.is_over.load(Ordering::SeqCst);
            match subscription.next(Duration::from_millis(20)).unwrap() {
                Notice::Event(record) => shown.push(identity(record)),
                Notice::TimedOut(position) if is_over => break position.0,
                _ => {}
            }
        };
        // What it says of its head is asked of the whole time.
        Observation { called: 0, returned: self.tick(), subject, from: 0, head, sees_unsynced: false, shown }
    }
}

impl Belief {
    /// An event of an operation with this belief: the first one of what it is about, the others of anything.
    fn fact(&self, operation: u64, ordinal: u64, dice: &mut Dice) -> Fact {
        let any = dice.roll(SHARED_STREAMS + 5);
        let stream = match self {
            Self::NoStream(stream) | Self::Exactly(stream, _) if ordinal == 0 => Some(*stream),
            _ => Some(any).filter(|stream| *stream < SHARED_STREAMS),
        };
        let any = dice.roll(TAGS);
        let tag = match self {
            Self::NoneOfTag { tag, .. } if ordinal == 0 => *tag,
            _ => any,
        };
        Fact { operation, ordinal, stream, tag }
    }
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

fn event(fact: &Fact) -> Event {
    let event = Event::new(EventType::new("Happened").unwrap())
        .tag(Tag::new(format!("t:{}", fact.tag)).unwrap())
        .data(format!("{}.{}", fact.operation, fact.ordinal));
    match fact.stream {
        Some(number) => event.stream(name(number)),
        None => event,
    }
}

fn identity(record: Record<'_>) -> (u64, u64) {
    let text = text(record);
    let (operation, ordinal) = text.split_once('.').unwrap();
    (operation.parse().unwrap(), ordinal.parse().unwrap())
}

fn fact_of(record: Record<'_>) -> Fact {
    let (operation, ordinal) = identity(record);
    Fact { operation, ordinal, stream: record.stream().map(number_of), tag: number_of(record.tags().next().unwrap()) }
}

/// Lets everybody race, and returns what they did and saw, without the log.
fn race(world: &World) -> History {
    let mut history = History::default();
    std::thread::scope(|scope| {
        let look = scope.spawn(|| world.look_on());
        let follow = [Subject::Everything, Subject::Tag(7)].map(|subject| scope.spawn(move || world.follow(subject)));
        let callers: Vec<_> = (0..THREADS)
            .map(|thread| {
                scope.spawn(move || {
                    let mut dice = Dice(thread + 1);
                    let numbers = thread * OPERATIONS..(thread + 1) * OPERATIONS;
                    numbers.map(|number| (number, world.operate(number, &mut dice))).collect::<Vec<_>>()
                })
            })
            .collect();
        for caller in callers {
            history.operations.extend(caller.join().unwrap());
        }
        world.store.sync().unwrap();
        world.is_over.store(true, Ordering::SeqCst);
        history.observations = look.join().unwrap();
        history.observations.extend(follow.map(|follow| follow.join().unwrap()));
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
    let mut history = race(&world);
    world.store.close().unwrap();
    let store = Store::open(directory.path(), Options::default()).unwrap();
    let mut cursor = store.read(Read::all());
    while let Some(record) = cursor.next_record() {
        let record = record.unwrap();
        history.log.push((fact_of(record), record.revision().map(|revision| revision.0)));
    }

    history.judge().unwrap();
    let answers = || history.operations.values().flat_map(|operation| &operation.attempts);
    let count = |is_meant: fn(&Answer) -> bool| answers().filter(|attempt| is_meant(&attempt.answer)).count();
    let acknowledged = count(|answer| matches!(answer, Answer::Acknowledged { .. }));
    let refused = count(|answer| matches!(answer, Answer::Refused { .. }));
    let unknown = count(|answer| matches!(answer, Answer::Unknown));
    println!(
        "{acknowledged} acknowledged, {refused} refused, {unknown} without an answer; {} events, {} reads, 0 anomalies",
        history.log.len(),
        history.observations.len()
    );
    // Too tame a race would prove nothing.
    assert!(acknowledged + refused + unknown >= 100_000);
    assert!(acknowledged > 20_000 && refused > 20_000 && unknown > 2_000 && history.observations.len() > 100);
}
