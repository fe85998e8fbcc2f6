//! One connection to one plane: requests go out under ids, and answers come back in whatever order.

use super::exchange::{Exchange, Moved};
use super::fault::{Fault, is_of_connection};
use super::feed::Control;
use super::greeting::Target;
use super::job::{AppendWork, Job, Work};
use super::pulse::{Beat, Pulse};
use gesta_model::{AppendError, RequestError};
use gesta_protocol::{Answer, Append, Code, Frame, FrameError, Kind, Plane, Refusal, Request, Welcome};
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::mpsc;

/// One connection to one plane.
pub(super) struct Connection {
    exchange: Exchange,
    pulse: Pulse,
    asked: Asked,
    control: mpsc::UnboundedReceiver<Control>,
}

/// What was asked over a connection.
struct Asked {
    target: Arc<Target>,
    plane: Plane,
    welcome: Welcome,
    pending: HashMap<u64, Pending>,
    last_id: u64,
    controller: mpsc::UnboundedSender<Control>,
    /// Requests that the server did not take although it may at another time.
    turned_away: Vec<Job>,
    /// The server answers what it has and takes nothing new.
    is_closing: bool,
    has_answered: bool,
}

struct Pending {
    job: Job,
    /// How many bytes of events the server may still send.
    credit: i64,
}

/// So many bytes may wait to be sent before the next request waits itself.
const WAITING_BYTES_MAX: usize = 1 << 20;

/// How far a server may go beyond the credit. It sends a frame as long as there is any, and may fill several at once.
const OVERDRAFT_BYTES_MAX: i64 = 4 << 20;

impl Connection {
    /// One try to connect.
    pub(super) async fn open(target: &Arc<Target>, plane: Plane) -> Result<Self, Fault> {
        let (exchange, welcome) = target.connect(plane).await?;
        let (controller, control) = mpsc::unbounded_channel();
        let asked = Asked {
            target: Arc::clone(target),
            plane,
            pending: HashMap::new(),
            last_id: 0,
            controller,
            turned_away: Vec::new(),
            is_closing: false,
            has_answered: false,
            welcome,
        };
        Ok(Self { exchange, pulse: Pulse::new(&asked.welcome), asked, control })
    }

    /// Whether another request may be sent now.
    pub(super) fn may_send(&self) -> bool {
        let max = self.asked.welcome.requests_in_flight_max.max(1) as usize;
        !self.asked.is_closing && self.asked.pending.len() < max && self.exchange.waiting_bytes() < WAITING_BYTES_MAX
    }

    /// Whether the server takes nothing new.
    pub(super) fn is_closing(&self) -> bool {
        self.asked.is_closing
    }

    /// Whether everything has its answer.
    pub(super) fn is_idle(&self) -> bool {
        self.asked.pending.is_empty()
    }

    /// Whether it has been of use.
    pub(super) fn has_answered(&self) -> bool {
        self.asked.has_answered
    }

    /// Requests that the server did not take although it may at another time.
    pub(super) fn turned_away(&mut self) -> Vec<Job> {
        std::mem::take(&mut self.asked.turned_away)
    }

    /// Everything that has no answer.
    pub(super) fn into_unanswered(mut self) -> Vec<Job> {
        let mut unanswered = self.turned_away();
        unanswered.extend(self.asked.pending.into_values().map(|pending| pending.job));
        unanswered
    }

    /// Sends a request, unless it is over already or larger than the server takes.
    pub(super) fn send(&mut self, job: Job) {
        // Whoever gave up one request for another has said so in this order, and the server has no room for both perhaps.
        while let Ok(control) = self.control.try_recv() {
            self.asked.control(control, &mut self.exchange.outgoing);
        }
        self.asked.send(job, &mut self.exchange.outgoing);
    }

