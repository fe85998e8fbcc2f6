//! Carries the requests of one plane to the server, over one connection after another.
//!
//! ```text
//!  asker -> Carrier --Job--> [ queue ] -> Connection -> server
//!                                ^            |
//!                                +-- broken: what has no answer, in the order it was first asked
//! ```
//!
//! What must stay true: an append is answered once, with what the server said of its id, or with an error when it was tried for
//! long enough. Whatever else is under way on a connection that breaks is told so, and asked again by whoever asked.

use super::backoff::Backoff;
use super::connection::Connection;
use super::fault::Fault;
use super::feed::{FeedReader, feed};
use super::greeting::Target;
use super::job::{AppendWork, CallWork, Job, Question, Work};
use gesta_model::{AppendError, EncodedRequest, Incarnation, Receipt, RemoteError};
use gesta_protocol::Plane;
use std::collections::VecDeque;
use std::future::pending;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use tokio::time::{Instant, sleep_until};

/// Where requests of one plane are handed in.
pub(crate) struct Carrier {
    work: mpsc::UnboundedSender<Work>,
}

/// Kept by every task of a client, so that it can be waited for that all have ended.
pub(crate) type Alive = mpsc::Sender<()>;

impl Carrier {
    /// Begins to carry; the first request opens the first connection. For use within a runtime.
    pub(crate) fn start(target: Arc<Target>, plane: Plane, alive: Alive) -> Self {
        let (work, incoming) = mpsc::unbounded_channel();
        let (give_back, given_back) = mpsc::unbounded_channel();
        let route = Route {
            target,
            plane,
            incoming,
            give_back,
            given_back,
            away_count: 0,
            leave_at: None,
            queue: VecDeque::new(),
            last_order: 0,
            backoff: Backoff::default(),
            alive,
        };
        tokio::spawn(route.carry());
        Self { work }
    }

    /// Hands in an append.
    pub(crate) fn append(
        &self,
        request: EncodedRequest,
        incarnation: Incarnation,
        room: OwnedSemaphorePermit,
    ) -> oneshot::Receiver<Result<Receipt, AppendError>> {
        let (reply, outcome) = oneshot::channel();
        let append = AppendWork { request: Box::new(request), incarnation, reply, _room: room };
        self.hand_in(Work::Append(append));
        outcome
    }

    /// Hands in a question or a read.
    pub(crate) fn call(&self, question: Question) -> FeedReader {
        let (writer, reader) = feed();
        self.hand_in(Work::Call(CallWork { question, feed: writer }));
        reader
    }

    /// Waits for a connection.
    pub(crate) async fn meet(&self) -> Option<Result<(), RemoteError>> {
        let (reply, met) = oneshot::channel();
        self.hand_in(Work::Meet(reply));
        met.await.ok()
    }

    fn hand_in(&self, work: Work) {
        // When the runtime has ended the work is dropped, which tells whoever waits for it.
        let _ = self.work.send(work);
    }
}

/// The way to one plane.
struct Route {
    target: Arc<Target>,
    plane: Plane,
    incoming: mpsc::UnboundedReceiver<Work>,
    /// What comes back from connections that are being closed, and from waiting: once from each, with or without requests.
    give_back: mpsc::UnboundedSender<Vec<Job>>,
    given_back: mpsc::UnboundedReceiver<Vec<Job>>,
    /// How many have yet to give back.
    away_count: usize,
    /// Once nobody can ask for anything more: until when the last answers are waited for.
    leave_at: Option<Instant>,
    /// What is to be sent, in its order.
    queue: VecDeque<Job>,
    last_order: u64,
    backoff: Backoff,
    alive: Alive,
}

impl Route {
    /// Carries until nobody can ask for anything more and everything is answered, or was waited for long enough.
    async fn carry(mut self) {
        while self.wait_for_work().await {
            match Connection::open(&self.target, self.plane).await {
                Ok(connection) => self.serve(connection).await,
                Err(fault) if fault.may_retry() => {
                    self.gather();
                    self.keep_what_is_not_given_up(&fault);
                    self.rest().await;
                }
                Err(fault) => {
                    self.gather();
                    for job in self.queue.drain(..) {
                        job.fail(fault.clone(), &self.target.address, self.plane);
                    }
                }
            }
        }
    }

    /// Waits until there is something to send; `false` when there never will be, or nobody waits for it any more.
    async fn wait_for_work(&mut self) -> bool {
        self.queue.retain(|job| !job.is_abandoned());
        loop {
            if self.leave_at.is_some_and(|leave_at| leave_at <= Instant::now()) {
                return false;
            }
            if !self.queue.is_empty() {
                return true;
            }
            if self.is_done() {
                return false;
            }
            tokio::select! {
                work = self.incoming.recv(), if self.leave_at.is_none() => self.hear(work),
                Some(jobs) = self.given_back.recv() => self.take_back(jobs),
                () = until(self.leave_at) => {}
            }
        }
    }

    /// Whether nothing is to be sent, and never will be.
    fn is_done(&self) -> bool {
        self.leave_at.is_some() && self.queue.is_empty() && self.away_count == 0
    }

    /// Takes what was handed in; nothing, once nobody can.
    fn hear(&mut self, work: Option<Work>) {
        match work {
            Some(work) => self.accept(work),
            None => self.leave_at = Some(Instant::now() + self.target.options.retry_for),
        }
    }

