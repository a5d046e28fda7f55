//! What can be asked of the past. Everything here is read from tables that follow the journal by a moment
//! ([`crate::Store::wait_projected`] waits for it).
//!
//! Hands out raw counts and sums per interval: whoever shows a percentage divides them himself, and can say by what.

pub mod agents;
pub mod conversations;
pub mod details;
pub mod queues;
pub mod recordings;

use crate::{failure::Failure, limits, sqlite::column::Id, store::Store};
use dreiklang_core::{
    ids::{AgentId, QueueId, TenantId},
    time::{Millis, Timestamp},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Width of the intervals of a roll-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Step {
    /// 15 minutes.
    #[serde(rename = "15m")]
    QuarterHour,
    /// 30 minutes.
    #[serde(rename = "30m")]
    HalfHour,
    /// 60 minutes.
    #[serde(rename = "60m")]
    Hour,
}

impl Step {
    /// As a span.
    pub fn millis(self) -> Millis {
        Millis::from_secs(match self {
            Step::QuarterHour => 15 * 60,
            Step::HalfHour => 30 * 60,
            Step::Hour => 60 * 60,
        })
    }
}

/// The time a roll-up covers, cut into intervals from its beginning on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// The first instant.
    pub from: Timestamp,
    /// The first instant no longer covered.
    pub to: Timestamp,
    /// Width of the intervals; the last may be cut short.
    pub step: Step,
}

impl Range {
    pub(crate) fn step_ms(self) -> i64 {
        i64::try_from(self.step.millis().0).unwrap_or(i64::MAX)
    }

    /// The interval that contains `at`, counted from 0.
    pub(crate) fn slot(self, at: i64) -> i64 {
        (at - self.from.0).div_euclid(self.step_ms())
    }

    pub(crate) fn slot_start(self, slot: i64) -> Timestamp {
        Timestamp(self.from.0 + slot * self.step_ms())
    }

    /// Refuses a range with more intervals than a roll-up has rows.
    pub(crate) fn check(self) -> Result<(), Failure> {
        let length = Timestamp(self.to.0.max(self.from.0)).since(self.from);
        if length.0 / self.step.millis().0 > limits::ROLL_UP_ROWS as u64 {
            return Err(too_many_rows());
        }
        Ok(())
    }
}

pub(crate) fn too_many_rows() -> Failure {
    Failure::TooLarge { what: "rows of a report", limit: limits::ROLL_UP_ROWS }
}

/// Names as configured last, also of what was removed since.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// Of queues.
    pub queues: BTreeMap<QueueId, String>,
    /// Of agents.
    pub agents: BTreeMap<AgentId, String>,
}

impl Store {
    /// Names of all queues and agents that reports may mention.
    pub async fn names(&self, tenant: TenantId) -> Result<Names, Failure> {
        self.sqlite()
            .read(move |db| {
                let mut names = Names::default();
                let mut statement = db.prepare_cached("SELECT queue, name FROM queue_setting WHERE tenant = ?1")?;
                for row in statement.query_map([Id(tenant)], |row| Ok((row.get::<_, Id<QueueId>>(0)?.0, row.get(1)?)))? {
                    let (queue, name) = row?;
                    names.queues.insert(queue, name);
                }
                let mut statement = db.prepare_cached("SELECT agent, name FROM agent_setting WHERE tenant = ?1")?;
                for row in statement.query_map([Id(tenant)], |row| Ok((row.get::<_, Id<AgentId>>(0)?.0, row.get(1)?)))? {
                    let (agent, name) = row?;
                    names.agents.insert(agent, name);
                }
                Ok(names)
            })
            .await
    }
}
