//! Recordings, as far as the journal tells of them; the audio itself lies elsewhere.

use crate::{
    failure::Failure,
    sqlite::column::{Count, Id, Word},
    store::Store,
};
use dreiklang_core::{
    ids::{ConversationId, RecordingId, TenantId},
    time::{Millis, Timestamp},
};
use rusqlite::{OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};

/// Where a recording stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordingStatus {
    /// Being made.
    Recording,
    /// There to be played.
    Finished,
    /// Not there, or not all of it.
    Failed,
}

/// A recording of a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recording {
    /// Which.
    pub id: RecordingId,
    /// Of which conversation.
    pub conversation: ConversationId,
    /// Where it stands.
    pub status: RecordingStatus,
    /// When it began.
    pub started_at: Timestamp,
    /// When it was finished or failed.
    pub finished_at: Option<Timestamp>,
    /// Where the audio lies, relative to the recordings' place.
    pub path: Option<String>,
    /// Length of the audio.
    pub duration: Option<Millis>,
    /// Number of audio channels.
    pub channels: Option<u8>,
    /// Why it failed.
    pub failure: Option<String>,
}

impl Store {
    /// One recording.
    pub async fn recording(&self, tenant: TenantId, id: RecordingId) -> Result<Option<Recording>, Failure> {
        self.sqlite()
            .read(move |db| {
                let mut statement = db.prepare_cached(&format!("SELECT {COLUMNS} FROM recording WHERE tenant = ?1 AND id = ?2"))?;
                Ok(statement.query_row(params![Id(tenant), Id(id)], recording).optional()?)
            })
            .await
    }
}

pub(super) const COLUMNS: &str = "id, conversation, status, started_at, finished_at, path, duration_ms, channels, failure";

pub(super) fn recording(row: &Row<'_>) -> rusqlite::Result<Recording> {
    Ok(Recording {
        id: row.get::<_, Id<_>>(0)?.0,
        conversation: row.get::<_, Id<_>>(1)?.0,
        status: row.get::<_, Word<_>>(2)?.0,
        started_at: Timestamp(row.get(3)?),
        finished_at: row.get::<_, Option<i64>>(4)?.map(Timestamp),
        path: row.get(5)?,
        duration: row.get::<_, Option<Count>>(6)?.map(|count| Millis(count.0)),
        channels: row.get(7)?,
        failure: row.get(8)?,
    })
}
