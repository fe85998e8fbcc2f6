//! Signs of life: when to ask for one, and when to stop believing.

use gesta_protocol::Welcome;
use std::time::Duration;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval};

/// What keeps a quiet connection alive, and finds out when it is dead.
///
/// After a heartbeat's time in which nothing came or nothing went, a ping goes out. When nothing has come for the idle timeout, the
/// server is taken for gone: pings were asked in vain.
pub(super) struct Pulse {
    heartbeat: Duration,
    idle_timeout: Duration,
    heard: Instant,
    said: Instant,
    tick: Interval,
}

/// What there is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Beat {
    Nothing,
    Ping,
    Gone,
}

/// No server is believed to want signs of life more often.
const SHORTEST: Duration = Duration::from_millis(10);

impl Pulse {
    pub(super) fn new(welcome: &Welcome) -> Self {
        let of = |milliseconds: u32| Duration::from_millis(milliseconds.into()).max(SHORTEST);
        let idle_timeout = of(welcome.idle_timeout_ms);
        let heartbeat = of(welcome.heartbeat_ms).min(idle_timeout / 2);
        let mut tick = interval(heartbeat / 2);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { heartbeat, idle_timeout, heard: Instant::now(), said: Instant::now(), tick }
    }

    /// Something came.
    pub(super) fn heard(&mut self) {
        self.heard = Instant::now();
    }

    /// Something went.
    pub(super) fn said(&mut self) {
        self.said = Instant::now();
    }

    /// Waits until it is time to look, and tells what there is to do.
    pub(super) async fn beat(&mut self) -> Beat {
        let now = self.tick.tick().await;
        if now.saturating_duration_since(self.heard) >= self.idle_timeout {
            Beat::Gone
        } else if now.saturating_duration_since(self.heard.min(self.said)) >= self.heartbeat {
            Beat::Ping
        } else {
            Beat::Nothing
        }
    }

    /// How long nothing may come.
    pub(super) fn idle_timeout(&self) -> Duration {
        self.idle_timeout
    }
}
