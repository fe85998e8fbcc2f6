//! A process that appends and reads, and makes what has no answer again.

use super::beliefs::{Beliefs, any_stream, any_tag, any_tag_query};
use super::crew::{Part, now};
use super::dice::Dice;
use gesta::{
    AppendError, AppendRequest, AppendTicket as _, Check, Durability, Event, EventCursor as _, EventReader as _,
    EventStore as _, EventType, Position, Read, ReadError, Receipt, RemoteError, Selection, Uuid,
};
use gesta_client::{BlockingClient, ClientOptions};
use gesta_conformance::history::{Answer, AppendCall, Call, ReadCall};
use std::time::Duration;

/// How often a request without an answer is made again by hand.
const TRIES_MAX: u32 = 50;
/// For how long a new stream is the newest.
const FRESH_NANOSECONDS: u64 = 40_000_000;

struct Caller {
    part: Part,
    client: BlockingClient,
    beliefs: Beliefs,
    dice: Dice,
    /// Its client gives up before a restart is over, so that requests have to be made again by hand.
    is_impatient: bool,
    request_count: u64,
}

/// A request, and what is noted of each try.
struct Asked {
    request: AppendRequest,
    ids: Vec<Uuid>,
    checks: Vec<Check>,
    durability: Durability,
    /// The caller named it, and can make it again.
    is_named: bool,
}

/// Appends and reads until it is dismissed.
pub(super) fn play(part: Part) {
    let options = match part.number % 4 {
        0 | 1 => ClientOptions::default(),
        2 => ClientOptions { retry_for: Duration::ZERO, ..ClientOptions::default() },
        _ => ClientOptions { request_timeout: Some(Duration::from_millis(40)), ..ClientOptions::default() },
    };
    let client = part.connect(options);
    let (dice, is_impatient) = (Dice::new(part.number), part.number % 4 >= 2);
    let mut caller = Caller { part, client, beliefs: Beliefs::new(), dice, is_impatient, request_count: 0 };
    while caller.part.dismissed().is_none() {
        match caller.dice.roll(12) {
            0..=2 => caller.read(),
            3..=5 => {
                let count = 2 + caller.dice.roll(14);
                caller.append(count);
            }
            _ => caller.append(1),
        }
        std::thread::sleep(Duration::from_micros(caller.dice.roll(4000)));
    }
}

impl Caller {
    /// Makes so many requests at once, and those again that have no answer.
    fn append(&mut self, count: u64) {
        let asked: Vec<Asked> = (0..count).map(|_| self.decide()).collect();
        let mut under_way = Vec::new();
        for asked in &asked {
            let called = now();
            self.note(asked, called, u64::MAX, Answer::Unknown);
            under_way.push((called, self.client.submit(asked.request.clone())));
        }
        let mut answers = Vec::new();
        for (asked, (called, ticket)) in asked.iter().zip(under_way) {
            answers.push(self.hear(asked, called, ticket.and_then(|ticket| ticket.wait())));
        }
        for (asked, answer) in asked.iter().zip(answers) {
            self.make_again(asked, answer);
        }
    }

    /// Makes a request again that has no answer; now and then also one that has.
    fn make_again(&mut self, asked: &Asked, mut answer: Answer) {
        let mut tries = 1;
        let is_repeated = self.dice.one_in(10);
        while asked.is_named && tries < TRIES_MAX && (answer == Answer::Unknown || is_repeated && tries == 1) {
            tries += 1;
            if answer == Answer::Unknown {
                std::thread::sleep(Duration::from_millis(10));
            }
            let called = now();
            self.note(asked, called, u64::MAX, Answer::Unknown);
            let outcome = self.client.append(asked.request.clone());
            answer = self.hear(asked, called, outcome);
        }
    }

