//! What an operator asks of a server.

use crate::Client;
use crate::ask::{Ask, Heard};
use gesta_model::RemoteError;
use gesta_protocol::{Answer, IndexFindings, LogFindings, Plane, Request, Work};

impl Client {
    /// The figures of the store and of the server's work for it, as JSON.
    pub async fn statistics(&self) -> Result<String, RemoteError> {
        self.operate(
            Ask::short(Request::Statistics),
            |_| {},
            |answer| match answer {
                Answer::Statistics(json) => Some(json.to_owned()),
                _ => None,
            },
        )
        .await
    }

    /// Has every byte of the log read; deep: each event's place and names checked as well. `progress` is told how far the work
    /// has come.
    pub async fn verify(&self, is_deep: bool, progress: impl FnMut(Work) + Send) -> Result<LogFindings, RemoteError> {
        let ask = Ask::long(Plane::Read, Request::Verify { is_deep });
        self.operate(ask, progress, |answer| match answer {
            Answer::LogFindings(findings) => Some(findings),
            _ => None,
        })
        .await
    }

    /// Has every byte of the index files read.
    pub async fn verify_index(&self, progress: impl FnMut(Work) + Send) -> Result<IndexFindings, RemoteError> {
        let ask = Ask::long(Plane::Read, Request::VerifyIndex);
        self.operate(ask, progress, |answer| match answer {
            Answer::IndexFindings(findings) => Some(findings),
            _ => None,
        })
        .await
    }

    /// Has the index files made anew.
    pub async fn rebuild_index(&self, progress: impl FnMut(Work) + Send) -> Result<(), RemoteError> {
        let ask = Ask::long(Plane::Append, Request::RebuildIndex);
        self.operate(ask, progress, is_done).await
    }

    /// Makes a store. It is not asked for again when the connection breaks: whether it was made is told by
    /// [`Client::list_stores`].
    pub async fn create_store(&self, name: &str) -> Result<(), RemoteError> {
        let request = Request::CreateStore(name);
        let ask = Ask { plane: Plane::Append, request, is_repeatable: false, is_long: false };
        self.operate(ask, |_| {}, is_done).await
    }

    /// The names of the stores that the client may know of.
    pub async fn list_stores(&self) -> Result<Vec<String>, RemoteError> {
        self.operate(
            Ask::short(Request::ListStores),
            |_| {},
            |answer| match answer {
                Answer::Stores(names) => Some(names),
                _ => None,
            },
        )
        .await
    }

    /// Asks something whose answer is one frame, perhaps after word of how far the work has come.
    async fn operate<T>(
        &self,
        ask: Ask<'_>,
        mut progress: impl FnMut(Work) + Send,
        answer: impl Fn(Answer<'_>) -> Option<T> + Send,
    ) -> Result<T, RemoteError> {
        let plane = ask.plane;
        let heard = self.core.ask(ask, |heard| match heard {
            None => Heard::More,
            Some(Answer::Working(work)) => {
                progress(work);
                Heard::More
            }
            Some(other) => answer(other).map_or(Heard::Nonsense, Heard::All),
        });
        heard.await.map_err(|error| self.core.remote_error(error, plane))
    }
}

fn is_done(answer: Answer<'_>) -> Option<()> {
    matches!(answer, Answer::Done).then_some(())
}
