//! Students join courses: one decision over two things that are not the same aggregate.
//!
//! A course takes only so many students, and a student joins at most ten courses. Neither a stream of the course nor one of
//! the student holds what both rules need. So the decision reads by query what it rests on, and is appended unless that has
//! changed since: a dynamic consistency boundary, as <https://dcb.events> tells it by this example.
//!
//! ```sh
//! cargo run -p gesta --example course_subscriptions
//! ```

use gesta::{
    AppendError, AppendRequest, Event, EventType, Options, Position, Query, QueryItem, Read, Record, Store, Tag,
};

/// How many courses a student may be in.
pub(crate) const COURSES_MAX: usize = 10;

/// What keeps the program from deciding at all.
pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Why a student does not join a course.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    NoSuchCourse,
    CourseIsFull,
    StudentHasEnough,
    HasJoinedAlready,
}

/// What the decision rests on, folded from events.
#[derive(Debug, Default)]
struct Enrolment {
    capacity: Option<usize>,
    students_in_course: usize,
    courses_of_student: usize,
    has_joined: bool,
}

impl Enrolment {
    fn evolve(&mut self, event: &Record<'_>, course: &Tag, student: &Tag) {
        let (is_of_course, is_of_student) = (event.has_tag(course), event.has_tag(student));
        match event.event_type() {
            "CourseOpened" => self.capacity = event.data().as_str().and_then(|text| text.parse().ok()),
            "StudentJoined" => {
                self.students_in_course += usize::from(is_of_course);
                self.courses_of_student += usize::from(is_of_student);
                self.has_joined |= is_of_course && is_of_student;
            }
            _ => {}
        }
    }

    fn decide(&self) -> Result<(), Refusal> {
        let capacity = self.capacity.ok_or(Refusal::NoSuchCourse)?;
        if self.has_joined {
            return Err(Refusal::HasJoinedAlready);
        }
        if self.students_in_course >= capacity {
            return Err(Refusal::CourseIsFull);
        }
        if self.courses_of_student >= COURSES_MAX {
            return Err(Refusal::StudentHasEnough);
        }
        Ok(())
    }
}

/// Opens a course for so many students; `false` when it was open already.
pub(crate) fn open_course(store: &Store, course: &str, capacity: usize) -> Result<bool, Failure> {
    let course = Tag::new(format!("course:{course}"))?;
    let opened = EventType::new("CourseOpened")?;
    let same_course = Query::from(QueryItem::new().event_type(opened.clone()).tag(course.clone()));
    let event = Event::new(opened).tag(course).data(capacity.to_string());
    // No event of this kind may be there at all, so there is nothing to read first.
    match store.append(AppendRequest::new().event(event).unless(same_course, Position::START)) {
        Ok(_) => Ok(true),
        Err(AppendError::Conflict(_)) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Lets a student join a course, if both have room. The outer error is a failure, the inner one a refusal.
pub(crate) fn join(store: &Store, student: &str, course: &str) -> Result<Result<(), Refusal>, Failure> {
    let (student, course) = (Tag::new(format!("student:{student}"))?, Tag::new(format!("course:{course}"))?);
    let (opened, joined) = (EventType::new("CourseOpened")?, EventType::new("StudentJoined")?);
    let of_course = QueryItem::new().event_type(opened).event_type(joined.clone()).tag(course.clone());
    let of_student = QueryItem::new().event_type(joined.clone()).tag(student.clone());
    let boundary = Query::new([of_course, of_student])?;
    loop {
        let mut events = store.read(Read::query(boundary.clone()));
        let mut enrolment = Enrolment::default();
        while let Some(event) = events.next_record() {
            enrolment.evolve(&event?, &course, &student);
        }
        if let Err(refusal) = enrolment.decide() {
            return Ok(Err(refusal));
        }
        let event = Event::new(joined.clone()).tag(course.clone()).tag(student.clone());
        match store.append(AppendRequest::new().event(event).unless(boundary.clone(), events.head())) {
            Ok(_) => return Ok(Ok(())),
            // Somebody was faster: what was decided on is not all there is. Read again, decide again.
            Err(AppendError::Conflict(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

fn main() -> Result<(), Failure> {
    let directory = tempfile::tempdir()?;
    let store = Store::open(directory.path(), Options::default())?;
    open_course(&store, "history", 2)?;
    for number in 0..COURSES_MAX {
        open_course(&store, &format!("elective-{number}"), 30)?;
        join(&store, "anna", &format!("elective-{number}"))?.map_err(|refusal| format!("{refusal:?}"))?;
    }
    // Four students at once want one of two places; a fifth has enough courses already.
    let students = ["ben", "carla", "dan", "eva", "anna"];
    let outcomes = std::thread::scope(|scope| {
        let threads = students.map(|student| scope.spawn(|| join(&store, student, "history")));
        threads.map(|thread| thread.join().expect("joining does not panic"))
    });
    for (student, outcome) in students.into_iter().zip(outcomes) {
        match outcome? {
            Ok(()) => println!("{student} joined"),
            Err(refusal) => println!("{student} did not: {refusal:?}"),
        }
    }
    Ok(store.close()?)
}
