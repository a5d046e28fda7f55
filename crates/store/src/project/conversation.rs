//! Rows of conversations, their legs, segments and recordings.

use super::Place;
use crate::{
    failure::Failure,
    sqlite::column::{Count, Id, Json, Word},
};
use dreiklang_core::{
    conversation::{Direction, Quality, Role, SegmentKind, Termination},
    endpoint::{Endpoint, Line, Party},
    ids::{AgentId, ConversationId, LegId, QueueId, RecordingId},
    time::Millis,
};
use rusqlite::params;

pub(super) fn started(
    place: &Place<'_>,
    conversation: ConversationId,
    line: Line,
    direction: Direction,
    caller: &Party,
    dialed: &str,
) -> Result<(), Failure> {
    place.run(
        "INSERT OR IGNORE INTO conversation (tenant, id, line, direction, caller_number, caller_name, dialed, started_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![Id(place.tenant), Id(conversation), line.as_str(), Word(direction), caller.number, caller.name, dialed, place.at],
    )?;
    Ok(())
}

pub(super) fn ended(place: &Place<'_>, conversation: ConversationId, termination: &Termination) -> Result<(), Failure> {
    place.run(
        "UPDATE conversation SET ended_at = ?3, result = ?4, reason = ?5,
             outcome = coalesce(outcome, CASE ?5 WHEN 'abandoned' THEN 'abandoned' ELSE 'unserved' END)
         WHERE tenant = ?1 AND id = ?2",
        params![Id(place.tenant), Id(conversation), place.at, Word(termination.result), Word(termination.reason)],
    )?;
    Ok(())
}

fn role_words(role: Role) -> (&'static str, Option<AgentId>) {
    match role {
        Role::Customer => ("customer", None),
        Role::Agent(agent) => ("agent", Some(agent)),
        Role::External => ("external", None),
    }
}

pub(super) fn leg_added(
    place: &Place<'_>,
    conversation: ConversationId,
    leg: LegId,
    role: Role,
    line: Line,
    direction: Direction,
    endpoint: &Endpoint,
) -> Result<(), Failure> {
    let (role, agent) = role_words(role);
    place.run(
        "INSERT OR IGNORE INTO leg (tenant, conversation, id, role, agent, line, direction, endpoint, started_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        params![Id(place.tenant), Id(conversation), Id(leg), role, agent.map(Id), line.as_str(), Word(direction), Json(endpoint), place.at],
    )?;
    Ok(())
}

pub(super) fn leg_ringing(place: &Place<'_>, conversation: ConversationId, leg: LegId) -> Result<(), Failure> {
    place.run(
        "UPDATE leg SET ringing_at = coalesce(ringing_at, ?4) WHERE tenant = ?1 AND conversation = ?2 AND id = ?3",
        params![Id(place.tenant), Id(conversation), Id(leg), place.at],
    )?;
    Ok(())
}

pub(super) fn leg_connected(place: &Place<'_>, conversation: ConversationId, leg: LegId) -> Result<(), Failure> {
    place.run(
        "UPDATE leg SET connected_at = coalesce(connected_at, ?4) WHERE tenant = ?1 AND conversation = ?2 AND id = ?3",
        params![Id(place.tenant), Id(conversation), Id(leg), place.at],
    )?;
    Ok(())
}

pub(super) fn leg_ended(
    place: &Place<'_>,
    conversation: ConversationId,
    leg: LegId,
    role: Role,
    line: Line,
    (started_at, connected_at): (i64, Option<i64>),
    termination: &Termination,
) -> Result<(), Failure> {
    let (role, agent) = role_words(role);
    place.run(
        "INSERT INTO leg (tenant, conversation, id, role, agent, line, started_at, connected_at, ended_at, result, reason)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
         ON CONFLICT (tenant, conversation, id) DO UPDATE SET
             connected_at = excluded.connected_at, ended_at = excluded.ended_at, result = excluded.result, reason = excluded.reason",
        params![
            Id(place.tenant),
            Id(conversation),
            Id(leg),
            role,
            agent.map(Id),
            line.as_str(),
            started_at,
            connected_at,
            place.at,
            Word(termination.result),
            Word(termination.reason)
        ],
    )?;
    Ok(())
}

pub(super) fn leg_measured(place: &Place<'_>, conversation: ConversationId, leg: LegId, quality: &Quality) -> Result<(), Failure> {
    place.run(
        "UPDATE leg SET quality = ?4 WHERE tenant = ?1 AND conversation = ?2 AND id = ?3",
        params![Id(place.tenant), Id(conversation), Id(leg), Json(quality)],
    )?;
    Ok(())
}

pub(super) fn segment_closed(
    place: &Place<'_>,
    conversation: ConversationId,
    kind: SegmentKind,
    (from, to): (i64, i64),
    queue: Option<QueueId>,
    agent: Option<AgentId>,
) -> Result<(), Failure> {
    place.run(
        "INSERT OR IGNORE INTO segment (tenant, conversation, seq, kind, from_at, to_at, queue, agent)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![Id(place.tenant), Id(conversation), Count(place.seq), Word(kind), from, to, queue.map(Id), agent.map(Id)],
    )?;
    Ok(())
}

pub(super) fn recording_started(place: &Place<'_>, conversation: ConversationId, recording: RecordingId) -> Result<(), Failure> {
    let added = place.run(
        "INSERT OR IGNORE INTO recording (tenant, conversation, id, status, started_at) VALUES (?1, ?2, ?3, 'recording', ?4)",
        params![Id(place.tenant), Id(conversation), Id(recording), place.at],
    )?;
    if added > 0 {
        place.run(
            "UPDATE conversation SET recordings = recordings + 1 WHERE tenant = ?1 AND id = ?2",
            params![Id(place.tenant), Id(conversation)],
        )?;
    }
    Ok(())
}

pub(super) fn recording_finished(
    place: &Place<'_>,
    conversation: ConversationId,
    recording: RecordingId,
    path: &str,
    duration: Millis,
    channels: u8,
) -> Result<(), Failure> {
    recording_started(place, conversation, recording)?;
    place.run(
        "UPDATE recording SET status = 'finished', finished_at = ?4, path = ?5, duration_ms = ?6, channels = ?7
         WHERE tenant = ?1 AND conversation = ?2 AND id = ?3",
        params![Id(place.tenant), Id(conversation), Id(recording), place.at, path, Count(duration.0), channels],
    )?;
    Ok(())
}

pub(super) fn recording_failed(
    place: &Place<'_>,
    conversation: ConversationId,
    recording: RecordingId,
    reason: &str,
) -> Result<(), Failure> {
    recording_started(place, conversation, recording)?;
    place.run(
        "UPDATE recording SET status = 'failed', finished_at = ?4, failure = ?5 WHERE tenant = ?1 AND conversation = ?2 AND id = ?3",
        params![Id(place.tenant), Id(conversation), Id(recording), place.at, reason],
    )?;
    Ok(())
}
