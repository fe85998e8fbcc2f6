//! Course subscriptions: a boundary that is a query, across streams.

use super::support::TestStore;
use gesta_cqrs::{Boundary, CommandHandler, Decider, DomainEvent, HandleError, Labels};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::thread;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum CourseEvent {
    Defined { course: String, seats: u32 },
    Subscribed { course: String, student: u32 },
}

impl DomainEvent for CourseEvent {
    fn describe(&self, labels: &mut Labels) {
        match self {
            Self::Defined { course, .. } => labels.tag("course", course),
            Self::Subscribed { course, student } => labels.tag("course", course).tag("student", student),
        };
    }
}

enum Command {
    Define { course: &'static str, seats: u32 },
    Subscribe { course: &'static str, student: u32 },
}

#[derive(Debug, PartialEq)]
enum Refusal {
    NoCourse,
    Full,
    Subscribed,
    TooManyCourses,
}

/// What is known of one course and one student.
#[derive(Debug, Default)]
struct State {
    seats: Option<u32>,
    pairs: Vec<(String, u32)>,
}

struct Courses;

impl Decider for Courses {
    type Command = Command;
    type Event = CourseEvent;
    type State = State;
    type Refusal = Refusal;

    fn boundary(command: &Command) -> Boundary {
        match command {
            Command::Define { course, .. } => Boundary::tag("course", course),
            Command::Subscribe { course, student } => {
                Boundary::tag("course", course).and(Boundary::tag("student", student))
            }
        }
    }

    fn decide(state: &State, command: &Command) -> Result<Vec<CourseEvent>, Refusal> {
        match *command {
            Command::Define { course, seats } => match state.seats {
                None => Ok(vec![CourseEvent::Defined { course: course.to_owned(), seats }]),
                Some(_) => Ok(Vec::new()),
            },
            Command::Subscribe { course, student } => {
                let seats = state.seats.ok_or(Refusal::NoCourse)?;
                let in_course = state.pairs.iter().filter(|(name, _)| name == course).count();
                let of_student = state.pairs.iter().filter(|(_, by)| *by == student).count();
                if state.pairs.iter().any(|(name, by)| name == course && *by == student) {
                    return Err(Refusal::Subscribed);
                }
                if in_course >= seats as usize {
                    return Err(Refusal::Full);
                }
                if of_student >= 2 {
                    return Err(Refusal::TooManyCourses);
                }
                Ok(vec![CourseEvent::Subscribed { course: course.to_owned(), student }])
            }
        }
    }

    fn evolve(state: &mut State, event: &CourseEvent) {
        match event {
            CourseEvent::Defined { seats, .. } => state.seats = Some(*seats),
            CourseEvent::Subscribed { course, student } => state.pairs.push((course.clone(), *student)),
        }
    }
}

#[test]
fn a_course_is_never_overbooked_and_no_student_has_too_many() {
    const COURSES: [&str; 4] = ["algebra", "history", "logic", "music"];
    const SEATS: u32 = 5;
    let test = TestStore::new();
    let handler = CommandHandler::<_, Courses>::new(Arc::clone(&test.store)).attempts_max(1_000);
    for course in COURSES {
        assert_eq!(handler.handle(&Command::Define { course, seats: SEATS }).unwrap().events.len(), 1);
        assert_eq!(handler.handle(&Command::Define { course, seats: SEATS }).unwrap().receipt, None);
    }
    let subscribed: usize = thread::scope(|scope| {
        let subscribe = |thread: u32| {
            let handler = &handler;
            move || {
                let mut subscribed = 0;
                for student in 0..12 {
                    for course in 0..4 {
                        let course = COURSES[((thread + course) % 4) as usize];
                        match handler.handle(&Command::Subscribe { course, student }) {
                            Ok(_) => subscribed += 1,
                            Err(HandleError::Refused(Refusal::NoCourse)) => panic!("{course} is there"),
                            Err(HandleError::Refused(_)) => {}
                            Err(error) => panic!("{error}"),
                        }
                    }
                }
                subscribed
            }
        };
        let threads: Vec<_> = (0..4).map(|thread| scope.spawn(subscribe(thread))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    let mut pairs = Vec::new();
    for (_, event_type, data) in test.events() {
        if event_type == "Subscribed" {
            let fields: serde_json::Value = serde_json::from_str(&data).unwrap();
            pairs.push((fields["course"].as_str().unwrap().to_owned(), fields["student"].as_u64().unwrap()));
        }
    }
    assert_eq!(pairs.len(), subscribed);
    for course in COURSES {
        assert_eq!(
            pairs.iter().filter(|(name, _)| name == course).count(),
            SEATS as usize,
            "{course} is full and no more"
        );
    }
    for student in 0..12 {
        assert!(pairs.iter().filter(|(_, by)| *by == student).count() <= 2, "student {student} has too many");
    }
    pairs.sort();
    pairs.dedup();
    assert_eq!(pairs.len(), subscribed, "nobody subscribed twice");
}

#[test]
fn a_subscription_to_a_course_that_is_not_there_is_refused() {
    let test = TestStore::new();
    let handler = CommandHandler::<_, Courses>::new(Arc::clone(&test.store));
    let refused = handler.handle(&Command::Subscribe { course: "algebra", student: 1 }).unwrap_err();
    assert!(matches!(refused, HandleError::Refused(Refusal::NoCourse)), "{refused}");
}
