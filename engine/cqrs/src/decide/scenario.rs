//! Tests of deciders in the words of the domain.

use super::Decider;
use std::fmt::Debug;

/// What has happened before the command.
#[must_use]
pub fn given<D: Decider>(events: impl IntoIterator<Item = D::Event>) -> Scenario<D> {
    let mut state = D::State::default();
    events.into_iter().for_each(|event| D::evolve(&mut state, &event));
    Scenario { state }
}

/// A state that has been reached.
#[derive(Debug)]
pub struct Scenario<D: Decider> {
    state: D::State,
}

/// What a command has led to.
#[derive(Debug)]
pub struct Outcome<D: Decider> {
    state: D::State,
    outcome: Result<Vec<D::Event>, D::Refusal>,
}

impl<D: Decider> Scenario<D> {
    /// Decides about a command.
    pub fn when(self, command: D::Command) -> Outcome<D> {
        let outcome = D::decide(&self.state, &command);
        Outcome { state: self.state, outcome }
    }
}

impl<D: Decider> Outcome<D> {
    /// Asserts which events the command leads to, and goes on from there.
    ///
    /// # Panics
    ///
    /// When it leads to others, or is refused.
    #[track_caller]
    pub fn then(mut self, expected: impl IntoIterator<Item = D::Event>) -> Scenario<D>
    where
        D::Event: Debug + PartialEq,
        D::Refusal: Debug,
    {
        let expected: Vec<_> = expected.into_iter().collect();
        match self.outcome {
            Ok(events) => assert_eq!(events, expected, "the command led to other events"),
            Err(refusal) => panic!("the command was refused ({refusal:?}) and should have led to {expected:?}"),
        }
        expected.iter().for_each(|event| D::evolve(&mut self.state, event));
        Scenario { state: self.state }
    }

    /// Asserts that the command is refused, and why; goes on from the same state.
    ///
    /// # Panics
    ///
    /// When it is not, or for another reason.
    #[track_caller]
    pub fn then_refused(self, expected: &D::Refusal) -> Scenario<D>
    where
        D::Event: Debug,
        D::Refusal: Debug + PartialEq,
    {
        match self.outcome {
            Err(refusal) => assert_eq!(refusal, *expected, "the command was refused for another reason"),
            Ok(events) => panic!("the command led to {events:?} and should have been refused ({expected:?})"),
        }
        Scenario { state: self.state }
    }
}
