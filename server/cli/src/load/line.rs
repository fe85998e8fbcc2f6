//! One caller's way to the store. On a directory it blocks the thread, which is the caller's own.

use crate::failure::Failure;
use gesta::{AppendRequest, Notice, Pace, Position, Read, ReadError, Record, Store};
use gesta_client::Client;
use std::sync::Arc;
use std::time::Duration;

/// One caller's way to the store.
pub(super) enum Line {
    Directory(Arc<Store>),
    Server(Client),
}

/// A promise of a receipt.
pub(super) enum Promise {
    Directory(gesta::Ticket),
    Server(gesta_client::Ticket),
}

/// A bounded read.
pub(super) enum Walk {
    Directory(gesta::Cursor),
    Server(Box<gesta_client::Cursor>),
}

/// An unbounded read.
pub(super) enum Following {
    Directory(gesta::Subscription),
    Server(Box<gesta_client::Subscription>),
}

impl Line {
    pub(super) async fn submit(&self, request: AppendRequest) -> Result<Promise, Failure> {
        Ok(match self {
            Self::Directory(store) => Promise::Directory(store.submit(request)?),
            Self::Server(client) => Promise::Server(client.submit(request).await?),
        })
    }

    pub(super) async fn read(&self, read: Read) -> Result<Walk, Failure> {
        Ok(match self {
            Self::Directory(store) => Walk::Directory(store.read(read)),
            Self::Server(client) => Walk::Server(Box::new(client.read(read).await?)),
        })
    }

    pub(super) async fn subscribe(&self, read: Read) -> Result<Following, Failure> {
        Ok(match self {
            Self::Directory(store) => Following::Directory(store.subscribe(read)),
            Self::Server(client) => Following::Server(Box::new(client.subscribe(read, Pace::default()).await?)),
        })
    }

    pub(super) async fn head(&self) -> Result<Position, Failure> {
        Ok(match self {
            Self::Directory(store) => store.reader().head(),
            Self::Server(client) => client.head().await?,
        })
    }
}

impl Promise {
    pub(super) async fn keep(self) -> Result<(), Failure> {
        match self {
            Self::Directory(ticket) => ticket.wait()?,
            Self::Server(ticket) => ticket.wait().await?,
        };
        Ok(())
    }
}

impl Walk {
    pub(super) async fn next_record(&mut self) -> Option<Result<Record<'_>, ReadError>> {
        match self {
            Self::Directory(cursor) => cursor.next_record(),
            Self::Server(cursor) => cursor.next_record().await,
        }
    }
}

impl Following {
    /// The next event, or what else there is to say, waiting for it as long as `patience`.
    pub(super) async fn next(&mut self, patience: Duration) -> Result<Notice<'_>, ReadError> {
        match self {
            Self::Directory(subscription) => subscription.next(patience),
            Self::Server(subscription) => subscription.next(patience).await,
        }
    }
}
