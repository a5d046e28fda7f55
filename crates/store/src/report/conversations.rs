//! The list of conversations.

use crate::{
    failure::Failure,
    limits,
    sqlite::column::{Count, Id, Word},
    store::Store,
};
use dreiklang_core::{
    conversation::{Direction, Termination, TerminationReason, TerminationResult},
    endpoint::{Line, Party},
    ids::{AgentId, ConversationId, QueueId, TenantId},
    time::{Millis, Timestamp},
};
use rusqlite::{Row, params};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// What became of a customer's request, as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConversationOutcome {
    /// An agent talked with the customer.
    Answered,
    /// The customer left before.
    Abandoned,
    /// The last queue gave it up.
    FlowOut,
    /// It ended before it came to a queue or an agent, and not by the customer.
    Unserved,
}

/// Which conversations to list; all conditions must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConversationFilter {
    /// Started at or after this.
    pub from: Option<Timestamp>,
    /// Started before this.
    pub to: Option<Timestamp>,
    /// Were in this queue.
    pub queue: Option<QueueId>,
    /// This agent talked with the customer.
    pub agent: Option<AgentId>,
    /// What became of them.
    pub outcome: Option<ConversationOutcome>,
    /// Part of the caller's number or of the number dialed.
    pub number: Option<String>,
    /// Came over this line.
    pub line: Option<Line>,
    /// Still going on (`true`) or over (`false`).
    pub open: Option<bool>,
    /// Have recordings, or have none.
    pub recorded: Option<bool>,
    /// Have a talk with this code.
    pub disposition: Option<String>,
    /// Have a talk without the code that its queue asks for, or have none.
    pub disposition_missing: Option<bool>,
}

/// Where a page ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    pub(super) started_at: Timestamp,
    pub(super) conversation: ConversationId,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.started_at.0, self.conversation)
    }
}

/// A text that is not a cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is not a cursor that a list has given")]
pub struct InvalidCursor;

impl FromStr for Cursor {
    type Err = InvalidCursor;
    fn from_str(text: &str) -> Result<Self, InvalidCursor> {
        let (at, id) = text.split_once('.').ok_or(InvalidCursor)?;
        let started_at = Timestamp(at.parse().map_err(|_| InvalidCursor)?);
        Ok(Cursor { started_at, conversation: id.parse().map_err(|_| InvalidCursor)? })
    }
}

/// One conversation in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConversationRow {
    /// Which.
    pub id: ConversationId,
    /// The line it came over.
    pub line: Line,
    /// Who began it.
    pub direction: Direction,
    /// The caller.
    pub caller: Party,
    /// What was dialed.
    pub dialed: String,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended; `None` while it goes on.
    pub ended_at: Option<Timestamp>,
    /// How it ended.
    pub termination: Option<Termination>,
    /// What became of it so far.
    pub outcome: Option<ConversationOutcome>,
    /// The last queue.
    pub queue: Option<QueueId>,
    /// The last agent.
    pub agent: Option<AgentId>,
    /// Sum of its waits in queues.
    pub wait: Millis,
    /// Sum of its talks.
    pub talk: Millis,
    /// Sum of its holds.
    pub hold: Millis,
    /// Number of its recordings.
    pub recordings: u64,
}

/// A page of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConversationPage {
    /// Newest first.
    pub rows: Vec<ConversationRow>,
    /// Where the next page begins; `None` after the last.
    pub next: Option<Cursor>,
}

pub(super) const COLUMNS: &str = "id, line, direction, caller_number, caller_name, dialed, started_at, ended_at, result, reason, outcome, \
     queue, agent, wait_ms, talk_ms, hold_ms, recordings";

