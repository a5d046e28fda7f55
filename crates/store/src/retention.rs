//! Forgetting conversations after their time.
//!
//! In two steps, because recordings lie outside of the store: first the caller learns what is due and removes the files, then it
//! tells which conversations are to go. A crash in between leaves rows whose files are gone, and the same steps are done again.

use crate::{
    failure::Failure,
    limits,
    sqlite::column::{Count, Id},
    store::Store,
};
use dreiklang_core::{
    ids::{ConversationId, TenantId},
    time::Timestamp,
};
use rusqlite::params;

/// A conversation whose time is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// Which.
    pub conversation: ConversationId,
    /// Paths of its recordings, relative to the recordings' place.
    pub recordings: Vec<String>,
}

/// The tables with rows per conversation. The rows of the conversation itself go last.
const TABLES: [&str; 10] = ["leg", "visit", "offer", "segment", "talk", "recording", "event", "open_action", "conversation", "written"];

impl Store {
    /// Conversations that ended before `before`, oldest first; at most `limit` and [`limits::CONVERSATIONS_PER_REMOVAL`].
    pub async fn due_conversations(&self, tenant: TenantId, before: Timestamp, limit: usize) -> Result<Vec<Due>, Failure> {
        self.sqlite()
            .read(move |db| {
                let limit = Count(limit.min(limits::CONVERSATIONS_PER_REMOVAL) as u64);
                let mut statement = db.prepare_cached(
                    "SELECT id, ended_at FROM conversation WHERE tenant = ?1 AND ended_at < ?2
                         UNION ALL SELECT id, ended_at FROM written WHERE tenant = ?1 AND ended_at < ?2 ORDER BY ended_at LIMIT ?3",
                )?;
                let mut files = db.prepare_cached(
                    "SELECT path FROM recording WHERE tenant = ?1 AND conversation = ?2 AND path IS NOT NULL ORDER BY id",
                )?;
                let mut due = Vec::new();
                for row in statement.query_map(params![Id(tenant), before.0, limit], |row| Ok(row.get::<_, Id<ConversationId>>(0)?.0))? {
                    let conversation = row?;
                    let recordings = files.query_map(params![Id(tenant), Id(conversation)], |row| row.get(0))?.collect::<Result<_, _>>()?;
                    due.push(Due { conversation, recordings });
                }
                Ok(due)
            })
            .await
    }

    /// Removes conversations that have ended, with everything the reports know of them, and returns how many there were. The
    /// journal is another matter: see [`Store::prune`].
    pub async fn delete_conversations(&self, tenant: TenantId, conversations: Vec<ConversationId>) -> Result<usize, Failure> {
        if conversations.len() > limits::CONVERSATIONS_PER_REMOVAL {
            return Err(Failure::TooLarge { what: "conversations of one removal", limit: limits::CONVERSATIONS_PER_REMOVAL });
        }
        self.sqlite()
            .write(0, None, move |db| {
                let mut removed = 0;
                let mut ended = db.prepare_cached(
                    "SELECT 1 FROM conversation WHERE tenant = ?1 AND id = ?2 AND ended_at IS NOT NULL
                     UNION ALL SELECT 1 FROM written WHERE tenant = ?1 AND id = ?2 AND ended_at IS NOT NULL",
                )?;
                for &conversation in &conversations {
                    let key = params![Id(tenant), Id(conversation)];
                    if !ended.exists(key)? {
                        continue;
                    }
                    for table in TABLES {
                        let column = if matches!(table, "conversation" | "written") { "id" } else { "conversation" };
                        db.prepare_cached(&format!("DELETE FROM {table} WHERE tenant = ?1 AND {column} = ?2"))?.execute(key)?;
                    }
                    removed += 1;
                }
                Ok(removed)
            })
            .await
    }

    /// Removes up to [`limits::PAGE_ROWS`] rows of agents' time that ended before `before`, and returns how many; call again until
    /// it returns 0.
    pub async fn prune_agent_time(&self, tenant: TenantId, before: Timestamp) -> Result<usize, Failure> {
        self.sqlite()
            .write(0, None, move |db| {
                let removed = db
                    .prepare_cached(
                        "DELETE FROM agent_time WHERE tenant = ?1 AND (to_at, agent, from_at) IN (
                             SELECT to_at, agent, from_at FROM agent_time WHERE tenant = ?1 AND to_at < ?2 LIMIT ?3
                         )",
                    )?
                    .execute(params![Id(tenant), before.0, Count(limits::PAGE_ROWS as u64)])?;
                Ok(removed)
            })
            .await
    }
}
