//! The domain: a course has so many seats, and a student takes so many courses. No stream holds what both rules need: events
//! are found by their tags, and the boundary of a decision is what has the tag of the course or that of the student.

use gesta_cqrs::{Boundary, Decider, DomainEvent, Labels};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// How many courses a student may take.
pub(crate) const COURSES_MAX: usize = 3;

/// What happens to courses and students.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum CourseEvent {
    Defined { course: String, seats: usize },
    SeatsChanged { course: String, seats: usize },
    Subscribed { course: String, student: u32 },
}

impl DomainEvent for CourseEvent {
    fn describe(&self, labels: &mut Labels) {
        match self {
            Self::Defined { course, .. } | Self::SeatsChanged { course, .. } => labels.tag("course", course),
            // Of two things at once, which is why it belongs to the stream of neither.
            Self::Subscribed { course, student } => labels.tag("course", course).tag("student", student),
        };
    }
}

/// What can be asked for.
#[derive(Clone, Debug)]
pub(crate) enum Command {
    Define { course: String, seats: usize },
    ChangeSeats { course: String, seats: usize },
    Subscribe { course: String, student: u32 },
}

/// Why it is not done.
#[derive(Debug, PartialEq)]
pub(crate) enum Refusal {
    NoCourse,
    IsDefined,
    SeatsAreTaken { taken: usize },
    CourseIsFull,
    IsSubscribed,
    TooManyCourses,
}

/// What has to be known of one course and one student.
#[derive(Debug, Default)]
pub(crate) struct State {
    seats: Option<usize>,
    /// Who is where, as far as the boundary shows.
    subscriptions: BTreeSet<(String, u32)>,
}

impl State {
    fn count(&self, is_counted: impl Fn(&str, u32) -> bool) -> usize {
        self.subscriptions.iter().filter(|(course, student)| is_counted(course, *student)).count()
    }
}

/// Decides about courses.
pub(crate) struct Courses;

impl Decider for Courses {
    type Command = Command;
    type Event = CourseEvent;
    type State = State;
    type Refusal = Refusal;

    fn boundary(command: &Command) -> Boundary {
        match command {
            Command::Define { course, .. } | Command::ChangeSeats { course, .. } => Boundary::tag("course", course),
            Command::Subscribe { course, student } => {
                Boundary::tag("course", course).and(Boundary::tag("student", student))
            }
        }
    }

    fn decide(state: &State, command: &Command) -> Result<Vec<CourseEvent>, Refusal> {
        let event = match command.clone() {
            Command::Define { course, seats } => match state.seats {
                None => CourseEvent::Defined { course, seats },
                Some(_) => return Err(Refusal::IsDefined),
            },
            Command::ChangeSeats { course, seats } => {
                let seats_now = state.seats.ok_or(Refusal::NoCourse)?;
                let taken = state.count(|name, _| name == course);
                if seats < taken {
                    return Err(Refusal::SeatsAreTaken { taken });
                }
                if seats == seats_now {
                    return Ok(Vec::new());
                }
                CourseEvent::SeatsChanged { course, seats }
            }
            Command::Subscribe { course, student } => {
                let seats = state.seats.ok_or(Refusal::NoCourse)?;
                if state.subscriptions.contains(&(course.clone(), student)) {
                    return Err(Refusal::IsSubscribed);
                }
                if state.count(|name, _| name == course) >= seats {
                    return Err(Refusal::CourseIsFull);
                }
                if state.count(|_, by| by == student) >= COURSES_MAX {
                    return Err(Refusal::TooManyCourses);
                }
                CourseEvent::Subscribed { course, student }
            }
        };
        Ok(vec![event])
    }

    fn evolve(state: &mut State, event: &CourseEvent) {
        match event.clone() {
            // A student's tag brings subscriptions to other courses, but never their seats.
            CourseEvent::Defined { seats, .. } | CourseEvent::SeatsChanged { seats, .. } => state.seats = Some(seats),
            CourseEvent::Subscribed { course, student } => drop(state.subscriptions.insert((course, student))),
        }
    }
}
