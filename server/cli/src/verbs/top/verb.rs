//! What `top` is told, and its three ways to show a server: live, as lines of JSON, or once.

use super::figures::Figures;
use super::screen::View;
use super::source::Source;
use super::watch::{over_on_signals, watch};
use crate::context::Context;
use crate::failure::{Failure, Status};
use crate::output::Output;
use crate::place::Place;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::Widget;
use std::io::IsTerminal;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// What `top` is told.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The operator's port of the server, such as 127.0.0.1:4703, instead of the planes that --store names
    #[arg(long, value_name = "HOST:PORT")]
    http: Option<String>,
    /// Seconds from one look to the next
    #[arg(long, value_name = "SECONDS", default_value = "1", value_parser = parse_interval)]
    interval: Duration,
    /// Prints what one interval brought, and ends
    #[arg(long)]
    once: bool,
}

const WIDTH: u16 = 80;
/// A screen's rows, of which each store beyond the first few takes one more.
const HEIGHT: u16 = 24;
/// How often signals are looked for.
const LOOK: Duration = Duration::from_millis(50);

/// Shows a server until it is told to end, or once.
pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<Status, Failure> {
    let Arguments { http, interval, once } = arguments;
    let source = match http {
        Some(address) => Source::Http(address.clone()),
        None => wire_source(context)?,
    };
    let is_over = over_on_signals()?;
    if *once || context.is_json {
        print(&source, *interval, *once, context.is_json, &is_over)?;
    } else if std::io::stdout().is_terminal() {
        watch(&source, *interval, &is_over)?;
    } else {
        return Err(Failure::usage("standard output is no terminal: give --once, or --json for a line each interval"));
    }
    Ok(Status::Done)
}

/// The server whose store the command line names.
fn wire_source(context: &Context) -> Result<Source, Failure> {
    let no_server = || Failure::usage("no server: say which with --store gesta://host, or --http HOST:PORT");
    context.check_store().map_err(|_| no_server())?;
    match context.place()? {
        Place::Server(client) => {
            let address = client.address().to_string();
            Ok(Source::Wire(client, address))
        }
        Place::Directory(_) => Err(no_server()),
    }
}

/// Prints the figures of one interval, or of every one.
fn print(source: &Source, every: Duration, once: bool, is_json: bool, is_over: &AtomicBool) -> Result<(), Failure> {
    let (mut at, mut before) = (Instant::now(), source.snapshot()?);
    while sleep(every, is_over) {
        let (came, now) = (Instant::now(), source.snapshot()?);
        let figures = Figures::of(Some((&before, came - at)), &now);
        let mut output = Output::lock();
        if is_json {
            output.json(&figures)?;
        } else {
            let view = View { server: source.name(), every, figures: &figures, problem: None };
            lines(view).iter().try_for_each(|line| output.text(line))?;
        }
        output.flush()?;
        if once {
            return Ok(());
        }
        (at, before) = (came, now);
    }
    Ok(())
}

/// The screen as lines of text, those that are blank at its end left out.
fn lines(view: View<'_>) -> Vec<String> {
    let stores = u16::try_from(view.figures.stores.len()).unwrap_or(u16::MAX);
    let area = Rect::new(0, 0, WIDTH, HEIGHT.saturating_add(stores.min(1000)));
    let mut buffer = Buffer::empty(area);
    view.render(area, &mut buffer);
    let row = |cells: &[ratatui::buffer::Cell]| -> String {
        cells.iter().map(ratatui::buffer::Cell::symbol).collect::<String>().trim_end().to_owned()
    };
    let mut lines: Vec<String> = buffer.content.chunks(usize::from(WIDTH)).map(row).collect();
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines
}

/// Whether the time went by without a signal.
fn sleep(time: Duration, is_over: &AtomicBool) -> bool {
    let end = Instant::now() + time;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        // Relaxed: nothing is published with it.
        if left.is_zero() || is_over.load(Ordering::Relaxed) {
            return left.is_zero();
        }
        std::thread::sleep(left.min(LOOK));
    }
}

fn parse_interval(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().filter(|seconds| (0.1..=3600.0).contains(seconds));
    seconds.map(Duration::from_secs_f64).ok_or_else(|| "give a number of seconds from 0.1 to 3600".to_owned())
}
