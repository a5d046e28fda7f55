//! One conversation with everything that belongs to it, and its trace.

use super::{
    conversations::{self, ConversationRow, termination},
    recordings::{self, Recording},
};
use crate::{
    failure::Failure,
    limits,
    sqlite::column::{Count, Id, Json, Word},
    store::Store,
};
use dreiklang_core::{
    Event, Stamped,
    conversation::{Direction, Quality, SegmentKind, Termination},
    endpoint::{Endpoint, Line},
    ids::{AgentId, ConversationId, FlowId, LegId, OfferId, QueueId, TenantId, VisitId},
    queue::{FlowOutReason, Outcome, SkillRequirement},
    routing::OfferOutcome,
    time::{Millis, Timestamp},
};
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};

/// A conversation with its parts, each in the order they began.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConversationDetails {
    /// As in the list.
    pub conversation: ConversationRow,
    /// Connections of parties.
    pub legs: Vec<LegRow>,
    /// Stays in queues.
    pub visits: Vec<VisitRow>,
    /// Attempts to give it to an agent.
    pub offers: Vec<OfferRow>,
    /// Stretches of the customer's time.
    pub segments: Vec<SegmentRow>,
    /// Talks with agents and others, and their wrap-ups.
    pub talks: Vec<TalkRow>,
    /// Recordings.
    pub recordings: Vec<Recording>,
    /// What the customer said in surveys.
    pub scores: Vec<ScoreRow>,
}

/// One party's connection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LegRow {
    /// Which.
    pub id: LegId,
    /// `customer`, `agent` or `external`.
    pub role: String,
    /// Whose, where the role is `agent`.
    pub agent: Option<AgentId>,
    /// Over which line.
    pub line: Line,
    /// Who called whom.
    pub direction: Option<Direction>,
    /// Where it ends.
    pub endpoint: Option<Endpoint>,
    /// When it began.
    pub started_at: Timestamp,
    /// When it rang.
    pub ringing_at: Option<Timestamp>,
    /// When it was connected.
    pub connected_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// How it ended.
    pub termination: Option<Termination>,
    /// Its audio.
    pub quality: Option<Quality>,
}

/// One stay in a queue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VisitRow {
    /// Which.
    pub id: VisitId,
    /// In which queue.
    pub queue: QueueId,
    /// With which priority.
    pub priority: Option<u8>,
    /// Asking for which skills.
    pub skills: Vec<SkillRequirement>,
    /// When it began.
    pub enqueued_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// How long it lasted.
    pub wait: Option<Millis>,
    /// The queue's promise when it ended.
    pub within: Option<Millis>,
    /// Who took it.
    pub agent: Option<AgentId>,
}

/// One attempt to give it to an agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfferRow {
    /// Which.
    pub id: OfferId,
    /// For which visit.
    pub visit: Option<VisitId>,
    /// Of which queue.
    pub queue: Option<QueueId>,
    /// To whom.
    pub agent: AgentId,
    /// The leg that rang.
    pub leg: Option<LegId>,
    /// When it was made.
    pub made_at: Timestamp,
    /// How long it was to ring.
    pub rings_until: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// How it ended.
    pub outcome: Option<OfferOutcome>,
}

/// One stretch of the customer's time; together they have neither gaps nor overlaps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentRow {
    /// What it was.
    pub kind: SegmentKind,
    /// From when.
    pub from: Timestamp,
    /// Until when.
    pub to: Timestamp,
    /// In which queue, or from which.
    pub queue: Option<QueueId>,
    /// With whom.
    pub agent: Option<AgentId>,
}

/// The customer with an agent, or with somebody outside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TalkRow {
    /// The leg of the other side.
    pub leg: LegId,
    /// From which queue.
    pub queue: Option<QueueId>,
    /// With whom; `None` = with somebody outside.
    pub agent: Option<AgentId>,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Without holds.
    pub talk: Millis,
    /// Holds.
    pub hold: Millis,
    /// The agent's time for notes afterwards.
    pub wrap_up: Millis,
    /// The code the agent chose.
    pub disposition: Option<String>,
    /// Notes are over, and nobody chose a code though the queue asks for one.
    #[serde(default)]
    pub disposition_missing: bool,
    /// When that was over; `None` without one.
    pub wrap_up_ended_at: Option<Timestamp>,
}

/// What a customer said in a survey.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScoreRow {
    /// When.
    pub at: Timestamp,
    /// In which flow.
    pub flow: FlowId,
    /// To which of its questions.
    pub question: String,
    /// Between `least` and `most`.
    pub score: u8,
    /// The worst.
    pub least: u8,
    /// The best.
    pub most: u8,
    /// The queue of the talk that it is about.
    pub queue: Option<QueueId>,
    /// The agent of that talk.
    pub agent: Option<AgentId>,
}

