//! Rows of queue visits and offers. A visit is booked when it ends, with the promise its queue had at that moment.

use super::Place;
use crate::{
    failure::Failure,
    sqlite::column::{Count, Id, Json, Word},
};
use dreiklang_core::{
    ids::{AgentId, ConversationId, LegId, OfferId, QueueId, VisitId},
    queue::{Outcome, Settings, SkillRequirement},
    routing::OfferOutcome,
    time::{Millis, Timestamp},
};
use rusqlite::params;

pub(super) fn configured(place: &Place<'_>, settings: &Settings) -> Result<(), Failure> {
    place.run(
        "INSERT INTO queue_setting (tenant, queue, name, within_ms, target) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (tenant, queue) DO UPDATE SET name = excluded.name, within_ms = excluded.within_ms, target = excluded.target",
        params![Id(place.tenant), Id(settings.id), settings.name, Count(settings.service_level.within.0), settings.service_level.target],
    )?;
    Ok(())
}

pub(super) fn visit_started(
    place: &Place<'_>,
    visit: VisitId,
    conversation: ConversationId,
    queue: QueueId,
    priority: u8,
    skills: &[SkillRequirement],
    enqueued_at: Timestamp,
) -> Result<(), Failure> {
    place.run(
        "INSERT OR IGNORE INTO visit (tenant, conversation, id, queue, priority, skills, enqueued_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![Id(place.tenant), Id(conversation), Id(visit), Id(queue), priority, Json(skills), enqueued_at.0],
    )?;
    place
        .run("UPDATE conversation SET queue = ?3 WHERE tenant = ?1 AND id = ?2", params![Id(place.tenant), Id(conversation), Id(queue)])?;
    Ok(())
}

#[expect(clippy::too_many_arguments, reason = "the fields of one event")]
pub(super) fn visit_ended(
    place: &Place<'_>,
    visit: VisitId,
    conversation: ConversationId,
    queue: QueueId,
    enqueued_at: Timestamp,
    outcome: Outcome,
    wait: Millis,
    agent: Option<AgentId>,
) -> Result<(), Failure> {
    let (word, short, reason) = match outcome {
        Outcome::Answered => ("answered", false, None),
        Outcome::Abandoned { short } => ("abandoned", short, None),
        Outcome::FlowOut { reason } => ("flow_out", false, Some(Word(reason))),
    };
    place.run(
        "INSERT INTO visit (tenant, conversation, id, queue, enqueued_at, ended_at, outcome, short, flow_out_reason, wait_ms, agent, within_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11,
             (SELECT within_ms FROM queue_setting WHERE tenant = ?1 AND queue = ?4))
         ON CONFLICT (tenant, conversation, id) DO UPDATE SET
             ended_at = excluded.ended_at, outcome = excluded.outcome, short = excluded.short, flow_out_reason = excluded.flow_out_reason,
             wait_ms = excluded.wait_ms, agent = excluded.agent, within_ms = excluded.within_ms",
        params![
            Id(place.tenant),
            Id(conversation),
            Id(visit),
            Id(queue),
            enqueued_at.0,
            place.at,
            word,
            short,
            reason,
            Count(wait.0),
            agent.map(Id)
        ],
    )?;
    // Once answered, a conversation stays an answered one, whatever happens to it in a further queue.
    place.run(
        "UPDATE conversation SET wait_ms = wait_ms + ?3, outcome = CASE outcome WHEN 'answered' THEN outcome ELSE ?4 END
         WHERE tenant = ?1 AND id = ?2",
        params![Id(place.tenant), Id(conversation), Count(wait.0), word],
    )?;
    Ok(())
}

#[expect(clippy::too_many_arguments, reason = "the fields of one event")]
pub(super) fn offer_made(
    place: &Place<'_>,
    offer: OfferId,
    visit: Option<VisitId>,
    conversation: ConversationId,
    queue: Option<QueueId>,
    agent: AgentId,
    leg: LegId,
    rings_until: Timestamp,
) -> Result<(), Failure> {
    place.run(
        "INSERT OR IGNORE INTO offer (tenant, conversation, id, visit, queue, agent, leg, made_at, rings_until)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        params![Id(place.tenant), Id(conversation), Id(offer), visit.map(Id), queue.map(Id), Id(agent), Id(leg), place.at, rings_until.0],
    )?;
    Ok(())
}

pub(super) fn offer_ended(
    place: &Place<'_>,
    offer: OfferId,
    conversation: ConversationId,
    queue: Option<QueueId>,
    agent: AgentId,
    made_at: Timestamp,
    outcome: OfferOutcome,
) -> Result<(), Failure> {
    place.run(
        "INSERT INTO offer (tenant, conversation, id, queue, agent, made_at, ended_at, outcome) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         ON CONFLICT (tenant, conversation, id) DO UPDATE SET ended_at = excluded.ended_at, outcome = excluded.outcome",
        params![Id(place.tenant), Id(conversation), Id(offer), queue.map(Id), Id(agent), made_at.0, place.at, Word(outcome)],
    )?;
    Ok(())
}
