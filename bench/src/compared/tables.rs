//! The tables of a run, as Markdown.

use super::figures::Figures;
use super::gap::Gap;
use super::goals;
use super::peer::{Kind, Program};
use super::rows::{APPENDS, COUNTED, LATENCY, Row, WORKLOADS};
use super::tour::Extent;
use super::work::Said;
use super::yardsticks;
use crate::machine::Machine;
use crate::report::{digits, short, verdict};
use crate::sample::SYNC_MICROSECONDS_MIN;
use std::fmt::Write as _;

/// All tables.
#[must_use]
pub fn tables(machine: &Machine, programs: &[Program], figures: &Figures) -> String {
    let mut page = head(machine, figures);
    for (kind, title) in [(Kind::Embedded, "Linked into the program"), (Kind::Served, "Servers, asked over loopback")] {
        let programs: Vec<_> = programs.iter().filter(|program| program.peer.kind == kind).collect();
        if programs.is_empty() {
            continue;
        }
        let _ = writeln!(page, "#### {title}\n");
        let _ = writeln!(page, "Events a second; in brackets, how many times as fast {} is.\n", kind.gesta());
        rates(&mut page, &programs, figures, &APPENDS);
        reads(&mut page, &programs, figures);
        let _ = writeln!(page, "As `durable-1x100`, with events of another size, in more streams, or unevenly:\n");
        rates(&mut page, &programs, figures, &WORKLOADS);
        waits(&mut page, &programs, figures);
        grown(&mut page, &programs, figures);
    }
    yardsticks::goals(&mut page, figures);
    judged(&mut page, figures);
    remarks(&mut page, programs, figures);
    page
}

fn head(machine: &Machine, figures: &Figures) -> String {
    let (machine, Extent { rounds, seconds, events, .. }) = (machine.line(), figures.extent);
    let mut head =
        format!("{machine} Medians of {rounds} rounds of {seconds} s, by turns; stores of {events} events are read.");
    if let Some((p50, p99)) = figures.median("plain", "durable-1").and_then(waited) {
        let _ = write!(head, " The disk: one event written and synced takes {p50} us, {p99} at p99.");
    }
    if let Some((median, most)) = figures.spread() {
        let (median, most) = (digits(median), digits(most));
        let _ = write!(head, " The fastest round of a row was {median} times the slowest, at most {most} times.");
    }
    head.push_str("\n\n");
    head
}

/// A table of rates: a store a line, a row a column.
fn rates(page: &mut String, programs: &[&Program], figures: &Figures, rows: &[Row]) {
    let names: Vec<_> = rows.iter().map(|row| row.name).collect();
    let _ = writeln!(page, "| store | {} |\n|---{}|", names.join(" | "), "|---".repeat(rows.len()));
    for program in programs {
        let cells: Vec<_> = names.iter().map(|row| rate(program, figures, row)).collect();
        let _ = writeln!(page, "| {} | {} |", program.peer.name, cells.join(" | "));
    }
    page.push('\n');
}

fn rate(program: &Program, figures: &Figures, row: &str) -> String {
    let (name, gesta) = (program.peer.name, program.peer.kind.gesta());
    let Some(said) = figures.median(name, row) else { return String::new() };
    match figures.times(gesta, name, row) {
        _ if name == gesta => format!("**{}**", short(said.rate())),
        Some(times) => format!("{} (x {})", short(said.rate()), digits(times)),
        None => short(said.rate()),
    }
}

fn reads(page: &mut String, programs: &[&Program], figures: &Figures) {
    page.push_str(
        "| store | open after a crash, ms | open, ms | replay, events/s | one stream, p50 / p99 us | bytes an event | memory, \
         MB | keeps |\n|---|---|---|---|---|---|---|---|\n",
    );
    for program in programs {
        let name = program.peer.name;
        let said = |row| figures.median(name, row);
        let open = |row| said(row).map_or_else(String::new, |said| digits(said.seconds * 1e3));
        let (killed, closed) = (open("open-killed"), open("open"));
        let replay = rate(program, figures, "replay");
        let stream = said("streams").and_then(waited).map_or_else(String::new, |(p50, p99)| format!("{p50} / {p99}"));
        let bytes = said("fill").and_then(|said| said.bytes_an_event).map_or_else(String::new, digits);
        #[allow(clippy::cast_precision_loss, reason = "megabytes are shown with three digits")]
        let memory = said("fill").map_or_else(String::new, |said| digits(said.anonymous_bytes_max as f64 / 1e6));
        let keeps = keeps(said("fill").or(said("durable-1")));
        let _ = writeln!(page, "| {name} | {killed} | {closed} | {replay} | {stream} | {bytes} | {memory} | {keeps} |");
    }
    page.push('\n');
}

