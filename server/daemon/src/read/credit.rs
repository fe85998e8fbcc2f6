//! How many bytes of events a client is ready to take.

use parking_lot::Mutex;
use tokio::sync::Notify;

/// What a client lets one of its reads send.
#[derive(Debug)]
pub(super) struct Credit {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug)]
struct State {
    /// May fall below nothing by the last frame that was sent.
    bytes: i64,
    is_cancelled: bool,
}

impl Credit {
    pub(super) fn new(bytes: u32) -> Self {
        Self { state: Mutex::new(State { bytes: i64::from(bytes), is_cancelled: false }), changed: Notify::new() }
    }

    /// The client takes so many bytes more.
    pub(super) fn grant(&self, bytes: u32) {
        let mut state = self.state.lock();
        state.bytes = state.bytes.saturating_add(i64::from(bytes)).min(i64::from(u32::MAX));
        drop(state);
        self.changed.notify_one();
    }

    /// The client wants no more of it.
    pub(super) fn cancel(&self) {
        self.state.lock().is_cancelled = true;
        self.changed.notify_one();
    }

    pub(super) fn is_cancelled(&self) -> bool {
        self.state.lock().is_cancelled
    }

    /// Whether something may be sent.
    pub(super) fn has_any(&self) -> bool {
        self.state.lock().bytes > 0
    }

    /// So many bytes were sent.
    pub(super) fn spend(&self, bytes: usize) {
        let mut state = self.state.lock();
        state.bytes = state.bytes.saturating_sub(i64::try_from(bytes).unwrap_or(i64::MAX));
    }

    /// Waits until something may be sent; `false` when the client has cancelled. For the one task that sends.
    pub(super) async fn wait(&self) -> bool {
        loop {
            {
                let state = self.state.lock();
                if state.is_cancelled || state.bytes > 0 {
                    return !state.is_cancelled;
                }
            }
            self.changed.notified().await;
        }
    }

    /// Waits until the client cancels. For the one task that sends.
    pub(super) async fn cancelled(&self) {
        while !self.is_cancelled() {
            self.changed.notified().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    #[test]
    fn nothing_is_sent_without_credit_and_one_frame_may_overdraw_it() {
        let credit = Credit::new(10);
        assert_eq!(credit.wait().now_or_never(), Some(true));
        credit.spend(25);
        assert_eq!(credit.wait().now_or_never(), None);
        credit.grant(15);
        assert_eq!(credit.wait().now_or_never(), None);
        credit.grant(1);
        assert_eq!(credit.wait().now_or_never(), Some(true));
        credit.cancel();
        assert_eq!(credit.wait().now_or_never(), Some(false));
        assert_eq!(credit.cancelled().now_or_never(), Some(()));
    }

    #[test]
    fn a_hoard_of_credit_does_not_overflow() {
        let credit = Credit::new(u32::MAX);
        for _ in 0..100 {
            credit.grant(u32::MAX);
        }
        credit.spend(usize::MAX);
        assert_eq!(credit.wait().now_or_never(), None);
    }
}
