//! The proof, by replay of every event: both rules held at every moment.

use super::Failure;
use super::course::{COURSES_MAX, CourseEvent};
use gesta::{Read, Store};
use gesta_cqrs::decode;
use std::collections::BTreeMap;

/// How near to the limits it ever came.
#[derive(Debug, Default)]
pub(crate) struct Proof {
    pub(crate) event_count: u64,
    /// The most students that a course ever had, and its seats then.
    pub(crate) fullest: usize,
    pub(crate) fullest_seats: usize,
    /// The most courses that a student ever took.
    pub(crate) busiest: usize,
}

/// Replays the store, and looks at both rules after each event.
pub(crate) fn replay(store: &Store) -> Result<Proof, Failure> {
    let (mut seats_of, mut taken_of, mut courses_of) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    let mut proof = Proof::default();
    let mut events = store.read(Read::all());
    while let Some(record) = events.next_record() {
        let record = record?;
        let event = decode::<CourseEvent>(&record)?.ok_or("an event of another domain")?;
        proof.event_count += 1;
        let course = match event {
            CourseEvent::Defined { course, seats } | CourseEvent::SeatsChanged { course, seats } => {
                seats_of.insert(course.clone(), seats);
                course
            }
            CourseEvent::Subscribed { course, student } => {
                *taken_of.entry(course.clone()).or_default() += 1;
                let courses: &mut usize = courses_of.entry(student).or_default();
                *courses += 1;
                if *courses > COURSES_MAX {
                    return Err(format!("student {student} took {courses} courses at {}", record.position()).into());
                }
                proof.busiest = proof.busiest.max(*courses);
                course
            }
        };
        let seats = seats_of.get(&course).copied().unwrap_or_default();
        let taken: usize = taken_of.get(&course).copied().unwrap_or_default();
        if taken > seats {
            return Err(format!("{course} had {taken} students on {seats} seats at {}", record.position()).into());
        }
        if taken > proof.fullest {
            (proof.fullest, proof.fullest_seats) = (taken, seats);
        }
    }
    Ok(proof)
}
