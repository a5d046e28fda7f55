//! What can be rated, page by page, in the order in which it ended.

use crate::{
    failure::Failure,
    limits,
    sqlite::column::{Count, Id, Word},
    store::Store,
};
use dreiklang_core::{
    conversation::Role,
    ids::{AgentId, TenantId},
    stats::{Metered, meter::Unit},
    time::{Millis, Timestamp},
};
use rusqlite::{Row, params};

/// The last record of a page: when it ended, the event it follows from, what was used.
pub type MeterPlace = (Timestamp, u64, Unit);

impl Store {
    /// Records of what ended from `from` on and before `to`, after `after`; at most `limit` and [`limits::PAGE_ROWS`].
    pub async fn metered(
        &self,
        tenant: TenantId,
        (from, to): (Timestamp, Timestamp),
        after: Option<MeterPlace>,
        limit: usize,
    ) -> Result<Vec<Metered>, Failure> {
        let (at, seq, unit) = after.map_or((from.0, 0, String::new()), |(at, seq, unit)| (at.0, seq, unit.as_str().to_owned()));
        self.sqlite()
            .read(move |db| {
                let mut statement = db.prepare_cached(
                    "SELECT seq, unit, quantity_ms, from_at, to_at, conversation, queue, line, leg, role, agent, direction, reach, recording
                     FROM metered
                     WHERE tenant = ?1 AND to_at >= ?2 AND to_at < ?3 AND (to_at, seq, unit) > (?4, ?5, ?6)
                     ORDER BY to_at, seq, unit LIMIT ?7",
                )?;
                let limit = Count(limit.min(limits::PAGE_ROWS) as u64);
                let rows = statement.query_map(params![Id(tenant), from.0, to.0, at, Count(seq), unit, limit], read)?;
                Ok(rows.collect::<Result<_, _>>()?)
            })
            .await
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<Metered> {
    let agent = row.get::<_, Option<Id<AgentId>>>(10)?.map(|id| id.0);
    let role = match (row.get::<_, Option<String>>(9)?.as_deref(), agent) {
        (Some("customer"), _) => Some(Role::Customer),
        (Some("agent"), Some(agent)) => Some(Role::Agent(agent)),
        (Some("external"), _) => Some(Role::External),
        _ => None,
    };
    Ok(Metered {
        seq: row.get::<_, Count>(0)?.0,
        unit: row.get::<_, Word<_>>(1)?.0,
        quantity: Millis(row.get::<_, Count>(2)?.0),
        from: Timestamp(row.get(3)?),
        to: Timestamp(row.get(4)?),
        conversation: row.get::<_, Id<_>>(5)?.0,
        queue: row.get::<_, Option<Id<_>>>(6)?.map(|id| id.0),
        line: row.get::<_, Option<Word<_>>>(7)?.map(|word| word.0),
        leg: row.get::<_, Option<Id<_>>>(8)?.map(|id| id.0),
        role,
        direction: row.get::<_, Option<Word<_>>>(11)?.map(|word| word.0),
        reach: row.get::<_, Option<Word<_>>>(12)?.map(|word| word.0),
        recording: row.get::<_, Option<Id<_>>>(13)?.map(|id| id.0),
    })
}
