//! Agents' time, stretch by stretch. Sums of it are figures like others: see [`super::figures`].

use super::too_many_rows;
use crate::{failure::Failure, limits, sqlite::column::Id, store::Store};
use dreiklang_core::{
    ids::{AgentId, TenantId},
    time::Timestamp,
};
use rusqlite::params;
use serde::{Deserialize, Serialize};

/// One stretch of an agent's time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentStretch {
    /// The agent.
    pub agent: AgentId,
    /// From when.
    pub from: Timestamp,
    /// Until when; for the present stretch, the time that was given as "now".
    pub to: Timestamp,
    /// `signed_out`, `off_duty` or `on_duty`.
    pub duty: String,
    /// `ready` or `not_ready`.
    pub availability: String,
    /// Why not ready.
    pub reason: Option<String>,
    /// `idle`, `offered`, `talking`, `consulting`, `supervising` or `wrap_up`.
    pub occupation: String,
}

impl Store {
    /// One agent's time between the two, stretch by stretch, in order; at most [`limits::ROLL_UP_ROWS`].
    pub async fn agent_timeline(
        &self,
        tenant: TenantId,
        (from, to): (Timestamp, Timestamp),
        agent: AgentId,
        now: Timestamp,
    ) -> Result<Vec<AgentStretch>, Failure> {
        self.sqlite()
            .read(move |db| {
                let end = to.min(now);
                // A row is at most AGENT_TIME_ROW_MS long, so none that ends later than that after the range touches it.
                let mut statement = db.prepare_cached(
                    "SELECT from_at, to_at, duty, availability, reason, occupation FROM agent_time
                     WHERE tenant = ?1 AND to_at > ?2 AND to_at <= ?3 + ?4 AND from_at < ?3 AND agent = ?5
                     UNION ALL
                     SELECT since, ?6, duty, availability, reason, occupation FROM agent_state
                     WHERE tenant = ?1 AND since < ?6 AND ?6 > ?2 AND (duty <> 'signed_out' OR occupation <> 'idle') AND agent = ?5",
                )?;
                let mut found = Vec::new();
                let mut rows = statement.query(params![Id(tenant), from.0, to.0, limits::AGENT_TIME_ROW_MS, Id(agent), end.0])?;
                while let Some(row) = rows.next()? {
                    if found.len() >= limits::ROLL_UP_ROWS {
                        return Err(too_many_rows());
                    }
                    found.push(AgentStretch {
                        agent,
                        from: Timestamp(row.get::<_, i64>(0)?.max(from.0)),
                        to: Timestamp(row.get::<_, i64>(1)?.min(to.0)),
                        duty: row.get(2)?,
                        availability: row.get(3)?,
                        reason: row.get(4)?,
                        occupation: row.get(5)?,
                    });
                }
                found.sort_by_key(|stretch| stretch.from);
                Ok(found)
            })
            .await
    }
}