    /// Goes on, waiting for something to happen. Nothing is lost when it is not waited for any more.
    pub(super) async fn turn(&mut self) -> Result<(), Fault> {
        tokio::select! {
            biased;
            Some(control) = self.control.recv() => self.asked.control(control, &mut self.exchange.outgoing),
            moved = self.exchange.turn() => match moved {
                Ok(Moved::Received) => {
                    self.pulse.heard();
                    self.take_frames()?;
                }
                Ok(Moved::Sent) => self.pulse.said(),
                Err(error) => return Err(Fault::Broken(error.to_string())),
            },
            beat = self.pulse.beat() => match beat {
                Beat::Nothing => {}
                Beat::Ping => Request::Ping.encode(0, &mut self.exchange.outgoing),
                Beat::Gone => {
                    let silence = self.pulse.idle_timeout();
                    return Err(Fault::Broken(format!("the server has not been heard of for {silence:?}")));
                }
            },
        }
        Ok(())
    }

    fn take_frames(&mut self) -> Result<(), Fault> {
        let Exchange { incoming, outgoing, .. } = &mut self.exchange;
        while let Some(frame) = incoming.next_frame().map_err(|error: FrameError| Fault::Garbage(error.to_string()))? {
            self.asked.take(&frame, outgoing)?;
        }
        Ok(())
    }
}

impl Asked {
    fn send(&mut self, mut job: Job, outgoing: &mut Vec<u8>) {
        let id = self.last_id + 1;
        let start = outgoing.len();
        let mut credit = 0;
        match &mut job.work {
            Work::Meet(_) => return self.finish_meeting(job),
            Work::Append(append) => self.put_append(id, append, outgoing),
            Work::Call(call) if call.feed.is_abandoned() => return,
            Work::Call(call) => {
                call.question.put(id, outgoing);
                call.feed.sent_as(id, &self.controller);
                credit = i64::from(call.question.credit.unwrap_or(0));
            }
        }
        let bytes = outgoing.len() - start - gesta_protocol::FRAME_HEADER_BYTES;
        if bytes > self.welcome.frame_bytes_max as usize {
            outgoing.truncate(start);
            return self.refuse_frame(job, bytes);
        }
        self.last_id = id;
        job.was_sent = true;
        self.pending.insert(id, Pending { job, credit });
    }

    fn finish_meeting(&self, job: Job) {
        if let Work::Meet(reply) = job.work {
            // Whoever has stopped waiting need not be told.
            let _ = reply.send(Ok(()));
        }
    }

    fn put_append(&self, id: u64, append: &mut AppendWork, outgoing: &mut Vec<u8>) {
        if self.welcome.incarnation > append.incarnation {
            // The log may have lost its end: an earlier try can stand below the head that was known then.
            append.request.look_from(self.welcome.head);
            append.incarnation = self.welcome.incarnation;
        }
        Request::Append(Append::Encoded(&append.request)).encode(id, outgoing);
    }

    /// A frame that the server would not take is not sent.
    fn refuse_frame(&self, job: Job, bytes: usize) {
        let max = self.welcome.frame_bytes_max as usize;
        match job.work {
            Work::Append(append) => {
                let _ = append.reply.send(Err(AppendError::Request(RequestError::TooLarge { bytes, max })));
            }
            _ => {
                let what = format!("a request of {bytes} bytes, at most {max} are taken: ask for less");
                let fault = Fault::Refused(Refusal::new(Code::FrameTooLarge, what));
                job.fail(fault, &self.target.address, self.plane);
            }
        }
    }

    fn control(&mut self, control: Control, outgoing: &mut Vec<u8>) {
        match control {
            Control::Credit { id, bytes } => {
                if let Some(pending) = self.pending.get_mut(&id) {
                    pending.credit = pending.credit.saturating_add(bytes.into());
                    Request::Credit(bytes).encode(id, outgoing);
                }
            }
            Control::Cancel { id } => {
                if self.pending.remove(&id).is_some() {
                    Request::Cancel.encode(id, outgoing);
                }
            }
        }
    }

