//! Figures and what can be rated later: books what the core's ledger says of each event, summed up over a batch so that an
//! interval is written once.

use crate::{
    failure::Failure,
    sqlite::column::{Count, Id, Json, Word},
};
use dreiklang_core::{
    Event, Stamped,
    config::Change,
    conversation::Role,
    ids::TenantId,
    stats::{Counter as _, Daybook, Entry, Key, Ledger, Metered, Subject, Tally},
    time::Timestamp,
};
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::{BTreeMap, BTreeSet};

/// What some events book together.
#[derive(Default)]
pub(crate) struct Batch {
    books: Daybook,
    touched: BTreeSet<Key>,
    numbers: BTreeMap<String, String>,
}

impl Batch {
    /// Takes one event over.
    pub(crate) fn observe(&mut self, ledger: &mut Ledger, stamped: &Stamped) {
        self.touched.extend(ledger.observe(stamped, &mut self.books));
        if let Event::Configured { change: Change::PutNumber(number) } = &stamped.event {
            self.numbers.insert(number.id.to_string(), number.number.clone());
        }
    }

    /// Writes everything; belongs into the transaction that also moves the tenant's place in the journal.
    pub(crate) fn write(&self, db: &Connection, tenant: TenantId, ledger: &Ledger) -> Result<(), Failure> {
        for ((subject, slot), tally) in &self.books.tallies {
            add(db, tenant, *subject, *slot, tally)?;
        }
        for record in &self.books.metered {
            meter(db, tenant, record)?;
        }
        for key in &self.touched {
            remember(db, tenant, *key, ledger.entry(*key))?;
        }
        for (number, name) in &self.numbers {
            db.prepare_cached("INSERT OR REPLACE INTO number_setting (tenant, number, name) VALUES (?1, ?2, ?3)")?.execute(params![
                Id(tenant),
                number,
                name
            ])?;
        }
        Ok(())
    }
}

/// What the ledger knew when the last batch was written.
pub(crate) fn load(db: &Connection, tenant: TenantId) -> Result<Ledger, Failure> {
    let mut ledger = Ledger::default();
    let mut statement = db.prepare_cached("SELECT body FROM figure_memory WHERE tenant = ?1")?;
    let mut rows = statement.query([Id(tenant)])?;
    while let Some(row) = rows.next()? {
        match row.get::<_, Json<(Key, Entry)>>(0) {
            Ok(Json((key, entry))) => ledger.restore(key, entry),
            // Figures with a gap are better than figures that stand still for ever.
            Err(error) => tracing::error!(%tenant, %error, "something the figures remembered cannot be read"),
        }
    }
    Ok(ledger)
}

fn add(db: &Connection, tenant: TenantId, subject: Subject, slot: Timestamp, tally: &Tally) -> Result<(), Failure> {
    let known = db
        .prepare_cached("SELECT body FROM figure WHERE tenant = ?1 AND kind = ?2 AND slot = ?3 AND subject = ?4")?
        .query_row(params![Id(tenant), subject.kind().as_str(), slot.0, subject.to_string()], |row| row.get::<_, String>(0))
        .optional()?;
    let mut sum = match known.as_deref().map(serde_json::from_str::<Tally>) {
        None => Tally::default(),
        Some(Ok(sum)) => sum,
        Some(Err(error)) => {
            tracing::error!(%tenant, %subject, slot = slot.0, %error, "the figures of an interval cannot be read and begin anew");
            Tally::default()
        }
    };
    sum.absorb(tally);
    db.prepare_cached("INSERT OR REPLACE INTO figure (tenant, kind, slot, subject, body) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![Id(tenant), subject.kind().as_str(), slot.0, subject.to_string(), Json(sum)])?;
    Ok(())
}

fn meter(db: &Connection, tenant: TenantId, record: &Metered) -> Result<(), Failure> {
    let (role, agent) = match record.role {
        None => (None, None),
        Some(Role::Customer) => (Some("customer"), None),
        Some(Role::Agent(agent)) => (Some("agent"), Some(agent)),
        Some(Role::External) => (Some("external"), None),
    };
    db.prepare_cached(
        "INSERT OR IGNORE INTO metered
             (tenant, to_at, seq, unit, quantity_ms, from_at, conversation, queue, line, leg, role, agent, direction, reach, recording)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
    )?
    .execute(params![
        Id(tenant),
        record.to.0,
        Count(record.seq),
        Word(record.unit),
        Count(record.quantity.0),
        record.from.0,
        Id(record.conversation),
        record.queue.map(Id),
        record.line.map(Word),
        record.leg.map(Id),
        role,
        agent.map(Id),
        record.direction.map(Word),
        record.reach.map(Word),
        record.recording.map(Id)
    ])?;
    Ok(())
}

fn remember(db: &Connection, tenant: TenantId, key: Key, entry: Option<Entry>) -> Result<(), Failure> {
    let id = match key {
        Key::Queue(id) => id.to_string(),
        Key::Agent(id) => id.to_string(),
        Key::Conversation(id) => id.to_string(),
    };
    match entry {
        Some(entry) => db
            .prepare_cached("INSERT OR REPLACE INTO figure_memory (tenant, id, body) VALUES (?1, ?2, ?3)")?
            .execute(params![Id(tenant), id, Json((key, entry))])?,
        None => db.prepare_cached("DELETE FROM figure_memory WHERE tenant = ?1 AND id = ?2")?.execute(params![Id(tenant), id])?,
    };
    Ok(())
}
