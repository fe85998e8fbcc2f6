//! `gesta export`: every event as a line of JSON.

use super::event_list::EventList;
use crate::context::Context;
use crate::failure::{Failure, Status};
use crate::progress::Progress;
use gesta::{EventReader, Read};
use std::io::IsTerminal;

/// Prints every event, in order.
pub(crate) fn run(context: &Context) -> Result<Status, Failure> {
    let reader = context.open_reader()?;
    // A bar between the lines of a terminal would only be in the way.
    let is_visible = !std::io::stdout().is_terminal();
    let progress = if is_visible { Progress::events(reader.head()?.0) } else { Progress::none() };
    EventList::json(context).print_all(&mut reader.read(Read::all())?, || progress.advance(1))
}
