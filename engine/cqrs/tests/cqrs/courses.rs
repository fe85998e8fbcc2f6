//! Course subscriptions: a boundary that is a query, across streams. The program runs, goes on, and keeps its rules.

#[path = "../../examples/courses/main.rs"]
#[allow(dead_code, reason = "main is for whoever calls the program")]
mod program;

use super::support::TestStore;
use gesta_cqrs::{CommandHandler, HandleError, given};
use program::course::{COURSES_MAX, Command, CourseEvent, Courses, Refusal};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread;

fn define(course: &str, seats: usize) -> Command {
    Command::Define { course: course.to_owned(), seats }
}

fn subscribe(course: &str, student: u32) -> Command {
    Command::Subscribe { course: course.to_owned(), student }
}

fn defined(course: &str, seats: usize) -> CourseEvent {
    CourseEvent::Defined { course: course.to_owned(), seats }
}

fn subscribed(course: &str, student: u32) -> CourseEvent {
    CourseEvent::Subscribed { course: course.to_owned(), student }
}

#[test]
fn the_rules_of_courses() {
    let change = |seats| Command::ChangeSeats { course: "logic".to_owned(), seats };
    let changed = |seats| CourseEvent::SeatsChanged { course: "logic".to_owned(), seats };
    given::<Courses>([])
        .when(subscribe("logic", 1))
        .then_refused(&Refusal::NoCourse)
        .when(change(3))
        .then_refused(&Refusal::NoCourse)
        .when(define("logic", 1))
        .then([defined("logic", 1)])
        .when(define("logic", 9))
        .then_refused(&Refusal::IsDefined)
        .when(subscribe("logic", 1))
        .then([subscribed("logic", 1)])
        .when(subscribe("logic", 1))
        .then_refused(&Refusal::IsSubscribed)
        .when(subscribe("logic", 2))
        .then_refused(&Refusal::CourseIsFull)
        .when(change(2))
        .then([changed(2)])
        .when(change(2))
        .then([])
        .when(subscribe("logic", 2))
        .then([subscribed("logic", 2)])
        .when(change(1))
        .then_refused(&Refusal::SeatsAreTaken { taken: 2 });
    let elsewhere = ["algebra", "history", "music"].map(|course| subscribed(course, 1));
    assert_eq!(elsewhere.len(), COURSES_MAX);
    given::<Courses>(elsewhere.into_iter().chain([defined("logic", 9)]))
        .when(subscribe("logic", 1))
        .then_refused(&Refusal::TooManyCourses);
}

#[test]
fn a_course_is_never_overbooked_and_no_student_has_too_many() {
    const COURSES: [&str; 4] = ["algebra", "history", "logic", "music"];
    const SEATS: usize = 5;
    let test = TestStore::new();
    let handler = CommandHandler::<_, Courses>::new(Arc::clone(&test.store)).attempts_max(1_000);
    for course in COURSES {
        assert_eq!(handler.handle(&define(course, SEATS)).unwrap().events.len(), 1);
    }
    let subscribed_count: usize = thread::scope(|scope| {
        let rush = |thread: usize| {
            let handler = &handler;
            move || {
                let mut subscribed_count = 0;
                for student in 0..12 {
                    for course in 0..4 {
                        match handler.handle(&subscribe(COURSES[(thread + course) % 4], student)) {
                            Ok(_) => subscribed_count += 1,
                            Err(HandleError::Refused(Refusal::NoCourse)) => panic!("all courses are there"),
                            Err(HandleError::Refused(_)) => {}
                            Err(error) => panic!("{error}"),
                        }
                    }
                }
                subscribed_count
            }
        };
        let threads: Vec<_> = (0..4).map(|thread| scope.spawn(rush(thread))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    let mut pairs = Vec::new();
    for (_, event_type, data) in test.events() {
        if event_type == "Subscribed" {
            let fields: serde_json::Value = serde_json::from_str(&data).unwrap();
            pairs.push((fields["course"].as_str().unwrap().to_owned(), fields["student"].as_u64().unwrap()));
        }
    }
    assert_eq!(pairs.len(), subscribed_count);
    for course in COURSES {
        assert_eq!(pairs.iter().filter(|(name, _)| name == course).count(), SEATS, "{course} is full and no more");
    }
    for student in 0..12 {
        let taken = pairs.iter().filter(|(_, by)| *by == student).count();
        assert!(taken <= COURSES_MAX, "student {student} has {taken}");
    }
    pairs.sort();
    pairs.dedup();
    assert_eq!(pairs.len(), subscribed_count, "nobody subscribed twice");
}

#[test]
fn a_subscription_to_a_course_that_is_not_there_is_refused() {
    let test = TestStore::new();
    let handler = CommandHandler::<_, Courses>::new(Arc::clone(&test.store));
    let refused = handler.handle(&subscribe("algebra", 1)).unwrap_err();
    assert!(matches!(refused, HandleError::Refused(Refusal::NoCourse)), "{refused}");
}

#[test]
fn the_program_of_the_courses_runs_and_goes_on_where_it_stood() {
    let directory = tempfile::tempdir().unwrap();
    let first = program::run(directory.path()).unwrap();
    let seats: BTreeMap<_, _> = first.iter().map(|roster| (roster.course.as_str(), roster.seats)).collect();
    assert_eq!(seats, BTreeMap::from([("algebra", 20), ("history", 15), ("logic", 10), ("music", 8)]));
    let mut courses_of = BTreeMap::<u32, usize>::new();
    for roster in &first {
        // There are more students than seats, all of whom try, and all of whom may take most of the courses.
        assert_eq!(roster.students.len(), roster.seats, "{}", roster.course);
        roster.students.iter().for_each(|student| *courses_of.entry(*student).or_default() += 1);
    }
    assert!(courses_of.values().all(|count| *count <= COURSES_MAX), "{courses_of:?}");
    // Everybody is where they were, and nobody else gets in.
    assert_eq!(program::run(directory.path()).unwrap(), first);
}

#[test]
fn the_proof_of_the_courses_finds_a_course_that_is_overbooked_and_a_student_with_too_many() {
    let overbooked = vec![defined("logic", 1), subscribed("logic", 1), subscribed("logic", 2)];
    let courses: Vec<_> = (0..=COURSES_MAX).map(|number| format!("course {number}")).collect();
    let too_many = courses.iter().flat_map(|course| [defined(course, 9), subscribed(course, 7)]).collect();
    for (events, said) in [(overbooked, "logic had 2 students on 1 seats"), (too_many, "student 7 took 4 courses")] {
        let test = TestStore::new();
        for event in events {
            test.append(gesta_cqrs::encode(&event).unwrap());
        }
        let refuted = program::proof::replay(&test.store).unwrap_err();
        assert!(refuted.to_string().starts_with(said), "{refuted}");
    }
}
