//! A shop: orders, wallets, and the process that pays and ships what was ordered.

use gesta_cqrs::{
    Boundary, CommandHandler, Decider, DomainEvent, HandleError, Handled, Labels, ProcessManager, ProjectError, settled,
};
use gesta_model::{EventStore, Uuid};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What happens in the shop.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum ShopEvent {
    /// Money was put into a customer's wallet.
    Funded { customer: String, cents: u64 },
    /// An order was placed.
    Placed { order: u64, customer: String, cents: u64 },
    /// The customer has paid for it.
    Charged { order: u64, customer: String, cents: u64 },
    /// The customer's wallet did not hold enough.
    Declined { order: u64, customer: String },
    /// It is on its way.
    Shipped { order: u64 },
    /// It will not be delivered.
    Cancelled { order: u64 },
}

impl DomainEvent for ShopEvent {
    fn describe(&self, labels: &mut Labels) {
        match self {
            Self::Funded { customer, .. } => labels.stream("wallet", customer),
            Self::Charged { order, customer, .. } | Self::Declined { order, customer } => {
                labels.stream("wallet", customer).tag("order", order)
            }
            Self::Placed { order, .. } | Self::Shipped { order } | Self::Cancelled { order } => {
                labels.stream("order", order).tag("order", order)
            }
        };
    }
}

/// What can be asked of an order.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum OrderCommand {
    Place { order: u64, customer: String, cents: u64 },
    Ship { order: u64 },
    Cancel { order: u64 },
}

/// Why an order is not touched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OrderRefusal {
    AlreadyPlaced,
    NotPlaced,
    Done,
}

/// How far an order has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum OrderState {
    #[default]
    Nothing,
    Placed,
    Done,
}

/// Decides about orders.
pub(crate) struct Orders;

impl Decider for Orders {
    type Command = OrderCommand;
    type Event = ShopEvent;
    type State = OrderState;
    type Refusal = OrderRefusal;

    fn boundary(command: &OrderCommand) -> Boundary {
        let (OrderCommand::Place { order, .. } | OrderCommand::Ship { order } | OrderCommand::Cancel { order }) =
            command;
        Boundary::stream("order", order)
    }

    fn decide(state: &OrderState, command: &OrderCommand) -> Result<Vec<ShopEvent>, OrderRefusal> {
        let event = match (state, command.clone()) {
            (OrderState::Nothing, OrderCommand::Place { order, customer, cents }) => {
                ShopEvent::Placed { order, customer, cents }
            }
            (OrderState::Placed, OrderCommand::Ship { order }) => ShopEvent::Shipped { order },
            (OrderState::Placed, OrderCommand::Cancel { order }) => ShopEvent::Cancelled { order },
            (_, OrderCommand::Place { .. }) => return Err(OrderRefusal::AlreadyPlaced),
            (OrderState::Nothing, _) => return Err(OrderRefusal::NotPlaced),
            (OrderState::Done, _) => return Err(OrderRefusal::Done),
        };
        Ok(vec![event])
    }

    fn evolve(state: &mut OrderState, event: &ShopEvent) {
        match event {
            ShopEvent::Placed { .. } => *state = OrderState::Placed,
            ShopEvent::Shipped { .. } | ShopEvent::Cancelled { .. } => *state = OrderState::Done,
            _ => {}
        }
    }
}

/// What can be asked of a wallet.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum WalletCommand {
    Fund { customer: String, cents: u64 },
    Charge { order: u64, customer: String, cents: u64 },
}

/// Decides about wallets. What cannot be paid is no refusal: that it was declined is a fact that others need.
pub(crate) struct Wallets;

impl Decider for Wallets {
    type Command = WalletCommand;
    type Event = ShopEvent;
    type State = u64;
    type Refusal = std::convert::Infallible;

    fn boundary(command: &WalletCommand) -> Boundary {
        let (WalletCommand::Fund { customer, .. } | WalletCommand::Charge { customer, .. }) = command;
        Boundary::stream("wallet", customer)
    }

