//! Agents' time: one row per stretch in which duty, availability and occupation stayed the same, so that time by any of the
//! three is a sum of rows, and they always add up to the same whole. Time signed out and idle leaves no rows.

use super::Place;
use crate::{failure::Failure, limits, sqlite::column::Id};
use dreiklang_core::{
    agent::{Availability, Duty, NotReadyReason, Occupation, Settings},
    ids::{AgentId, ConversationId},
};
use rusqlite::{OptionalExtension, params};

/// What an agent is, in the words of the columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct State {
    duty: String,
    availability: String,
    reason: Option<String>,
    occupation: String,
    conversation: Option<ConversationId>,
}

impl State {
    pub(super) fn set_duty(&mut self, duty: Duty) {
        self.duty = match duty {
            Duty::SignedOut => SIGNED_OUT,
            Duty::OffDuty => "off_duty",
            Duty::OnDuty => "on_duty",
        }
        .to_owned();
    }

    pub(super) fn set_availability(&mut self, availability: &Availability) {
        (self.availability, self.reason) = match availability {
            Availability::Ready => ("ready".to_owned(), None),
            Availability::NotReady { reason } => (NOT_READY.to_owned(), Some(reason.clone())),
        };
    }

    pub(super) fn set_occupation(&mut self, occupation: &Occupation) {
        let (word, conversation) = match occupation {
            Occupation::Idle => (IDLE, None),
            Occupation::Offered { conversation, .. } => ("offered", Some(*conversation)),
            Occupation::Talking { conversation } => ("talking", Some(*conversation)),
            Occupation::Consulting { conversation } => ("consulting", Some(*conversation)),
            Occupation::Supervising { conversation } => ("supervising", Some(*conversation)),
            Occupation::WrapUp { conversation, .. } => ("wrap_up", Some(*conversation)),
        };
        self.occupation = word.to_owned();
        self.conversation = conversation;
    }
}

const SIGNED_OUT: &str = "signed_out";
const NOT_READY: &str = "not_ready";
const IDLE: &str = "idle";

pub(super) fn configured(place: &Place<'_>, settings: &Settings) -> Result<(), Failure> {
    place.run(
        "INSERT INTO agent_setting (tenant, agent, name) VALUES (?1, ?2, ?3) ON CONFLICT (tenant, agent) DO UPDATE SET name = excluded.name",
        params![Id(place.tenant), Id(settings.id), settings.name],
    )?;
    Ok(())
}

/// Changes what the agent is from now on, and books what the agent was until now.
pub(super) fn changed(place: &Place<'_>, agent: AgentId, change: impl FnOnce(&mut State)) -> Result<(), Failure> {
    let known: Option<(State, i64)> = place
        .db
        .prepare_cached(
            "SELECT duty, availability, reason, occupation, conversation, since FROM agent_state WHERE tenant = ?1 AND agent = ?2",
        )?
        .query_row(params![Id(place.tenant), Id(agent)], |row| {
            let state = State {
                duty: row.get(0)?,
                availability: row.get(1)?,
                reason: row.get(2)?,
                occupation: row.get(3)?,
                conversation: row.get::<_, Option<Id<ConversationId>>>(4)?.map(|id| id.0),
            };
            Ok((state, row.get(5)?))
        })
        .optional()?;
    let (before, since) = known.unwrap_or_else(|| {
        let state = State {
            duty: SIGNED_OUT.to_owned(),
            availability: NOT_READY.to_owned(),
            reason: Some(NotReadyReason::SignedIn.as_str().to_owned()),
            occupation: IDLE.to_owned(),
            conversation: None,
        };
        (state, place.at)
    });
    let mut after = before.clone();
    change(&mut after);
    if after == before {
        return Ok(());
    }
    // A clock that jumped back must not make stretches overlap.
    let at = place.at.max(since);
    if before.duty != SIGNED_OUT || before.occupation != IDLE {
        book(place, agent, &before, since, at)?;
    }
    place.run(
        "INSERT OR REPLACE INTO agent_state (tenant, agent, duty, availability, reason, occupation, conversation, since)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![
            Id(place.tenant),
            Id(agent),
            after.duty,
            after.availability,
            after.reason,
            after.occupation,
            after.conversation.map(Id),
            at
        ],
    )?;
    Ok(())
}

fn book(place: &Place<'_>, agent: AgentId, state: &State, since: i64, until: i64) -> Result<(), Failure> {
    let mut from = since;
    while from < until {
        let to = until.min(from + limits::AGENT_TIME_ROW_MS);
        place.run(
            "INSERT OR IGNORE INTO agent_time (tenant, to_at, agent, from_at, duty, availability, reason, occupation, conversation)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            params![
                Id(place.tenant),
                to,
                Id(agent),
                from,
                state.duty,
                state.availability,
                state.reason,
                state.occupation,
                state.conversation.map(Id)
            ],
        )?;
        from = to;
    }
    Ok(())
}
