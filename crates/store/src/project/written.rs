//! Rows of conversations in writing.

use super::Place;
use crate::{
    failure::Failure,
    sqlite::column::{Count, Id, Word},
};
use dreiklang_core::{Event, ids::ConversationId, time::Timestamp};
use rusqlite::params;

pub(super) fn apply(place: &Place<'_>, event: &Event) -> Result<(), Failure> {
    match event {
        Event::WrittenOpened { conversation, channel, customer, subject, link, .. } => {
            place.run(
                "INSERT OR IGNORE INTO written (tenant, id, channel, customer_number, customer_name, subject, link, started_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                params![Id(place.tenant), Id(*conversation), channel.as_str(), customer.number, customer.name, subject, link, place.at],
            )?;
        }
        Event::WrittenQueued { conversation, queue, .. } => set(place, *conversation, "queue = ?3", Id(*queue))?,
        Event::WrittenUnqueued { conversation, wait, .. } => {
            set(place, *conversation, "wait_ms = wait_ms + ?3", Count(wait.0))?;
        }
        Event::WrittenTaken { conversation, agent, .. } => {
            set(place, *conversation, "agent = ?3", Id(*agent))?;
            set(place, *conversation, "taken_at = coalesce(taken_at, ?3)", place.at)?;
        }
        Event::WrittenReleased { conversation, since, .. } => {
            let handled = Timestamp(place.at).since(*since);
            set(place, *conversation, "handling_ms = handling_ms + ?3", Count(handled.0))?;
        }
        Event::WrittenDisposed { conversation, disposition, .. } => set(place, *conversation, "disposition = ?3", disposition)?,
        Event::WrittenWrapUpEnded { conversation, started_at, missing, .. } => {
            let notes = Timestamp(place.at).since(*started_at);
            set(place, *conversation, "wrap_up_ms = wrap_up_ms + ?3", Count(notes.0))?;
            set(place, *conversation, "disposition_missing = ?3", *missing)?;
        }
        Event::WrittenClosed { conversation, channel, started_at, termination, .. } => {
            place.run(
                "INSERT INTO written (tenant, id, channel, started_at, ended_at, result, reason) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
                 ON CONFLICT (tenant, id) DO UPDATE SET ended_at = excluded.ended_at, result = excluded.result, reason = excluded.reason",
                params![
                    Id(place.tenant),
                    Id(*conversation),
                    channel.as_str(),
                    started_at.0,
                    place.at,
                    Word(termination.result),
                    Word(termination.reason)
                ],
            )?;
        }
        _ => {}
    }
    Ok(())
}

fn set(place: &Place<'_>, conversation: ConversationId, change: &str, value: impl rusqlite::ToSql) -> Result<(), Failure> {
    let sql = format!("UPDATE written SET {change} WHERE tenant = ?1 AND id = ?2");
    place.run(&sql, params![Id(place.tenant), Id(conversation), value])?;
    Ok(())
}