    fn decide(cents_held: &u64, command: &WalletCommand) -> Result<Vec<ShopEvent>, Self::Refusal> {
        Ok(vec![match command.clone() {
            WalletCommand::Fund { customer, cents } => ShopEvent::Funded { customer, cents },
            WalletCommand::Charge { order, customer, cents } if *cents_held >= cents => {
                ShopEvent::Charged { order, customer, cents }
            }
            WalletCommand::Charge { order, customer, .. } => ShopEvent::Declined { order, customer },
        }])
    }

    fn evolve(cents_held: &mut u64, event: &ShopEvent) {
        match event {
            ShopEvent::Funded { cents, .. } => *cents_held += cents,
            ShopEvent::Charged { cents, .. } => *cents_held -= cents,
            _ => {}
        }
    }
}

/// What the process wants to be done.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Wish {
    Order(OrderCommand),
    Wallet(WalletCommand),
}

/// Pays for what was ordered, and ships what was paid for.
pub(crate) struct Fulfilment<S: EventStore> {
    orders: CommandHandler<Arc<S>, Orders>,
    wallets: CommandHandler<Arc<S>, Wallets>,
}

impl<S: EventStore> Fulfilment<S> {
    /// A process over a store.
    pub(crate) fn new(store: &Arc<S>) -> Self {
        Self { orders: CommandHandler::new(Arc::clone(store)), wallets: CommandHandler::new(Arc::clone(store)) }
    }
}

impl<S: EventStore + 'static> ProcessManager for Fulfilment<S> {
    type Event = ShopEvent;
    type State = ();
    type Command = Wish;

    fn name(&self) -> &str {
        "fulfilment"
    }

    fn boundary(&self, _: &ShopEvent) -> Boundary {
        // Each event says all that is needed to go on.
        Boundary::nothing()
    }

    fn evolve(&self, (): &mut (), _: &ShopEvent) {}

    fn react(&self, (): &(), event: &ShopEvent) -> Vec<Wish> {
        match event.clone() {
            ShopEvent::Placed { order, customer, cents } => {
                vec![Wish::Wallet(WalletCommand::Charge { order, customer, cents })]
            }
            ShopEvent::Charged { order, .. } => vec![Wish::Order(OrderCommand::Ship { order })],
            ShopEvent::Declined { order, .. } => vec![Wish::Order(OrderCommand::Cancel { order })],
            ShopEvent::Funded { .. } | ShopEvent::Shipped { .. } | ShopEvent::Cancelled { .. } => Vec::new(),
        }
    }

    fn dispatch(&self, id: Uuid, wish: &Wish) -> Result<(), ProjectError> {
        match wish {
            // A customer who cancels while the money is on its way: the order is done, and there is nothing to ship.
            Wish::Order(command) => drop(settled(self.orders.handle_once(id, command))?),
            Wish::Wallet(command) => drop(settled(self.wallets.handle_once(id, command))?),
        }
        Ok(())
    }
}

/// Places an order.
pub(crate) fn place<S: EventStore>(
    store: &Arc<S>,
    order: u64,
    customer: &str,
    cents: u64,
) -> Result<Handled<ShopEvent>, HandleError<OrderRefusal>> {
    let orders = CommandHandler::<_, Orders>::new(Arc::clone(store));
    orders.handle(&OrderCommand::Place { order, customer: customer.to_owned(), cents })
}

/// Puts money into a wallet.
pub(crate) fn fund<S: EventStore>(
    store: &Arc<S>,
    customer: &str,
    cents: u64,
) -> Result<Handled<ShopEvent>, HandleError<std::convert::Infallible>> {
    let wallets = CommandHandler::<_, Wallets>::new(Arc::clone(store));
    wallets.handle(&WalletCommand::Fund { customer: customer.to_owned(), cents })
}
