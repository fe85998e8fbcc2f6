//! Clerks who subscribe students to courses, by eight threads at once.

use super::course::{Command, Courses, Refusal};
use super::{COURSES, Failure};
use gesta::Store;
use gesta_cqrs::{CommandHandler, HandleError};
use std::sync::Arc;
use std::thread;

const CLERKS: usize = 8;
const STUDENTS: u32 = 40;
/// The course that gets more seats while everybody rushes in, and how many it has then.
const WIDENED: (&str, usize) = ("music", 8);

/// What has come of it.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) subscribed: u32,
    pub(super) conflicts: u32,
    pub(super) full: u32,
    pub(super) too_many: u32,
    pub(super) already: u32,
}

/// Each clerk tries to put every student into every course, so there is a rush for each seat.
pub(super) fn subscribe_everybody(courses: &CommandHandler<Arc<Store>, Courses>) -> Result<Tally, Failure> {
    thread::scope(|scope| {
        let clerks: Vec<_> = (0..CLERKS).map(|number| scope.spawn(move || clerk(courses, number))).collect();
        let mut all = Tally::default();
        for clerk in clerks {
            let tally = clerk.join().map_err(|_| "a clerk panicked")??;
            all.subscribed += tally.subscribed;
            all.conflicts += tally.conflicts;
            all.full += tally.full;
            all.too_many += tally.too_many;
            all.already += tally.already;
        }
        Ok(all)
    })
}

fn clerk(courses: &CommandHandler<Arc<Store>, Courses>, number: usize) -> Result<Tally, Failure> {
    let mut tally = Tally::default();
    for student in 0..STUDENTS {
        if number == 0 && student == STUDENTS / 2 {
            let (course, seats) = WIDENED;
            tally.conflicts += courses.handle(&Command::ChangeSeats { course: course.to_owned(), seats })?.attempts - 1;
        }
        for step in 0..COURSES.len() {
            // Not all of them in the same order.
            let (course, _) = COURSES[(number + student as usize + step) % COURSES.len()];
            match courses.handle(&Command::Subscribe { course: course.to_owned(), student }) {
                Ok(handled) => {
                    tally.subscribed += 1;
                    tally.conflicts += handled.attempts - 1;
                }
                Err(HandleError::Refused(Refusal::CourseIsFull)) => tally.full += 1,
                Err(HandleError::Refused(Refusal::TooManyCourses)) => tally.too_many += 1,
                Err(HandleError::Refused(Refusal::IsSubscribed)) => tally.already += 1,
                Err(error) => return Err(format!("{course}, student {student}: {error:?}").into()),
            }
        }
    }
    Ok(tally)
}
