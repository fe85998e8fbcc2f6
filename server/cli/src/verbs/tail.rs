//! `gesta tail`: events as they come, from the head on.

use super::event_list::EventList;
use super::read::{parse_count, parse_query, parse_stream, select};
use crate::context::Context;
use crate::failure::{Failure, Status};
use gesta::{EventReader, Query, StreamName};

/// The arguments.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Only the events of this stream
    #[arg(long, value_name = "NAME", value_parser = parse_stream)]
    stream: Option<StreamName>,
    /// Only the events that match a query, such as "type=OrderPlaced tag=customer:4"
    #[arg(long, value_name = "QUERY", value_parser = parse_query, conflicts_with = "stream")]
    query: Option<Query>,
    /// End after so many events
    #[arg(long, value_name = "N", value_parser = parse_count, allow_negative_numbers = true)]
    limit: Option<u64>,
}

/// Prints what is appended from now on.
pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<Status, Failure> {
    let reader = context.open_reader()?;
    let read = select(arguments.stream.as_ref(), arguments.query.as_ref()).from(reader.head()?);
    EventList::new(context).follow(&reader, read, arguments.limit)
}
