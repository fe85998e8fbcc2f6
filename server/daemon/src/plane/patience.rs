//! Waiting for a peer until a deadline, by a clock that runs on while this process stands still.
//!
//! What must stay true: nobody is judged by a deadline before what came in the meantime was looked at. A process that was
//! stopped finds all its deadlines over when it goes on, and has not yet asked the system what its peers did.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;
use tokio::time::error::Elapsed;
use tokio::time::{Instant, timeout_at};

/// A timer that fires so much too late says that the process stood still.
const LATE: Duration = Duration::from_millis(50);
/// How long a peer is waited for after that: what has come is looked at, and an answer to a ping may still come.
const GRACE: Duration = Duration::from_millis(250);

/// Until when a peer is waited for beyond its deadline, once that was granted: once for all that wait for the same.
pub(crate) type Grace = Option<Instant>;

/// Waits for something until a deadline; a little longer when this process stood still as it was over. May be given up and
/// called again with the same grace.
pub(crate) async fn wait_until<F: Future>(
    deadline: Instant,
    grace: &mut Grace,
    future: F,
) -> Result<F::Output, Elapsed> {
    let mut future = pin!(future);
    let patient_until = grace.map_or(deadline, |grace| grace.max(deadline));
    match timeout_at(patient_until, &mut future).await {
        Err(_) if grace.is_none() && deadline.elapsed() > LATE => {
            timeout_at(*grace.insert(Instant::now() + GRACE), future).await
        }
        outcome => outcome,
    }
}

/// Waits for something so long; a little longer when this process stood still in the end.
pub(crate) async fn wait_for<F: Future>(patience: Duration, future: F) -> Result<F::Output, Elapsed> {
    wait_until(Instant::now() + patience, &mut None, future).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;
    use tokio::sync::Notify;

    /// Runs on one thread: while it sleeps, the whole runtime stands still.
    fn run<T>(act: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(act)
    }

    #[test]
    fn what_came_while_the_process_stood_still_is_in_time() {
        run(async {
            let came = std::sync::Arc::new(Notify::new());
            let waiting = tokio::spawn({
                let came = std::sync::Arc::clone(&came);
                async move { wait_for(Duration::from_millis(20), came.notified()).await.is_ok() }
            });
            tokio::task::yield_now().await;
            std::thread::sleep(Duration::from_millis(200));
            // The deadline is seen to be over first, and only then what came before.
            tokio::time::sleep(Duration::from_millis(1)).await;
            came.notify_one();
            assert!(waiting.await.unwrap());
        });
    }

    #[test]
    fn a_deadline_that_was_over_already_is_over() {
        run(async {
            let passed = Instant::now().checked_sub(Duration::from_secs(1)).unwrap();
            let mut grace = Some(passed);
            let at_once = wait_until(passed, &mut grace, std::future::pending::<()>()).now_or_never();
            assert!(at_once.expect("it is over").is_err());
            assert!(wait_until(passed, &mut grace, async {}).await.is_ok(), "what is there is taken");
        });
    }

    #[test]
    fn the_grace_is_left_to_whoever_gives_up_and_waits_again_and_is_granted_once() {
        run(async {
            let passed = Instant::now().checked_sub(Duration::from_secs(1)).unwrap();
            let mut grace = None;
            let given_up = wait_until(passed, &mut grace, std::future::pending::<()>()).now_or_never();
            assert!(given_up.is_none() && grace.is_some(), "it waits");
            let soon = tokio::time::sleep(Duration::from_millis(1));
            assert!(wait_until(passed, &mut grace, soon).await.is_ok(), "it still waits");
            let granted = grace;
            assert!(wait_until(passed, &mut grace, std::future::pending::<()>()).await.is_err());
            assert_eq!(grace, granted);
            assert!(grace.unwrap() <= Instant::now(), "it was waited for to its end");
        });
    }
}