    fn accept(&mut self, work: Work) {
        self.last_order += 1;
        self.queue.push_back(Job::new(self.last_order, work));
    }

    /// Takes what one of those gives back who are away.
    fn take_back(&mut self, jobs: Vec<Job>) {
        self.away_count -= 1;
        for job in jobs {
            self.put_back(job);
        }
    }

    /// Puts a request where it belongs in the order.
    fn put_back(&mut self, job: Job) {
        let place = self.queue.partition_point(|queued| queued.order < job.order);
        self.queue.insert(place, job);
    }

    /// Takes everything that was handed in.
    fn gather(&mut self) {
        while let Ok(work) = self.incoming.try_recv() {
            self.accept(work);
        }
        while let Ok(jobs) = self.given_back.try_recv() {
            self.take_back(jobs);
        }
    }

    /// Waits before the next try to connect.
    async fn rest(&mut self) {
        let wait = self.backoff.next_wait();
        let give_up_in = |job: &Job| {
            let tried_for = job.troubled_since.map(|since| since.elapsed()).unwrap_or_default();
            self.target.options.retry_for.saturating_sub(tried_for)
        };
        let first = self.queue.iter().map(give_up_in).min().unwrap_or(wait);
        tokio::time::sleep(wait.min(first)).await;
    }

    /// Sends what there is to send over a connection, until that ends.
    async fn serve(&mut self, mut connection: Connection) {
        loop {
            while connection.may_send() {
                if let Ok(work) = self.incoming.try_recv() {
                    self.accept(work);
                }
                let Some(job) = self.queue.pop_front() else { break };
                connection.send(job);
            }
            if self.is_done() && connection.is_idle() {
                return;
            }
            let turned = tokio::select! {
                biased;
                turned = connection.turn() => turned,
                Some(jobs) = self.given_back.recv() => {
                    self.take_back(jobs);
                    Ok(())
                }
                work = self.incoming.recv(), if self.leave_at.is_none() => {
                    self.hear(work);
                    Ok(())
                }
                () = until(self.leave_at) => return,
            };
            if connection.has_answered() {
                self.backoff.reset();
            }
            for job in connection.turned_away() {
                self.put_off(job, &connection);
            }
            if let Err(fault) = turned {
                return self.part(connection, &fault).await;
            }
            if connection.is_closing() {
                self.away_count += 1;
                tokio::spawn(drain(connection, self.give_back.clone(), self.alive.clone()));
                return;
            }
        }
    }

    /// Has a request that the server did not take wait for a while, or for the next connection.
    fn put_off(&mut self, mut job: Job, connection: &Connection) {
        if job.is_given_up(self.target.options.retry_for) {
            let fault = Fault::Broken("the server took no requests for too long".to_owned());
            return job.fail(fault, &self.target.address, self.plane);
        }
        if connection.is_closing() {
            return self.put_back(job);
        }
        self.away_count += 1;
        let (wait, give_back, alive) = (self.backoff.next_wait(), self.give_back.clone(), self.alive.clone());
        tokio::spawn(async move {
            let _alive = alive;
            tokio::time::sleep(wait).await;
            // When the client has ended, so have all who waited.
            let _ = give_back.send(vec![job]);
        });
    }

    /// Takes leave of a connection that broke.
    async fn part(&mut self, connection: Connection, fault: &Fault) {
        let was_of_use = connection.has_answered();
        for job in connection.into_unanswered() {
            match &job.work {
                Work::Append(_) if fault.may_retry() => self.put_back(job),
                _ => job.fail(fault.clone(), &self.target.address, self.plane),
            }
        }
        if fault.may_retry() {
            self.keep_what_is_not_given_up(fault);
            if !was_of_use {
                self.rest().await;
            }
        }
    }

    /// Ends what was tried for long enough.
    fn keep_what_is_not_given_up(&mut self, fault: &Fault) {
        let retry_for = self.target.options.retry_for;
        for mut job in std::mem::take(&mut self.queue) {
            if !job.is_given_up(retry_for) {
                self.queue.push_back(job);
                continue;
            }
            let fault = match fault {
                // An earlier try may have been answered: only the answer is missing.
                Fault::Unreachable(cause) if job.was_sent => Fault::Broken(cause.clone()),
                Fault::Broken(cause) if !job.was_sent => Fault::Unreachable(cause.clone()),
                fault => fault.clone(),
            };
            job.fail(fault, &self.target.address, self.plane);
        }
    }
}

/// Waits for the answers of a connection that takes nothing new, and gives back what remains without one.
async fn drain(mut connection: Connection, give_back: mpsc::UnboundedSender<Vec<Job>>, alive: Alive) {
    let _alive = alive;
    while !connection.is_idle() {
        let turned = tokio::select! {
            turned = connection.turn() => turned,
            // They were waited for long enough.
            () = give_back.closed() => return,
        };
        if turned.is_err() {
            break;
        }
    }
    // Whoever reads is told by the dropping, and asks again; an append is sent again.
    let is_append = |job: &Job| matches!(job.work, Work::Append(_));
    let _ = give_back.send(connection.into_unanswered().into_iter().filter(is_append).collect());
}

/// Waits until a time, or for ever.
async fn until(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => pending().await,
    }
}
