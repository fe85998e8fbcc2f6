//! The example of the course subscriptions, raced: no course is ever too full, and no student ever in too many.

use gesta::{Options, Read, Store};
use std::collections::{BTreeMap, BTreeSet};

#[path = "../../examples/course_subscriptions.rs"]
#[allow(dead_code, reason = "its main function is a program of its own")]
mod course_subscriptions;

use course_subscriptions::{COURSES_MAX, Refusal, join, open_course};

const THREADS: usize = 8;
const STUDENTS: usize = 12;
const COURSES: usize = 14;
const CAPACITY: usize = 9;
/// One for each thread, without a common divisor with the number of pairs: each thread comes by all of them.
const STRIDES: [usize; THREADS] = [1, 5, 11, 13, 17, 19, 23, 25];

/// Every thread sends every student to every course, each in an order of its own.
fn race(store: &Store) -> Vec<Result<(), Refusal>> {
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| {
                scope.spawn(move || {
                    let pairs =
                        (0..STUDENTS * COURSES).map(|pair| (pair * STRIDES[thread] + thread) % (STUDENTS * COURSES));
                    let names = pairs.map(|pair| (format!("s{}", pair % STUDENTS), format!("c{}", pair / STUDENTS)));
                    names.map(|(student, course)| join(store, &student, &course).unwrap()).collect::<Vec<_>>()
                })
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    })
}

#[test]
fn a_course_is_never_too_full_and_a_student_never_in_too_many() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path(), Options::default()).unwrap();
    assert_eq!(join(&store, "s0", "c0").unwrap(), Err(Refusal::NoSuchCourse));
    for course in 0..COURSES {
        assert!(open_course(&store, &format!("c{course}"), CAPACITY).unwrap());
        assert!(!open_course(&store, &format!("c{course}"), 1000).unwrap());
    }
    let outcomes = race(&store);

    let mut joined = BTreeSet::new();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut events = store.read(Read::all());
    while let Some(event) = events.next_record() {
        let event = event.unwrap();
        if event.event_type() == "StudentJoined" {
            let tags: Vec<String> = event.tags().map(str::to_owned).collect();
            for tag in &tags {
                let count = counts.entry(tag.clone()).or_default();
                *count += 1;
                let most = if tag.starts_with("course:") { CAPACITY } else { COURSES_MAX };
                assert!(*count <= most, "{tag} has {count} at {}", event.position());
            }
            assert!(joined.insert(tags.clone()), "{tags:?} twice");
        }
    }
    // Whoever was told that they joined did, and each refusal came up.
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), joined.len());
    for refusal in [Refusal::CourseIsFull, Refusal::StudentHasEnough, Refusal::HasJoinedAlready] {
        assert!(outcomes.contains(&Err(refusal)), "{refusal:?}");
    }
    let full = |prefix: &str, most| counts.iter().any(|(tag, count)| tag.starts_with(prefix) && *count == most);
    assert!(full("course:", CAPACITY) && full("student:", COURSES_MAX), "{counts:?}");
}
