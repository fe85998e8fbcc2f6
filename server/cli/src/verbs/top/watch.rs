//! The live screen: one thread asks the server, another draws, and keys or signals end both.
//!
//! What must stay true: however it ends, by a key, a signal, a failure or a panic, the terminal is as it was before.

use super::figures::Figures;
use super::screen::View;
use super::source::Source;
use crate::failure::{Failure, Status};
use gesta_server::observe::Snapshot;
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::time::{Duration, Instant};

/// How often keys and signals are looked for.
const LOOK: Duration = Duration::from_millis(50);

/// An answer of the server, and when it came.
type Answer = (Instant, Result<Snapshot, Failure>);

/// Shows the server until a key or `is_over` ends it. The first snapshot is asked for before the terminal is touched.
pub(super) fn watch(source: &Source, every: Duration, is_over: &AtomicBool) -> Result<(), Failure> {
    let first = source.snapshot()?;
    let asked = Instant::now();
    let answers = ask_on(source.clone(), every)?;
    let mut terminal = Screen::take()?;
    terminal.show(source, every, (asked, first), &answers, is_over)
}

/// The terminal, given back when this is dropped; a panic gives it back before it speaks.
pub(super) struct Screen {
    terminal: DefaultTerminal,
}

impl Screen {
    pub(super) fn take() -> Result<Self, Failure> {
        match ratatui::try_init() {
            Ok(terminal) => Ok(Self { terminal }),
            Err(error) => {
                ratatui::restore();
                Err(no_terminal(&error))
            }
        }
    }

    fn show(
        &mut self,
        source: &Source,
        every: Duration,
        first: (Instant, Snapshot),
        answers: &Receiver<Answer>,
        is_over: &AtomicBool,
    ) -> Result<(), Failure> {
        let (mut at, mut snapshot) = first;
        let mut figures = Figures::of(None, &snapshot);
        let mut problem = None;
        loop {
            let view = View { server: source.name(), every, figures: &figures, problem: problem.as_deref() };
            self.terminal.draw(|frame| frame.render_widget(view, frame.area())).map_err(|error| no_terminal(&error))?;
            match next(answers, is_over)? {
                Next::Over => return Ok(()),
                Next::Redraw => {}
                Next::Answer(answer) => match *answer {
                    (came, Ok(now)) => {
                        figures = Figures::of(Some((&snapshot, came - at)), &now);
                        (at, snapshot, problem) = (came, now, None);
                    }
                    (_, Err(failure)) => problem = Some(failure.to_string()),
                },
            }
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        ratatui::restore();
    }
}

enum Next {
    Answer(Box<Answer>),
    Redraw,
    Over,
}

/// Waits for what happens next.
fn next(answers: &Receiver<Answer>, is_over: &AtomicBool) -> Result<Next, Failure> {
    loop {
        // Relaxed: nothing is published with it.
        if is_over.load(Ordering::Relaxed) {
            return Ok(Next::Over);
        }
        if event::poll(LOOK).map_err(|error| no_terminal(&error))? {
            match event::read().map_err(|error| no_terminal(&error))? {
                Event::Key(key) if ends(key) => return Ok(Next::Over),
                Event::Resize(..) => return Ok(Next::Redraw),
                _ => {}
            }
        }
        match answers.try_recv() {
            Ok(answer) => return Ok(Next::Answer(Box::new(answer))),
            Err(TryRecvError::Empty) => {}
            Err(TryRecvError::Disconnected) => {
                return Err(Failure::new(Status::Refused, "thread", "the thread that asks the server has ended"));
            }
        }
    }
}

/// In this mode of the terminal, Ctrl-C is a key like any other.
fn ends(key: KeyEvent) -> bool {
    let is_interrupt = key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL);
    key.kind == KeyEventKind::Press && (is_interrupt || matches!(key.code, KeyCode::Char('q') | KeyCode::Esc))
}

/// Asks again and again on a thread of its own, so that a server that is slow to answer keeps nobody from leaving.
fn ask_on(source: Source, every: Duration) -> Result<Receiver<Answer>, Failure> {
    let (sender, receiver) = channel();
    let run = move || {
        loop {
            std::thread::sleep(every);
            let answer = source.snapshot();
            if sender.send((Instant::now(), answer)).is_err() {
                return;
            }
        }
    };
    let started = std::thread::Builder::new().name("ask".to_owned()).spawn(run);
    started.map_err(|error| Failure::new(Status::Refused, "thread", format!("cannot start a thread: {error}")))?;
    Ok(receiver)
}

fn no_terminal(error: &io::Error) -> Failure {
    let message = format!("cannot use the terminal: {error}: give --once, or --json");
    Failure::new(Status::Refused, "terminal", message)
}

/// A flag that signals raise.
pub(super) fn over_on_signals() -> Result<Arc<AtomicBool>, Failure> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    let is_over = Arc::new(AtomicBool::new(false));
    for signal in [SIGHUP, SIGINT, SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&is_over))
            .map_err(|error| Failure::new(Status::Refused, "signals", format!("cannot watch for signals: {error}")))?;
    }
    Ok(is_over)
}
