//! The domain: each account is a stream, and a transfer has two of them for its boundary.

use gesta_cqrs::{Boundary, Decider, DomainEvent, Labels};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What happens to an account: a variant is an event's type, its fields are the payload. The store adds the time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum AccountEvent {
    Opened { account: u32 },
    Deposited { account: u32, cents: u64 },
    Withdrawn { account: u32, cents: u64 },
}

impl AccountEvent {
    /// Whose it is.
    pub(crate) fn account(&self) -> u32 {
        let (Self::Opened { account } | Self::Deposited { account, .. } | Self::Withdrawn { account, .. }) = self;
        *account
    }

    /// What it adds to the balance.
    pub(crate) fn cents(&self) -> i64 {
        match self {
            Self::Opened { .. } => 0,
            Self::Deposited { cents, .. } => i64::try_from(*cents).unwrap(),
            Self::Withdrawn { cents, .. } => -i64::try_from(*cents).unwrap(),
        }
    }
}

impl DomainEvent for AccountEvent {
    fn describe(&self, labels: &mut Labels) {
        labels.stream("account", self.account()).tag("account", self.account());
    }
}

/// What a customer can ask for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Command {
    Open { account: u32 },
    Deposit { account: u32, cents: u64 },
    Transfer { from: u32, to: u32, cents: u64 },
}

/// Why it is not done.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Refusal {
    NoAccount(u32),
    IsOpen(u32),
    NotEnough { account: u32, cents: i64 },
}

/// What has to be known to decide: the balances of the accounts in the boundary, rebuilt by replay.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Balances(pub(crate) BTreeMap<u32, i64>);

impl Balances {
    fn of(&self, account: u32) -> Result<i64, Refusal> {
        self.0.get(&account).copied().ok_or(Refusal::NoAccount(account))
    }
}

/// Decides about accounts.
pub(crate) struct Bank;

impl Decider for Bank {
    type Command = Command;
    type Event = AccountEvent;
    type State = Balances;
    type Refusal = Refusal;

    fn boundary(command: &Command) -> Boundary {
        match command {
            Command::Open { account } | Command::Deposit { account, .. } => Boundary::stream("account", account),
            Command::Transfer { from, to, .. } => {
                Boundary::stream("account", from).and(Boundary::stream("account", to))
            }
        }
    }

    fn decide(state: &Balances, command: &Command) -> Result<Vec<AccountEvent>, Refusal> {
        match *command {
            Command::Open { account } if state.of(account).is_ok() => Err(Refusal::IsOpen(account)),
            Command::Open { account } => Ok(vec![AccountEvent::Opened { account }]),
            Command::Deposit { account, cents } => {
                state.of(account)?;
                Ok(vec![AccountEvent::Deposited { account, cents }])
            }
            Command::Transfer { from, to, cents } => {
                let (available, _) = (state.of(from)?, state.of(to)?);
                if available < i64::try_from(cents).unwrap() {
                    return Err(Refusal::NotEnough { account: from, cents: available });
                }
                // Both or neither: the events of one command are appended together.
                let (from, to) =
                    (AccountEvent::Withdrawn { account: from, cents }, AccountEvent::Deposited { account: to, cents });
                Ok(vec![from, to])
            }
        }
    }

    fn evolve(state: &mut Balances, event: &AccountEvent) {
        *state.0.entry(event.account()).or_default() += event.cents();
    }
}