/// A page of a trace.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    /// In order.
    pub events: Vec<Stamped>,
    /// There is more after the last of them.
    pub more: bool,
}

impl Store {
    /// One conversation; `None` when the reports do not know it (any more). At most [`limits::DETAIL_ROWS`] rows of each kind.
    pub async fn conversation(&self, tenant: TenantId, id: ConversationId) -> Result<Option<ConversationDetails>, Failure> {
        self.sqlite()
            .read(move |db| {
                let mut statement =
                    db.prepare_cached(&format!("SELECT {} FROM conversation WHERE tenant = ?1 AND id = ?2", conversations::COLUMNS))?;
                let Some(row) = statement.query_row(params![Id(tenant), Id(id)], conversations::conversation).optional()? else {
                    return Ok(None);
                };
                let key = (tenant, id);
                Ok(Some(ConversationDetails {
                    conversation: row,
                    legs: all(db, key, "leg", LEG, "started_at, id", leg)?,
                    visits: all(db, key, "visit", VISIT, "enqueued_at, id", visit)?,
                    offers: all(db, key, "offer", OFFER, "made_at, id", offer)?,
                    segments: all(db, key, "segment", SEGMENT, "seq", segment)?,
                    talks: all(db, key, "talk", TALK, "seq", talk)?,
                    recordings: all(db, key, "recording", recordings::COLUMNS, "started_at, id", recordings::recording)?,
                    scores: scores(db, key)?,
                }))
            })
            .await
    }

    /// The facts of one conversation after event `after_seq`, in order; at most `limit` and [`limits::PAGE_ROWS`].
    pub async fn trace(&self, tenant: TenantId, id: ConversationId, after_seq: u64, limit: usize) -> Result<Trace, Failure> {
        self.events(tenant, id, None, after_seq, limit).await
    }

    /// The conversation's routing decisions alone, with sequence numbers greater than `after_seq`, and whether there are more.
    ///
    /// # Errors
    /// When the database fails or holds something unreadable.
    pub async fn decisions(&self, tenant: TenantId, id: ConversationId, after_seq: u64, limit: usize) -> Result<Trace, Failure> {
        self.events(tenant, id, Some("decided"), after_seq, limit).await
    }

    async fn events(
        &self,
        tenant: TenantId,
        id: ConversationId,
        kind: Option<&'static str>,
        after_seq: u64,
        limit: usize,
    ) -> Result<Trace, Failure> {
        let limit = limit.clamp(1, limits::PAGE_ROWS);
        self.sqlite()
            .read(move |db| {
                let mut statement = db.prepare_cached(
                    "SELECT seq, at, body FROM event WHERE tenant = ?1 AND conversation = ?2 AND seq > ?3 AND (?5 IS NULL OR type = ?5) \
                     ORDER BY seq LIMIT ?4",
                )?;
                let rows = statement.query_map(params![Id(tenant), Id(id), Count(after_seq), Count(limit as u64 + 1), kind], |row| {
                    Ok(Stamped { seq: row.get::<_, Count>(0)?.0, at: Timestamp(row.get(1)?), event: row.get::<_, Json<Event>>(2)?.0 })
                })?;
                let mut events: Vec<Stamped> = rows.collect::<Result<_, _>>()?;
                let more = events.len() > limit;
                events.truncate(limit);
                Ok(Trace { events, more })
            })
            .await
    }
}

