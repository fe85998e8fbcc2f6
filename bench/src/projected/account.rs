//! The domain that is measured: accounts, a stream each.

use crate::outcome::Outcome;
use gesta::{AppendRequest, Durability, Store};
use gesta_cqrs::{Boundary, Decider, DomainEvent, Labels, encode};
use serde::{Deserialize, Serialize};

/// What happens to accounts.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum AccountEvent {
    Deposited { account: u32, cents: u32 },
}

impl DomainEvent for AccountEvent {
    fn describe(&self, labels: &mut Labels) {
        let Self::Deposited { account, .. } = self;
        labels.stream("account", account);
    }
}

/// A deposit to an account.
pub(super) struct Deposit {
    pub(super) account: u32,
    pub(super) cents: u32,
}

/// Decides on deposits, which are never refused.
pub(super) struct Bank;

/// The balance of an account.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Balance(u64);

impl Decider for Bank {
    type Command = Deposit;
    type Event = AccountEvent;
    type State = Balance;
    type Refusal = ();

    fn boundary(command: &Deposit) -> Boundary {
        Boundary::stream("account", command.account)
    }

    fn decide(_: &Balance, command: &Deposit) -> Result<Vec<AccountEvent>, ()> {
        Ok(vec![AccountEvent::Deposited { account: command.account, cents: command.cents }])
    }

    fn evolve(state: &mut Balance, AccountEvent::Deposited { cents, .. }: &AccountEvent) {
        state.0 += u64::from(*cents);
    }
}

/// Appends events, many a request, and syncs at the end.
pub(super) fn fill(store: &Store, mut events: impl Iterator<Item = AccountEvent>) -> Outcome<()> {
    loop {
        let encoded = events.by_ref().take(256).map(|event| encode(&event)).collect::<Result<Vec<_>, _>>()?;
        if encoded.is_empty() {
            break;
        }
        store.append(AppendRequest::new().events(encoded).durability(Durability::Buffered))?;
    }
    store.sync()?;
    Ok(())
}
