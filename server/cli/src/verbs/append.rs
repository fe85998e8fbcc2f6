//! `gesta append`: one event.

use super::read::{parse_count, parse_moment, parse_query, parse_stream};
use crate::context::Context;
use crate::failure::{Failure, Status};
use crate::json::{compact_json, write_event};
use crate::output::Output;
use gesta::{
    AppendError, AppendRequest, Conflict, Durability, Event, EventStore, EventType, ExpectedRevision, FailedCheck,
    Position, Query, Receipt, Revision, StoredEvent, StreamName, Tag, Timestamp, Uuid,
};
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::value::RawValue;
use std::io::{IsTerminal, Read as _};

/// The arguments.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The event's type, such as OrderPlaced
    #[arg(long = "type", value_name = "TYPE", value_parser = parse_type)]
    event_type: EventType,
    /// The stream it belongs to
    #[arg(long, value_name = "NAME", value_parser = parse_stream)]
    stream: Option<StreamName>,
    /// The data: JSON text, or @FILE, or - for standard input, which may hold anything
    #[arg(long, value_name = "JSON|@FILE|-", allow_negative_numbers = true)]
    data: Option<String>,
    /// The metadata, as JSON text
    #[arg(long, value_name = "JSON", allow_negative_numbers = true)]
    metadata: Option<String>,
    /// A tag; may be given many times
    #[arg(long = "tag", value_name = "KEY:VALUE", value_parser = parse_tag)]
    tags: Vec<Tag>,
    /// The event's id, a UUID; without it one is made
    #[arg(long, value_name = "UUID", value_parser = parse_id)]
    id: Option<Uuid>,
    /// When it happened, as RFC 3339
    #[arg(long, value_name = "TIME", value_parser = parse_moment)]
    time: Option<Timestamp>,
    /// What must be true of the stream: any, no-stream, stream-exists, or the revision of its last event
    #[arg(long, value_name = "REVISION", value_parser = parse_expected, allow_negative_numbers = true)]
    expect: Option<ExpectedRevision>,
    /// Append only if no event from --after on matches this query, such as "type=OrderPlaced tag=customer:4"
    #[arg(long, value_name = "QUERY", value_parser = parse_query, requires = "after")]
    unless: Option<Query>,
    /// The head of the read that was decided on: the first position that --unless asks about
    #[arg(long, value_name = "POSITION", requires = "unless", value_parser = parse_count, allow_negative_numbers = true)]
    after: Option<u64>,
    /// A name for this append, a UUID: made again under it, nothing is added and the first receipt is printed
    #[arg(long, value_name = "UUID", value_parser = parse_request_id)]
    request_id: Option<Uuid>,
    /// How many of the events that were not known of a conflict prints
    #[arg(long, value_name = "N", default_value = "0", value_parser = parse_missed, allow_negative_numbers = true)]
    missed: u32,
    /// What to wait for: durable (synced), written (with the system), buffered (with the process)
    #[arg(long, value_name = "CLASS", value_parser = parse_durability, default_value = "durable")]
    durability: Durability,
}

/// Appends the event and prints its receipt, or the conflict.
pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<Status, Failure> {
    context.check_store()?;
    let request = arguments.request()?;
    let store = context.open_store()?;
    let outcome = store.append(request);
    let closed = store.close();
    let mut output = Output::lock();
    match outcome {
        Ok(receipt) if context.is_json || !std::io::stdout().is_terminal() => {
            output.json(&ReceiptForm::new(&receipt))?;
        }
        Ok(receipt) => output.text(&in_words(&receipt))?,
        Err(error) => {
            if let AppendError::Conflict(conflict) = &error {
                output.json(&ConflictAnswer::new(conflict))?;
                output.flush()?;
            }
            return Err(error.into());
        }
    }
    output.flush()?;
    closed.map(|()| Status::Done)
}