fn all<T>(
    db: &Connection,
    (tenant, conversation): (TenantId, ConversationId),
    table: &str,
    columns: &str,
    order: &str,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>, Failure> {
    let sql = format!("SELECT {columns} FROM {table} WHERE tenant = ?1 AND conversation = ?2 ORDER BY {order} LIMIT ?3");
    let mut statement = db.prepare_cached(&sql)?;
    let rows = statement.query_map(params![Id(tenant), Id(conversation), Count(limits::DETAIL_ROWS as u64)], read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// They are facts of the trace; few conversations have any, so that they need no table of their own.
fn scores(db: &Connection, (tenant, conversation): (TenantId, ConversationId)) -> Result<Vec<ScoreRow>, Failure> {
    let mut statement = db.prepare_cached(
        "SELECT at, body FROM event WHERE tenant = ?1 AND conversation = ?2 AND type = 'survey_answered' ORDER BY seq LIMIT ?3",
    )?;
    let rows = statement.query_map(params![Id(tenant), Id(conversation), Count(limits::DETAIL_ROWS as u64)], |row| {
        Ok((Timestamp(row.get(0)?), row.get::<_, Json<Event>>(1)?.0))
    })?;
    let mut scores = Vec::new();
    for row in rows {
        if let (at, Event::SurveyAnswered { flow, question, score, least, most, queue, agent, .. }) = row? {
            scores.push(ScoreRow { at, flow, question, score, least, most, queue, agent });
        }
    }
    Ok(scores)
}

fn time(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Timestamp>> {
    Ok(row.get::<_, Option<i64>>(column)?.map(Timestamp))
}

const LEG: &str = "id, role, agent, line, direction, endpoint, started_at, ringing_at, connected_at, ended_at, result, reason, quality";

fn leg(row: &Row<'_>) -> rusqlite::Result<LegRow> {
    Ok(LegRow {
        id: row.get::<_, Id<_>>(0)?.0,
        role: row.get(1)?,
        agent: row.get::<_, Option<Id<_>>>(2)?.map(|id| id.0),
        line: row.get::<_, Word<_>>(3)?.0,
        direction: row.get::<_, Option<Word<_>>>(4)?.map(|word| word.0),
        endpoint: row.get::<_, Option<Json<_>>>(5)?.map(|json| json.0),
        started_at: Timestamp(row.get(6)?),
        ringing_at: time(row, 7)?,
        connected_at: time(row, 8)?,
        ended_at: time(row, 9)?,
        termination: termination(row, 10, 11)?,
        quality: row.get::<_, Option<Json<_>>>(12)?.map(|json| json.0),
    })
}

const VISIT: &str = "id, queue, priority, skills, enqueued_at, ended_at, outcome, short, flow_out_reason, wait_ms, within_ms, agent";

fn visit(row: &Row<'_>) -> rusqlite::Result<VisitRow> {
    let outcome = match row.get::<_, Option<String>>(6)?.as_deref() {
        None => None,
        Some("answered") => Some(Outcome::Answered),
        Some("abandoned") => Some(Outcome::Abandoned { short: row.get(7)? }),
        Some(_) => Some(Outcome::FlowOut { reason: row.get::<_, Word<FlowOutReason>>(8)?.0 }),
    };
    Ok(VisitRow {
        id: row.get::<_, Id<_>>(0)?.0,
        queue: row.get::<_, Id<_>>(1)?.0,
        priority: row.get(2)?,
        skills: row.get::<_, Option<Json<_>>>(3)?.map(|json| json.0).unwrap_or_default(),
        enqueued_at: Timestamp(row.get(4)?),
        ended_at: time(row, 5)?,
        outcome,
        wait: row.get::<_, Option<Count>>(9)?.map(|count| Millis(count.0)),
        within: row.get::<_, Option<Count>>(10)?.map(|count| Millis(count.0)),
        agent: row.get::<_, Option<Id<_>>>(11)?.map(|id| id.0),
    })
}

const OFFER: &str = "id, visit, queue, agent, leg, made_at, rings_until, ended_at, outcome";

fn offer(row: &Row<'_>) -> rusqlite::Result<OfferRow> {
    Ok(OfferRow {
        id: row.get::<_, Id<_>>(0)?.0,
        visit: row.get::<_, Option<Id<_>>>(1)?.map(|id| id.0),
        queue: row.get::<_, Option<Id<_>>>(2)?.map(|id| id.0),
        agent: row.get::<_, Id<_>>(3)?.0,
        leg: row.get::<_, Option<Id<_>>>(4)?.map(|id| id.0),
        made_at: Timestamp(row.get(5)?),
        rings_until: time(row, 6)?,
        ended_at: time(row, 7)?,
        outcome: row.get::<_, Option<Word<_>>>(8)?.map(|word| word.0),
    })
}

const SEGMENT: &str = "kind, from_at, to_at, queue, agent";

fn segment(row: &Row<'_>) -> rusqlite::Result<SegmentRow> {
    Ok(SegmentRow {
        kind: row.get::<_, Word<_>>(0)?.0,
        from: Timestamp(row.get(1)?),
        to: Timestamp(row.get(2)?),
        queue: row.get::<_, Option<Id<_>>>(3)?.map(|id| id.0),
        agent: row.get::<_, Option<Id<_>>>(4)?.map(|id| id.0),
    })
}

const TALK: &str =
    "leg, queue, agent, started_at, ended_at, talk_ms, hold_ms, wrap_up_ms, disposition, wrap_up_ended_at, disposition_missing";

fn talk(row: &Row<'_>) -> rusqlite::Result<TalkRow> {
    Ok(TalkRow {
        leg: row.get::<_, Id<_>>(0)?.0,
        queue: row.get::<_, Option<Id<_>>>(1)?.map(|id| id.0),
        agent: row.get::<_, Option<Id<_>>>(2)?.map(|id| id.0),
        started_at: Timestamp(row.get(3)?),
        ended_at: time(row, 4)?,
        talk: Millis(row.get::<_, Count>(5)?.0),
        hold: Millis(row.get::<_, Count>(6)?.0),
        wrap_up: Millis(row.get::<_, Count>(7)?.0),
        disposition: row.get(8)?,
        wrap_up_ended_at: time(row, 9)?,
        disposition_missing: row.get(10)?,
    })
}
