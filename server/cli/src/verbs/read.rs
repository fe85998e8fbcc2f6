//! `gesta read`: events of the store, of one stream, or of a query.

use super::event_list::EventList;
use crate::context::Context;
use crate::failure::{Failure, Status, remark, tell};
use crate::json::parse_time;
use gesta::{
    EventCursor, EventReader, Explanation, Position, Query, QueryTextError, Read, Revision, StreamName, Timestamp,
};
use serde::Serialize;

/// The arguments.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Only the events of this stream
    #[arg(long, value_name = "NAME", value_parser = parse_stream)]
    stream: Option<StreamName>,
    /// Only the events that match a query, such as "type=OrderPlaced,OrderPaid tag=customer:4 | category=invoice"
    #[arg(long, value_name = "QUERY", value_parser = parse_query, conflicts_with = "stream")]
    query: Option<Query>,
    /// Begin here, inclusive: a revision with --stream, else a position
    #[arg(long, value_name = "N", value_parser = parse_count, allow_negative_numbers = true)]
    from: Option<u64>,
    /// Only what the store took at this time (RFC 3339) or later
    #[arg(long, value_name = "TIME", value_parser = parse_moment)]
    since: Option<Timestamp>,
    /// At most so many events
    #[arg(long, value_name = "N", value_parser = parse_count, allow_negative_numbers = true)]
    limit: Option<u64>,
    /// From the newest to the oldest
    #[arg(long, conflicts_with = "follow")]
    backwards: bool,
    /// Go on with what is appended later, until Ctrl-C
    #[arg(long)]
    follow: bool,
    /// Then say on standard error what finding the events has cost
    #[arg(long, conflicts_with = "follow")]
    explain: bool,
}

/// Prints the events that were asked for.
pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<Status, Failure> {
    let reader = context.open_reader()?;
    let list = EventList::new(context);
    if arguments.follow {
        return list.follow(&reader, arguments.to_read(), arguments.limit);
    }
    let mut cursor = reader.read(arguments.to_read())?;
    let status = list.print_all(&mut cursor, || {})?;
    if arguments.explain {
        Cost::new(cursor.explain(), cursor.head()).tell(context.is_json);
    }
    Ok(status)
}

/// What finding the events has cost, in the order of its JSON form.
#[derive(Serialize)]
struct Cost {
    lists_read: u64,
    segments_asked: u64,
    segments_skipped: u64,
    records_touched: u64,
    head: u64,
}

impl Cost {
    fn new(explanation: Explanation, head: Position) -> Self {
        let Explanation { lists_read, segments_asked, segments_skipped, records_touched } = explanation;
        Self { lists_read, segments_asked, segments_skipped, records_touched, head: head.0 }
    }

    /// Says it on standard error, where it is in the way of no event.
    fn tell(&self, is_json: bool) {
        if is_json {
            return tell(self);
        }
        let Self { lists_read, segments_asked, segments_skipped, records_touched, head } = self;
        let message = format!(
            "lists read {lists_read}, segments asked {segments_asked} (skipped {segments_skipped}), records touched \
             {records_touched}, head {head}"
        );
        remark(is_json, &message);
    }
}

impl Arguments {
    fn to_read(&self) -> Read {
        let mut read = select(self.stream.as_ref(), self.query.as_ref());
        if let Some(from) = self.from {
            let is_revision = self.stream.is_some();
            read = if is_revision { read.from_revision(Revision(from)) } else { read.from(Position(from)) };
        }
        read = self.since.into_iter().fold(read, Read::since);
        read = self.limit.into_iter().fold(read, Read::limit);
        if self.backwards { read.backwards() } else { read }
    }
}

/// The events of a stream, of a query, or all.
pub(super) fn select(stream: Option<&StreamName>, query: Option<&Query>) -> Read {
    match (stream, query) {
        (Some(stream), _) => Read::stream(stream.clone()),
        (None, Some(query)) => Read::query(query.clone()),
        (None, None) => Read::all(),
    }
}

/// A stream's name as an argument.
pub(super) fn parse_stream(text: &str) -> Result<StreamName, String> {
    StreamName::new(text).map_err(|error| error.to_string())
}

/// A query as an argument.
pub(super) fn parse_query(text: &str) -> Result<Query, String> {
    text.parse().map_err(|error: QueryTextError| error.to_string())
}

/// A time as an argument.
pub(super) fn parse_moment(text: &str) -> Result<Timestamp, String> {
    parse_time(text).ok_or_else(|| "not a time: write it as RFC 3339, such as 2026-01-31T12:00:00Z".to_owned())
}

/// A number of events, a position or a revision as an argument. Told that a number may be negative, the parser of the command
/// line leaves it to this to say what is wrong with one.
pub(super) fn parse_count(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("not a whole number from 0 to {}", u64::MAX))
}