impl Store {
    /// Conversations, newest first; at most `limit` and [`limits::PAGE_ROWS`].
    pub async fn conversations(
        &self,
        tenant: TenantId,
        filter: ConversationFilter,
        after: Option<Cursor>,
        limit: usize,
    ) -> Result<ConversationPage, Failure> {
        let limit = limit.clamp(1, limits::PAGE_ROWS);
        self.sqlite()
            .read(move |db| {
                let mut statement = db.prepare_cached(&format!("SELECT {COLUMNS} FROM conversation WHERE {CONDITIONS}"))?;
                // Rows newer than the cursor need not even be looked at.
                let to = after.map_or(i64::MAX, |cursor| cursor.started_at.0.saturating_add(1));
                let parameters = params![
                    Id(tenant),
                    filter.from.map_or(i64::MIN, |at| at.0),
                    filter.to.map_or(to, |at| at.0.min(to)),
                    after.map_or(i64::MAX, |cursor| cursor.started_at.0),
                    after.map(|cursor| Id(cursor.conversation)),
                    filter.queue.map(Id),
                    filter.agent.map(Id),
                    filter.outcome.map(Word),
                    filter.number,
                    filter.line.map(Line::as_str),
                    filter.open,
                    filter.recorded,
                    filter.disposition,
                    filter.disposition_missing,
                    // One more than asked for, to know whether there is a next page.
                    Count(limit as u64 + 1),
                ];
                let mut rows: Vec<ConversationRow> = statement.query_map(parameters, conversation)?.collect::<Result<_, _>>()?;
                let more = rows.len() > limit;
                rows.truncate(limit);
                let next = rows.last().filter(|_| more).map(|row| Cursor { started_at: row.started_at, conversation: row.id });
                Ok(ConversationPage { rows, next })
            })
            .await
    }
}

/// A condition without a value is `NULL` and holds for every row.
const CONDITIONS: &str = "tenant = ?1 AND started_at >= ?2 AND started_at < ?3 AND (started_at, id) < (?4, coalesce(?5, ''))
     AND (?6 IS NULL OR EXISTS (SELECT 1 FROM visit WHERE visit.tenant = ?1 AND visit.conversation = conversation.id AND visit.queue = ?6))
     AND (?7 IS NULL OR EXISTS (SELECT 1 FROM talk WHERE talk.tenant = ?1 AND talk.conversation = conversation.id AND talk.agent = ?7))
     AND (?8 IS NULL OR outcome = ?8)
     AND (?9 IS NULL OR instr(coalesce(caller_number, ''), ?9) OR instr(dialed, ?9))
     AND (?10 IS NULL OR line = ?10)
     AND (?11 IS NULL OR (ended_at IS NULL) = ?11)
     AND (?12 IS NULL OR (recordings > 0) = ?12)
     AND (?13 IS NULL OR EXISTS (
         SELECT 1 FROM talk WHERE talk.tenant = ?1 AND talk.conversation = conversation.id AND talk.disposition = ?13))
     AND (?14 IS NULL OR ?14 = EXISTS (
         SELECT 1 FROM talk WHERE talk.tenant = ?1 AND talk.conversation = conversation.id AND talk.disposition_missing))
     ORDER BY started_at DESC, id DESC LIMIT ?15";

pub(super) fn conversation(row: &Row<'_>) -> rusqlite::Result<ConversationRow> {
    Ok(ConversationRow {
        id: row.get::<_, Id<_>>(0)?.0,
        line: row.get::<_, Word<_>>(1)?.0,
        direction: row.get::<_, Word<_>>(2)?.0,
        caller: Party { number: row.get(3)?, name: row.get(4)? },
        dialed: row.get(5)?,
        started_at: Timestamp(row.get(6)?),
        ended_at: row.get::<_, Option<i64>>(7)?.map(Timestamp),
        termination: termination(row, 8, 9)?,
        outcome: row.get::<_, Option<Word<_>>>(10)?.map(|word| word.0),
        queue: row.get::<_, Option<Id<_>>>(11)?.map(|id| id.0),
        agent: row.get::<_, Option<Id<_>>>(12)?.map(|id| id.0),
        wait: Millis(row.get::<_, Count>(13)?.0),
        talk: Millis(row.get::<_, Count>(14)?.0),
        hold: Millis(row.get::<_, Count>(15)?.0),
        recordings: row.get::<_, Count>(16)?.0,
    })
}

pub(super) fn termination(row: &Row<'_>, result: usize, reason: usize) -> rusqlite::Result<Option<Termination>> {
    let result = row.get::<_, Option<Word<TerminationResult>>>(result)?;
    let reason = row.get::<_, Option<Word<TerminationReason>>>(reason)?;
    Ok(result.zip(reason).map(|(result, reason)| Termination { result: result.0, reason: reason.0 }))
}
