//! What is left of a read: what was handed out already is never asked for again.

use gesta_model::{Damage, Position, Read};

/// What is left of a read.
#[derive(Clone, Debug)]
pub(super) struct Scope {
    read: Read,
    /// It ends at a position: it is no subscription.
    is_bounded: bool,
    /// Nothing is left.
    is_spent: bool,
}

impl Scope {
    pub(super) fn new(read: Read) -> Self {
        Self { is_bounded: false, is_spent: read.limit == 0, read }
    }

    /// The read that asks for exactly what is left.
    pub(super) fn read(&self) -> &Read {
        &self.read
    }

    /// Whether nothing is left.
    pub(super) fn is_spent(&self) -> bool {
        self.is_spent
    }

    /// Forward: everything below it was handed out, or is not of this read.
    pub(super) fn position(&self) -> Position {
        self.read.from.unwrap_or_default()
    }

    /// Ends the read at the head that it was begun at, however often it is begun again.
    pub(super) fn bound(&mut self, head: Position) {
        self.is_bounded = true;
        self.read.until = Some(self.read.until.map_or(head, |until| until.min(head)));
    }

    /// Whether an event at a position is still to be handed out.
    pub(super) fn wants(&self, position: Position) -> bool {
        let is_beyond = |until| position >= until;
        if self.is_spent || self.is_bounded && self.read.until.is_some_and(is_beyond) {
            return false;
        }
        match self.read.from {
            Some(from) if self.read.is_backward => position <= from,
            Some(from) => position >= from,
            None => true,
        }
    }

    /// An event was handed out.
    pub(super) fn hand_out(&mut self, position: Position) {
        // A read without a limit stays one: a server answers it more cheaply.
        if self.read.limit != u64::MAX {
            self.read.limit = self.read.limit.saturating_sub(1);
            self.is_spent |= self.read.limit == 0;
        }
        self.pass(position..position.plus(1));
    }

    /// The positions of a damage cannot be had.
    pub(super) fn pass_damage(&mut self, damage: &Damage) {
        if !damage.positions.is_empty() {
            self.pass(damage.positions.clone());
        }
    }

    /// Everything below a position was seen, or is not of this read. Says nothing of a read that goes backwards.
    pub(super) fn pass_below(&mut self, position: Position) {
        if !self.read.is_backward {
            self.pass(Position::START..position);
        }
    }

    fn pass(&mut self, positions: std::ops::Range<Position>) {
        if !self.read.is_backward {
            self.read.from = Some(self.position().max(positions.end));
        } else if let Some(below) = positions.start.0.checked_sub(1) {
            let below = Position(below);
            self.read.from = Some(self.read.from.map_or(below, |from| from.min(below)));
        } else {
            self.is_spent = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn damage(start: u64, end: u64) -> Damage {
        Damage { file: String::new(), offset: 0, positions: Position(start)..Position(end), what: String::new() }
    }

    #[test]
    fn a_read_goes_on_behind_what_was_handed_out() {
        let mut scope = Scope::new(Read::all().limit(3));
        scope.bound(Position(9));
        scope.hand_out(Position(4));
        assert_eq!(*scope.read(), Read::all().from(Position(5)).until(Position(9)).limit(2));
        let wanted: Vec<_> = (0..12).filter(|position| scope.wants(Position(*position))).collect();
        assert_eq!(wanted, [5, 6, 7, 8]);
        // A later head changes nothing, and no word leads back.
        scope.bound(Position(20));
        scope.pass_below(Position(3));
        scope.pass_damage(&damage(5, 7));
        scope.pass_damage(&damage(0, 0));
        assert_eq!(*scope.read(), Read::all().from(Position(7)).until(Position(9)).limit(2));
        scope.hand_out(Position(7));
        scope.hand_out(Position(8));
        assert!(scope.is_spent() && !scope.wants(Position(8)));
    }

    #[test]
    fn a_read_that_goes_backwards_goes_on_below_and_ends_at_the_start() {
        let mut scope = Scope::new(Read::all().backwards());
        scope.bound(Position(9));
        assert!(scope.wants(Position(8)) && !scope.wants(Position(9)));
        scope.hand_out(Position(8));
        scope.pass_below(Position(9));
        scope.pass_damage(&damage(5, 7));
        assert_eq!(*scope.read(), Read::all().backwards().until(Position(9)).from(Position(4)));
        assert!(scope.wants(Position(4)) && !scope.wants(Position(5)));
        scope.hand_out(Position(0));
        assert!(scope.is_spent());
    }

    #[test]
    fn a_read_of_nothing_is_spent_from_the_start() {
        assert!(Scope::new(Read::all().limit(0)).is_spent());
    }
}
