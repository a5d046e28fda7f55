//! Rows of talks: a customer with an agent (or somebody outside), and the wrap-up that belongs to it.

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
        "UPDATE talk SET ended_at = ?4, talk_ms = ?5, hold_ms = ?6
         WHERE tenant = ?1 AND conversation = ?2 AND leg = ?3 AND ended_at IS NULL",
        params![Id(place.tenant), Id(conversation), Id(leg), place.at, Count(talk.0), Count(hold.0)],
    )?;
    if changed == 0 {
        let started_at = Timestamp(place.at.saturating_sub_unsigned(talk.0.saturating_add(hold.0)));
        place.run(
            "INSERT OR IGNORE INTO talk (tenant, conversation, seq, leg, queue, agent, started_at, ended_at, talk_ms, hold_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
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

pub(super) fn wrap_up_ended(
    place: &Place<'_>,
    conversation: ConversationId,
    agent: AgentId,
    started_at: Timestamp,
    (disposition, missing): (Option<&str>, bool),
) -> Result<(), Failure> {
    let wrap_up = Timestamp(place.at).since(started_at);
    // It belongs to the agent's last talk in the conversation.
    place.run(
        "UPDATE talk SET wrap_up_ms = wrap_up_ms + ?4, wrap_up_ended_at = ?5, disposition = coalesce(?6, disposition),
             disposition_missing = ?7 AND coalesce(?6, disposition) IS NULL
         WHERE tenant = ?1 AND conversation = ?2 AND seq = (
             SELECT max(seq) FROM talk WHERE tenant = ?1 AND conversation = ?2 AND agent = ?3
         )",
        params![Id(place.tenant), Id(conversation), Id(agent), Count(wrap_up.0), place.at, disposition, missing],
    )?;
    Ok(())
}

pub(super) fn disposition_set(
    place: &Place<'_>,
    conversation: ConversationId,
    agent: AgentId,
    disposition: Option<&str>,
) -> Result<(), Failure> {
    place.run(
        "UPDATE talk SET disposition = ?4, disposition_missing = disposition_missing AND ?4 IS NULL WHERE tenant = ?1 AND conversation = ?2 AND seq = (
             SELECT max(seq) FROM talk WHERE tenant = ?1 AND conversation = ?2 AND agent = ?3
         )",
        params![Id(place.tenant), Id(conversation), Id(agent), disposition],
    )?;
    Ok(())
}
