//! Snapshots: saved over the append plane, loaded and listed over the read plane.

use crate::ask::{Ask, AskError, Heard};
use crate::{Client, Cursor};
use gesta_model::{Loaded, ReadError, Selection, Snapshot, SnapshotError, SnapshotInfo, SnapshotKey};
use gesta_protocol::{Answer, Plane, Request, SaveSnapshot};
use std::sync::Arc;

impl Client {
    /// The newest snapshot of a key and schema, and a cursor over the events of a selection from its position on.
    pub async fn load(
        &self,
        key: &SnapshotKey,
        schema: u32,
        selection: Selection,
    ) -> Result<Loaded<Cursor>, ReadError> {
        Cursor::load(Arc::clone(&self.core), (key, schema), selection).await
    }

    /// All snapshots whose keys begin with `prefix`, in the order of their keys.
    pub async fn snapshots(&self, prefix: &str) -> Result<Vec<SnapshotInfo>, ReadError> {
        let mut snapshots = Vec::new();
        let heard = self.core.ask(Ask::short(Request::Snapshots(prefix)), |answer| match answer {
            None => {
                snapshots.clear();
                Heard::More
            }
            Some(Answer::Snapshots(part)) => {
                snapshots.extend(part.snapshots);
                if part.has_more { Heard::More } else { Heard::All(std::mem::take(&mut snapshots)) }
            }
            Some(_) => Heard::Nonsense,
        });
        heard.await.map_err(|error| self.core.read_error(error))
    }

    /// Keeps a snapshot for [`Client::load`], for as long as the store has room; a later one of its key and schema that is kept
    /// stays.
    pub async fn save_snapshot(&self, snapshot: &Snapshot) -> Result<(), SnapshotError> {
        let Snapshot { key, schema, position, data } = snapshot;
        let save = SaveSnapshot { key: key.clone(), schema: *schema, position: *position, data };
        self.change(Request::SaveSnapshot(save), |answer| matches!(answer, Answer::Done).then_some(())).await
    }

    /// Drops all snapshots whose keys begin with `prefix`, for good; returns how many. When the connection broke, those that a
    /// first try dropped are not counted.
    pub async fn drop_snapshots(&self, prefix: &str) -> Result<u64, SnapshotError> {
        let count = |answer: Answer<'_>| match answer {
            Answer::Dropped(count) => Some(count),
            _ => None,
        };
        self.change(Request::DropSnapshots(prefix), count).await
    }

    async fn change<T>(
        &self,
        request: Request<'_>,
        answer: impl Fn(Answer<'_>) -> Option<T> + Send,
    ) -> Result<T, SnapshotError> {
        let ask = Ask { plane: Plane::Append, request, is_repeatable: true, is_long: false };
        let heard = self.core.ask(ask, |heard| match heard {
            None => Heard::More,
            Some(heard) => answer(heard).map_or(Heard::Nonsense, Heard::All),
        });
        heard.await.map_err(|error| match error {
            AskError::Fault(fault) => fault.to_snapshot_error(&self.core.target.address),
            AskError::Damaged(damage) => SnapshotError::Damaged(damage),
            AskError::Final(error) => SnapshotError::Remote(error),
        })
    }
}