fn keeps(said: Option<&Said>) -> String {
    said.map_or_else(String::new, |said| format!("{}: {}", said.version, said.keeps))
}

/// Waits at a rate that is the same for all, and syncs for each commit.
fn waits(page: &mut String, programs: &[&Program], figures: &Figures) {
    let (clients, rate) = (LATENCY.append.threads, LATENCY.append.rate.unwrap_or_default());
    let _ = writeln!(
        page,
        "Waits at {rate} durable appends a second by {clients} clients, each counted from when it should have begun, in us; and \
         calls to sync for each commit, in runs of their own:\n"
    );
    let counted = COUNTED.map(|row| format!("syncs, {row}")).join(" | ");
    let _ = writeln!(
        page,
        "| store | p50 | p99 | p99.9 | most | {counted} |\n|---|---|---|---|---{}|",
        "|---".repeat(COUNTED.len())
    );
    for program in programs {
        let name = program.peer.name;
        let said = figures.median(name, LATENCY.name);
        let all = said.map_or([None; 4], |said| [said.p50_us, said.p99_us, said.p999_us, said.max_us]);
        let waits = all.map(|wait| wait.map_or_else(String::new, digits)).join(" | ");
        let syncs = COUNTED.map(|row| figures.syncs(name, row).map_or_else(String::new, digits)).join(" | ");
        let _ = writeln!(page, "| {name} | {waits} | {syncs} |");
    }
    page.push('\n');
}

/// What grows with a store.
fn grown(page: &mut String, programs: &[&Program], figures: &Figures) {
    let is_grown = |program: &&&Program| figures.median(program.peer.name, "grown-fill").is_some();
    let mut programs = programs.iter().filter(is_grown).peekable();
    if programs.peek().is_none() {
        return;
    }
    let _ = writeln!(page, "Grown to {} events:\n", figures.extent.grown_events);
    page.push_str("| store | open after a crash, ms | bytes an event |\n|---|---|---|\n");
    for program in programs {
        let said = |row| figures.median(program.peer.name, row);
        let open = said("grown-open-killed").map_or_else(String::new, |said| digits(said.seconds * 1e3));
        let bytes = said("grown-fill").and_then(|said| said.bytes_an_event).map_or_else(String::new, digits);
        let _ = writeln!(page, "| {} | {open} | {bytes} |", program.peer.name);
    }
    page.push('\n');
}

fn waited(said: &Said) -> Option<(String, String)> {
    Some((digits(said.p50_us?), digits(said.p99_us?)))
}

fn judged(page: &mut String, figures: &Figures) {
    let judged = goals::judge(figures);
    if judged.is_empty() {
        return;
    }
    page.push_str("#### What was hoped for\n\n| hoped for | came | |\n|---|---|---|\n");
    for judged in judged {
        let verdict = verdict(judged.is_met);
        let _ = writeln!(page, "| {} | {} | {verdict} |", judged.hope, digits(judged.came));
    }
    page.push('\n');
}

/// What is missing and why, and what cannot be true.
fn remarks(page: &mut String, programs: &[Program], figures: &Figures) {
    for (peer, reason) in figures.left_out() {
        let _ = writeln!(page, "- {peer} is left out: {reason}");
    }
    for (peer, reason, rows) in figures.missing() {
        match reason {
            Gap::Lacks(what) => writeln!(page, "- {peer}: {what}"),
            Gap::Failed(why) => writeln!(page, "- {peer} **failed** in {}: {why}", rows.join(", ")),
        }
        .expect("a text takes all that is written");
    }
    #[allow(clippy::cast_precision_loss, reason = "a small number")]
    let least = SYNC_MICROSECONDS_MIN as f64;
    for program in programs {
        let name = program.peer.name;
        let p50 = figures.median(name, "durable-1").and_then(|said| said.p50_us);
        if let Some(p50) = p50.filter(|p50| *p50 < least) {
            let _ = writeln!(page, "- SUSPICIOUS: {name} took {p50} us for a durable append: was that a sync?");
        }
    }
}
