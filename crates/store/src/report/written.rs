//! The list of conversations in writing.

use super::conversations::{Cursor, termination};
use crate::{
    failure::Failure,
    limits,
    sqlite::column::{Count, Id, Word},
    store::Store,
};
use dreiklang_core::{
    conversation::Termination,
    endpoint::Party,
    ids::{AgentId, ConversationId, QueueId, TenantId},
    time::{Millis, Timestamp},
    written::Channel,
};
use rusqlite::{OptionalExtension, Row, params};

/// Which of them to list; all conditions must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WrittenFilter {
    /// Opened at or after this.
    pub from: Option<Timestamp>,
    /// Opened before this.
    pub to: Option<Timestamp>,
    /// Of this channel.
    pub channel: Option<Channel>,
    /// In this queue last.
    pub queue: Option<QueueId>,
    /// This agent had it last.
    pub agent: Option<AgentId>,
    /// Still open (`true`) or closed (`false`).
    pub open: Option<bool>,
}

/// One conversation in writing, as the journal tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenRow {
    /// Which.
    pub id: ConversationId,
    /// How the customer wrote.
    pub channel: Channel,
    /// Who.
    pub customer: Party,
    /// What about.
    pub subject: Option<String>,
    /// Where it can be read.
    pub link: Option<String>,
    /// The last queue.
    pub queue: Option<QueueId>,
    /// The last agent.
    pub agent: Option<AgentId>,
    /// When it was opened.
    pub started_at: Timestamp,
    /// When an agent took it first.
    pub taken_at: Option<Timestamp>,
    /// When it was closed; `None` while it is open.
    pub ended_at: Option<Timestamp>,
    /// How it ended.
    pub termination: Option<Termination>,
    /// What became of it.
    pub disposition: Option<String>,
    /// Nobody said what became of it though the queue asks for it.
    pub disposition_missing: bool,
    /// Sum of its waits in queues.
    pub wait: Millis,
    /// Sum of its times with agents.
    pub handling: Millis,
    /// Sum of the notes about it.
    pub wrap_up: Millis,
}

/// A page of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenPage {
    /// Newest first.
    pub rows: Vec<WrittenRow>,
    /// Where the next page begins; `None` after the last.
    pub next: Option<Cursor>,
}

const COLUMNS: &str = "id, channel, customer_number, customer_name, subject, link, queue, agent, started_at, taken_at, ended_at, result, \
     reason, disposition, disposition_missing, wait_ms, handling_ms, wrap_up_ms";

impl Store {
    /// Conversations in writing, newest first; at most `limit` and [`limits::PAGE_ROWS`].
    pub async fn written(
        &self,
        tenant: TenantId,
        filter: WrittenFilter,
        after: Option<Cursor>,
        limit: usize,
    ) -> Result<WrittenPage, Failure> {
        let limit = limit.clamp(1, limits::PAGE_ROWS);
        self.sqlite()
            .read(move |db| {
                let mut statement = db.prepare_cached(&format!(
                    "SELECT {COLUMNS} FROM written WHERE tenant = ?1 AND started_at >= ?2 AND started_at < ?3
                         AND (started_at, id) < (?4, coalesce(?5, ''))
                         AND (?6 IS NULL OR channel = ?6) AND (?7 IS NULL OR queue = ?7) AND (?8 IS NULL OR agent = ?8)
                         AND (?9 IS NULL OR (ended_at IS NULL) = ?9)
                     ORDER BY started_at DESC, id DESC LIMIT ?10"
                ))?;
                let to = after.map_or(i64::MAX, |cursor| cursor.started_at.0.saturating_add(1));
                let parameters = params![
                    Id(tenant),
                    filter.from.map_or(i64::MIN, |at| at.0),
                    filter.to.map_or(to, |at| at.0.min(to)),
                    after.map_or(i64::MAX, |cursor| cursor.started_at.0),
                    after.map(|cursor| Id(cursor.conversation)),
                    filter.channel.map(Channel::as_str),
                    filter.queue.map(Id),
                    filter.agent.map(Id),
                    filter.open,
                    // One more than asked for, to know whether there is a next page.
                    Count(limit as u64 + 1),
                ];
                let mut rows: Vec<WrittenRow> = statement.query_map(parameters, written)?.collect::<Result<_, _>>()?;
                let more = rows.len() > limit;
                rows.truncate(limit);
                let next = rows.last().filter(|_| more).map(|row| Cursor { started_at: row.started_at, conversation: row.id });
                Ok(WrittenPage { rows, next })
            })
            .await
    }

    /// One conversation in writing.
    pub async fn written_one(&self, tenant: TenantId, id: ConversationId) -> Result<Option<WrittenRow>, Failure> {
        self.sqlite()
            .read(move |db| {
                let mut statement = db.prepare_cached(&format!("SELECT {COLUMNS} FROM written WHERE tenant = ?1 AND id = ?2"))?;
                Ok(statement.query_row(params![Id(tenant), Id(id)], written).optional()?)
            })
            .await
    }
}

fn written(row: &Row<'_>) -> rusqlite::Result<WrittenRow> {
    Ok(WrittenRow {
        id: row.get::<_, Id<_>>(0)?.0,
        channel: row.get::<_, Word<_>>(1)?.0,
        customer: Party { number: row.get(2)?, name: row.get(3)? },
        subject: row.get(4)?,
        link: row.get(5)?,
        queue: row.get::<_, Option<Id<_>>>(6)?.map(|id| id.0),
        agent: row.get::<_, Option<Id<_>>>(7)?.map(|id| id.0),
        started_at: Timestamp(row.get(8)?),
        taken_at: row.get::<_, Option<i64>>(9)?.map(Timestamp),
        ended_at: row.get::<_, Option<i64>>(10)?.map(Timestamp),
        termination: termination(row, 11, 12)?,
        disposition: row.get(13)?,
        disposition_missing: row.get(14)?,
        wait: Millis(row.get::<_, Count>(15)?.0),
        handling: Millis(row.get::<_, Count>(16)?.0),
        wrap_up: Millis(row.get::<_, Count>(17)?.0),
    })
}
