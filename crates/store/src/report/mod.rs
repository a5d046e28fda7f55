//! What can be asked of the past. Everything here is read from tables that follow the journal by a moment
//! ([`crate::Store::wait_projected`] waits for it).
//!
//! Hands out raw counts and sums per interval: whoever shows a percentage divides them himself, and can say by what.

pub mod agents;
pub mod conversations;
pub mod details;
pub mod figures;
pub mod meter;
pub mod recordings;
pub mod written;

use crate::{failure::Failure, limits, sqlite::column::Id, store::Store};
use dreiklang_core::ids::{AgentId, QueueId, TenantId};
use std::collections::BTreeMap;

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