    fn decide(&mut self) -> Asked {
        let dice = &mut self.dice;
        self.request_count += 1;
        let checks = self.beliefs.checks(self.part.number, now() / FRESH_NANOSECONDS, dice);
        let id = |ordinal: u64| {
            Uuid::from_u128(u128::from(self.part.number + 1) << 64 | u128::from(self.request_count << 8 | ordinal))
        };
        let ids: Vec<Uuid> = (1..2 + dice.roll(3)).map(id).collect();
        let events: Vec<Event> = ids
            .iter()
            .enumerate()
            .map(|(ordinal, id)| event(*id, ordinal == 0, &checks, self.part.event_bytes, dice))
            .collect();
        let durability = match dice.roll(8) {
            0 => Durability::Buffered,
            1 => Durability::Written,
            _ => Durability::Durable,
        };
        let mut request = AppendRequest::new().events(events).durability(durability);
        for check in checks.clone() {
            request = match check {
                Check::Stream { stream, expected } => request.expect(stream, expected),
                Check::NoEvents { query, after } => request.unless(query, after),
                check => panic!("{check:?}"),
            };
        }
        let is_named = if self.is_impatient { !dice.one_in(4) } else { dice.one_in(4) };
        if is_named {
            request = request.request_id(id(0));
        }
        Asked { request, ids, checks, durability, is_named }
    }

    fn hear(&mut self, asked: &Asked, called: u64, outcome: Result<Receipt, AppendError>) -> Answer {
        let returned = now();
        let is_meant = match &outcome {
            Ok(_) | Err(AppendError::Conflict(_)) => true,
            Err(AppendError::Remote(error)) => is_without_answer(error),
            Err(_) => false,
        };
        assert!(is_meant, "{}", outcome.unwrap_err());
        self.beliefs.learn(&outcome);
        let answer = Answer::of(&outcome, asked.durability);
        self.note(asked, called, returned, answer.clone());
        answer
    }

    fn note(&mut self, asked: &Asked, called: u64, returned: u64, answer: Answer) {
        let (ids, checks) = (asked.ids.clone(), asked.checks.clone());
        self.part.note(&Call::Append(AppendCall { called, returned, ids, checks, answer }));
    }

    /// Reads something from not too far below the head.
    fn read(&mut self) {
        let dice = &mut self.dice;
        let read = match dice.roll(3) {
            0 => Read::all(),
            1 => Read::stream(any_stream(dice)),
            _ => Read::query(any_tag_query(dice)),
        };
        let reach = if dice.one_in(20) { u64::MAX } else { 450_000 / self.part.event_bytes };
        let from = Position(self.beliefs.head.0.saturating_sub(dice.roll(reach)));
        let read = if dice.one_in(3) { read.unsynced() } else { read };
        match self.read_from(read.from(from), from) {
            Ok(call) => {
                self.beliefs.head = call.head;
                if let Selection::Query(query) = &call.selection {
                    self.beliefs.learn_tag(query, call.head);
                }
                self.part.note(&Call::Read(call));
            }
            Err(ReadError::Remote(error)) if is_without_answer(&error) => {}
            // What it was to go on from was not synced, and a kill took it.
            Err(ReadError::LostTail { .. }) => self.beliefs.head = Position::START,
            Err(error) => panic!("{error}"),
        }
    }

    fn read_from(&self, read: Read, from: Position) -> Result<ReadCall, ReadError> {
        let (selection, sees_unsynced) = (read.selection.clone(), read.sees_unsynced);
        let called = now();
        let mut cursor = self.client.read(read)?;
        let returned = now();
        let head = cursor.head();
        let mut shown = Vec::new();
        while let Some(record) = cursor.next_record() {
            shown.push(record?.id());
        }
        Ok(ReadCall { called, returned, selection, from: from.min(head), head, sees_unsynced, shown })
    }
}

/// Whether an error says no more than that there is no answer.
pub(super) fn is_without_answer(error: &RemoteError) -> bool {
    matches!(error, RemoteError::Unreachable { .. } | RemoteError::Unanswered { .. })
}

/// An event of a request: the first one is of what the first check is about, the others are of anything.
fn event(id: Uuid, is_first: bool, checks: &[Check], bytes: u64, dice: &mut Dice) -> Event {
    let mut stream = dice.one_in(2).then(|| any_stream(dice));
    let mut tag = dice.one_in(3).then(|| any_tag(dice));
    match &checks[0] {
        Check::Stream { stream: checked, .. } if is_first => stream = Some(checked.clone()),
        Check::NoEvents { query, .. } if is_first => tag = Some(query.items()[0].tags[0].clone()),
        _ => {}
    }
    let bytes = if dice.one_in(50) { bytes.max(20_000) } else { bytes };
    let data = vec![b'x'; usize::try_from(dice.roll(bytes)).unwrap()];
    let event = Event::new(EventType::new("Happened").unwrap()).id(id).data(data);
    let event = stream.into_iter().fold(event, Event::stream);
    tag.into_iter().fold(event, Event::tag)
}