impl Arguments {
    fn request(&self) -> Result<AppendRequest, Failure> {
        let mut event = Event::new(self.event_type.clone());
        event = self.stream.iter().cloned().fold(event, Event::stream);
        event = self.id.into_iter().fold(event, Event::id);
        event = self.time.into_iter().fold(event, Event::time);
        event = self.tags.iter().cloned().fold(event, Event::tag);
        if let Some(metadata) = &self.metadata {
            let not_json = |error| Failure::usage(format!("--metadata is not JSON: {error}: mend the text"));
            event = event.metadata_json(compact_json(metadata.as_bytes()).map_err(not_json)?);
        }
        if let Some(data) = &self.data {
            event = with_data(event, data)?;
        }
        let mut request = AppendRequest::new().event(event).durability(self.durability).return_missed(self.missed);
        request = self.request_id.into_iter().fold(request, AppendRequest::request_id);
        if let (Some(query), Some(after)) = (&self.unless, self.after) {
            request = request.unless(query.clone(), Position(after));
        }
        match (self.expect, &self.stream) {
            (None | Some(ExpectedRevision::Any), _) => Ok(request),
            (Some(expected), Some(stream)) => Ok(request.expect(stream.clone(), expected)),
            (Some(_), None) => Err(Failure::usage("--expect is about a stream: say which with --stream")),
        }
    }
}

/// Sets the data that an argument names. Content that is not JSON is welcome from elsewhere, but not on the command line,
/// where it is a mistake.
fn with_data(event: Event, argument: &str) -> Result<Event, Failure> {
    let content = if argument == "-" {
        let mut content = Vec::new();
        std::io::stdin().lock().read_to_end(&mut content).map(|_| content)
    } else if let Some(file) = argument.strip_prefix('@') {
        std::fs::read(file)
    } else {
        let advice = "quote text as \"text\", or pass bytes with --data @FILE or --data -";
        let not_json = |error| Failure::usage(format!("--data is not JSON: {error}: {advice}"));
        return Ok(event.json(compact_json(argument.as_bytes()).map_err(not_json)?));
    };
    let unreadable = |error| format!("cannot read --data {argument}: {error}: name a file that can be read");
    let content = content.map_err(|error| Failure::usage(unreadable(error)))?;
    Ok(match compact_json(&content) {
        Ok(text) => event.json(text),
        Err(_) => event.data(content),
    })
}

fn in_words(receipt: &Receipt) -> String {
    let place = receipt.revisions.first().map_or_else(String::new, |(stream, revision)| {
        let stream = crate::failure::OneLine(stream.as_str());
        format!(", revision {revision} of {stream}")
    });
    format!("appended at position {}{place} ({})", receipt.positions.start, receipt.durability)
}

/// A receipt, in the order of its JSON form.
#[derive(Serialize)]
struct ReceiptForm<'a> {
    first: Option<u64>,
    last: Option<u64>,
    #[serde(serialize_with = "as_map")]
    revisions: &'a [(StreamName, Revision)],
    head: u64,
    durability: String,
}

impl<'a> ReceiptForm<'a> {
    fn new(receipt: &'a Receipt) -> Self {
        let (start, end) = (receipt.positions.start.0, receipt.positions.end.0);
        let is_empty = start == end;
        Self {
            first: (!is_empty).then_some(start),
            last: (!is_empty).then(|| end - 1),
            revisions: &receipt.revisions,
            head: receipt.head.0,
            durability: receipt.durability.to_string(),
        }
    }
}

fn as_map<S: Serializer>(revisions: &[(StreamName, Revision)], serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(revisions.len()))?;
    for (stream, revision) in revisions {
        map.serialize_entry(stream.as_str(), &revision.0)?;
    }
    map.end()
}

/// A conflict, in the order of its JSON form.
#[derive(Serialize)]
struct ConflictAnswer<'a> {
    conflict: ConflictForm<'a>,
}

#[derive(Serialize)]
struct ConflictForm<'a> {
    failed: Vec<FailedForm<'a>>,
    head: u64,
    /// The events that the caller did not know of, as many as it asked for.
    missed: Vec<Box<RawValue>>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum FailedForm<'a> {
    Stream { stream: &'a str, expected: ExpectedForm, actual: Option<u64> },
    Query { query: String, after: u64, found: u64 },
}