    fn take(&mut self, frame: &Frame<'_>, outgoing: &mut Vec<u8>) -> Result<(), Fault> {
        if frame.id == 0 {
            return self.take_word(frame, outgoing);
        }
        if frame.id > self.last_id {
            return Err(Fault::Garbage(format!("an answer to request {}, which was not made", frame.id)));
        }
        // What comes after a request was cancelled is for nobody.
        let Some(pending) = self.pending.get_mut(&frame.id) else { return Ok(()) };
        self.has_answered = true;
        if matches!(pending.job.work, Work::Append(_)) {
            return self.take_outcome(frame);
        }
        let Work::Call(call) = &mut pending.job.work else { return Ok(()) };
        let kind =
            Kind::of(frame.kind).ok_or_else(|| Fault::Garbage(format!("a frame of kind {:#04x}", frame.kind)))?;
        if matches!(kind, Kind::Events | Kind::Batches) && call.question.credit.is_some() {
            if pending.credit <= -OVERDRAFT_BYTES_MAX {
                return Err(Fault::Garbage("more events than there was credit for".to_owned()));
            }
            pending.credit -= i64::try_from(frame.body.len()).unwrap_or(i64::MAX);
        }
        call.feed.frame(frame.kind, frame.body);
        if call.question.ends_with(kind, frame.body) {
            self.pending.remove(&frame.id);
        }
        if kind == Kind::Refused { self.take_refusal(frame) } else { Ok(()) }
    }

    /// Takes note of what a refusal of one request means to the connection.
    fn take_refusal(&mut self, frame: &Frame<'_>) -> Result<(), Fault> {
        match decode(frame)? {
            Answer::Refused(refusal) if refusal.is_fatal => Err(Fault::of(refusal)),
            Answer::Refused(refusal) => {
                self.is_closing |= refusal.known_code() == Some(Code::Stopping);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// The outcome of an append.
    fn take_outcome(&mut self, frame: &Frame<'_>) -> Result<(), Fault> {
        let answer = decode(frame)?;
        if let Answer::Refused(refusal) = &answer
            && is_of_connection(refusal)
        {
            self.turned_away.extend(self.pending.remove(&frame.id).map(|pending| pending.job));
            return self.take_refusal(frame);
        }
        let Target { knowledge, address, .. } = &*self.target;
        let outcome = match answer {
            Answer::Receipt(receipt) => {
                knowledge.head(receipt.incarnation, receipt.head);
                Ok(receipt)
            }
            Answer::Conflict(conflict) => {
                knowledge.head(self.welcome.incarnation, conflict.head);
                Err(AppendError::Conflict(conflict))
            }
            Answer::Refused(refusal) => Err(refusal.to_append_error(&address.endpoint(self.plane), address.store())),
            other => return Err(Fault::Garbage(format!("{:?} in answer to an append", other.kind()))),
        };
        if let Some(Pending { job: Job { work: Work::Append(append), .. }, .. }) = self.pending.remove(&frame.id) {
            // Whoever has stopped waiting need not be told.
            let _ = append.reply.send(outcome);
        }
        if frame.kind == Kind::Refused as u8 { self.take_refusal(frame) } else { Ok(()) }
    }

    /// What the server says of the connection itself.
    fn take_word(&mut self, frame: &Frame<'_>, outgoing: &mut Vec<u8>) -> Result<(), Fault> {
        match decode(frame)? {
            Answer::Ping => Request::Pong.encode(0, outgoing),
            Answer::Pong => {}
            Answer::Closing => self.is_closing = true,
            Answer::Refused(refusal) => return Err(Fault::of(refusal)),
            other => return Err(Fault::Garbage(format!("{:?} that belongs to no request", other.kind()))),
        }
        Ok(())
    }
}

fn decode<'a>(frame: &Frame<'a>) -> Result<Answer<'a>, Fault> {
    Answer::decode(frame).map_err(|error| Fault::Garbage(error.to_string()))
}
