//! A client of one store: the async half.

use crate::ask::{Ask, Heard};
use crate::core::{Core, Outcome, target};
use crate::{Address, ClientOptions, ConnectError, Cursor, Subscription};
use gesta_model::{
    AppendError, AppendRequest, Incarnation, NameCount, NameKind, Pace, Position, Read, ReadError, Receipt, Revision,
    StoredEvent, StreamName, Uuid,
};
use gesta_protocol::{Answer, Request, Standing, StandingRequest};
use std::sync::Arc;
use tokio::sync::mpsc;

/// A client of one store of a server. Cheap to clone; all clones share one connection a plane.
///
/// ```no_run
/// # use gesta_client::{Client, ClientOptions};
/// # use gesta_model::{AppendRequest, Event, EventType, Read};
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let options = ClientOptions { token: std::env::var("GESTA_TOKEN").ok(), ..Default::default() };
/// let client = Client::connect("gesta://localhost/orders".parse()?, options)?;
/// client.append(AppendRequest::new().event(Event::new(EventType::new("Placed")?))).await?;
/// let mut cursor = client.read(Read::all()).await?;
/// while let Some(record) = cursor.next_record().await {
///     println!("{}", record?.event_type());
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Client {
    pub(crate) core: Arc<Core>,
}

/// A promise of a receipt. Dropping it does not undo the append.
pub struct Ticket {
    core: Arc<Core>,
    outcome: Outcome,
}

impl Ticket {
    /// Waits for the outcome.
    pub async fn wait(self) -> Result<Receipt, AppendError> {
        self.core.outcome(self.outcome).await
    }
}

impl Client {
    /// A client of the store at an address. Connections are opened as they are needed; a server that cannot be reached or does
    /// not let the client in is found out by the first request. For use within a tokio runtime, which has to outlive the
    /// client.
    pub fn connect(address: Address, options: ClientOptions) -> Result<Self, ConnectError> {
        let (alive, _) = mpsc::channel(1);
        Ok(Self { core: Core::start(target(address, options)?, &alive) })
    }

    /// Where the store is.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.core.target.address
    }

    /// Appends events and waits for the durability that the request asks for.
    ///
    /// When the connection breaks before the answer came, the request is made again under its id, so that its events are in the
    /// log once, for as long as [`ClientOptions::retry_for`]. A request without an id is given one.
    pub async fn append(&self, request: AppendRequest) -> Result<Receipt, AppendError> {
        self.submit(request).await?.wait().await
    }

    /// Appends events without waiting but for room: the ticket has the outcome.
    pub async fn submit(&self, request: AppendRequest) -> Result<Ticket, AppendError> {
        let core = &self.core;
        let limits = core.limits().await?;
        let (request, incarnation) = core.encode(request, &limits)?;
        let room = core.room_for(&request).await;
        let outcome = core.appends.append(request, incarnation, room);
        Ok(Ticket { core: Arc::clone(core), outcome })
    }

    /// Reads events up to the head as of now.
    pub async fn read(&self, read: Read) -> Result<Cursor, ReadError> {
        Cursor::open(Arc::clone(&self.core), read).await
    }

    /// Reads events, and goes on with those that are appended later.
    pub async fn subscribe(&self, read: Read, pace: Pace) -> Result<Subscription, ReadError> {
        Subscription::open(Arc::clone(&self.core), read, pace).await
    }

    /// The first position not yet readable.
    pub async fn head(&self) -> Result<Position, ReadError> {
        Ok(self.standing(StandingRequest::default()).await?.head)
    }

    /// The name that the store was given when it was made.
    pub async fn store_id(&self) -> Result<Uuid, ReadError> {
        Ok(self.core.store_id().await?)
    }

    /// The receipt of the append that was made under a request id, as making it again would get it; `None` when no readable
    /// event was appended under it.
    pub async fn receipt(&self, request_id: Uuid) -> Result<Option<Receipt>, ReadError> {
        let heard = self.core.ask(Ask::short(Request::FindReceipt(request_id)), |answer| match answer {
            None => Heard::More,
            Some(Answer::Receipt(receipt)) => Heard::All(Some(receipt)),
            Some(Answer::Done) => Heard::All(None),
            Some(_) => Heard::Nonsense,
        });
        heard.await.map_err(|error| self.core.read_error(error))
    }

    /// The last revision of a stream; `None` when it has no readable events.
    pub async fn stream_revision(&self, stream: &StreamName) -> Result<Option<Revision>, ReadError> {
        let asked = StandingRequest { given: None, stream: Some(stream.clone()) };
        Ok(self.standing(asked).await?.revision)
    }

    /// Whether a position that was given out in a life of the log was lost with the unsynced end of it.
    pub async fn is_lost(&self, given_in: Incarnation, position: Position) -> Result<bool, ReadError> {
        let asked = StandingRequest { given: Some((given_in, position)), stream: None };
        Ok(self.standing(asked).await?.is_lost)
    }

    /// The event with an id, the last one where several have it; for stores that were made to tell.
    pub async fn event(&self, id: Uuid) -> Result<Option<StoredEvent>, ReadError> {
        let mut found = None;
        let ask = Ask::short(Request::FindEvent(id));
        let heard = self.core.ask(ask, |answer| match answer {
            None => {
                found = None;
                Heard::More
            }
            Some(Answer::Events(events)) => {
                for event in events {
                    let Ok(event) = event else { return Heard::Nonsense };
                    found = Some(StoredEvent::new(&event.record, event.recorded_at));
                }
                Heard::More
            }
            Some(Answer::Ended(_)) => Heard::All(found.take()),
            Some(_) => Heard::Nonsense,
        });
        heard.await.map_err(|error| self.core.read_error(error))
    }

    /// All names of a kind that begin with `prefix`, in the order of their bytes.
    pub async fn names(&self, kind: NameKind, prefix: &str) -> Result<Vec<NameCount>, ReadError> {
        let mut names = Vec::new();
        let ask = Ask::short(Request::Names(kind, prefix));
        let heard = self.core.ask(ask, |answer| match answer {
            None => {
                names.clear();
                Heard::More
            }
            Some(Answer::Names(part)) => {
                names.extend(part.names);
                if part.has_more { Heard::More } else { Heard::All(std::mem::take(&mut names)) }
            }
            Some(_) => Heard::Nonsense,
        });
        heard.await.map_err(|error| self.core.read_error(error))
    }

    /// Where the log and a stream stand.
    async fn standing(&self, asked: StandingRequest) -> Result<Standing, ReadError> {
        let heard = self.core.ask(Ask::short(Request::Standing(asked)), |answer| match answer {
            None => Heard::More,
            Some(Answer::Standing(standing)) => Heard::All(standing),
            Some(_) => Heard::Nonsense,
        });
        let standing = heard.await.map_err(|error| self.core.read_error(error))?;
        self.core.target.knowledge.head(standing.incarnation, standing.head);
        Ok(standing)
    }
}