/// What was expected, spelled as on the command line.
#[derive(Serialize)]
#[serde(untagged)]
enum ExpectedForm {
    Revision(u64),
    Word(&'static str),
}

impl<'a> ConflictAnswer<'a> {
    fn new(conflict: &'a Conflict) -> Self {
        let failed = conflict.failed.iter().filter_map(|failed| match failed {
            FailedCheck::Stream { stream, expected, actual } => Some(FailedForm::Stream {
                stream: stream.as_str(),
                expected: ExpectedForm::new(*expected),
                actual: actual.map(|revision| revision.0),
            }),
            FailedCheck::Query { query, after, found } => {
                Some(FailedForm::Query { query: query.to_string(), after: after.0, found: found.0 })
            }
            _ => None,
        });
        let missed = conflict.missed.iter().map(in_json).collect();
        Self { conflict: ConflictForm { failed: failed.collect(), head: conflict.head.0, missed } }
    }
}

/// An event as it is printed everywhere.
fn in_json(event: &StoredEvent) -> Box<RawValue> {
    let mut line = Vec::new();
    write_event(&mut line, &event.record());
    let line = String::from_utf8(line).expect("an event is written as UTF-8");
    RawValue::from_string(line).expect("an event is written as JSON")
}

impl ExpectedForm {
    fn new(expected: ExpectedRevision) -> Self {
        match expected {
            ExpectedRevision::Any => Self::Word("any"),
            ExpectedRevision::NoStream => Self::Word("no-stream"),
            ExpectedRevision::StreamExists => Self::Word("stream-exists"),
            ExpectedRevision::Exactly(revision) => Self::Revision(revision.0),
        }
    }
}

fn parse_type(text: &str) -> Result<EventType, String> {
    EventType::new(text).map_err(|error| error.to_string())
}

fn parse_tag(text: &str) -> Result<Tag, String> {
    Tag::new(text).map_err(|error| error.to_string())
}

fn parse_id(text: &str) -> Result<Uuid, String> {
    match Uuid::try_parse(text) {
        Ok(id) if !id.is_nil() => Ok(id),
        Ok(_) => Err("the nil UUID is not an id: leave it out to have one made".to_owned()),
        Err(_) => Err("not a UUID: leave it out to have one made".to_owned()),
    }
}

fn parse_missed(text: &str) -> Result<u32, String> {
    text.parse().map_err(|_| format!("not a whole number from 0 to {}", u32::MAX))
}

fn parse_request_id(text: &str) -> Result<Uuid, String> {
    match Uuid::try_parse(text) {
        Ok(id) if !id.is_nil() => Ok(id),
        _ => Err("not a UUID other than the nil one: make one for each append and give it again to retry".to_owned()),
    }
}

fn parse_expected(text: &str) -> Result<ExpectedRevision, String> {
    match text {
        "any" => Ok(ExpectedRevision::Any),
        "no-stream" => Ok(ExpectedRevision::NoStream),
        "stream-exists" => Ok(ExpectedRevision::StreamExists),
        _ => match text.parse() {
            Ok(revision) => Ok(ExpectedRevision::Exactly(Revision(revision))),
            Err(_) => Err("neither any, no-stream, stream-exists nor a revision".to_owned()),
        },
    }
}

fn parse_durability(text: &str) -> Result<Durability, String> {
    match text {
        "durable" => Ok(Durability::Durable),
        "written" => Ok(Durability::Written),
        "buffered" => Ok(Durability::Buffered),
        _ => Err("neither durable, written nor buffered".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gesta::Record;
    use gesta::codec::{encode_record, place_record};

    #[test]
    fn a_conflict_prints_every_failed_check_and_what_was_missed() {
        let event = Event::new(EventType::new("T").expect("a good name")).json("[1]");
        let mut bytes = Vec::new();
        encode_record(&event, Uuid::from_u128(0xabc), &mut bytes);
        place_record(&mut bytes, gesta::codec::NO_REVISION, Position(7));
        let (record, _) = Record::decode(&bytes, Position(7)).expect("the record was just made");
        let query = r#"type=T | stream="a b""#;
        let failed = vec![
            FailedCheck::Stream {
                stream: StreamName::new("s").expect("a good name"),
                expected: ExpectedRevision::NoStream,
                actual: Some(Revision(2)),
            },
            FailedCheck::Query { query: query.parse().expect("a good query"), after: Position(5), found: Position(7) },
        ];
        let missed = vec![StoredEvent::new(&record, Timestamp(0))];
        let conflict = Conflict { failed, head: Position(8), missed };
        assert_eq!(
            serde_json::to_string(&ConflictAnswer::new(&conflict)).expect("a conflict is JSON"),
            concat!(
                r#"{"conflict":{"failed":[{"stream":"s","expected":"no-stream","actual":2},"#,
                r#"{"query":"type=T | stream=\"a b\"","after":5,"found":7}],"head":8,"missed":["#,
                r#"{"position":7,"revision":null,"stream":null,"type":"T","id":"00000000-0000-0000-0000-000000000abc","#,
                r#""time":null,"tags":[],"metadata":null,"data":[1]}]}}"#
            )
        );
    }
}
