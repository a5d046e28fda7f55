//! Rows of talks: a customer with an agent (or somebody outside), and the wrap-up that belongs to it.
//!
//! A talk is handled when both it and its wrap-up are over. All its times are booked at that instant, so that the average
//! handling time of an interval is made of the same conversations above and below the fraction line.

use super::Place;
use crate::{
    failure::Failure,
    sqlite::column::{Count, Id},
};
use dreiklang_core::{
    ids::{AgentId, ConversationId, LegId, QueueId},
    time::{Millis, Timestamp},
};
use rusqlite::params;

pub(super) fn started(
    place: &Place<'_>,
    conversation: ConversationId,
    queue: Option<QueueId>,
    agent: Option<AgentId>,
    leg: LegId,
) -> Result<(), Failure> {
    place.run(
        "INSERT OR IGNORE INTO talk (tenant, conversation, seq, leg, queue, agent, started_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![Id(place.tenant), Id(conversation), Count(place.seq), Id(leg), queue.map(Id), agent.map(Id), place.at],
    )?;
    if let Some(agent) = agent {
        place.run(
            "UPDATE conversation SET agent = ?3, outcome = 'answered' WHERE tenant = ?1 AND id = ?2",
            params![Id(place.tenant), Id(conversation), Id(agent)],
        )?;
    }
    Ok(())
}

pub(super) fn ended(
    place: &Place<'_>,
    conversation: ConversationId,
    queue: Option<QueueId>,
    agent: Option<AgentId>,
    leg: LegId,
    talk: Millis,
    hold: Millis,
) -> Result<(), Failure> {
    let changed = place.run(
        "UPDATE talk SET ended_at = ?4, talk_ms = ?5, hold_ms = ?6, handled_at = CASE wrap_up_open WHEN 0 THEN ?4 END
         WHERE tenant = ?1 AND conversation = ?2 AND leg = ?3 AND ended_at IS NULL",
        params![Id(place.tenant), Id(conversation), Id(leg), place.at, Count(talk.0), Count(hold.0)],
    )?;
    if changed == 0 {
        let started_at = Timestamp(place.at.saturating_sub_unsigned(talk.0.saturating_add(hold.0)));
        place.run(
            "INSERT OR IGNORE INTO talk (tenant, conversation, seq, leg, queue, agent, started_at, ended_at, talk_ms, hold_ms, handled_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?8)",
            params![
                Id(place.tenant),
                Id(conversation),
                Count(place.seq),
                Id(leg),
                queue.map(Id),
                agent.map(Id),
                started_at.0,
                place.at,
                Count(talk.0),
                Count(hold.0)
            ],
        )?;
    }
    place.run(
        "UPDATE conversation SET talk_ms = talk_ms + ?3, hold_ms = hold_ms + ?4 WHERE tenant = ?1 AND id = ?2",
        params![Id(place.tenant), Id(conversation), Count(talk.0), Count(hold.0)],
    )?;
    Ok(())
}

/// The agent's last talk in a conversation.
const LAST_TALK: &str = "tenant = ?1 AND conversation = ?2 AND seq = (
     SELECT max(seq) FROM talk WHERE tenant = ?1 AND conversation = ?2 AND agent = ?3
 )";

pub(super) fn wrap_up_started(place: &Place<'_>, conversation: ConversationId, agent: AgentId) -> Result<(), Failure> {
    place.run(
        &format!("UPDATE talk SET wrap_up_open = 1, handled_at = NULL WHERE {LAST_TALK}"),
        params![Id(place.tenant), Id(conversation), Id(agent)],
    )?;
    Ok(())
}

pub(super) fn wrap_up_ended(
    place: &Place<'_>,
    conversation: ConversationId,
    agent: AgentId,
    started_at: Timestamp,
    disposition: Option<&str>,
) -> Result<(), Failure> {
    let wrap_up = Timestamp(place.at).since(started_at);
    place.run(
        &format!(
            "UPDATE talk SET wrap_up_open = 0, wrap_up_ms = wrap_up_ms + ?4, disposition = coalesce(?5, disposition),
                 handled_at = CASE WHEN ended_at IS NOT NULL THEN ?6 END
             WHERE {LAST_TALK}"
        ),
        params![Id(place.tenant), Id(conversation), Id(agent), Count(wrap_up.0), disposition, place.at],
    )?;
    Ok(())
}
